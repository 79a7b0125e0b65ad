//! Gaussian noise on a grid: f32 normals, rounded, the sampler taken for exact.

use super::Drawing;
use crate::Result;
use crate::noise::grid::Grid;
use crate::noise::grid_input::{Elements, GridInput};
use crate::noise::mode::Mode;
use crate::noise::stream::NoiseStream;
#[cfg(feature = "cuda")]
use crate::noise::stream::RowNoise;

#[derive(Clone, Debug, PartialEq)]
pub(in crate::noise) struct GridGaussian {
    sigma: f64,
    grid: Grid,
}

impl GridGaussian {
    pub(in crate::noise) fn new(sigma: f64, grid: Grid) -> Result<Self> {
        grid.scale(sigma)?;
        Ok(Self { sigma, grid })
    }
}

impl Drawing for GridGaussian {
    fn name(&self) -> &'static str {
        "box-muller 2"
    }

    fn mode(&self) -> Mode {
        Mode::Grid(self.grid)
    }

    fn sigma(&self) -> Option<f64> {
        Some(self.sigma)
    }

    fn purpose_bit(&self) -> u32 {
        0
    }

    fn place(&self, input: &[f32]) -> Result<Elements> {
        let mut rounded = input.to_vec();
        self.grid.round(&mut rounded);
        Ok(Elements::Values(rounded))
    }

    fn write(&self, stream: &NoiseStream, sample: u64, x: &GridInput, out: &mut [f32]) -> Result<()> {
        stream.noisy_row(sample, self.sigma, &self.grid, x.values(), out)
    }

    #[cfg(feature = "cuda")]
    fn for_kernels(&self, stream: &NoiseStream) -> Option<RowNoise> {
        stream.on_grid(self.sigma, &self.grid)
    }

    fn radius_cost(&self, elements: usize) -> f64 {
        self.grid.radius_cost(elements)
    }

    fn total_variation(&self) -> f64 {
        0.0
    }
}
