//! How long the labels of an answer keep their order.

use super::answer_labels::{AlphaSplit, Descending, Selection, share, top_j_is_separated};
use super::basis::Basis;
use super::question::Question;
use super::radius::top_k_radius;
use crate::stats::Prob;
use crate::{Error, Result};

/// The statement that the first `places` returned labels are, in this order, the smoothed classifier's most likely ones
/// for every perturbation of size below `radius`: with `places` = 1 that the top-1 stays top-1, with k that the whole
/// ranking and its boundary with the rest stay.
///
/// It is wrong with probability at most the alpha of its basis, over the samples drawn.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OrderCertificate {
    /// The labels whose places are certified, the likeliest first.
    pub labels: Vec<usize>,
    /// The certified radius in the noise's norm, in the units of the input, rounded down; 0 when nothing is certified.
    pub radius: f64,
    /// The place, from 1, whose label is the first that the next one could overtake.
    pub weakest: usize,
    /// Lower bound of that label's probability.
    pub p_lower: Prob,
    /// Upper bound of the probability of the label in the next place, or of any behind the last certified place.
    pub p_upper: Prob,
    /// How the labels were chosen and ordered.
    pub selection: Selection,
    /// How alpha was split.
    pub split: AlphaSplit,
    /// What it rests on.
    pub basis: Basis,
}

impl OrderCertificate {
    /// Whether anything is certified: the order is right at the point itself and within a positive radius.
    pub fn certified(&self) -> bool {
        self.radius > 0.0
    }
}

impl Question<'_> {
    /// Certifies the first `places` places of the answer's ranking: with probability at least 1 - alpha those labels
    /// are the smoothed classifier's most likely ones, in this order, for every perturbation of size below the radius.
    ///
    /// The radius is the least over neighbouring places. Each pair is bounded at the full alpha: a radius that is too
    /// large is too large for the pair that truly gives way first, which is a fixed one, though unknown.
    ///
    /// # Errors
    /// `InvalidArgument` when `places` is not in 1..=k, or a share of alpha is too small.
    pub fn order(&self, places: usize) -> Result<OrderCertificate> {
        let (k, n, selection) = (self.k(), self.tally.n(), self.labels.selection());
        if !(1..=k).contains(&places) {
            return Err(Error::argument("places", format!("{places} places of {k} labels: it must be from 1 to {k}")));
        }
        let tested = selection == Selection::SameCounts;
        let split = AlphaSplit::of(self.basis.alpha_left, tested);
        let mut result = OrderCertificate {
            labels: self.labels.labels()[..places].to_vec(),
            radius: f64::INFINITY,
            weakest: 1,
            p_lower: Prob::ZERO,
            p_upper: Prob::ONE,
            selection,
            split,
            basis: Basis { n, ..*self.basis },
        };
        let all = tested.then(|| Descending::new(self.tally));
        let (lower, upper) = (share(split.lower, 1)?, share(split.upper, 1)?);
        for place in 1..=places {
            let label = result.labels[place - 1];
            let next = match result.labels.get(place) {
                Some(&next) => self.count(next),
                None => self.outside(&result.labels).max().unwrap_or(0),
            };
            let shown = match &all {
                Some(all) => top_j_is_separated(&self.bounds, all, place, share(split.choice, places)?)?,
                None => true,
            };
            let p_lower = if shown { (self.bounds.lower)(self.count(label), n, lower)? } else { Prob::ZERO };
            let p_upper = (self.bounds.upper)(next + self.tally.invalid(), n, upper)?;
            let radius = top_k_radius(&self.basis.noise, p_lower, &[p_upper])?.radius;
            if radius < result.radius {
                result = OrderCertificate { radius, weakest: place, p_lower, p_upper, ..result };
            }
        }
        result.radius = self.basis.less_cost(result.radius);
        Ok(result)
    }
}
