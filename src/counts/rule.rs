//! When the samples of an input are enough.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::stats::Validity;
use crate::{Error, Result};

/// When the samples of an input are enough.
///
/// Written `fixed`, `radius:0.25`, `steps:0.05`, `tolerance:0.01`, `tolerance:0.01sigma` and `predict`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Rule {
    /// After `n_max` samples, with bounds for that one number of samples.
    #[default]
    Fixed,
    /// As soon as the label is certified at this radius (certified), no number of samples could certify it (refuted),
    /// or none up to `n_max` (undecided).
    Radius(f64),
    /// As soon as the largest multiple of this step that the label is certified at is decided: what a curve of
    /// certified accuracy at such radii asks.
    Steps(f64),
    /// As soon as the samples up to `n_max` are expected to add no more than this to the radius.
    Tolerance(Tolerance),
    /// As soon as the top-k set is settled.
    Predict,
}

/// What a radius may be short of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// In the units of the input.
    Absolute(f64),
    /// In units of sigma.
    Sigmas(f64),
}

impl Tolerance {
    /// In the units of the input.
    pub fn absolute(self, sigma: f64) -> f64 {
        match self {
            Self::Absolute(tolerance) => tolerance,
            Self::Sigmas(share) => share * sigma,
        }
    }
}

impl Rule {
    /// Refuses a radius or a step that is not a finite number above 0, and a tolerance that is not one from 0 up.
    /// Whether steps are wide enough is for [`Rule::check_at`].
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn check(&self) -> Result<()> {
        match *self {
            Self::Radius(radius) if !(radius > 0.0 && radius.is_finite()) => {
                Err(Error::argument("rule", format!("radius:{radius} must be a finite number above 0")))
            }
            Self::Steps(step) if !(step > 0.0 && step.is_finite()) => {
                Err(Error::argument("rule", format!("steps:{step} must be a finite number above 0")))
            }
            Self::Tolerance(Tolerance::Absolute(value) | Tolerance::Sigmas(value))
                if !(value >= 0.0 && value.is_finite()) =>
            {
                Err(Error::argument("rule", format!("tolerance:{value} must be a finite number from 0 up")))
            }
            _ => Ok(()),
        }
    }

    /// The kind of bounds that the rule rests on, for at most `n_max` samples.
    pub fn validity(&self, n_max: u64) -> Validity {
        match self {
            Self::Fixed => Validity::Fixed,
            // What is not decided by n_max is seldom decided by better bounds there, and every decision before would
            // pay for them; and a tolerance would not be reached before them.
            Self::Radius(_) | Self::Tolerance(_) | Self::Predict => Validity::Anytime,
            // Many labels of a curve take all samples, and are to be certified as far as a fixed number of samples
            // would.
            Self::Steps(_) => Validity::AnytimeTo(n_max),
        }
    }

    /// [`Rule::check`], and that steps are wide enough for noise of standard deviation `sigma`: at least 10^-6 of it,
    /// far below what any number of samples tells apart.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn check_at(&self, sigma: f64) -> Result<()> {
        self.check()?;
        match *self {
            Self::Steps(step) if step < 1e-6 * sigma => {
                Err(Error::argument("rule", format!("steps:{step} must be at least 1e-6 sigma, {}", 1e-6 * sigma)))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Fixed => f.pad("fixed"),
            Self::Radius(radius) => write!(f, "radius:{radius}"),
            Self::Steps(step) => write!(f, "steps:{step}"),
            Self::Tolerance(Tolerance::Absolute(value)) => write!(f, "tolerance:{value}"),
            Self::Tolerance(Tolerance::Sigmas(value)) => write!(f, "tolerance:{value}sigma"),
            Self::Predict => f.pad("predict"),
        }
    }
}

impl FromStr for Rule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            let forms = "fixed, radius:R, steps:E, tolerance:E, tolerance:Esigma, predict";
            Error::argument("rule", format!("\"{text}\" is none of {forms}"))
        };
        let number = |text: &str| text.parse::<f64>().map_err(|_| refuse());
        let rule = match text.split_once(':') {
            None if text == "fixed" => Self::Fixed,
            None if text == "predict" => Self::Predict,
            Some(("radius", radius)) => Self::Radius(number(radius)?),
            Some(("steps", step)) => Self::Steps(number(step)?),
            Some(("tolerance", value)) => Self::Tolerance(match value.strip_suffix("sigma") {
                Some(share) => Tolerance::Sigmas(number(share)?),
                None => Tolerance::Absolute(number(value)?),
            }),
            _ => return Err(refuse()),
        };
        rule.check()?;
        Ok(rule)
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
