//! The laws that noise is drawn by: one file each, and one line each in [`NoiseLaw`].

mod dispatch;
mod drawing;
mod exact;
mod gaussian;
mod uniform;

pub(super) use dispatch::NoiseLaw;
pub(super) use drawing::Drawing;
pub(super) use exact::ExactGaussian;
pub(super) use gaussian::GridGaussian;
pub(super) use uniform::Uniform;
