//! Which kind of confidence bound: for one number of rows fixed beforehand, plain or randomized, or for all of them at once.

use std::fmt;
use std::str::FromStr;

use super::randomized::{self, Uniform};
use super::{Prob, anytime, binomial};
use crate::{Error, Result};

/// When the rows end: after a number fixed beforehand, or whenever a look at them says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Intervals {
    /// Exact (Clopper-Pearson) bounds, for a number of rows that was fixed before they were drawn.
    #[default]
    Fixed,
    /// Bounds that hold at all numbers of rows at once, so under any stopping rule and at any deadline.
    Anytime,
    /// Randomized exact bounds, for a number of rows that was fixed before they were drawn: a little larger radii on average,
    /// by the luck of a uniform drawn beside them. All bounds of a certificate may share it.
    Randomized(Uniform),
}

impl Intervals {
    /// The lower bound of a success probability: [`binomial::lower`], [`anytime::lower`] or [`randomized::lower`].
    ///
    /// # Errors
    /// As [`binomial::lower`].
    pub fn lower(self, successes: u64, trials: u64, alpha: f64) -> Result<Prob> {
        match self {
            Self::Fixed => binomial::lower(successes, trials, alpha),
            Self::Anytime => anytime::lower(successes, trials, alpha),
            Self::Randomized(uniform) => randomized::lower(successes, trials, alpha, uniform),
        }
    }

    /// The upper bound of a success probability: [`binomial::upper`], [`anytime::upper`] or [`randomized::upper`].
    ///
    /// # Errors
    /// As [`binomial::lower`].
    pub fn upper(self, successes: u64, trials: u64, alpha: f64) -> Result<Prob> {
        match self {
            Self::Fixed => binomial::upper(successes, trials, alpha),
            Self::Anytime => anytime::upper(successes, trials, alpha),
            Self::Randomized(uniform) => randomized::upper(successes, trials, alpha, uniform),
        }
    }
}

impl fmt::Display for Intervals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed => f.pad("fixed"),
            Self::Anytime => f.pad("anytime"),
            Self::Randomized(uniform) => write!(f, "randomized:{}", uniform.value()),
        }
    }
}

impl FromStr for Intervals {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            Error::argument(
                "intervals",
                format!("\"{text}\" is none of fixed, anytime, randomized:U with U above 0 and at most 1"),
            )
        };
        match (text, text.strip_prefix("randomized:")) {
            ("fixed", _) => Ok(Self::Fixed),
            ("anytime", _) => Ok(Self::Anytime),
            (_, Some(value)) => {
                Ok(Self::Randomized(value.parse().ok().and_then(|value| Uniform::new(value).ok()).ok_or_else(refuse)?))
            }
            _ => Err(refuse()),
        }
    }
}
