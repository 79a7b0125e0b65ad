//! The grid that inputs and noise are rounded to, so that no sum's rounding tells anything of the input.

use super::MAX_ABS_Z;
use crate::{Error, Result};

/// A power-of-two step on whose multiples inputs and noise lie.
///
/// Adding float noise to x leaves traces of x in the sum's rounding (Jin et al. 2022; Voracek and Hein 2023). On the
/// grid every sum is exact, so the noisy row is x + z with z rounded: a function of the real-valued noisy input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    step: f32,
}

/// An f32 holds every integer up to 2^24 in magnitude.
const EXACT: f64 = 16_777_216.0;
/// The smallest normal f32, and the largest power of two whose 2^24-fold is an f32.
const STEPS: (i32, i32) = (-126, 103);
/// log2 of the most steps that sigma may have. The sampler's own lattice must be far finer than the grid, or its gaps
/// show in the probabilities of the grid's points, and x with them: docs/noise.md, "The sampler's lattice".
const MOST_STEPS: i32 = 13;

impl Grid {
    /// The finest grid of steps from sigma / 2^13 on whose sums x + noise are exact in f32 for every |x| <= `max_abs`
    /// and noise of standard deviation `sigma` (|z| <= [`MAX_ABS_Z`]). For `max_abs` 1 and `sigma` 0.25 the step is
    /// 2^-15.
    ///
    /// The first bound decides unless `max_abs` is near 2000 sigma or more. It keeps the f32 sampler's lattice from a
    /// model that knows the generator: docs/noise.md.
    ///
    /// # Errors
    /// `InvalidArgument` when `max_abs` is negative or not finite, `sigma` not positive or not finite, or no step
    /// that is a normal f32 will do.
    pub fn for_range(max_abs: f64, sigma: f64) -> Result<Self> {
        if !(max_abs.is_finite() && max_abs >= 0.0) {
            return Err(Error::argument("max_abs", format!("must be finite and not negative, not {max_abs}")));
        }
        check_sigma(sigma)?;
        // Slack for the f32 roundings of the scale and of scaling.
        let max_noise = MAX_ABS_Z * sigma * (1.0 + 1e-6);
        let fits = |exponent: i32| {
            let step = 2f64.powi(exponent);
            (max_abs / step).ceil() + (max_noise / step).ceil() <= EXACT
        };
        // The sum needs 2^24 steps: within one of the exponent of (max_abs + max_noise) / 2^24.
        let near = ((max_abs + max_noise) / EXACT).log2();
        let exponent = if near.is_finite() { (near as i32 - 2..=near as i32 + 2).find(|&e| fits(e)) } else { None };
        match exponent.map(|exponent| exponent.max(log2_up(sigma) - MOST_STEPS)) {
            Some(exponent) if (STEPS.0..=STEPS.1).contains(&exponent) => Ok(Self { step: 2f32.powi(exponent) }),
            _ => Err(Error::argument(
                "max_abs",
                format!("f32 has no grid for inputs up to {max_abs:e} with sigma {sigma:e}; rescale the inputs"),
            )),
        }
    }

    /// A grid of any step, for tests and measurements: with a step finer than [`Grid::for_range`]'s, noise may betray
    /// x.
    ///
    /// # Errors
    /// `InvalidArgument` unless the step is a power of two from 2^-126 to 2^103.
    #[doc(hidden)]
    pub fn with_step(step: f32) -> Result<Self> {
        let power_of_two = step.is_normal() && step > 0.0 && step.to_bits() & 0x7f_ffff == 0;
        if power_of_two && step <= 2f32.powi(STEPS.1) {
            Ok(Self { step })
        } else {
            Err(Error::argument("step", format!("must be a power of two from 2^-126 to 2^103, not {step:e}")))
        }
    }

    /// The step: a power of two, normal in f32.
    #[must_use]
    pub fn step(&self) -> f32 {
        self.step
    }

    /// Rounds every element to its nearest multiple of the step, ties to the even multiple. NaN and infinities stay.
    pub fn round(&self, x: &mut [f32]) {
        let step = f64::from(self.step);
        for value in x {
            // In f64 neither the quotient nor the product by a power of two rounds or overflows.
            *value = ((f64::from(*value) / step).round_ties_even() * step) as f32;
        }
    }

    /// An upper bound on what rounding can add to the l2 norm of a perturbation of `elements` elements: half a step per
    /// element for rounding x and half for rounding the attacked input, so step * sqrt(elements), rounded up.
    ///
    /// A radius certified for the rounded input, less this, holds for the input as given.
    #[must_use]
    pub fn radius_cost(&self, elements: usize) -> f64 {
        // The conversion and the root round to nearest, each by at most half an ulp: one step up covers each.
        let slack = (elements as f64).next_up().sqrt().next_up() * f64::from(self.step);
        if elements == 0 { 0.0 } else { slack }
    }

    /// sigma / step as an f32, rounded up: noise is never narrower than sigma.
    pub(super) fn scale(&self, sigma: f64) -> Result<f32> {
        check_sigma(sigma)?;
        let exact = sigma / f64::from(self.step);
        let scale = exact as f32;
        let scale = if f64::from(scale) < exact { scale.next_up() } else { scale };
        if scale.is_finite() {
            Ok(scale)
        } else {
            Err(Error::argument("sigma", format!("{sigma:e} is too large for a grid of step {:e}", self.step)))
        }
    }
}

/// The least e with 2^e >= sigma; -1022 for a subnormal sigma, which no grid has.
fn log2_up(sigma: f64) -> i32 {
    let bits = sigma.to_bits();
    (bits >> 52) as i32 - 1023 + i32::from(bits << 12 != 0)
}

pub(super) fn check_sigma(sigma: f64) -> Result<()> {
    if sigma.is_finite() && sigma > 0.0 {
        Ok(())
    } else {
        Err(Error::argument("sigma", format!("must be finite and positive, not {sigma:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_is_never_below_sigma_over_step() {
        let grid = Grid::for_range(1.0, 0.25).unwrap();
        assert_eq!(grid.scale(0.25).unwrap(), 8192.0);
        for sigma in [0.1, 0.12, 0.249_999_999, 1e-3, 1e-60] {
            let exact = sigma / f64::from(grid.step());
            let scale = grid.scale(sigma).unwrap();
            assert!(f64::from(scale) >= exact && f64::from(scale.next_down()) < exact);
        }
        assert!(grid.scale(1e300).is_err());
    }
}
