//! What a certificate needs to know of a noise: how far a perturbation can move a probability.

use crate::stats::{Prob, normal};
use crate::{Error, Result};

/// A distribution of additive noise, as the radius search sees it.
///
/// Over all events of probability p at x, [`fall`](NoiseFamily::fall) is the least and [`rise`](NoiseFamily::rise) the
/// largest probability at x + delta with norm(delta) <= r (Neyman and Pearson's lemma gives both for any noise). A
/// further family implements these two; the other items are the form in which it keeps p, its length, and a shortcut.
///
/// Both functions must be rounded outward, so that an inequality between them also holds between the exact values, and be
/// monotone in r up to that rounding.
pub trait NoiseFamily {
    /// A probability in the form that is cheap to move.
    type Level: Copy;

    /// A level that stands for no more than a lower bound.
    fn level_below(&self, bound: &Prob) -> Self::Level;

    /// A level that stands for no less than an upper bound.
    fn level_above(&self, bound: &Prob) -> Self::Level;

    /// Logarithm of the least probability that a perturbation of norm at most `r` leaves, rounded down.
    fn fall(&self, level: Self::Level, r: f64) -> f64;

    /// Logarithm of the largest probability that a perturbation of norm at most `r` makes, rounded up.
    fn rise(&self, level: Self::Level, r: f64) -> f64;

    /// The noise's own length: radii are of this order, and are found to 1e-9 of it.
    fn scale(&self) -> f64;

    /// The r at which `low` fallen and `high` risen meet, where there is a formula; rounded down.
    fn meeting(&self, _low: Self::Level, _high: Self::Level) -> Option<f64> {
        None
    }
}

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

/// What a quantile may be off by; nothing where it is infinite.
fn margin(z: f64) -> f64 {
    if z.is_finite() { SLACK * z.abs().max(0.1) } else { 0.0 }
}

impl NoiseFamily for Gaussian {
    /// Phi^-1(p).
    type Level = f64;

    fn level_below(&self, bound: &Prob) -> f64 {
        let z = normal::quantile_of(bound);
        z - margin(z)
    }

    fn level_above(&self, bound: &Prob) -> f64 {
        let z = normal::quantile_of(bound);
        z + margin(z)
    }

    fn fall(&self, level: f64, r: f64) -> f64 {
        Self::moved(level, -r / self.sigma, -1.0)
    }

    fn rise(&self, level: f64, r: f64) -> f64 {
        Self::moved(level, r / self.sigma, 1.0).min(0.0)
    }

    fn scale(&self) -> f64 {
        self.sigma
    }

    fn meeting(&self, low: f64, high: f64) -> Option<f64> {
        let z = 0.5 * (low - high);
        if z.is_infinite() {
            return Some(z);
        }
        // Far enough down that the outward-rounded `fall` and `rise` still show it.
        Some(self.sigma * (z - 1e-13 * (1.0 + low.abs() + high.abs())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_falls_and_rises_by_the_quantile_shift() {
        let noise = Gaussian::new(0.5).unwrap();
        let p = Prob { p: 0.975_002_104_851_779_5, q: 0.024_997_895_148_220_5 }; // Phi(1.96)
        let fallen = noise.fall(noise.level_below(&p), 0.98);
        let risen = noise.rise(noise.level_above(&p.complement()), 0.98);
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
