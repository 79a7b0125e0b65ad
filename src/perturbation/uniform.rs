//! Uniform noise on [-lambda, lambda], independent for each element; perturbations in l1.

use super::{Meeting, Norm, Shift};
use crate::stats::Prob;
use crate::{Error, Result};

/// Uniform noise: a perturbation of l1 size r leaves at least the mass 1 - r/(2 lambda) of the noise in common, with
/// equality where one element changes. So p falls to p - r/(2 lambda) and rises to p + r/(2 lambda), and the radius of
/// Theorem 1 is 2 lambda max over t of (t p - p_t)/(t + 1) (Yang et al., ICML 2020, for top-1; docs/statistics.md for
/// top-k).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uniform {
    lambda: f64,
}

/// More than the relative error of every expression here: a few roundings each.
const ROUNDING: f64 = 4e-15;

impl Uniform {
    /// The name of the family.
    pub const NAME: &'static str = "uniform";

    /// The norm of perturbations.
    pub const NORM: Norm = Norm::L1;

    /// Noise on [-`lambda`, `lambda`], in the units of the input.
    ///
    /// # Errors
    /// `InvalidArgument` unless `lambda` is from 1e-100 to 1e100.
    pub fn new(lambda: f64) -> Result<Self> {
        if (1e-100..=1e100).contains(&lambda) {
            return Ok(Self { lambda });
        }
        let message = format!("{lambda:?} is not half a width: it must be positive (1e-100 to 1e100)");
        Err(Error::argument("lambda", message))
    }

    /// Half the width of the noise.
    pub fn lambda(&self) -> f64 {
        self.lambda
    }

    /// The mass that a perturbation of size `r` may move, at most 1; rounded up.
    fn mass(&self, r: f64) -> f64 {
        (r / (2.0 * self.lambda) * (1.0 + ROUNDING)).min(1.0)
    }
}

impl Shift for Uniform {
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
        self.lambda
    }

    fn closed_form(&self, low: f64, high: f64, set: usize) -> Option<Meeting> {
        let t = set as f64;
        // Far enough down that the outward rounding of both functions still shows it.
        let margin = (t * low - high) / (t + 1.0) - 8.0 * ROUNDING;
        let r = 2.0 * self.lambda * margin * (1.0 - ROUNDING);
        (margin > 0.0).then_some(Meeting { r, is_root: true })
    }
}

/// A logarithm of a probability, moved by more than its error.
fn outward(ln: f64, direction: f64) -> f64 {
    ln + direction * ROUNDING * (1.0 + ln.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_radius_is_the_margin_times_the_width() {
        let noise = Uniform::new(0.5).unwrap();
        let meeting = noise.closed_form(0.9, 0.05, 1).unwrap();
        assert!(meeting.is_root && (meeting.r - 0.425).abs() < 1e-12 && meeting.r < 0.425);
        assert!(noise.ln_min_prob(0.9, meeting.r) > noise.ln_max_prob(0.05, meeting.r));
        assert_eq!(noise.ln_min_prob(0.3, 0.4), f64::NEG_INFINITY);
    }
}
