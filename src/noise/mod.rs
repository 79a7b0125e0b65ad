//! Noise: Gaussian rows from a counter-based generator, on a grid where adding them is exact.
//!
//! Every row is a pure function of (seed, job, purpose, sample index), the same bits on every processor. Layout,
//! method, accuracy and what is measured: docs/noise.md.

pub mod family;
mod grid;
mod kernel;
mod normal;
mod philox;
mod simd;
mod stream;

/// Names the layout of the counters and the method of the normals. Another name means other rows for the same seed.
pub const NOISE: &str = "philox4x32-10 box-muller 1";

pub use grid::Grid;
pub use normal::MAX_ABS_Z;
pub use philox::philox4x32_10;
pub use simd::Path;
pub use stream::{MAX_ELEMENTS, NoiseStream, Purpose};
