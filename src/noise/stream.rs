//! The noise of a stream: every row a pure function of (secret, stream, purpose, sample index).

use serde::{Deserialize, Serialize};

use super::exact::{DiscreteGaussian, ExactRow};
use super::grid::Grid;
use super::kernel::GaussianRow;
use super::simd::{self, Path};
use super::source::Source;
use super::subset::Subset;
use super::uniform::UniformRow;
use super::words::{ChaChaWords, PhiloxWords, philox_stream_key, stream_key};
use crate::{Error, Result};

/// The longest row: 2^32 blocks of 4 elements (64 GiB of f32).
pub const MAX_ELEMENTS: u64 = 1 << 34;

/// What a row is drawn for: rows of different purposes are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u32)]
pub enum Purpose {
    /// The n0 rows that choose a label.
    Select = 0,
    /// The n rows that certify: a label that was predicted or selected is independent of them.
    Estimate = 1,
    /// The n rows that predict.
    Predict = 2,
    /// The n rows that certify an answer, which may choose its labels, too: they certify none of these labels a second
    /// time.
    Answer = 4,
}

/// The purpose bits of exact noise, of uniform noise and of ablation, so that they are independent of each other and of
/// the Gaussian noise of the same secret. Bit 31 is taken, too: by Philox's further bits.
pub(super) const EXACT: u32 = 1 << 30;
pub(super) const UNIFORM: u32 = 1 << 29;
pub(super) const ABLATION: u32 = 1 << 28;

/// The Gaussian noise of one stream and purpose; row `sample` depends on (secret, stream, purpose, sample) and on
/// nothing else.
///
/// Copied and shared freely between threads; holds no state that drawing changes. Layout and accuracy: docs/noise.md. A
/// job of the sampler takes its rows from [`super::Noise::stream`], which adds the mode.
///
/// ```
/// use smoothtopk::noise::{Grid, NoiseStream, Purpose};
///
/// let sigma = 0.25;
/// let grid = Grid::for_range(1.0, sigma)?;
/// let mut x = vec![0.1, 0.5, 0.9];
/// grid.round(&mut x);
/// let mut row = vec![0.0; x.len()];
/// NoiseStream::new(7, 0, Purpose::Estimate).noisy_row(0, sigma, &grid, &x, &mut row)?;
/// # Ok::<(), smoothtopk::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoiseStream {
    key: StreamKey,
    /// The purpose, and the bit of a law that has one.
    purpose: u32,
    path: Path,
}

/// The key of a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StreamKey {
    Philox([u32; 2]),
    ChaCha12([u8; 32]),
}

impl std::fmt::Debug for StreamKey {
    /// Without the ChaCha key, which has no business in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Philox(key) => f.debug_tuple("Philox").field(key).finish(),
            Self::ChaCha12(_) => f.debug_tuple("ChaCha12").finish_non_exhaustive(),
        }
    }
}

/// The parameters of a stream's rows on a grid: docs/noise.md says what is made of them.
#[cfg(feature = "cuda")]
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RowNoise {
    /// The Philox key.
    pub key: [u32; 2],
    /// Word 3 of the counters.
    pub purpose: u32,
    /// sigma / step, rounded up.
    pub scale: f32,
    /// The grid's.
    pub step: f32,
}

/// Runs the kernel of a row, which has the words of the stream's own generator.
macro_rules! run {
    ($stream:ident, $sample:ident, |$words:ident| $kernel:expr) => {
        match $stream.key {
            StreamKey::Philox(key) => {
                let $words = PhiloxWords::new(key, $sample, $stream.purpose);
                simd::run($stream.path, $kernel);
            }
            StreamKey::ChaCha12(key) => {
                let $words = ChaChaWords::new(key, $sample);
                simd::run($stream.path, $kernel);
            }
        }
    };
}

impl NoiseStream {
    /// The noise of stream `stream` under Philox's `seed`, on the fastest path of this processor.
    ///
    /// Both are full 64-bit; one Philox block turns them into the 64-bit key of the rows.
    #[must_use]
    pub fn new(seed: u64, stream: u64, purpose: Purpose) -> Self {
        Self::of(&Source::Philox { seed }, stream, purpose)
    }

    /// The noise of stream `stream` under a source, on the fastest path of this processor.
    #[must_use]
    pub fn of(source: &Source, stream: u64, purpose: Purpose) -> Self {
        Self::with_word(source, stream, purpose as u32)
    }

    /// With the purpose word of a law's own.
    pub(super) fn with_word(source: &Source, stream: u64, purpose: u32) -> Self {
        let key = match source {
            Source::Philox { seed } => StreamKey::Philox(philox_stream_key(*seed, stream)),
            Source::ChaCha12 { key } => StreamKey::ChaCha12(stream_key(key, stream, purpose)),
        };
        Self { key, purpose, path: Path::best() }
    }

