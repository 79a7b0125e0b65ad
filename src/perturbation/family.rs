//! The list of families.

use std::fmt;
use std::str::FromStr;

use super::{Gaussian, Meeting, Norm, Shift, Uniform};
use crate::stats::Prob;
use crate::{Error, Result};

/// Makes the enum of all families, which is a family itself.
macro_rules! families {
    ($($(#[$doc:meta])* $family:ident),+ $(,)?) => {
        /// A family of noise with its parameter. Written `gaussian:0.25` (sigma) and `uniform:0.5` (lambda).
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Family {
            $($(#[$doc])* $family($family)),+
        }

        $(impl From<$family> for Family {
            fn from(family: $family) -> Self {
                Self::$family(family)
            }
        })+

        impl Family {
            fn named(name: &str, parameter: f64) -> Option<Result<Self>> {
                $(if name == $family::NAME {
                    return Some($family::new(parameter).map(Self::$family));
                })+
                None
            }

            /// The name of the family.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$family(_) => $family::NAME),+ }
            }

            /// The norm of perturbations, and so the unit of radii.
            pub fn norm(&self) -> Norm {
                match self { $(Self::$family(_) => $family::NORM),+ }
            }
        }

        impl Shift for Family {
            fn level_below(&self, bound: &Prob) -> f64 {
                match self { $(Self::$family(family) => family.level_below(bound)),+ }
            }

            fn level_above(&self, bound: &Prob) -> f64 {
                match self { $(Self::$family(family) => family.level_above(bound)),+ }
            }

            fn ln_min_prob(&self, level: f64, r: f64) -> f64 {
                match self { $(Self::$family(family) => family.ln_min_prob(level, r)),+ }
            }

            fn ln_max_prob(&self, level: f64, r: f64) -> f64 {
                match self { $(Self::$family(family) => family.ln_max_prob(level, r)),+ }
            }

            fn scale(&self) -> f64 {
                match self { $(Self::$family(family) => family.scale()),+ }
            }

            fn closed_form(&self, low: f64, high: f64, set: usize) -> Option<Meeting> {
                match self { $(Self::$family(family) => family.closed_form(low, high, set)),+ }
            }
        }
    };
}

families! {
    /// Isotropic Gaussian noise of standard deviation sigma; radii in l2.
    Gaussian,
    /// Independent noise on [-lambda, lambda] for each element; radii in l1.
    Uniform,
}

impl Family {
    /// The parameter, in the units of the input: sigma, lambda.
    pub fn parameter(&self) -> f64 {
        self.scale()
    }
}

/// What names a noise: a number is the sigma of Gaussian noise, a text is [`Family`]'s.
pub trait IntoFamily {
    /// The noise.
    ///
    /// # Errors
    /// `InvalidArgument` when the parameter is out of range, or the text names no noise.
    fn into_family(self) -> Result<Family>;
}

impl IntoFamily for f64 {
    fn into_family(self) -> Result<Family> {
        Gaussian::new(self).map(Family::from)
    }
}

impl IntoFamily for &str {
    fn into_family(self) -> Result<Family> {
        self.parse()
    }
}

impl<F: Into<Family>> IntoFamily for F {
    fn into_family(self) -> Result<Family> {
        Ok(self.into())
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:?}", self.name(), self.parameter())
    }
}

impl FromStr for Family {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            let message = format!("\"{text}\" is not a noise: give gaussian:SIGMA or uniform:LAMBDA");
            Error::argument("noise", message)
        };
        let (name, parameter) = text.split_once(':').ok_or_else(refuse)?;
        Self::named(name, parameter.parse().map_err(|_| refuse())?).ok_or_else(refuse)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_read_as_it_is_written() {
        for text in ["gaussian:0.25", "uniform:0.5", "gaussian:1e-7"] {
            assert_eq!(text.parse::<Family>().unwrap().to_string(), text);
        }
        for text in ["", "gaussian", "gaussian:", "gaussian:x", "gaussian:0", "uniform:-1", "uniform:NaN", "normal:1"] {
            assert!(text.parse::<Family>().is_err(), "{text}");
        }
    }
}
