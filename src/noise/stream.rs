//! The noise of a job: every row a pure function of (seed, job key, purpose, sample index).

use super::grid::Grid;
use super::kernel::Row;
use super::philox::philox4x32_10;
use super::simd::{self, Path};
use crate::{Error, Result};

/// The longest row: 2^32 blocks of 4 elements (64 GiB of f32).
pub const MAX_ELEMENTS: u64 = 1 << 34;

/// What a row is drawn for: rows of different purposes are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Purpose {
    /// The n0 rows that choose a label.
    Select = 0,
    /// The n rows that certify: a label that was predicted or selected is independent of them.
    Estimate = 1,
    /// The n rows that predict.
    Predict = 2,
}

/// The Gaussian noise of one job and purpose; row `sample` depends on (seed, job, purpose, sample) and on nothing else.
///
/// Copied and shared freely between threads; holds no state that drawing changes. Layout and accuracy: docs/noise.md.
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
    key: [u32; 2],
    purpose: Purpose,
    path: Path,
}

impl NoiseStream {
    /// The noise of job `job` under `seed`, on the fastest path of this processor.
    ///
    /// Both are full 64-bit; one Philox block turns them into the 64-bit key of the rows.
    #[must_use]
    pub fn new(seed: u64, job: u64, purpose: Purpose) -> Self {
        Self { key: derive_key(seed, job), purpose, path: Path::best() }
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

    /// The Philox key of every row.
    #[must_use]
    pub fn key(&self) -> [u32; 2] {
        self.key
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
        if x.len() != out.len() {
            return Err(Error::argument("out", format!("holds {} elements, x {}", out.len(), x.len())));
        }
        check_elements(out.len())?;
        let row = self.row(sample, grid.scale(sigma)?, grid.step());
        simd::run::<true>(self.path, &row, x, out);
        Ok(())
    }

    /// Writes the standard normals z of row `sample` to `out`: what [`NoiseStream::noisy_row`] scales and rounds.
    ///
    /// # Errors
    /// `InvalidArgument` when the row is longer than [`MAX_ELEMENTS`]; `out` is then unchanged.
    pub fn normals(&self, sample: u64, out: &mut [f32]) -> Result<()> {
        check_elements(out.len())?;
        simd::run::<false>(self.path, &self.row(sample, 1.0, 1.0), &[], out);
        Ok(())
    }

    fn row(&self, sample: u64, scale: f32, step: f32) -> Row {
        Row { key: self.key, sample: [sample as u32, (sample >> 32) as u32], purpose: self.purpose as u32, scale, step }
    }
}

/// The first two words of the Philox block with counter [job low, job high, 0, 0] under the key `seed`.
fn derive_key(seed: u64, job: u64) -> [u32; 2] {
    let [first, second, ..] = philox4x32_10([job as u32, (job >> 32) as u32, 0, 0], [seed as u32, (seed >> 32) as u32]);
    [first, second]
}

fn check_elements(elements: usize) -> Result<()> {
    if elements as u64 > MAX_ELEMENTS {
        return Err(Error::argument("out", format!("a row has at most 2^34 elements, not {elements}")));
    }
    Ok(())
}
