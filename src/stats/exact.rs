//! Shares of all samples that there are: probabilities themselves, rounded outward.

use super::{Prob, check_trials};
use crate::{Error, Result};

/// A probability from below: `successes` of all `trials` samples that there are.
///
/// # Errors
/// `InvalidArgument` when there are more successes than trials, no trial, or too many.
pub fn lower(successes: u64, trials: u64) -> Result<Prob> {
    check_trials(trials)?;
    match trials.checked_sub(successes) {
        None => Err(Error::argument("successes", format!("{successes} of {trials} trials"))),
        Some(0) => Ok(Prob::ONE),
        Some(_) if successes == 0 => Ok(Prob::ZERO),
        Some(failures) => {
            let share = |part: u64| part as f64 / trials as f64;
            Ok(Prob { p: share(successes).next_down(), q: share(failures).next_up() })
        }
    }
}

/// A probability from above.
///
/// # Errors
/// As [`lower`].
pub fn upper(successes: u64, trials: u64) -> Result<Prob> {
    let failures = trials.saturating_sub(successes);
    if successes > trials { lower(successes, trials) } else { Ok(lower(failures, trials)?.complement()) }
}
