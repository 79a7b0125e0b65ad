//! Families where a perturbation of size r moves at most the mass D(r) of the noise: p falls to p - D and rises to
//! p + D.

use super::{Meeting, Shift};
use crate::stats::Prob;

/// What such a family says of itself.
pub(super) trait Mass {
    /// D(r), at most 1, rounded up.
    fn mass(&self, r: f64) -> f64;

    /// As [`Shift::scale`].
    fn scale(&self) -> f64;

    /// As [`Shift::per_unit`].
    fn per_unit(&self) -> Option<u32> {
        None
    }

    /// The size whose mass is this much, rounded down, where there is a formula.
    fn size_of(&self, _mass: f64) -> Option<f64> {
        None
    }
}

/// More than the relative error of every expression here: a few roundings each.
pub(super) const ROUNDING: f64 = 4e-15;

impl<F: Mass> Shift for F {
    /// The probability itself.
    fn level_below(&self, bound: &Prob) -> f64 {
        bound.p
    }

    fn level_above(&self, bound: &Prob) -> f64 {
        bound.p
    }

    fn ln_min_prob(&self, level: f64, r: f64) -> f64 {
        let left = level - self.mass(r) - ROUNDING;
        // A probability of 0 has the logarithm -inf, which no set reaches: ties count against the label.
        if left > 0.0 { outward(left.ln(), -1.0) } else { f64::NEG_INFINITY }
    }

    fn ln_max_prob(&self, level: f64, r: f64) -> f64 {
        let risen = level + self.mass(r) + ROUNDING;
        if risen < 1.0 { outward(risen.ln(), 1.0).min(0.0) } else { 0.0 }
    }

    fn scale(&self) -> f64 {
        Mass::scale(self)
    }

    fn per_unit(&self) -> Option<u32> {
        Mass::per_unit(self)
    }

    /// The size of the margin (t p - p_t)/(t + 1).
    fn closed_form(&self, low: f64, high: f64, set: usize) -> Option<Meeting> {
        let t = set as f64;
        // Far enough down that the outward rounding of both functions still shows it.
        let margin = (t * low - high) / (t + 1.0) - 8.0 * ROUNDING;
        let r = self.size_of(margin)?;
        (margin > 0.0).then_some(Meeting { r, is_root: true })
    }
}

/// A logarithm of a probability, moved by more than its error.
fn outward(ln: f64, direction: f64) -> f64 {
    ln + direction * ROUNDING * (1.0 + ln.abs())
}

/// A share of `of` as a mass, rounded up; 1 for all of it and more.
pub(super) fn share_above(part: u64, of: u64) -> f64 {
    match part {
        0 => 0.0,
        _ if part >= of => 1.0,
        // Both below 2^53.
        _ => (part as f64 / of as f64).next_up(),
    }
}

/// The whole number that a size in units of 1 / `per_unit` does not exceed.
pub(super) fn whole(r: f64, per_unit: u32) -> u64 {
    (r * f64::from(per_unit)).ceil() as u64
}
