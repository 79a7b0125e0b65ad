//! How much of the returned set stays: all of it, or at least e of its k labels.

use super::inference::{Inference, sum_down, sum_up};
use super::kept_radius::{radius_above, running};
use super::returned::{Descending, Returned, Selection, Spent, parted, share};
use super::search::less_slack;
use crate::noise::family::Gaussian;
use crate::stats::{Counts, Prob};
use crate::{Error, Result};

/// The statement that at least `at_least` of the returned labels are among the smoothed classifier's top k for every
/// perturbation of l2 norm below `radius`; with `at_least` = k, that the set does not change.
///
/// It is wrong with probability at most `alpha`, over the rows drawn.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SetCertificate {
    /// The returned labels, the likeliest first; k of them.
    pub labels: Vec<usize>,
    /// How many of them stay, at the least: e, in 1..=k.
    pub at_least: usize,
    /// The certified l2 radius, in the units of the input, rounded down; 0 when nothing is certified.
    pub radius: f64,
    /// The e labels that stay are found among so many of the first: `at_least`..=k. Less than k only where the same counts
    /// chose the labels and part these better from the rest.
    pub among: usize,
    /// u and v: the radius ends where u labels of the set would fall as low, on average, as v from outside can rise.
    pub limit: (usize, usize),
    /// Lower bound of the summed probability of those u.
    pub p_lower: Prob,
    /// Upper bound of the summed probability of those v.
    pub p_upper: Prob,
    /// How the labels were chosen.
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

impl SetCertificate {
    /// Whether anything is certified: as many labels stay at the point itself and within a positive radius.
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

/// Certifies the whole set: with probability at least 1 - `alpha` the smoothed classifier's top-k set is the returned one,
/// for every perturbation of l2 norm below the radius. Two bounds are all it takes, whatever k: the least likely label of
/// the set from below and the most likely one outside from above.
///
/// # Errors
/// As [`certify_kept`].
///
/// ```
/// use smoothtopk::certificate::{Inference, Returned, certify_set};
/// use smoothtopk::stats::Counts;
/// let counts = Counts::complete(vec![2, 2, 334, 93642, 2, 5279, 737, 0, 2, 0])?;
/// let two = certify_set(&counts, &Returned::same_counts(&counts, 2)?, 0.25, 0.001, &Inference::FIXED)?;
/// assert!(two.labels == [3, 5] && two.radius > 0.09);
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub fn certify_set(
    counts: &Counts,
    returned: &Returned,
    sigma: f64,
    alpha: f64,
    inference: &Inference,
) -> Result<SetCertificate> {
    certify_kept(counts, returned, returned.labels().len(), sigma, alpha, inference)
}

/// Certifies that at least `at_least` of the k returned labels stay: with probability at least 1 - `alpha` so many of them
/// are in the smoothed classifier's top k, for every perturbation of l2 norm below the radius.
///
/// `sigma` is the standard deviation of the Gaussian noise, in the units of the input. Each e is a statement of its own:
/// those for several e from one set of counts are all true with probability at least 1 minus the sum of their alphas.
///
/// # Errors
/// `InvalidArgument` when `at_least` is not in 1..=k, or so small that too few labels are outside to push more out; else as
/// [`certify_each`](super::certify_each).
///
/// ```
/// use smoothtopk::certificate::{Inference, Returned, certify_kept};
/// use smoothtopk::stats::Counts;
/// let counts = Counts::complete(vec![2, 2, 334, 93642, 2, 5279, 737, 0, 2, 0])?;
/// let returned = Returned::same_counts(&counts, 3)?;
/// let radius = |e| certify_kept(&counts, &returned, e, 0.25, 0.001, &Inference::FIXED).map(|kept| kept.radius);
/// assert!(radius(1)? > 0.7 && radius(2)? > 0.1 && radius(3)? > 0.0);
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub fn certify_kept(
    counts: &Counts,
    returned: &Returned,
    at_least: usize,
    sigma: f64,
    alpha: f64,
    inference: &Inference,
) -> Result<SetCertificate> {
    let noise = Gaussian::new(sigma)?;
    returned.check(counts, alpha, inference)?;
    let (k, n, selection) = (returned.labels().len(), counts.n(), returned.selection());
    if !(1..=k).contains(&at_least) {
        return Err(Error::argument(
            "at_least",
            format!("at least {at_least} of {k} labels: it must be from 1 to {k}"),
        ));
    }
    let (leaving, outside) = (k - at_least + 1, counts.classes() - k);
    if leaving > outside {
        let message = format!(
            "at least {at_least} of {k} labels stay whatever happens, since only {outside} are outside: ask for {} or more",
            k - outside + 1
        );
        return Err(Error::argument("at_least", message));
    }
    let spent = Spent::split(alpha, selection == Selection::SameCounts);
    let mut best = SetCertificate {
        labels: returned.labels().to_vec(),
        at_least,
        radius: 0.0,
        among: k,
        limit: (1, 1),
        p_lower: Prob::ZERO,
        p_upper: Prob::ONE,
        selection,
        sigma,
        alpha,
        spent,
        n,
    };
    let paid = Paid::new(selection, leaving, spent)?;
    let all = Descending::new(counts);
    let firsts = if selection == Selection::SameCounts { at_least..=k } else { k..=k };
    for first in firsts.rev() {
        if selection == Selection::SameCounts && !parted(inference, &all, first, share(spent.choice, leaving)?)? {
            continue;
        }
        let (members, rivals) = sides(counts, &returned.labels()[..first], first - at_least + 1, leaving);
        let lows = paid.lows(&members, n, inference)?;
        let highs = paid.highs(&rivals, counts.invalid(), n, inference)?;
        if let Some((radius, limit)) = radius_above(best.radius, &noise, &lows, &highs) {
            let (p_lower, p_upper) = (lows[limit.0 - 1], highs[limit.1 - 1]);
            best = SetCertificate { radius, among: first, limit, p_lower, p_upper, ..best };
        }
    }
    Ok(best)
}

/// The counts of the `leaving` weakest of `set`, ascending, and of the `entering` strongest labels outside, descending.
fn sides(counts: &Counts, set: &[usize], leaving: usize, entering: usize) -> (Vec<u64>, Vec<u64>) {
    let mut members: Vec<u64> = set.iter().map(|&label| counts.labels()[label]).collect();
    members.sort_unstable();
    members.truncate(leaving);
    let mut inside = vec![false; counts.classes()];
    set.iter().for_each(|&label| inside[label] = true);
    let mut rivals: Vec<u64> =
        counts.labels().iter().zip(inside).filter(|(_, inside)| !inside).map(|(&c, _)| c).collect();
    rivals.sort_unstable_by(|a, b| b.cmp(a));
    rivals.truncate(entering);
    (members, rivals)
}

/// The level of each single bound.
struct Paid {
    lower: f64,
    upper: f64,
}

impl Paid {
    /// With s = `leaving`. Of a set fixed beforehand its s least likely labels are bounded from below and the s most
    /// likely ones outside from above, and where s > 1 the sum of each group once more as one event. Where the same counts
    /// chose the set, the first b labels may stand for it, b = e..=k: between them those groups have s labels inside (s -
    /// 1 groups of more than one) and 2s - 1 outside (s groups).
    fn new(selection: Selection, s: usize, spent: Spent) -> Result<Self> {
        let (lower, upper) = match (selection, s) {
            (_, 1) => (1, 1),
            (Selection::Pilot, _) => (s + 1, s + 1),
            (Selection::SameCounts, _) => (2 * s - 1, 3 * s - 1),
        };
        Ok(Self { lower: share(spent.lower, lower)?, upper: share(spent.upper, upper)? })
    }

