//! Uniform noise: exact, given uniform bits.

use super::Drawing;
use crate::Result;
use crate::noise::grid_input::{Elements, GridInput};
use crate::noise::mode::Mode;
use crate::noise::stream::{NoiseStream, UNIFORM};
use crate::noise::uniform::UniformGrid;

#[derive(Clone, Debug, PartialEq)]
pub(in crate::noise) struct Uniform {
    pub(in crate::noise) grid: UniformGrid,
}

impl Drawing for Uniform {
    fn name(&self) -> &'static str {
        "uniform 1"
    }

    fn mode(&self) -> Mode {
        Mode::Uniform(self.grid)
    }

    fn sigma(&self) -> Option<f64> {
        Some(self.grid.lambda() / 3f64.sqrt())
    }

    fn purpose_bit(&self) -> u32 {
        UNIFORM
    }

    fn place(&self, input: &[f32]) -> Result<Elements> {
        Ok(Elements::Points(self.grid.points(input)?))
    }

    fn write(&self, stream: &NoiseStream, sample: u64, x: &GridInput, out: &mut [f32]) -> Result<()> {
        stream.uniform_row(sample, self.grid.step(), x.points(), out)
    }

    fn radius_cost(&self, elements: usize) -> f64 {
        self.grid.radius_cost(elements)
    }

    fn total_variation(&self) -> f64 {
        0.0
    }
}