    /// The same noise by another path: identical bits, for tests and measurements.
    ///
    /// # Errors
    /// `InvalidArgument` when this processor cannot run the path.
    pub fn on(self, path: Path) -> Result<Self> {
        Ok(Self { path: path.checked()?, ..self })
    }

    /// The path that rows are made on.
    #[must_use]
    pub fn path(&self) -> Path {
        self.path
    }

    /// The Philox key of every row; none with ChaCha12, whose key nobody needs.
    #[must_use]
    pub fn key(&self) -> Option<[u32; 2]> {
        match self.key {
            StreamKey::Philox(key) => Some(key),
            StreamKey::ChaCha12(_) => None,
        }
    }

    /// Writes x + round(sigma z) of row `sample` to `out`, with z standard normal and round to the nearest multiple
    /// of the grid's step (ties to even).
    ///
    /// `x` (row-major elements, any units that sigma shares) should already be rounded by [`Grid::round`] and within
    /// the grid's range, and `sigma` be the grid's: then every sum is exact, and `out - x` does not depend on x.
    /// Otherwise the sum is rounded to f32: still a function of the exact sum, so still post-processing of it. The
    /// scale sigma / step is rounded to f32 upwards, so that noise is never narrower than sigma.
    ///
    /// # Errors
    /// `InvalidArgument` when the lengths differ, a row is longer than [`MAX_ELEMENTS`], or sigma is not finite and
    /// positive; `out` is then unchanged.
    pub fn noisy_row(&self, sample: u64, sigma: f64, grid: &Grid, x: &[f32], out: &mut [f32]) -> Result<()> {
        check_lengths(x.len(), out)?;
        self.gaussian::<true>(sample, [grid.scale(sigma)?, grid.step()], x, out);
        Ok(())
    }

    /// Writes the standard normals z of row `sample` to `out`: what [`NoiseStream::noisy_row`] scales and rounds.
    ///
    /// # Errors
    /// `InvalidArgument` when the row is longer than [`MAX_ELEMENTS`]; `out` is then unchanged.
    pub fn normals(&self, sample: u64, out: &mut [f32]) -> Result<()> {
        check_elements(out.len())?;
        self.gaussian::<false>(sample, [1.0, 1.0], &[], out);
        Ok(())
    }

    /// Writes (x + m) / levels of row `sample` to `out`, for integers `x`.
    pub(super) fn exact_row(&self, sample: u64, noise: &DiscreteGaussian, x: &[f32], out: &mut [f32]) -> Result<()> {
        check_lengths(x.len(), out)?;
        let (table, middle, levels) = (noise.table(), noise.largest() as f32, noise.levels() as f32);
        run!(self, sample, |words| ExactRow { words, table, middle, levels, x, out });
        Ok(())
    }

    /// Writes the values of x + M of row `sample` to `out`, for integers `x` and uniform integers M.
    pub(super) fn uniform_row(&self, sample: u64, step: f64, x: &[f64], out: &mut [f32]) -> Result<()> {
        check_lengths(x.len(), out)?;
        run!(self, sample, |words| UniformRow { words, step, x, out });
        Ok(())
    }

    /// The `keep` members of row `sample`, a uniform subset of 0 .. `of`; in no order that says anything.
    pub(super) fn subset(&self, sample: u64, keep: u32, of: u32) -> Vec<u32> {
        let mut members = Vec::new();
        run!(self, sample, |words| Subset { words, keep: keep.min(of), of, members: &mut members });
        members
    }

    /// What other code than this room's makes the same rows on a grid from; none with ChaCha12, or a sigma beyond the
    /// grid.
    #[cfg(feature = "cuda")]
    pub(crate) fn on_grid(&self, sigma: f64, grid: &Grid) -> Option<RowNoise> {
        let (key, scale) = (self.key()?, grid.scale(sigma).ok()?);
        Some(RowNoise { key, purpose: self.purpose, scale, step: grid.step() })
    }

    fn gaussian<const GRID: bool>(&self, sample: u64, [scale, step]: [f32; 2], x: &[f32], out: &mut [f32]) {
        run!(self, sample, |words| GaussianRow::<_, GRID> { words, scale, step, x, out });
    }
}

fn check_lengths(x: usize, out: &[f32]) -> Result<()> {
    if x != out.len() {
        return Err(Error::argument("out", format!("holds {} elements, x {}", out.len(), x)));
    }
    check_elements(out.len())
}

fn check_elements(elements: usize) -> Result<()> {
    if elements as u64 > MAX_ELEMENTS {
        return Err(Error::argument("out", format!("a row has at most 2^34 elements, not {elements}")));
    }
    Ok(())
}
