//! How much of an answer's set stays: all of it, or at least e of its k labels.

use super::answer_labels::{AlphaSplit, Descending, Selection, share, top_j_is_separated};
use super::basis::Basis;
use super::bounds::{BoundFunctions, sum_down, sum_up};
use super::kept_radius::{radius_above, running};
use super::question::Question;
use crate::stats::Prob;
use crate::{Error, Result};

/// The statement that at least `at_least` of the returned labels are among the smoothed classifier's top k for every
/// perturbation of size below `radius`; with `at_least` = k, that the set does not change.
///
/// It is wrong with probability at most the alpha of its basis, over the samples drawn.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SetCertificate {
    /// The labels of the answer, the likeliest first; k of them.
    pub labels: Vec<usize>,
    /// How many of them stay, at the least: e, in 1..=k.
    pub at_least: usize,
    /// The certified radius in the noise's norm, in the units of the input, rounded down; 0 when nothing is certified.
    pub radius: f64,
    /// The e labels that stay are found among so many of the first: `at_least`..=k. Less than k only where the same
    /// counts chose the labels and part these better from the rest.
    pub among: usize,
    /// u and v: the radius ends where u labels of the set would fall as low, on average, as v from outside can rise.
    pub limit: (usize, usize),
    /// Lower bound of the summed probability of those u.
    pub p_lower: Prob,
    /// Upper bound of the summed probability of those v.
    pub p_upper: Prob,
    /// How the labels were chosen.
    pub selection: Selection,
    /// How alpha was split.
    pub split: AlphaSplit,
    /// What it rests on.
    pub basis: Basis,
}

impl SetCertificate {
    /// Whether anything is certified: as many labels stay at the point itself and within a positive radius.
    pub fn certified(&self) -> bool {
        self.radius > 0.0
    }
}

impl Question<'_> {
    /// Certifies the whole set: with probability at least 1 - alpha the smoothed classifier's top-k set is that of the
    /// answer, for every perturbation of size below the radius. Two bounds are all it takes, whatever k: the least
    /// likely label of the set from below and the most likely one outside from above.
    ///
    /// # Errors
    /// As [`Question::kept`].
    pub fn set(&self) -> Result<SetCertificate> {
        self.kept(self.k())
    }

    /// Certifies that at least `at_least` of the k labels stay: with probability at least 1 - alpha so many of them are
    /// in the smoothed classifier's top k, for every perturbation of size below the radius.
    ///
    /// Each e is a statement of its own: those for several e from one set of counts are all true with probability at
    /// least 1 minus the sum of their alphas.
    ///
    /// # Errors
    /// `InvalidArgument` when `at_least` is not in 1..=k, or so small that too few labels are outside to push more out,
    /// or a share of alpha is too small.
    pub fn kept(&self, at_least: usize) -> Result<SetCertificate> {
        let (k, n, selection) = (self.k(), self.tally.n(), self.labels.selection());
        if !(1..=k).contains(&at_least) {
            let message = format!("at least {at_least} of {k} labels: it must be from 1 to {k}");
            return Err(Error::argument("at_least", message));
        }
        let (leaving, outside) = (k - at_least + 1, self.tally.classes() - k);
        if leaving > outside {
            let message = format!(
                "at least {at_least} of {k} labels stay whatever happens, since only {outside} are outside: ask for {} or more",
                k - outside + 1
            );
            return Err(Error::argument("at_least", message));
        }
        let same_counts = selection == Selection::SameCounts;
        let split = AlphaSplit::of(self.basis.alpha_left, same_counts);
        let mut best = SetCertificate {
            labels: self.labels.labels().to_vec(),
            at_least,
            radius: 0.0,
            among: k,
            limit: (1, 1),
            p_lower: Prob::ZERO,
            p_upper: Prob::ONE,
            selection,
            split,
            basis: Basis { n, ..*self.basis },
        };
        let paid = PerBoundAlpha::new(selection, leaving, split)?;
        let all = Descending::new(self.tally);
        let firsts = if same_counts { at_least..=k } else { k..=k };
        for first in firsts.rev() {
            if same_counts && !top_j_is_separated(&self.bounds, &all, first, share(split.choice, leaving)?)? {
                continue;
            }
            let (members, rivals) = self.sides(&self.labels.labels()[..first], first - at_least + 1, leaving);
            let lows = paid.lows(&members, n, &self.bounds)?;
            let highs = paid.highs(&rivals, self.tally.invalid(), n, &self.bounds)?;
            if let Some((radius, limit)) = radius_above(best.radius, &self.basis.noise, &lows, &highs) {
                let (p_lower, p_upper) = (lows[limit.0 - 1], highs[limit.1 - 1]);
                best = SetCertificate { radius, among: first, limit, p_lower, p_upper, ..best };
            }
        }
        best.radius = self.basis.less_cost(best.radius);
        Ok(best)
    }

    /// The counts of the `leaving` weakest of `set`, ascending, and of the `entering` strongest labels outside,
    /// descending.
    fn sides(&self, set: &[usize], leaving: usize, entering: usize) -> (Vec<u64>, Vec<u64>) {
        let mut members: Vec<u64> = set.iter().map(|&label| self.count(label)).collect();
        members.sort_unstable();
        members.truncate(leaving);
        let mut rivals: Vec<u64> = self.outside(set).collect();
        rivals.sort_unstable_by(|a, b| b.cmp(a));
        rivals.truncate(entering);
        (members, rivals)
    }
}

