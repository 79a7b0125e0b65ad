//! Which inputs there are, and how far they are from each other.

use smoothtopk::noise::{ExactGrid, Mode};
use smoothtopk::{Error, Result};

use super::norm::distance_above;

/// What a certificate speaks of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Space {
    /// All f32 inputs, and their distances.
    Floats,
    /// The points that inputs of exact noise stand for, and the distances between points.
    Points(ExactGrid),
}

impl Space {
    pub fn of(mode: Mode) -> Result<Self> {
        match mode {
            Mode::Grid(_) => Ok(Self::Floats),
            Mode::Exact(grid) => Ok(Self::Points(grid)),
            _ => Err(Error::argument("run", "its noise is of a kind that this program knows no attack for")),
        }
    }

    /// An upper bound of the distance; none where an input is no point.
    pub fn distance_above(self, a: &[f32], b: &[f32]) -> Option<f64> {
        let Self::Points(grid) = self else { return Some(distance_above(a, b)) };
        let square = a.iter().zip(b).try_fold(0u128, |sum, (&a, &b)| {
            let steps = i64::from(grid.point(b)?) - i64::from(grid.point(a)?);
            Some(sum + u128::from(steps.unsigned_abs().pow(2)))
        })?;
        // Each rounding is at most half a unit in the last place too low.
        let above = || (((square as f64).next_up().sqrt().next_up()) / f64::from(grid.levels())).next_up();
        Some(if square == 0 { 0.0 } else { above() })
    }

    /// The first element that is no input's.
    pub fn stray(self, x: &[f32]) -> Option<usize> {
        match self {
            Self::Floats => None,
            Self::Points(grid) => x.iter().position(|&x| grid.point(x).is_none()),
        }
    }

    /// The input's element nearest to `x + step`; none where it is not finite or no point.
    pub fn nearest(self, x: f32, step: f64) -> Option<f32> {
        match self {
            Self::Floats => Some((f64::from(x) + step) as f32).filter(|moved| moved.is_finite()),
            Self::Points(grid) => {
                let moved = f64::from(grid.point(x)?) + (step * f64::from(grid.levels())).round();
                // Beyond what is a point.
                if moved.abs() > f64::from(1 << 24) {
                    return None;
                }
                Some(grid.value(moved as i32)).filter(|&moved| grid.point(moved).is_some())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_on_a_grid_are_those_of_its_points() {
        let grid = ExactGrid::pixels();
        let space = Space::Points(grid);
        // Pixels times 1/255 in f32 are the same points as pixels over 255, at distance 0.
        let (a, b): (Vec<f32>, Vec<f32>) = (0..256).map(|p| (p as f32 * (1.0 / 255.0), p as f32 / 255.0)).unzip();
        assert!(a != b && space.distance_above(&a, &b) == Some(0.0) && distance_above(&a, &b) > 0.0);
        let five = space.distance_above(&[0.0, 1.0], &[grid.value(3), grid.value(251)]).unwrap();
        assert!((5.0 / 255.0..5.0 / 255.0 * (1.0 + 1e-15)).contains(&five));
        assert_eq!(space.distance_above(&[0.0], &[0.001]), None);
        assert_eq!((space.stray(&[0.0, 0.001]), Space::Floats.stray(&[0.001])), (Some(1), None));
        assert_eq!(space.nearest(0.0, 0.6 / 255.0), Some(grid.value(1)));
        assert_eq!(space.nearest(1.0, 1e9), None);
        assert_eq!(Space::Floats.nearest(f32::MAX, 1e39), None);
    }
}
