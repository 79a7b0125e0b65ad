//! The one place that lists the laws.

use std::ops::Deref;

use super::{Drawing, ExactGaussian, GridGaussian, Uniform};

/// The law of a noise.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::noise) enum NoiseLaw {
    Gaussian(GridGaussian),
    Exact(ExactGaussian),
    Uniform(Uniform),
}

impl Deref for NoiseLaw {
    type Target = dyn Drawing;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Gaussian(law) => law,
            Self::Exact(law) => law,
            Self::Uniform(law) => law,
        }
    }
}
