//! Numbers in, numbers out: label counts and what they say about label probabilities.
//!
//! Every function is pure and may be called from any thread. `docs/statistics.md` has the procedures, their proofs and
//! their tests in one place.

pub mod allocation;
pub mod anytime;
pub mod binomial;
pub mod bounds;
mod counts;
pub mod normal;
mod prob;
pub mod randomized;
mod tail;
mod validity;

pub use allocation::Allocation;
pub use bounds::Bound;
pub use counts::Counts;
pub use prob::Prob;
pub use validity::Validity;

use crate::{Error, Result};

/// The largest number of rows the statistics take, 10^12. More is refused: the accuracy stated here is tested up to it.
pub const MAX_TRIALS: u64 = 1_000_000_000_000;

/// The smallest failure probability of one confidence bound; smaller ones are refused.
pub const MIN_ALPHA: f64 = 1e-100;

/// The largest failure probability taken.
pub const MAX_ALPHA: f64 = 0.5;

/// Refuses a failure probability outside [`MIN_ALPHA`], [`MAX_ALPHA`], NaN included.
///
/// # Errors
/// `InvalidArgument`.
pub fn check_alpha(alpha: f64) -> Result<()> {
    if (MIN_ALPHA..=MAX_ALPHA).contains(&alpha) {
        return Ok(());
    }
    Err(Error::argument("alpha", format!("{alpha:e} is not a failure probability from {MIN_ALPHA:e} to {MAX_ALPHA}")))
}

/// Refuses a number of rows that is zero or above [`MAX_TRIALS`].
///
/// # Errors
/// `InvalidArgument`.
pub fn check_trials(n: u64) -> Result<()> {
    match n {
        0 => Err(Error::argument("n", "no row was drawn: n must be at least 1")),
        1..=MAX_TRIALS => Ok(()),
        _ => Err(Error::argument("n", format!("{n} rows are more than the {MAX_TRIALS} that are supported"))),
    }
}