/// The level of each single bound.
struct PerBoundAlpha {
    lower: f64,
    upper: f64,
}

impl PerBoundAlpha {
    /// With s = `leaving`. Of a set fixed beforehand its s least likely labels are bounded from below and the s most
    /// likely ones outside from above, and where s > 1 the sum of each group once more as one event. Where the same
    /// counts chose the set, the first b labels may stand for it, b = e..=k: between them those groups have s labels
    /// inside (s - 1 groups of more than one) and 2s - 1 outside (s groups).
    fn new(selection: Selection, s: usize, split: AlphaSplit) -> Result<Self> {
        let (lower, upper) = match (selection, s) {
            (_, 1) => (1, 1),
            (Selection::Pilot, _) => (s + 1, s + 1),
            (Selection::SameCounts, _) => (2 * s - 1, 3 * s - 1),
        };
        Ok(Self { lower: share(split.lower, lower)?, upper: share(split.upper, upper)? })
    }

    /// For u = 1.. a lower bound of the summed probability of the u most likely among the `members.len()` least likely
    /// labels of the set, from the smallest counts of the set, ascending.
    fn lows(&self, members: &[u64], n: u64, bounds: &BoundFunctions) -> Result<Vec<Prob>> {
        let each: Vec<Prob> =
            members.iter().rev().map(|&count| (bounds.lower)(count, n, self.lower)).collect::<Result<_>>()?;
        let mut lows = running(&each, sum_down);
        if let ([_, .., all], sum) = (&mut lows[..], members.iter().sum()) {
            let event = (bounds.lower)(sum, n, self.lower)?;
            *all = if event.p > all.p { event } else { *all };
        }
        Ok(lows)
    }

    /// For v = 1.. an upper bound of the summed probability of the v least likely among the `rivals.len()` most likely
    /// labels outside, from the largest counts outside, descending, each of which may have had the invalid samples.
    fn highs(&self, rivals: &[u64], invalid: u64, n: u64, bounds: &BoundFunctions) -> Result<Vec<Prob>> {
        let upper = |&count: &u64| (bounds.upper)(count + invalid, n, self.upper);
        let each: Vec<Prob> = rivals.iter().rev().map(upper).collect::<Result<_>>()?;
        let mut highs = running(&each, sum_up);
        if let ([_, .., all], sum) = (&mut highs[..], rivals.iter().sum()) {
            let event = upper(&sum)?;
            *all = if event.p < all.p { event } else { *all };
        }
        Ok(highs)
    }
}
