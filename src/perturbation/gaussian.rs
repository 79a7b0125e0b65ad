//! Isotropic Gaussian noise; perturbations in l2.

use std::fmt;

use super::described::{number, settings};
use super::{Described, Meeting, Norm, Shift};
use crate::stats::{Prob, normal};
use crate::{Error, Result};

/// Isotropic Gaussian noise of standard deviation sigma, norm l2: p falls to Phi(Phi^-1(p) - r/sigma) and rises to
/// Phi(Phi^-1(p) + r/sigma) (Cohen et al., ICML 2019, lemma 4 and its mirror image).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gaussian {
    sigma: f64,
}

/// Relative error allowed to each quantile and to each sum of a quantile and r/sigma: 8 roundings or more.
const SLACK: f64 = 2e-15;

impl Gaussian {
    /// Noise of standard deviation `sigma`, in the units of the input.
    ///
    /// # Errors
    /// `InvalidArgument` unless `sigma` is from 1e-100 to 1e100.
    pub fn new(sigma: f64) -> Result<Self> {
        if (1e-100..=1e100).contains(&sigma) {
            return Ok(Self { sigma });
        }
        Err(Error::argument(
            "sigma",
            format!("{sigma:?} is not a standard deviation: it must be positive (1e-100 to 1e100)"),
        ))
    }

    /// The standard deviation.
    pub fn sigma(&self) -> f64 {
        self.sigma
    }

    /// ln Phi(level + shift), moved by more than its error towards `outward` (-1 or 1).
    fn moved(level: f64, shift: f64, outward: f64) -> f64 {
        if level.is_infinite() {
            return normal::ln_cdf(level);
        }
        let x = level + shift + outward * SLACK * (level.abs() + shift.abs());
        let ln = normal::ln_cdf(x);
        // ln Phi is off by a few roundings of 1 below the median; above it is -sf, with sf's relative error.
        ln + outward * (1e-14 * (ln.abs() + ln.abs().min(1.0)) + f64::MIN_POSITIVE)
    }
}

impl Described for Gaussian {
    const NAME: &'static str = "gaussian";
    const NORM: Norm = Norm::L2;

    fn read(text: &str) -> Result<Self> {
        Self::new(number("sigma", settings(Self::NAME, text, &[])?.0)?)
    }

    fn parameter(&self) -> f64 {
        self.sigma
    }
}

impl fmt::Display for Gaussian {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:?}", Self::NAME, self.sigma)
    }
}

/// What a quantile may be off by; nothing where it is infinite.
fn margin(z: f64) -> f64 {
    if z.is_finite() { SLACK * z.abs().max(0.1) } else { 0.0 }
}

impl Shift for Gaussian {
    /// Phi^-1(p).
    fn level_below(&self, bound: &Prob) -> f64 {
        let z = normal::quantile_of(bound);
        z - margin(z)
    }

    fn level_above(&self, bound: &Prob) -> f64 {
        let z = normal::quantile_of(bound);
        z + margin(z)
    }

    fn ln_min_prob(&self, level: f64, r: f64) -> f64 {
        Self::moved(level, -r / self.sigma, -1.0)
    }

    fn ln_max_prob(&self, level: f64, r: f64) -> f64 {
        Self::moved(level, r / self.sigma, 1.0).min(0.0)
    }

    fn scale(&self) -> f64 {
        self.sigma
    }

    fn closed_form(&self, low: f64, high: f64, set: usize) -> Option<Meeting> {
        let z = 0.5 * (low - high);
        // Far enough down that the outward rounding of both functions still shows it.
        let margin = if z.is_infinite() { 0.0 } else { 1e-13 * (1.0 + low.abs() + high.abs()) };
        // For a larger set the meeting of one with the sum lies below the root.
        let r = if z.is_infinite() { z } else { self.sigma * (z - margin) };
        Some(Meeting { r, is_root: set == 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_falls_and_rises_by_the_quantile_shift() {
        let noise = Gaussian::new(0.5).unwrap();
        let p = Prob { p: 0.975_002_104_851_779_5, q: 0.024_997_895_148_220_5 }; // Phi(1.96)
        let fallen = noise.ln_min_prob(noise.level_below(&p), 0.98);
        let risen = noise.ln_max_prob(noise.level_above(&p.complement()), 0.98);
        assert!((fallen - 0.5f64.ln()).abs() < 1e-12 && fallen < 0.5f64.ln());
        assert!((risen - 0.5f64.ln()).abs() < 1e-12 && risen > 0.5f64.ln());
    }

    #[test]
    fn sigma_must_be_a_positive_number() {
        for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-320] {
            assert!(Gaussian::new(sigma).is_err(), "{sigma}");
        }
    }
}
