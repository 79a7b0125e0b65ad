//! Which kind of confidence bound: for one number of samples fixed beforehand, plain or randomized, for all of them at
//! once, or for all up to a last one.

use std::fmt;
use std::str::FromStr;

use super::randomized::{self, Uniform};
use super::{Prob, anytime, binomial, check_trials, exact};
use crate::{Error, Result};

/// When the samples end: after a number fixed beforehand, or whenever a look at them says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Validity {
    /// Exact (Clopper-Pearson) bounds, for a number of samples that was fixed before they were drawn.
    #[default]
    Fixed,
    /// Bounds that hold at all numbers of samples at once, so under any stopping rule and at any deadline.
    Anytime,
    /// Bounds that hold at all numbers of samples up to a last one, fixed beforehand, at once: half of the failure
    /// probability is for bounds at all looks, the other half for exact ones at the last. So samples that are never
    /// stopped certify nearly what a number fixed beforehand would.
    AnytimeTo(u64),
    /// Randomized exact bounds, for a number of samples that was fixed before they were drawn: a little larger radii on
    /// average, by the luck of a uniform drawn beside them. All bounds of a certificate may share it.
    Randomized(Uniform),
    /// All samples that there are were classified, so that shares are probabilities and alpha is not needed: for
    /// enumerated families.
    Exact,
}

impl Validity {
    /// The lower bound of a success probability: [`binomial::lower`], [`anytime::lower`] or [`randomized::lower`].
    ///
    /// # Errors
    /// As [`binomial::lower`]; `InvalidArgument` when there are more trials than the last number of
    /// [`Validity::AnytimeTo`].
    pub fn lower(self, successes: u64, trials: u64, alpha: f64) -> Result<Prob> {
        match self {
            Self::Fixed => binomial::lower(successes, trials, alpha),
            Self::Anytime => anytime::lower(successes, trials, alpha),
            Self::AnytimeTo(last) => lower_to(last, successes, trials, alpha),
            Self::Randomized(uniform) => randomized::lower(successes, trials, alpha, uniform),
            Self::Exact => exact::lower(successes, trials),
        }
    }

    /// The upper bound of a success probability: [`binomial::upper`], [`anytime::upper`] or [`randomized::upper`].
    ///
    /// # Errors
    /// As [`Validity::lower`].
    pub fn upper(self, successes: u64, trials: u64, alpha: f64) -> Result<Prob> {
        match self {
            Self::Fixed => binomial::upper(successes, trials, alpha),
            Self::Anytime => anytime::upper(successes, trials, alpha),
            Self::AnytimeTo(last) => match trials.checked_sub(successes) {
                // More successes than trials: the error is that of the anytime bound.
                None => anytime::upper(successes, trials, alpha),
                Some(failures) => Ok(lower_to(last, failures, trials, alpha)?.complement()),
            },
            Self::Randomized(uniform) => randomized::upper(successes, trials, alpha, uniform),
            Self::Exact => exact::upper(successes, trials),
        }
    }
}

/// The lower bound of [`Validity::AnytimeTo`]: false at any look with probability at most alpha, since each of its two
/// is with at most half of that (halves of a number are exact).
fn lower_to(last: u64, successes: u64, trials: u64, alpha: f64) -> Result<Prob> {
    if trials > last {
        return Err(Error::argument("validity", format!("\"anytime:{last}\" ends before {trials} samples")));
    }
    // The exact one is never the worse of two.
    let lower = if trials == last { binomial::lower } else { anytime::lower };
    lower(successes, trials, 0.5 * alpha)
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed => f.pad("fixed"),
            Self::Anytime => f.pad("anytime"),
            Self::AnytimeTo(last) => write!(f, "anytime:{last}"),
            Self::Randomized(uniform) => write!(f, "randomized:{}", uniform.value()),
            Self::Exact => f.pad("exact"),
        }
    }
}

impl FromStr for Validity {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            let forms = "fixed, anytime, anytime:N with a whole number N of samples, randomized:U with U above 0 and at most 1, exact";
            Error::argument("validity", format!("\"{text}\" is none of {forms}"))
        };
        match text.split_once(':') {
            None if text == "fixed" => Ok(Self::Fixed),
            None if text == "anytime" => Ok(Self::Anytime),
            None if text == "exact" => Ok(Self::Exact),
            Some(("anytime", last)) => {
                let last = last.parse().ok().filter(|&last| check_trials(last).is_ok());
                Ok(Self::AnytimeTo(last.ok_or_else(refuse)?))
            }
            Some(("randomized", value)) => {
                Ok(Self::Randomized(value.parse().ok().and_then(|value| Uniform::new(value).ok()).ok_or_else(refuse)?))
            }
            _ => Err(refuse()),
        }
    }
}
