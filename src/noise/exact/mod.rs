//! Exact noise: inputs on a declared grid, a discretised Gaussian drawn from 64-bit uniforms.

mod discrete;
mod double;
mod grid;
mod kernel;
mod table;

pub use discrete::DiscreteGaussian;
pub use grid::ExactGrid;
pub(super) use kernel::ExactRow;
