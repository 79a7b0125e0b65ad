//! How long the returned labels keep their order.

use super::inference::Inference;
use super::radius::top_k_radius;
use super::returned::{Descending, Returned, Selection, Spent, parted, share};
use super::search::less_slack;
use crate::noise::family::Gaussian;
use crate::stats::{Counts, Prob};
use crate::{Error, Result};

/// The statement that the first `places` returned labels are, in this order, the smoothed classifier's most likely ones for
/// every perturbation of l2 norm below `radius`: with `places` = 1 that the top-1 stays top-1, with k that the whole ranking
/// and its boundary with the rest stay.
///
/// It is wrong with probability at most `alpha`, over the rows drawn.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OrderCertificate {
    /// The labels whose places are certified, the likeliest first.
    pub labels: Vec<usize>,
    /// The certified l2 radius, in the units of the input, rounded down; 0 when nothing is certified.
    pub radius: f64,
    /// The place, from 1, whose label is the first that the next one could overtake.
    pub weakest: usize,
    /// Lower bound of that label's probability.
    pub p_lower: Prob,
    /// Upper bound of the probability of the label in the next place, or of any behind the last certified place.
    pub p_upper: Prob,
    /// How the labels were chosen and ordered.
    pub selection: Selection,
    /// The noise's standard deviation, in the units of the input.
    pub sigma: f64,
    /// The failure probability.
    pub alpha: f64,
    /// How it was spent.
    pub spent: Spent,
    /// The rows drawn.
    pub n: u64,
}

impl OrderCertificate {
    /// Whether anything is certified: the order is right at the point itself and within a positive radius.
    pub fn certified(&self) -> bool {
        self.radius > 0.0
    }

    /// The certificate with `slack` taken off the radius, rounded down; see
    /// [`Certificate::shrunk_by`](super::Certificate::shrunk_by).
    #[must_use]
    pub fn shrunk_by(mut self, slack: f64) -> Self {
        self.radius = less_slack(self.radius, slack);
        self
    }
}

/// Certifies the first `places` places of the returned ranking: with probability at least 1 - `alpha` those labels are the
/// smoothed classifier's most likely ones, in this order, for every perturbation of l2 norm below the radius.
///
/// The radius is the least over neighbouring places. Each pair is bounded at the full alpha: a radius that is too large is
/// too large for the pair that truly gives way first, which is a fixed one, though unknown.
///
/// `sigma` is the standard deviation of the Gaussian noise, in the units of the input.
///
/// # Errors
/// `InvalidArgument` when `places` is not in 1..=k; else as [`certify_each`](super::certify_each).
///
/// ```
/// use smoothtopk::certificate::{Inference, Returned, certify_order};
/// use smoothtopk::stats::Counts;
/// let counts = Counts::complete(vec![2, 2, 334, 93642, 2, 5279, 737, 0, 2, 0])?;
/// let returned = Returned::same_counts(&counts, 3)?;
/// let first = certify_order(&counts, &returned, 1, 0.25, 0.001, &Inference::FIXED)?;
/// assert!(first.labels == [3] && first.radius > 0.38);
/// let ranking = certify_order(&counts, &returned, 3, 0.25, 0.001, &Inference::FIXED)?;
/// assert!(ranking.labels == [3, 5, 6] && ranking.certified() && ranking.weakest == 3);
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub fn certify_order(
    counts: &Counts,
    returned: &Returned,
    places: usize,
    sigma: f64,
    alpha: f64,
    inference: &Inference,
) -> Result<OrderCertificate> {
    let noise = Gaussian::new(sigma)?;
    returned.check(counts, alpha, inference)?;
    let (k, n, selection) = (returned.labels().len(), counts.n(), returned.selection());
    if !(1..=k).contains(&places) {
        return Err(Error::argument("places", format!("{places} places of {k} labels: it must be from 1 to {k}")));
    }
    let tested = selection == Selection::SameCounts;
    let spent = Spent::split(alpha, tested);
    let labels = returned.labels()[..places].to_vec();
    let mut result = OrderCertificate {
        labels,
        radius: f64::INFINITY,
        weakest: 1,
        p_lower: Prob::ZERO,
        p_upper: Prob::ONE,
        selection,
        sigma,
        alpha,
        spent,
        n,
    };
    let all = tested.then(|| Descending::new(counts));
    let (lower, upper) = (share(spent.lower, 1)?, share(spent.upper, 1)?);
    for place in 1..=places {
        let label = result.labels[place - 1];
        let next = match result.labels.get(place) {
            Some(&next) => counts.labels()[next],
            None => strongest_outside(counts, &result.labels),
        };
        let shown = match &all {
            Some(all) => parted(inference, all, place, share(spent.choice, places)?)?,
            None => true,
        };
        let p_lower = if shown { (inference.lower)(counts.labels()[label], n, lower)? } else { Prob::ZERO };
        let p_upper = (inference.upper)(next + counts.invalid(), n, upper)?;
        let radius = top_k_radius(&noise, p_lower, &[p_upper])?.radius;
        if radius < result.radius {
            result = OrderCertificate { radius, weakest: place, p_lower, p_upper, ..result };
        }
    }
    Ok(result)
}

/// The largest count of a label that is not one of `labels`.
fn strongest_outside(counts: &Counts, labels: &[usize]) -> u64 {
    let mut inside = vec![false; counts.classes()];
    labels.iter().for_each(|&label| inside[label] = true);
    counts.labels().iter().zip(inside).filter(|(_, inside)| !inside).map(|(&count, _)| count).max().unwrap_or(0)
}
