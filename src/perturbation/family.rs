//! The list of families.

use std::fmt;
use std::str::FromStr;

use super::{Ablation, Band, Block, Described, Gaussian, Meeting, Norm, Shift, Split, Uniform};
use crate::stats::Prob;
use crate::{Error, Result};

/// Makes the enum of all families, which is a family itself.
macro_rules! families {
    ($($(#[$doc:meta])* $family:ident),+ $(,)?) => {
        /// A family of noise with its parameter. Written `gaussian:0.25` (sigma), `uniform:0.5` (lambda),
        /// `ablate:40:pixels=1024` (pixels kept), `band:4:width=32`, `block:12:height=32:width=32` (pixels of a side),
        /// `split:442:levels=255` (splits). What an input's shape says may be left out where there is one.
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
            fn named(name: &str, text: &str) -> Option<Result<Self>> {
                $(if name == $family::NAME {
                    return Some($family::read(text).map(Self::$family));
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

            /// The parameter: sigma, lambda, pixels kept, pixels of a side, splits.
            pub fn parameter(&self) -> f64 {
                match self { $(Self::$family(family) => family.parameter()),+ }
            }

            /// The family with what the shape of an input says.
            ///
            /// # Errors
            /// `InvalidArgument` when the shape contradicts a setting, or one is needed.
            pub fn settled(self, shape: &[usize]) -> Result<Self> {
                match self { $(Self::$family(family) => family.settled(shape).map(Self::$family)),+ }
            }

            /// The setting that certificates need and that is still open.
            pub fn open(&self) -> Option<&'static str> {
                match self { $(Self::$family(family) => family.open()),+ }
            }

            /// Whether all rows are classified, each once, in place of samples: then nothing is left to chance.
            pub fn is_enumerated(&self) -> bool {
                match self { $(Self::$family(family) => family.is_enumerated()),+ }
            }

            /// How many rows there are, of an enumerated family that is settled.
            pub fn rows(&self) -> Option<u64> {
                match self { $(Self::$family(family) => family.rows()),+ }
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

            fn per_unit(&self) -> Option<u32> {
                match self { $(Self::$family(family) => family.per_unit()),+ }
            }

            fn closed_form(&self, low: f64, high: f64, set: usize) -> Option<Meeting> {
                match self { $(Self::$family(family) => family.closed_form(low, high, set)),+ }
            }
        }

        impl fmt::Display for Family {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$family(family) => family.fmt(f)),+ }
            }
        }
    };
}

families! {
    /// Isotropic Gaussian noise of standard deviation sigma; radii in l2.
    Gaussian,
    /// Independent noise on [-lambda, lambda] for each element; radii in l1.
    Uniform,
    /// Random pixels are kept, the others hidden; radii in l0.
    Ablation,
    /// All bands of columns, the rest hidden; radii are widths of patches.
    Band,
    /// All square blocks, the rest hidden; radii are sides of patches.
    Block,
    /// All splits of the elements into few values; radii in l1.
    Split,
}

impl Family {
    /// Refuses a family that certificates cannot be made of yet.
    ///
    /// # Errors
    /// `InvalidArgument` when a setting is open.
    pub fn check_settled(&self) -> Result<()> {
        match self.open() {
            None => Ok(()),
            Some(setting) => {
                let message = format!("{self} leaves {setting} open, on which radii depend: add :{setting}=NUMBER");
                Err(Error::argument("noise", message))
            }
        }
    }

    /// The family with a setting more.
    ///
    /// # Errors
    /// `InvalidArgument` when the family has no such setting, or has it already.
    pub fn with(&self, setting: &str, value: impl fmt::Display) -> Result<Self> {
        format!("{self}:{setting}={value}").parse()
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

impl FromStr for Family {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            let forms = "gaussian:SIGMA, uniform:LAMBDA, ablate:KEEP, band:SIZE, block:SIZE or split:SPLITS";
            let message = format!("\"{text}\" is not a noise: give {forms}");
            Error::argument("noise", message)
        };
        let (name, parameter) = text.split_once(':').ok_or_else(refuse)?;
        Self::named(name, parameter).ok_or_else(refuse)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_read_as_it_is_written() {
        for text in [
            "gaussian:0.25",
            "uniform:0.5",
            "gaussian:1e-7",
            "ablate:40:pixels=1024:channels=first:value=0.5",
            "band:4:height=3:width=32:channels=last:wrap=no",
            "block:4:height=32:width=32",
            "split:442:levels=255:seed=7",
        ] {
            assert_eq!(text.parse::<Family>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "gaussian",
            "gaussian:",
            "gaussian:x",
            "gaussian:0",
            "uniform:-1",
            "uniform:NaN",
            "normal:1",
            "gaussian:1:x=2",
            "split:0",
            "split:4:levels=0",
            "block:1:depth=3",
        ] {
            assert!(text.parse::<Family>().is_err(), "{text}");
        }
    }
}
