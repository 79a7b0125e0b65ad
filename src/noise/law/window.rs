//! Windows: the row of a number is the input with all hidden outside the window at that place.

use super::Drawing;
use crate::noise::grid_input::{Elements, GridInput};
use crate::noise::mode::Mode;
use crate::noise::stream::NoiseStream;
use crate::perturbation::{self, Channels};
use crate::{Error, Result};

#[derive(Clone, Debug, PartialEq)]
pub(in crate::noise) struct Window<const AXES: usize> {
    family: perturbation::Window<AXES>,
    axes: [u32; AXES],
    height: u32,
    width: u32,
    channels: Channels,
}

impl<const AXES: usize> Window<AXES> {
    /// # Errors
    /// `InvalidArgument` when the size of inputs or their channels are not known yet.
    pub(in crate::noise) fn new(family: &perturbation::Window<AXES>) -> Result<Self> {
        let (Some(axes), Some([height, width]), Some(channels)) =
            (family.axes(), family.dimensions(), family.channels())
        else {
            return Err(super::unsettled(family));
        };
        Ok(Self { family: *family, axes, height, width, channels })
    }

    fn pixels(&self) -> usize {
        self.height as usize * self.width as usize
    }
}

impl<const AXES: usize> Drawing for Window<AXES> {
    fn name(&self) -> &'static str {
        "window 1"
    }

    fn mode(&self) -> Mode {
        Mode::AsGiven
    }

    fn purpose_bit(&self) -> u32 {
        0
    }

    fn place(&self, input: &[f32]) -> Result<Elements> {
        super::check_pixels(input, self.pixels())?;
        Ok(Elements::Values(input.to_vec()))
    }

    /// Places row by row: the last axis is the fastest.
    fn write(&self, _: &NoiseStream, sample: u64, x: &GridInput, out: &mut [f32]) -> Result<()> {
        let x = x.values();
        super::check_room(x, out)?;
        let mut rest = sample;
        let mut place = [0; AXES];
        for (place, &axis) in place.iter_mut().zip(&self.axes).rev() {
            let places = u64::from(self.family.places(axis));
            (*place, rest) = ((rest % places) as u32, rest / places);
        }
        if rest > 0 {
            return Err(Error::argument("sample", format!("{sample} is no place of {}", self.family)));
        }
        out.fill(self.family.value());
        let columns: Vec<u32> = self.family.shown(self.width, place[AXES - 1]).collect();
        let rows: Vec<u32> = match AXES {
            1 => (0..self.height).collect(),
            _ => self.family.shown(self.height, place[0]).collect(),
        };
        for row in rows {
            for column in &columns {
                let pixel = row as usize * self.width as usize + *column as usize;
                self.channels.copy(x, pixel, self.pixels(), out);
            }
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
