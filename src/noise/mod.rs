//! Noise: Gaussian and uniform rows from a counter-based generator, on a grid where adding them is exact, and rows of
//! which parts are hidden.
//!
//! [`Noise`] says what the noise of a smoothed classifier is; every row is a pure function of (seed or key, stream,
//! purpose, sample index), the same bits on every processor. Layout, method, accuracy and what is measured:
//! docs/noise.md.

mod definition;
mod exact;
mod grid;
mod grid_input;
mod kernel;
#[cfg(test)]
mod lattice_tests;
mod law;
mod mode;
mod normal;
mod philox;
mod rounding;
mod simd;
mod source;
mod stream;
mod subset;
mod uniform;
mod words;

pub use definition::{NOISE, Noise, StreamNoise};
pub use exact::{DiscreteGaussian, ExactGrid};
pub use grid::Grid;
pub use grid_input::GridInput;
pub use mode::Mode;
pub use normal::MAX_ABS_Z;
pub use philox::philox4x32_10;
pub(crate) use rounding::times_up;
pub use simd::Path;
pub use source::Source;
#[cfg(feature = "cuda")]
pub(crate) use stream::RowNoise;
pub use stream::{MAX_ELEMENTS, NoiseStream, Purpose};
pub use uniform::UniformGrid;
