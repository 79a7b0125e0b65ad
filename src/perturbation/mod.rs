//! Families of noise, as certificates see them: how far a perturbation of the input can move a probability.
//!
//! A family is one file here, and one line in `family.rs`. How its samples are drawn is a file in [`crate::noise`].

mod ablation;
mod described;
mod family;
mod gaussian;
mod mass;
mod norm;
mod pixels;
mod shift;
mod split;
mod uniform;
mod window;

pub use ablation::Ablation;
pub use described::Described;
pub use family::{Family, IntoFamily};
pub use gaussian::Gaussian;
pub use norm::Norm;
pub use pixels::{Channels, MAX_PIXELS};
pub use shift::{Meeting, Shift};
pub use split::Split;
pub use uniform::Uniform;
pub use window::{Band, Block, Window};
