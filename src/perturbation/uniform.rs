//! Uniform noise on [-lambda, lambda], independent for each element; perturbations in l1.

use std::fmt;

use super::described::{number, settings};
use super::mass::{Mass, ROUNDING};
use super::{Described, Norm};
use crate::{Error, Result};

/// Uniform noise: a perturbation of l1 size r leaves at least the mass 1 - r/(2 lambda) of the noise in common, with
/// equality where one element changes. So p falls to p - r/(2 lambda) and rises to p + r/(2 lambda), and the radius of
/// Theorem 1 is 2 lambda max over t of (t p - p_t)/(t + 1) (Yang et al., ICML 2020, for top-1; docs/statistics.md for
/// top-k).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uniform {
    lambda: f64,
}

impl Uniform {
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
}

impl Mass for Uniform {
    fn mass(&self, r: f64) -> f64 {
        (r / (2.0 * self.lambda) * (1.0 + ROUNDING)).min(1.0)
    }

    fn scale(&self) -> f64 {
        self.lambda
    }

    fn size_of(&self, mass: f64) -> Option<f64> {
        Some(2.0 * self.lambda * mass * (1.0 - ROUNDING))
    }
}

impl Described for Uniform {
    const NAME: &'static str = "uniform";
    const NORM: Norm = Norm::L1;

    fn read(text: &str) -> Result<Self> {
        Self::new(number("lambda", settings(Self::NAME, text, &[])?.0)?)
    }

    fn parameter(&self) -> f64 {
        self.lambda
    }
}

impl fmt::Display for Uniform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:?}", Self::NAME, self.lambda)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Shift;
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
