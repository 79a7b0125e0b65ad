//! From bounds on probabilities to the radius within which fewer than s labels of a set leave the top k.

use super::bounds::{sum_down, sum_up};
use super::search::search;
use crate::perturbation::{Meeting, Shift};
use crate::stats::Prob;
use crate::{Error, Result};

/// The radius, and what limits it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KeptRadius {
    /// The radius, in the units of the input; 0 where nothing can be certified, infinity where no perturbation can do
    /// it.
    pub radius: f64,
    /// u: how many labels of the set have to fall together.
    pub leaving: usize,
    /// v: how many labels outside have to rise together.
    pub entering: usize,
}

/// The radius within which it cannot happen that s labels of a set are each overtaken by s labels outside, where
/// `members` are lower bounds of the set's s least likely labels and `rivals` upper bounds of the s most likely ones
/// outside, all ascending. With s = k - e + 1 at least e of the k labels of the set then stay in the top k.
///
/// Any s that leave have, for each u up to s, u labels with the clean mass A_u of the u largest `members` or more; any
/// s that enter have, for each v, v labels with the clean mass O_v of the v smallest `rivals` or less. An average of
/// those that left is at most one of those that entered: the radius ends where that has become possible for all u and
/// v, at the largest R_uv at which A_u fallen, divided by u, equals O_v risen, divided by v. Nothing larger holds for
/// all classifiers with these probabilities (`docs/statistics.md`).
///
/// The result is never above the exact root for the given bounds and within 1e-9 of the noise's scale of it.
///
/// # Errors
/// `InvalidArgument` when there is no bound, the numbers differ, either is not ascending, or a bound is not a
/// probability with its complement.
pub fn kept_radius<F: Shift>(noise: &F, members: &[Prob], rivals: &[Prob]) -> Result<KeptRadius> {
    if members.is_empty() || members.len() != rivals.len() {
        let message = format!("{} members and {} rivals: give s of each, at least 1", members.len(), rivals.len());
        return Err(Error::argument("members", message));
    }
    for (field, bounds) in [("members", members), ("rivals", rivals)] {
        if !bounds.iter().all(Prob::is_valid) {
            return Err(Error::argument(field, "every bound must be a probability in [0, 1] with its complement"));
        }
        if bounds.windows(2).any(|pair| pair[0].p > pair[1].p) {
            return Err(Error::argument(field, "the bounds must be in ascending order"));
        }
    }
    let falling: Vec<Prob> = members.iter().rev().copied().collect();
    let found = radius_above(0.0, noise, &running(&falling, sum_down), &running(rivals, sum_up));
    let (radius, (leaving, entering)) = found.unwrap_or((0.0, (1, 1)));
    Ok(KeptRadius { radius, leaving, entering })
}

/// The radius, where it is above `least`, and the u and v that limit it; `lows` has by u - 1 the mass of u labels that
/// leave, from below, and `highs` by v - 1 that of v labels that enter, from above.
pub(super) fn radius_above<F: Shift>(
    least: f64,
    noise: &F,
    lows: &[Prob],
    highs: &[Prob],
) -> Option<(f64, (usize, usize))> {
    let low_levels: Vec<f64> = lows.iter().map(|low| noise.level_below(low)).collect();
    let high_levels: Vec<f64> = highs.iter().map(|high| noise.level_above(high)).collect();
    // Logarithms of the sizes, rounded outward; ln 1 = 0 is exact.
    let ln = |i: usize, direction: f64| ((i + 1) as f64).ln() * (1.0 + direction * 1e-15);
    let fallen = |r: f64| best(low_levels.iter().enumerate().map(|(i, &low)| noise.ln_min_prob(low, r) - ln(i, 1.0)));
    let risen =
        |r: f64| best(high_levels.iter().enumerate().map(|(i, &high)| ln(i, -1.0) - noise.ln_max_prob(high, r)));
    let lead = |r: f64| fallen(r).1 + risen(r).1;
    let start = lead(least);
    if start.is_nan() || start <= 0.0 {
        return None;
    }
    let single = lows.len() == 1 && highs.len() == 1;
    let guess = noise.closed_form(low_levels[0], high_levels[0], 1);
    let guess = guess.map(|meeting| Meeting { is_root: single && meeting.is_root, ..meeting });
    let radius = search(noise, lead, least, guess);
    (radius > least).then(|| (radius, (fallen(radius).0, risen(radius).0)))
}

/// The sums of the first 1, 2, ... bounds.
pub(super) fn running(bounds: &[Prob], sum: impl Fn(&[Prob]) -> Prob) -> Vec<Prob> {
    let mut sums: Vec<Prob> = Vec::with_capacity(bounds.len());
    for &bound in bounds {
        sums.push(sums.last().map_or(bound, |&before| sum(&[before, bound])));
    }
    sums
}

/// The place, from 1, and the value of the largest.
fn best(values: impl Iterator<Item = f64>) -> (usize, f64) {
    let none = (1, f64::NEG_INFINITY);
    values.enumerate().fold(none, |best, (i, value)| if value > best.1 { (i + 1, value) } else { best })
}
