//! `stk_validity`.

use crate::counts::Ending;
use crate::stats::Validity;
use crate::{Error, Result};

/// For which samples the bounds of a statement hold: one of the STK_VALIDITY_ constants. Later versions may add values.
pub type stk_validity = i32;

/// There is no statement.
pub const STK_VALIDITY_NONE: stk_validity = 0;
/// For a number of samples that was fixed before they were drawn.
pub const STK_VALIDITY_FIXED: stk_validity = 1;
/// At all looks at growing counts at once, whatever ended the samples.
pub const STK_VALIDITY_ANYTIME: stk_validity = 2;
/// At all looks up to validity_last samples, a number that was fixed beforehand and has half of alpha for itself.
pub const STK_VALIDITY_ANYTIME_TO: stk_validity = 3;
/// For a number of samples that was fixed beforehand, randomized by the summary's uniform.
pub const STK_VALIDITY_RANDOMIZED: stk_validity = 4;
/// All samples that there are were classified, each once: nothing is left to chance, and alpha is 0.
pub const STK_VALIDITY_EXACT: stk_validity = 5;

/// The constant; the last number of samples, or 0; the uniform, or 0.
pub(super) fn of(validity: Validity) -> (stk_validity, u64, f64) {
    match validity {
        Validity::Fixed => (STK_VALIDITY_FIXED, 0, 0.0),
        Validity::Anytime => (STK_VALIDITY_ANYTIME, 0, 0.0),
        Validity::AnytimeTo(last) => (STK_VALIDITY_ANYTIME_TO, last, 0.0),
        Validity::Randomized(uniform) => (STK_VALIDITY_RANDOMIZED, 0, uniform.value()),
        Validity::Exact => (STK_VALIDITY_EXACT, 0, 0.0),
    }
}

/// Why bare numbers ended, of the text that a caller states.
pub(super) fn ending(text: Option<&str>) -> Result<Ending> {
    let refuse = |text: &str| {
        let message = format!("\"{text}\" is none of fixed, anytime, anytime:N with a whole number N of samples");
        Error::argument("validity", message)
    };
    match text.map(|text| text.parse().map_err(|_| refuse(text))).transpose()? {
        None | Some(Validity::Fixed) => Ok(Ending::Fixed),
        Some(Validity::Anytime) => Ok(Ending::Looks { rule: None, last: None }),
        Some(Validity::AnytimeTo(last)) => Ok(Ending::Looks { rule: None, last: Some(last) }),
        Some(Validity::Randomized(_) | Validity::Exact) => Err(refuse(text.unwrap_or_default())),
    }
}
