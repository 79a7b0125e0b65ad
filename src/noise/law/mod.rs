//! The laws that noise is drawn by: one file each, and one line each in [`NoiseLaw`].

mod ablation;
mod dispatch;
mod drawing;
mod exact;
mod gaussian;
mod inputs;
mod split;
mod uniform;
mod window;

pub(super) use ablation::Ablation;
pub(super) use dispatch::NoiseLaw;
pub(super) use drawing::Drawing;
pub(super) use exact::ExactGaussian;
pub(super) use gaussian::GridGaussian;
use inputs::{check_pixels, check_room, unsettled};
pub(super) use split::Split;
pub(super) use uniform::Uniform;
pub(super) use window::Window;
