//! How much of the returned set stays: all of it, or at least e of its k labels.

use super::intervals::{Intervals, sum_down, sum_up};
use super::returned::{Returned, Selection, Spent, descending, parted, share};
use super::search::{Guess, largest, less_slack};
use crate::noise::family::{Gaussian, NoiseFamily};
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

    /// The certificate with `slack` taken off the radius, rounded down, as [`Certificate::shrunk_by`](super::Certificate::shrunk_by).
    #[must_use]
    pub fn shrunk_by(mut self, slack: f64) -> Self {
        self.radius = less_slack(self.radius, slack);
        self
    }
}

/// Certifies the whole set: with probability at least 1 - `alpha` the smoothed classifier's top-k set is the returned one,
/// for every perturbation of l2 norm below the radius. Two bounds are all it takes, whatever k: the least likely label of the
/// set from below and the most likely one outside from above.
///
/// # Errors
/// As [`certify_kept`].
///
/// ```
/// use smoothtopk::certificate::{Intervals, Returned, certify_set};
/// use smoothtopk::stats::Counts;
/// let counts = Counts::complete(vec![2, 2, 334, 93642, 2, 5279, 737, 0, 2, 0])?;
/// let two = certify_set(&counts, &Returned::same_counts(&counts, 2)?, 0.25, 0.001, &Intervals::FIXED)?;
/// assert!(two.labels == [3, 5] && two.radius > 0.09);
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub fn certify_set(
    counts: &Counts,
    returned: &Returned,
    sigma: f64,
    alpha: f64,
    intervals: &Intervals,
) -> Result<SetCertificate> {
    certify_kept(counts, returned, returned.labels().len(), sigma, alpha, intervals)
}

