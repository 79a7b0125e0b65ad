//! The one place that lists the laws.

use std::ops::Deref;

use super::{Ablation, Drawing, ExactGaussian, GridGaussian, Split, Uniform, Window};

/// The law of a noise.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::noise) enum NoiseLaw {
    Gaussian(GridGaussian),
    Exact(ExactGaussian),
    Uniform(Uniform),
    Ablation(Ablation),
    Band(Window<1>),
    Block(Window<2>),
    Split(Split),
}

impl Deref for NoiseLaw {
    type Target = dyn Drawing;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Gaussian(law) => law,
            Self::Exact(law) => law,
            Self::Uniform(law) => law,
            Self::Ablation(law) => law,
            Self::Band(law) => law,
            Self::Block(law) => law,
            Self::Split(law) => law,
        }
    }
}
