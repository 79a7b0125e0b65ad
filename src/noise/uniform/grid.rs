//! The grid that inputs of uniform noise are rounded to.

use crate::noise::rounding::times_up;
use crate::{Error, Result};

/// The multiples of lambda 2^-31: uniform noise is one of 2^32 adjacent ones, an integer M from -2^31 to 2^31 - 1.
///
/// An input stands for its nearest point X; the noisy sample is the f32 nearest to (X + M + 1/2) step, a function of
/// the integer X + M alone. Proof and layout: docs/noise.md.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UniformGrid {
    lambda: f64,
}

/// 2^-31: a power of two, so that the step is lambda's exactly.
const STEP: f64 = 1.0 / 2_147_483_648.0;
/// The largest |X|, 2^51: with |M| <= 2^31 and the half every sum has at most 53 bits, so that f64 holds it exactly.
const MAX_POINT: f64 = 2_251_799_813_685_248.0;

impl UniformGrid {
    /// The grid of noise on [-`lambda`, `lambda`], in the units of the input.
    ///
    /// # Errors
    /// `InvalidArgument` unless `lambda` is from 1e-100 to 1e100.
    pub fn new(lambda: f64) -> Result<Self> {
        if (1e-100..=1e100).contains(&lambda) {
            return Ok(Self { lambda });
        }
        Err(Error::argument(
            "lambda",
            format!("{lambda:?} is not a half-width of uniform noise: it must be positive (1e-100 to 1e100)"),
        ))
    }

    /// Half the width of the noise.
    #[must_use]
    pub fn lambda(&self) -> f64 {
        self.lambda
    }

    /// The step: lambda 2^-31, exactly.
    #[must_use]
    pub fn step(&self) -> f64 {
        self.lambda * STEP
    }

    /// The integer that `x` stands for, at most (1/2 + 2^-54) steps away; none where it is beyond 2^51, or a sample
    /// around it would be beyond f32.
    #[must_use]
    pub fn point(&self, x: f32) -> Option<i64> {
        self.nearest(x).map(|point| point as i64)
    }

    /// The f32 that a model sees for the sum of an input's integer and the noise's: the middle of its cell, rounded.
    #[must_use]
    pub fn value(&self, sum: i64) -> f32 {
        value(sum as f64, self.step())
    }

    /// [`UniformGrid::point`] as an f64.
    fn nearest(&self, x: f32) -> Option<f64> {
        let (x, step) = (f64::from(x), self.step());
        let near = (x / step).round_ties_even();
        // The quotient was rounded itself. The remainder is rounded once, and says whether the next point is nearer.
        let rest = (-near).mul_add(step, x);
        let near = near + f64::from(i8::from(rest > 0.5 * step) - i8::from(rest < -0.5 * step));
        // NaN and infinities fail the comparisons.
        (near.abs() <= MAX_POINT && x.abs() + self.lambda <= f64::from(f32::MAX)).then_some(near)
    }

    /// The points of an input, as f64 integers.
    ///
    /// # Errors
    /// `InvalidData`, naming the first element that is too large.
    pub(in crate::noise) fn points(&self, input: &[f32]) -> Result<Vec<f64>> {
        let place = |(element, &x): (usize, &f32)| {
            self.nearest(x).ok_or_else(|| {
                let message =
                    format!("element {element} is {x}: too large for uniform noise of lambda {:e}", self.lambda);
                Error::data("input", message)
            })
        };
        input.iter().enumerate().map(place).collect()
    }

    /// What rounding to the grid can add to the l1 norm of a perturbation: half a step an element for the input and
    /// half for its attacked copy, rounded up.
    pub(in crate::noise) fn radius_cost(&self, elements: usize) -> f64 {
        // That also covers the 2^-54 of a step in `point`.
        times_up(elements as f64, self.step())
    }
}

/// (sum + 1/2) step for an integer below 2^52 in magnitude: the half is exact, and both roundings are of a function of
/// the sum.
#[inline(always)]
pub(super) fn value(sum: f64, step: f64) -> f32 {
    ((sum + 0.5) * step) as f32
}
