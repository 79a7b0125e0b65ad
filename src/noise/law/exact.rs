//! Exact Gaussian noise: inputs on a declared grid, the discretised Gaussian, a bound on its distance from the exact
//! one.

use std::sync::Arc;

use super::Drawing;
use crate::Result;
use crate::noise::exact::{DiscreteGaussian, ExactGrid};
use crate::noise::grid_input::{Elements, GridInput};
use crate::noise::mode::Mode;
use crate::noise::stream::{EXACT, NoiseStream};

#[derive(Clone, Debug, PartialEq)]
pub(in crate::noise) struct ExactGaussian {
    grid: ExactGrid,
    table: Arc<DiscreteGaussian>,
}

impl ExactGaussian {
    pub(in crate::noise) fn new(sigma: f64, grid: ExactGrid) -> Result<Self> {
        Ok(Self { grid, table: DiscreteGaussian::shared(sigma, grid.levels())? })
    }
}

impl Drawing for ExactGaussian {
    fn name(&self) -> &'static str {
        "discrete-gaussian 1"
    }

    fn mode(&self) -> Mode {
        Mode::Exact(self.grid)
    }

    fn sigma(&self) -> Option<f64> {
        Some(self.table.sigma())
    }

    fn purpose_bit(&self) -> u32 {
        EXACT
    }

    fn place(&self, input: &[f32]) -> Result<Elements> {
        Ok(Elements::Values(self.grid.points(input)?))
    }

    fn write(&self, stream: &NoiseStream, sample: u64, x: &GridInput, out: &mut [f32]) -> Result<()> {
        stream.exact_row(sample, &self.table, x.values(), out)
    }

    /// The certificates are about the distances between grid points.
    fn radius_cost(&self, _elements: usize) -> f64 {
        0.0
    }

    fn total_variation(&self) -> f64 {
        self.table.total_variation()
    }
}
