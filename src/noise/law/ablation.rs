//! Random ablation: a subset of the pixels, drawn exactly, given uniform bits.

use super::Drawing;
use crate::Result;
use crate::noise::grid_input::{Elements, GridInput};
use crate::noise::mode::Mode;
use crate::noise::stream::{ABLATION, NoiseStream};
use crate::perturbation::{self, Channels};

#[derive(Clone, Debug, PartialEq)]
pub(in crate::noise) struct Ablation {
    keep: u32,
    pixels: u32,
    channels: Channels,
    value: f32,
}

impl Ablation {
    /// # Errors
    /// `InvalidArgument` when the pixels or their channels are not known yet.
    pub(in crate::noise) fn new(family: &perturbation::Ablation) -> Result<Self> {
        let (Some(pixels), Some(channels)) = (family.pixels(), family.channels()) else {
            return Err(super::unsettled(family));
        };
        Ok(Self { keep: family.keep(), pixels, channels, value: family.value() })
    }
}

impl Drawing for Ablation {
    fn name(&self) -> &'static str {
        "ablation 1"
    }

    fn mode(&self) -> Mode {
        Mode::AsGiven
    }

    fn purpose_bit(&self) -> u32 {
        ABLATION
    }

    fn place(&self, input: &[f32]) -> Result<Elements> {
        super::check_pixels(input, self.pixels as usize)?;
        Ok(Elements::Values(input.to_vec()))
    }

    fn write(&self, stream: &NoiseStream, sample: u64, x: &GridInput, out: &mut [f32]) -> Result<()> {
        let (x, pixels) = (x.values(), self.pixels as usize);
        super::check_room(x, out)?;
        out.fill(self.value);
        for pixel in stream.subset(sample, self.keep, self.pixels) {
            self.channels.copy(x, pixel as usize, pixels, out);
        }
        Ok(())
    }

    /// Inputs are as they are.
    fn radius_cost(&self, _elements: usize) -> f64 {
        0.0
    }

    fn total_variation(&self) -> f64 {
        0.0
    }
}
