//! Uniform noise: inputs rounded to a fine grid, integers drawn by one word each.

mod grid;
mod kernel;

pub use grid::UniformGrid;
pub(super) use kernel::UniformRow;
