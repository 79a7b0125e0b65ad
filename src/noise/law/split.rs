//! Deterministic splitting noise: the row of a number has every element as the middle of the piece that it is in.

use super::Drawing;
use crate::noise::exact::ExactGrid;
use crate::noise::grid_input::{Elements, GridInput};
use crate::noise::mode::Mode;
use crate::noise::philox::philox4x32_10;
use crate::noise::stream::NoiseStream;
use crate::perturbation;
use crate::{Error, Result};

#[derive(Clone, Debug, PartialEq)]
pub(in crate::noise) struct Split {
    family: perturbation::Split,
    grid: ExactGrid,
}

impl Split {
    /// # Errors
    /// `InvalidArgument` when the levels are not known.
    pub(in crate::noise) fn new(family: &perturbation::Split) -> Result<Self> {
        let levels = family.levels().ok_or_else(|| super::unsettled(family))?;
        Ok(Self { family: *family, grid: ExactGrid::new(levels)? })
    }

    /// v of the elements from 4 `block` on. Any fixed numbers serve; these are a Philox block of the seed, each word
    /// scaled to 0 .. N - 1.
    fn shifts(&self, block: usize) -> [i64; 4] {
        let (block, seed) = (block as u64, self.family.seed());
        let halves = |word: u64| [word as u32, (word >> 32) as u32];
        let [low, high] = halves(block);
        let scaled = |word: u32| ((u64::from(word) * u64::from(self.family.splits())) >> 32) as i64;
        philox4x32_10([low, high, 0, 0], halves(seed)).map(scaled)
    }

    /// The middle of the piece of [0, 1] that point `x` of 0 ..= q is in, where a cut is at (`cut` + 1/2)/q.
    fn middle(&self, x: i64, cut: i64) -> f32 {
        let (splits, levels) = (i64::from(self.family.splits()), i64::from(self.grid.levels()));
        // The last cut below x, in halves of a step: x - cut - 1/2 is no multiple of N.
        let low = 2 * (cut + splits * (x - cut - 1).div_euclid(splits)) + 1;
        let (low, high) = (low.max(0), (low + 2 * splits).min(2 * levels));
        ((low + high) as f64 / (4 * levels) as f64) as f32
    }
}

impl Drawing for Split {
    fn name(&self) -> &'static str {
        "split 1"
    }

    fn mode(&self) -> Mode {
        Mode::Exact(self.grid)
    }

    fn purpose_bit(&self) -> u32 {
        0
    }

    fn place(&self, input: &[f32]) -> Result<Elements> {
        let points = self.grid.points(input)?;
        let levels = self.grid.levels();
        match points.iter().position(|point| !(0.0..=levels as f32).contains(point)) {
            Some(element) => {
                let message = format!("element {element} is {}: splitting noise is for [0, 1]", input[element]);
                Err(Error::data("input", message))
            }
            None => Ok(Elements::Values(points)),
        }
    }

    fn write(&self, _: &NoiseStream, sample: u64, x: &GridInput, out: &mut [f32]) -> Result<()> {
        let (x, splits) = (x.values(), i64::from(self.family.splits()));
        super::check_room(x, out)?;
        let shift = i64::try_from(sample).ok().filter(|&shift| shift < splits);
        let shift =
            shift.ok_or_else(|| Error::argument("sample", format!("{sample} is no split of {}", self.family)))?;
        for (block, (x, out)) in x.chunks(4).zip(out.chunks_mut(4)).enumerate() {
            for ((x, out), v) in x.iter().zip(out).zip(self.shifts(block)) {
                *out = self.middle(*x as i64, (v + shift) % splits);
            }
        }
        Ok(())
    }

    /// The certificates are about the distances between grid points.
    fn radius_cost(&self, _elements: usize) -> f64 {
        0.0
    }

    fn total_variation(&self) -> f64 {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_middles_of_the_pieces_between_the_cuts() {
        for (splits, levels) in [(1, 1), (1, 3), (2, 3), (3, 3), (4, 3), (7, 3), (5, 8)] {
            let noise = Split::new(&perturbation::Split::new(splits, levels).unwrap()).unwrap();
            for cut in 0..splits {
                let cuts = (0..2 * levels).map(|j| f64::from(cut + j * splits) + 0.5);
                let back = (1..2 * levels).map(|j| f64::from(cut) + 0.5 - f64::from(j * splits));
                let mut edges: Vec<f64> = cuts.chain(back).filter(|at| (0.0..f64::from(levels)).contains(at)).collect();
                edges.extend([0.0, f64::from(levels)]);
                edges.sort_by(f64::total_cmp);
                for x in 0..=levels {
                    // No cut is at a point; both ends of [0, 1] are inside.
                    let above = edges.iter().copied().find(|&at| at > f64::from(x)).unwrap_or(f64::from(levels));
                    let below = edges.iter().rev().copied().find(|&at| at < above).unwrap();
                    let middle = (0.5 * (below + above) / f64::from(levels)) as f32;
                    assert_eq!(noise.middle(x.into(), cut.into()), middle, "N = {splits}, q = {levels}, {cut}, {x}");
                }
            }
        }
    }
}
