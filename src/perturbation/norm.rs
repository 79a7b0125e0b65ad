//! The norms in which perturbations are measured.

use std::fmt;

/// The norm in which a family measures perturbations, and so the unit of its radii.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Norm {
    /// How many pixels differ, all channels of one together.
    L0,
    /// The sum of absolute values.
    L1,
    /// The Euclidean norm.
    L2,
    /// The largest absolute value.
    Linf,
    /// The side of a square patch, in pixels, outside of which nothing differs; of a band's patch the columns, whatever
    /// its height.
    Patch,
}

impl Norm {
    /// The norms that a radius is also told in, beside its own.
    pub const TOLD: [Self; 3] = [Self::L1, Self::L2, Self::Linf];

    /// The radius in `other` of the largest ball inside the ball of this radius in this norm, for inputs of `elements`
    /// elements, rounded down. None where no ball of the other lies inside: a change of one pixel may be of any size,
    /// and a small change may be one of every pixel. None for no element.
    ///
    /// ```
    /// use smoothtopk::perturbation::Norm;
    /// assert_eq!(Norm::L2.within(1.0, Norm::Linf, 4), Some(0.5));
    /// assert_eq!(Norm::L2.within(1.0, Norm::L0, 4), None);
    /// ```
    pub fn within(self, radius: f64, other: Self, elements: usize) -> Option<f64> {
        match (self, other) {
            _ if elements == 0 => None,
            _ if self == other => Some(radius),
            // The other norm is never the smaller one.
            (Self::Linf, Self::L1 | Self::L2) | (Self::L2, Self::L1) => Some(radius),
            (Self::L2, Self::Linf) | (Self::L1, Self::L2) => Some(divided(radius, root_above(elements as f64))),
            (Self::L1, Self::Linf) => Some(divided(radius, elements as f64)),
            _ => None,
        }
    }
}

/// The square root of a whole number, rounded up.
fn root_above(x: f64) -> f64 {
    let root = x.sqrt();
    if root.mul_add(root, -x) < 0.0 { root.next_up() } else { root }
}

/// A quotient, rounded down. The fused remainder has the sign of the error.
fn divided(radius: f64, by: f64) -> f64 {
    let quotient = radius / by;
    if quotient.mul_add(by, -radius) > 0.0 { quotient.next_down() } else { quotient }
}

impl fmt::Display for Norm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::L0 => "l0",
            Self::L1 => "l1",
            Self::L2 => "l2",
            Self::Linf => "linf",
            Self::Patch => "patch",
        })
    }
}
