//! Points inside a certificate's ball.

use super::space::Space;

/// The open l2 ball of a certificate: all inputs whose distance from the centre is below the radius.
#[derive(Clone, Copy, Debug)]
pub struct Ball<'a> {
    pub centre: &'a [f32],
    pub radius: f64,
    pub space: Space,
}

/// A point inside a ball.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub x: Vec<f32>,
    /// An upper bound of the distance from the ball's centre, below its radius.
    pub norm: f64,
}

impl Ball<'_> {
    /// The point in this direction, as near to the surface as roundings allow. None where there is no direction, or
    /// where no input but the centre itself is inside.
    pub fn towards(&self, direction: &[f64]) -> Option<Point> {
        let length = direction.iter().map(|step| step * step).sum::<f64>().sqrt();
        if !(length > 0.0 && length.is_finite()) {
            return None;
        }
        match self.space {
            Space::Floats => self.float_towards(direction, self.radius / length),
            Space::Points(_) => self.point_towards(direction, self.radius / length),
        }
    }

    /// Rounding to f32 moves the point by an unknown little: farther in, until it is inside for certain.
    fn float_towards(&self, direction: &[f64], scale: f64) -> Option<Point> {
        let mut back = 2f64.powi(-40);
        while back < 1.0 {
            let x = self.moved(direction, scale * (1.0 - back))?;
            let norm = self.space.distance_above(self.centre, &x)?;
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

    /// On a coarse grid the rounded steps may be shorter than the direction's, or longer. They only grow with the
    /// scale, so the largest that stays inside is found by bisection.
    fn point_towards(&self, direction: &[f64], scale: f64) -> Option<Point> {
        let inside = |scale: f64| {
            let x = self.moved(direction, scale)?;
            let norm = self.space.distance_above(self.centre, &x)?;
            (norm < self.radius).then_some(Point { x, norm })
        };
        let (mut low, mut high) = (0.0, scale);
        let mut found = None;
        // Where every step of the direction is below half a point's, only a larger scale leaves the centre.
        for _ in 0..64 {
            match inside(high) {
                Some(point) => (low, found) = (high, Some(point)),
                None => break,
            }
            high *= 2.0;
        }
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            match inside(middle) {
                Some(point) => (low, found) = (middle, Some(point)),
                None => high = middle,
            }
        }
        found.filter(|point| point.norm > 0.0)
    }

    /// The inputs of the space nearest to the centre moved by so much; none where one is not finite, or off the grid.
    fn moved(&self, direction: &[f64], scale: f64) -> Option<Vec<f32>> {
        let step = |(&x, &step): (&f32, &f64)| self.space.nearest(x, scale * step);
        self.centre.iter().zip(direction).map(step).collect()
    }

    /// The direction from the centre to a point.
    pub fn direction(&self, point: &Point) -> Vec<f64> {
        self.centre.iter().zip(&point.x).map(|(&centre, &x)| f64::from(x) - f64::from(centre)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use smoothtopk::noise::ExactGrid;

    use super::super::norm::distance_above;
    use super::*;

    proptest! {
        #[test]
        fn points_are_inside_and_near_the_surface(
            pairs in prop::collection::vec((-1.0f32..1.0, -1.0f64..1.0), 1..100),
            exponent in -20i32..3,
        ) {
            let (centre, direction): (Vec<f32>, Vec<f64>) = pairs.into_iter().unzip();
            let ball = Ball { centre: &centre, radius: 10f64.powi(exponent), space: Space::Floats };
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

        #[test]
        fn points_of_a_grid_are_points_inside_and_near_the_surface(
            pairs in prop::collection::vec((0i32..256, -1.0f64..1.0), 20..100),
            steps in 1.0f64..300.0,
        ) {
            let grid = ExactGrid::pixels();
            let (points, direction): (Vec<i32>, Vec<f64>) = pairs.into_iter().unzip();
            let centre: Vec<f32> = points.iter().map(|&point| grid.value(point)).collect();
            let ball = Ball { centre: &centre, radius: steps / 255.0, space: Space::Points(grid) };
            let point = ball.towards(&direction);
            // One step of the longest element is the least there is.
            prop_assert!(point.is_some() || steps < 2.0);
            if let Some(Point { x, norm }) = point {
                let moved: Vec<i32> = x.iter().zip(&points).map(|(&x, &from)| grid.point(x).unwrap() - from).collect();
                let square: i32 = moved.iter().map(|step| step * step).sum();
                prop_assert!(norm < ball.radius && f64::from(square).sqrt() / 255.0 <= norm);
                // Steps come in ones: at most those of all elements that are about to be made are missing.
                prop_assert!(norm > 0.5 * ball.radius || steps < 10.0, "{norm} of {}", ball.radius);
                prop_assert!(moved.iter().zip(&direction).all(|(&step, &along)| f64::from(step) * along >= 0.0));
            }
        }
    }

    #[test]
    fn no_point_where_there_is_none() {
        let ball = Ball { centre: &[1.0, 2.0], radius: 1e-9, space: Space::Floats };
        assert_eq!(ball.towards(&[1.0, 0.0]), None, "no f32 lies that near to 1 but 1");
        assert_eq!(ball.towards(&[0.0, 0.0]), None);
        assert_eq!(ball.towards(&[f64::NAN, 0.0]), None);
        assert_eq!(Ball { centre: &[f32::MAX], radius: 1e39, space: Space::Floats }.towards(&[1.0]), None);
        let ball = Ball { centre: &[1.0, 0.0], radius: 0.003, space: Space::Points(ExactGrid::pixels()) };
        assert_eq!(ball.towards(&[1.0, 0.5]), None, "the next point is 1/255 away");
    }
}
