//! The ranges of numbers that the statistics take.

use crate::{Error, Result};

/// The largest number of samples the statistics take, 10^12. More is refused: the accuracy stated here is tested up to
/// it.
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

/// Refuses the `part` of `alpha` that one bound would have, where it is too small for one.
pub(crate) fn check_part(part: f64, alpha: f64) -> Result<()> {
    if part >= MIN_ALPHA {
        return check_alpha(part);
    }
    let message = format!("{alpha:e} is too small: one of its bounds would have {part:e}, and needs {MIN_ALPHA:e}");
    Err(Error::argument("alpha", message))
}

/// Refuses a label that a model with `classes` labels does not have.
pub(crate) fn check_label(label: usize, classes: usize, field: &str) -> Result<()> {
    if label < classes {
        return Ok(());
    }
    let message = format!("there is no label {label}: the {classes} labels are 0 to {}", classes.saturating_sub(1));
    Err(Error::argument(field, message))
}

/// Refuses a number of samples that is zero or above [`MAX_TRIALS`].
///
/// # Errors
/// `InvalidArgument`.
pub fn check_trials(n: u64) -> Result<()> {
    match n {
        0 => Err(Error::argument("n", "no sample was drawn: n must be at least 1")),
        1..=MAX_TRIALS => Ok(()),
        _ => Err(Error::argument("n", format!("{n} samples are more than the {MAX_TRIALS} that are supported"))),
    }
}

/// Refuses a k for which a top-k set says nothing.
///
/// With k >= c the top k hold every label under any perturbation, so there is nothing to certify or test.
///
/// # Errors
/// `InvalidArgument` unless 1 <= `k` < `classes`.
pub fn check_k(k: usize, classes: usize) -> Result<()> {
    match k {
        0 => Err(Error::argument("k", "k must be at least 1")),
        _ if k >= classes => Err(Error::argument(
            "k",
            format!("k = {k} must be less than the {classes} labels: the top {k} of {classes} hold every label"),
        )),
        _ => Ok(()),
    }
}
