//! The grid that inputs of exact noise lie on.

use crate::{Error, Result};

/// The multiples of 1 / levels: 255 levels for 8-bit pixels scaled to [0, 1] (or to [-1, 1]), 1 for the pixels as they
/// are.
///
/// An f32 x stands for the integer X where it is within 2^-22 max(|X / levels|, 1) of X / levels: a few f32 roundings
/// of numbers of that size, so that pixels divided by 255 and pixels times 1/255 are the same points, and so are p /
/// 127.5 - 1 and (p / 255 - 0.5) / 0.5. The noisy row is the f32 nearest to (X + m) / levels with integer noise m: a
/// function of the integer X + m, so nothing else of x can be read from it.
///
/// A radius is about distances between the points X / levels. Two f32 inputs of d elements with |x| <= M may be nearer
/// to each other than their points, by 2^-21 sqrt(d) max(M, 1) at most: 2.7e-5 for CIFAR-10, 1.9e-4 for ImageNet, of
/// which nothing is taken off, for inputs that stand for 8-bit images differ by whole points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExactGrid {
    levels: u32,
}

/// The largest |X|: with the noise's largest 2^15 every sum is an exact f32, and no f32 is near two points.
const MAX_POINT: f64 = 1_048_576.0;
/// How far an f32 may be from its point, as a share of the larger of its magnitude and 1: below half a step for all
/// levels.
const TOLERANCE: f64 = 1.0 / 4_194_304.0;

impl ExactGrid {
    /// The grid of `levels` points a unit.
    ///
    /// # Errors
    /// `InvalidArgument` unless `levels` is from 1 to 2^20.
    pub fn new(levels: u32) -> Result<Self> {
        if levels == 0 || f64::from(levels) > MAX_POINT {
            return Err(Error::argument("levels", format!("must be from 1 to 2^20 points a unit, not {levels}")));
        }
        Ok(Self { levels })
    }

    /// The grid of 8-bit pixels divided by 255.
    #[must_use]
    pub fn pixels() -> Self {
        Self { levels: 255 }
    }

    /// Points a unit: the step is 1 / levels.
    #[must_use]
    pub fn levels(&self) -> u32 {
        self.levels
    }

    /// The integer that `x` stands for, where it stands for one: |X| <= 2^20.
    #[must_use]
    pub fn point(&self, x: f32) -> Option<i32> {
        // Exact: 24 bits times 21.
        let scaled = f64::from(x) * f64::from(self.levels);
        let point = scaled.round_ties_even();
        // NaN and infinities fail the comparisons.
        let stands =
            point.abs() <= MAX_POINT && (scaled - point).abs() <= TOLERANCE * point.abs().max(f64::from(self.levels));
        stands.then_some(point as i32)
    }

    /// The f32 that a model sees for an integer: `point` / levels, correctly rounded. Exact sums need |`point`| <=
    /// 2^24.
    #[must_use]
    pub fn value(&self, point: i32) -> f32 {
        point as f32 / self.levels as f32
    }

    /// The points of an input, as f32 integers.
    ///
    /// # Errors
    /// `InvalidData`, naming the element that is no point.
    pub(in crate::noise) fn points(&self, input: &[f32]) -> Result<Vec<f32>> {
        let place = |(element, &x): (usize, &f32)| {
            self.point(x).map(|point| point as f32).ok_or_else(|| {
                let range = MAX_POINT / f64::from(self.levels);
                Error::data(
                    "input",
                    format!(
                        "element {element} is {x}, which is not a multiple of 1/{} of at most {range:e} in magnitude: exact \
                         noise takes inputs on its grid only",
                        self.levels
                    ),
                )
            })
        };
        input.iter().enumerate().map(place).collect()
    }
}
