//! Families of noise, as certificates see them: how far a perturbation of the input can move a probability.
//!
//! A family is one file here, and one line in `family.rs`. How its samples are drawn is a file in [`crate::noise`].

mod family;
mod gaussian;
mod shift;
mod uniform;

pub use family::{Family, IntoFamily};
pub use gaussian::Gaussian;
pub use shift::{Meeting, Norm, Shift};
pub use uniform::Uniform;