/// Certifies that at least `at_least` of the k returned labels stay: with probability at least 1 - `alpha` so many of them
/// are in the smoothed classifier's top k, for every perturbation of l2 norm below the radius.
///
/// `sigma` is the standard deviation of the Gaussian noise, in the units of the input. Each e is a statement of its own: those
/// for several e from one set of counts are all true with probability at least 1 minus the sum of their alphas.
///
/// # Errors
/// `InvalidArgument` when `at_least` is not in 1..=k, or so small that too few labels are outside to push more out; else as
/// [`certify_each`](super::certify_each).
///
/// ```
/// use smoothtopk::certificate::{Intervals, Returned, certify_kept};
/// use smoothtopk::stats::Counts;
/// let counts = Counts::complete(vec![2, 2, 334, 93642, 2, 5279, 737, 0, 2, 0])?;
/// let returned = Returned::same_counts(&counts, 3)?;
/// let radius = |e| certify_kept(&counts, &returned, e, 0.25, 0.001, &Intervals::FIXED).map(|kept| kept.radius);
/// assert!(radius(1)? > 0.7 && radius(2)? > 0.1 && radius(3)? > 0.0);
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub fn certify_kept(
    counts: &Counts,
    returned: &Returned,
    at_least: usize,
    sigma: f64,
    alpha: f64,
    intervals: &Intervals,
) -> Result<SetCertificate> {
    let noise = Gaussian::new(sigma)?;
    returned.check(counts, alpha)?;
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
    let all = descending(counts);
    let firsts = if selection == Selection::SameCounts { at_least..=k } else { k..=k };
    for first in firsts.rev() {
        if selection == Selection::SameCounts && !parted(intervals, &all, first, spent.choice / leaving as f64)? {
            continue;
        }
        let (members, rivals) = sides(counts, &returned.labels()[..first], first - at_least + 1, leaving);
        let limits = Limits {
            noise: &noise,
            lows: paid.lows(&members, n, intervals)?,
            highs: paid.highs(&rivals, n, intervals)?,
        };
        if let Some((radius, limit)) = limits.radius_above(best.radius) {
            let (p_lower, p_upper) = (limits.lows[limit.0 - 1], limits.highs[limit.1 - 1]);
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
    /// With s = `leaving`. Of a set fixed beforehand its s least likely labels are bounded from below and the s most likely
    /// ones outside from above, and where s > 1 the sum of each group once more as one event. Where the same counts chose the
    /// set, the first b labels may stand for it, b = e..=k: between them those groups have s labels inside (s - 1 groups of more
    /// than one) and 2s - 1 outside (s groups).
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
    fn lows(&self, members: &[u64], n: u64, intervals: &Intervals) -> Result<Vec<Prob>> {
        let bounds = members.iter().rev().map(|&count| (intervals.lower)(count, n, self.lower));
        let mut lows = running(bounds, sum_down)?;
        if let ([_, .., all], sum) = (&mut lows[..], members.iter().sum()) {
            let event = (intervals.lower)(sum, n, self.lower)?;
            *all = if event.p > all.p { event } else { *all };
        }
        Ok(lows)
    }

    /// For v = 1.. an upper bound of the summed probability of the v least likely among the `rivals.len()` most likely labels
    /// outside, from the largest counts outside, descending.
    fn highs(&self, rivals: &[u64], n: u64, intervals: &Intervals) -> Result<Vec<Prob>> {
        let bounds = rivals.iter().rev().map(|&count| (intervals.upper)(count, n, self.upper));
        let mut highs = running(bounds, sum_up)?;
        if let ([_, .., all], sum) = (&mut highs[..], rivals.iter().sum()) {
            let event = (intervals.upper)(sum, n, self.upper)?;
            *all = if event.p < all.p { event } else { *all };
        }
        Ok(highs)
    }
}

/// The sums of the first 1, 2, ... bounds.
fn running(bounds: impl Iterator<Item = Result<Prob>>, sum: impl Fn(&[Prob]) -> Prob) -> Result<Vec<Prob>> {
    let mut sums: Vec<Prob> = Vec::new();
    for bound in bounds {
        let bound = bound?;
        sums.push(sums.last().map_or(bound, |&before| sum(&[before, bound])));
    }
    Ok(sums)
}

/// For the labels of a group that must leave together, the masses that must fall; for those that must enter, the ones that
/// must rise.
struct Limits<'a> {
    noise: &'a Gaussian,
    /// By u - 1: the mass of u labels that leave, from below.
    lows: Vec<Prob>,
    /// By v - 1: the mass of v labels that enter, from above.
    highs: Vec<Prob>,
}

impl Limits<'_> {
    /// The radius, where it is above `least`, and the u and v that limit it.
    fn radius_above(&self, least: f64) -> Option<(f64, (usize, usize))> {
        let levels = |u: usize| self.noise.level_below(&self.lows[u]);
        let lows: Vec<_> = (0..self.lows.len()).map(levels).collect();
        let highs: Vec<_> = self.highs.iter().map(|high| self.noise.level_above(high)).collect();
        // Logarithms of the averages, rounded outward: ln 1 = 0 is exact, the others have 2 digits to spare.
        let outward = |size: usize, direction: f64| (size as f64).ln() * (1.0 + direction * 1e-15);
        let fallen =
            |r: f64| largest_of(lows.iter().enumerate().map(|(i, &low)| self.noise.fall(low, r) - outward(i + 1, 1.0)));
        let risen = |r: f64| {
            largest_of(highs.iter().enumerate().map(|(i, &high)| outward(i + 1, -1.0) - self.noise.rise(high, r)))
        };
        let lead = |r: f64| fallen(r).1 + risen(r).1;
        if lead(least) <= 0.0 {
            return None;
        }
        let single = lows.len() == 1 && highs.len() == 1;
        let guess = self.noise.meeting(lows[0], highs[0]).map(|r| Guess { r, is_root: single });
        let radius = largest(lead, least, guess, self.noise.scale());
        (radius > least).then(|| (radius, (fallen(radius).0, risen(radius).0)))
    }
}

/// The place, from 1, and the value of the largest.
fn largest_of(values: impl Iterator<Item = f64>) -> (usize, f64) {
    let first = (1, f64::NEG_INFINITY);
    values.enumerate().fold(first, |best, (i, value)| if value > best.1 { (i + 1, value) } else { best })
}
