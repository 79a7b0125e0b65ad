//! Points inside a certificate's ball.

use super::norm::distance_above;

/// The open l2 ball of a certificate: all f32 inputs whose distance from the centre is below the radius.
#[derive(Clone, Copy, Debug)]
pub struct Ball<'a> {
    pub centre: &'a [f32],
    pub radius: f64,
}

/// A point inside a ball.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub x: Vec<f32>,
    /// An upper bound of the distance from the ball's centre, below its radius.
    pub norm: f64,
}

impl Ball<'_> {
    /// The point in this direction, as near to the surface as roundings allow. None where there is no direction, or where no f32
    /// input but the centre itself is inside.
    pub fn towards(&self, direction: &[f64]) -> Option<Point> {
        let length = direction.iter().map(|step| step * step).sum::<f64>().sqrt();
        if !(length > 0.0 && length.is_finite()) {
            return None;
        }
        // Rounding to f32 moves the point by an unknown little: farther in, until it is inside for certain.
        let mut back = 2f64.powi(-40);
        while back < 1.0 {
            let scale = self.radius * (1.0 - back) / length;
            let step = |(&x, &step): (&f32, &f64)| (f64::from(x) + scale * step) as f32;
            let x: Vec<f32> = self.centre.iter().zip(direction).map(step).collect();
            if x.iter().any(|x| !x.is_finite()) {
                return None;
            }
            let norm = distance_above(self.centre, &x);
            if norm == 0.0 {
                return None;
            }
            if norm < self.radius {
                return Some(Point { x, norm });
            }
            back *= 2.0;
        }
        None
    }

    /// The direction from the centre to a point.
    pub fn direction(&self, point: &Point) -> Vec<f64> {
        self.centre.iter().zip(&point.x).map(|(&centre, &x)| f64::from(x) - f64::from(centre)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn points_are_inside_and_near_the_surface(
            pairs in prop::collection::vec((-1.0f32..1.0, -1.0f64..1.0), 1..100),
            exponent in -20i32..3,
        ) {
            let (centre, direction): (Vec<f32>, Vec<f64>) = pairs.into_iter().unzip();
            let ball = Ball { centre: &centre, radius: 10f64.powi(exponent) };
            if let Some(point) = ball.towards(&direction) {
                prop_assert!(point.norm < ball.radius);
                prop_assert_eq!(point.norm, distance_above(&centre, &point.x));
                prop_assert!(point.norm > 0.0);
                // Above the roundings of f32 the whole radius is used.
                if exponent >= -3 {
                    prop_assert!(point.norm > 0.999 * ball.radius, "{} of {}", point.norm, ball.radius);
                }
            } else {
                let length = direction.iter().map(|step| step * step).sum::<f64>().sqrt();
                prop_assert!(length == 0.0 || exponent < -3);
            }
        }
    }

    #[test]
    fn no_point_where_there_is_none() {
        let ball = Ball { centre: &[1.0, 2.0], radius: 1e-9 };
        assert_eq!(ball.towards(&[1.0, 0.0]), None, "no f32 lies that near to 1 but 1");
        assert_eq!(ball.towards(&[0.0, 0.0]), None);
        assert_eq!(ball.towards(&[f64::NAN, 0.0]), None);
        assert_eq!(Ball { centre: &[f32::MAX], radius: 1e39 }.towards(&[1.0]), None);
    }
}
