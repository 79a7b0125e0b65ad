//! The norms that certificates of noise are about.

/// A norm of perturbations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Norm {
    /// The sum of the elements' magnitudes: that of uniform noise.
    L1,
    /// Euclid's: that of Gaussian noise.
    L2,
}
