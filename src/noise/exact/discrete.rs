//! The Gaussian rounded to integers, as a table of probabilities that are multiples of 2^-64.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::double::Double;
use super::table::{AliasTable, MAX_BITS};
use crate::{Error, Result};

/// The distribution of m = round(sigma z / step) for a standard normal z, to within a total variation that is known.
///
/// P(m) = Phi((m + 1/2) step/sigma) - Phi((m - 1/2) step/sigma) is computed to 2^-90 and rounded to a multiple of
/// 2^-64; what the roundings leave over goes to m = 0, and cells below 2^-65 have none. Drawing takes 64 uniform bits
/// and makes no further error. Immutable, so shared freely between threads. Proof and layout: docs/noise.md.
#[derive(Clone, PartialEq)]
pub struct DiscreteGaussian {
    sigma: f64,
    levels: u32,
    /// Of m = 0, 1, ..: P(m) = P(-m), in units of 2^-64.
    cells: Vec<u64>,
    total_variation: f64,
    table: AliasTable,
}

/// 2^64, the unit of the cells.
const UNITS: f64 = 18_446_744_073_709_551_616.0;
/// What a computed P(m) may be off by, 2^-90, in units.
const CELL_ERROR: f64 = 1.0 / 67_108_864.0;
/// sigma / step: a Gaussian narrower than a step is hardly one, and a wider one needs too large a table.
const RATIOS: (f64, f64) = (1.0, 3500.0);
/// P(Z > 9.5) < 2^-69: no cell beyond has half a unit.
const FARTHEST: f64 = 9.5;

impl DiscreteGaussian {
    /// The noise of standard deviation `sigma` on a grid of `levels` points a unit. Takes 1.5 ms where sigma
    /// is 64 steps, 0.4 s where it is 3,500.
    ///
    /// # Errors
    /// `InvalidArgument` when sigma is not finite and positive, `levels` is 0, or sigma is not from 1 to 3500 steps.
    pub fn new(sigma: f64, levels: u32) -> Result<Self> {
        crate::noise::grid::check_sigma(sigma)?;
        if levels == 0 {
            return Err(Error::argument("levels", "must be at least 1"));
        }
        let ratio = Double::product(sigma, f64::from(levels));
        if !(RATIOS.0..=RATIOS.1).contains(&ratio.hi) {
            return Err(Error::argument(
                "sigma",
                format!(
                    "exact noise is made for sigma from {} to {} grid steps, and {sigma:e} is {:e} steps of 1/{levels}; \
                     declare another grid",
                    RATIOS.0, RATIOS.1, ratio.hi
                ),
            ));
        }
        let (cells, total_variation) = Self::cells(ratio.scaled(2.0));
        let outcomes: Vec<u64> = cells[1..].iter().rev().chain(&cells).copied().collect();
        debug_assert!(outcomes.len() <= 1 << MAX_BITS);
        Ok(Self { sigma, levels, table: AliasTable::new(&outcomes), cells, total_variation })
    }

    /// As [`DiscreteGaussian::new`], but the last one made is kept for the next caller.
    pub(in crate::noise) fn shared(sigma: f64, levels: u32) -> Result<Arc<Self>> {
        static LAST: Mutex<Option<Arc<DiscreteGaussian>>> = Mutex::new(None);
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(last) = last.filter(|last| last.sigma == sigma && last.levels == levels) {
            return Ok(last);
        }
        let made = Arc::new(Self::new(sigma, levels)?);
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&made));
        Ok(made)
    }

    /// The cells of m = 0, 1, .. and a bound on the total variation, given 2 sigma / step.
    fn cells(twice: Double) -> (Vec<u64>, f64) {
        let mut cells = Vec::new();
        // Sum of |cell - exact| over both signs, and of the cells but for m = 0, in units.
        let (mut off, mut sum) = (0.0f64, 0u64);
        let mut below = Double::from(0.0);
        let mut odd = 1.0;
        loop {
            // The cell of m = (odd - 1) / 2 ends at odd / (2 sigma / step), in standard deviations.
            let end = Double::from(odd).div(twice);
            let upto = Double::normal_from_median(end);
            let mass = upto.sub(below).scaled(UNITS);
            if odd == 1.0 {
                // Decided below, when all others are.
                cells.push(0);
            } else {
                let cell = mass.hi.floor();
                let rest = (mass.hi - cell) + mass.lo;
                let (cell, error) = (cell as i128 + rest.round() as i128, (rest - rest.round()).abs());
                if cell == 0 {
                    // This cell and all beyond: what is left of a half.
                    let tail = Double::from(0.5).sub(below).scaled(UNITS);
                    off += 2.0 * (tail.hi.max(0.0) + CELL_ERROR);
                    break;
                }
                cells.push(cell as u64);
                sum += 2 * cell as u64;
                off += 2.0 * (error + CELL_ERROR);
            }
            if end.hi > FARTHEST {
                let tail = Double::from(0.5).sub(upto).scaled(UNITS);
                off += 2.0 * (tail.hi.max(0.0) + CELL_ERROR);
                break;
            }
            below = upto;
            odd += 2.0;
        }
        // 2^64 - sum, which is neither 0 nor 2^64, since no cell has half of the mass.
        cells[0] = sum.wrapping_neg();
        let middle = Double::normal_from_median(Double::from(1.0).div(twice)).scaled(2.0 * UNITS);
        off +=
            ((middle.hi.floor() as i128 - i128::from(cells[0])) as f64 + (middle.hi - middle.hi.floor()) + middle.lo)
                .abs();
        off += CELL_ERROR;
        // Half the sum, with room for the few thousand f64 roundings of the sum itself.
        (cells, (0.5 * off * (1.0 + 1e-10) / UNITS).next_up())
    }

    /// The standard deviation before rounding, in the units of the input.
    #[must_use]
    pub fn sigma(&self) -> f64 {
        self.sigma
    }

    /// Grid points a unit: a step is 1 / levels.
    #[must_use]
    pub fn levels(&self) -> u32 {
        self.levels
    }

    /// The largest |m| that is ever drawn, in steps.
    #[must_use]
    pub fn largest(&self) -> i32 {
        (self.cells.len() - 1) as i32
    }

    /// P(m) in units of 2^-64, exactly as drawn.
    #[must_use]
    pub fn probability(&self, m: i32) -> u64 {
        self.cells.get(m.unsigned_abs() as usize).copied().unwrap_or(0)
    }

    /// An upper bound on the total variation between one draw and the exact distribution.
    #[must_use]
    pub fn total_variation(&self) -> f64 {
        self.total_variation
    }

    /// The m that 64 uniform bits give: the first word of an element is the upper half, the second the lower.
    #[must_use]
    pub fn draw(&self, bits: u64) -> i32 {
        self.table.outcome((bits >> 32) as u32, bits as u32).cast_signed() - self.largest()
    }

    pub(in crate::noise) fn table(&self) -> &AliasTable {
        &self.table
    }
}

impl fmt::Debug for DiscreteGaussian {
    /// Without the cells.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sigma, levels, total_variation, .. } = self;
        let mut debug = f.debug_struct("DiscreteGaussian");
        debug.field("sigma", sigma).field("levels", levels).field("total_variation", total_variation);
        debug.finish_non_exhaustive()
    }
}
