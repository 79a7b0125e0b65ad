//! Which grid inputs lie on, and how noise is made on it.

use super::exact::ExactGrid;
use super::grid::Grid;
use super::uniform::UniformGrid;

/// On what grid inputs lie and how noise is made on it. Part of the smoothed classifier, so the same for every input.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Mode {
    /// Inputs and f32 Gaussian noise rounded to a grid much finer than sigma, the f32 sampler taken for an exact
    /// Gaussian.
    Grid(Grid),
    /// Inputs on a declared grid, and the Gaussian discretised to it, with a proven bound on its distance from the
    /// exact one.
    Exact(ExactGrid),
    /// Inputs rounded to a grid much finer than lambda, and uniform integers, drawn exactly: [`super::Noise::uniform`].
    Uniform(UniformGrid),
    /// Inputs as they are: nothing is added to them, and parts of them are hidden.
    AsGiven,
}

impl Mode {
    /// The grid's step, in the units of the input; 0 where there is no grid.
    #[must_use]
    pub fn step(&self) -> f64 {
        match self {
            Self::Grid(grid) => f64::from(grid.step()),
            Self::Exact(grid) => 1.0 / f64::from(grid.levels()),
            Self::Uniform(grid) => grid.step(),
            Self::AsGiven => 0.0,
        }
    }
}