    /// For u = 1.. a lower bound of the summed probability of the u most likely among the `members.len()` least likely
    /// labels of the set, from the smallest counts of the set, ascending.
    fn lows(&self, members: &[u64], n: u64, inference: &Inference) -> Result<Vec<Prob>> {
        let bounds: Vec<Prob> =
            members.iter().rev().map(|&count| (inference.lower)(count, n, self.lower)).collect::<Result<_>>()?;
        let mut lows = running(&bounds, sum_down);
        if let ([_, .., all], sum) = (&mut lows[..], members.iter().sum()) {
            let event = (inference.lower)(sum, n, self.lower)?;
            *all = if event.p > all.p { event } else { *all };
        }
        Ok(lows)
    }

    /// For v = 1.. an upper bound of the summed probability of the v least likely among the `rivals.len()` most likely
    /// labels outside, from the largest counts outside, descending, each of which may have had the rows without a label.
    fn highs(&self, rivals: &[u64], invalid: u64, n: u64, inference: &Inference) -> Result<Vec<Prob>> {
        let upper = |&count: &u64| (inference.upper)(count + invalid, n, self.upper);
        let bounds: Vec<Prob> = rivals.iter().rev().map(upper).collect::<Result<_>>()?;
        let mut highs = running(&bounds, sum_up);
        if let ([_, .., all], sum) = (&mut highs[..], rivals.iter().sum()) {
            let event = upper(&sum)?;
            *all = if event.p < all.p { event } else { *all };
        }
        Ok(highs)
    }
}
