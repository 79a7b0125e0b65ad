//! What a law of noise is to the rest of the house: how its samples are drawn, and what they cost.

use crate::Result;
use crate::noise::grid_input::{Elements, GridInput};
use crate::noise::mode::Mode;
use crate::noise::stream::NoiseStream;
#[cfg(feature = "cuda")]
use crate::noise::stream::RowNoise;

/// How the samples of a law are drawn.
pub(in crate::noise) trait Drawing {
    /// The method, and the version of its layout: a sample of another name has other bits.
    fn name(&self) -> &'static str;

    /// The grid.
    fn mode(&self) -> Mode;

    /// The standard deviation of an element, before any rounding; none where nothing is added to it.
    fn sigma(&self) -> Option<f64> {
        None
    }

    /// Set in the purpose word, so that the laws are independent under one secret.
    fn purpose_bit(&self) -> u32;

    /// Places an input of finite elements on the grid.
    fn place(&self, input: &[f32]) -> Result<Elements>;

    /// Writes sample `sample` around `x`, which this law has placed.
    fn write(&self, stream: &NoiseStream, sample: u64, x: &GridInput, out: &mut [f32]) -> Result<()>;

    /// What a device's kernels make the same samples from; none for a law that they do not know.
    #[cfg(feature = "cuda")]
    fn for_kernels(&self, _stream: &NoiseStream) -> Option<RowNoise> {
        None
    }

    /// What placing an input and its attacked copy can add to that norm of their difference, rounded up.
    fn radius_cost(&self, elements: usize) -> f64;

    /// An upper bound on the total variation between one element as drawn and the exact law, given uniform bits.
    fn total_variation(&self) -> f64;
}
