//! Deterministic splitting noise: every element is cut into few values, at N shifts of the cuts; perturbations in l1.

use std::fmt;

use super::described::{number, positive, settings};
use super::mass::{Mass, share_above, whole};
use super::{Described, Norm};
use crate::{Error, Result};

/// Deterministic splitting noise (Levine and Feizi, ICML 2021), for inputs that are multiples of 1/q in [0, 1]. In
/// split o of N, element i is cut at ((v_i + o) mod N + 1/2)/q, and at all multiples of N/q from there; the model sees
/// the middle of the piece that the element is in. An attack that moves the elements by m/q in all changes at most m of
/// the splits. All are classified, so that nothing is left to chance. The radius is a multiple of 1/q, and attained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    splits: u32,
    levels: Option<u32>,
    seed: u64,
}

/// The most levels, so that whole numbers of them are exact in f32 sums.
const MAX_LEVELS: u32 = 1 << 20;
/// The most splits.
const MAX_SPLITS: u32 = 1 << 20;

impl Split {
    /// `splits` splits of inputs that are multiples of 1 / `levels`; the shifts v are those of seed 0.
    ///
    /// # Errors
    /// `InvalidArgument` unless both are from 1 to 2^20.
    pub fn new(splits: u32, levels: u32) -> Result<Self> {
        Self { splits, levels: Some(levels), seed: 0 }.check()
    }

    /// The number of splits, N.
    pub fn splits(&self) -> u32 {
        self.splits
    }

    /// Points a unit, q, where they are known.
    pub fn levels(&self) -> Option<u32> {
        self.levels
    }

    /// What the shifts v are made of.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    fn check(self) -> Result<Self> {
        if !(1..=MAX_SPLITS).contains(&self.splits) {
            return Err(Error::argument("noise", format!("{} splits: it must be from 1 to {MAX_SPLITS}", self.splits)));
        }
        match self.levels {
            Some(levels) if !(1..=MAX_LEVELS).contains(&levels) => {
                Err(Error::argument("noise", format!("levels={levels} must be from 1 to {MAX_LEVELS}")))
            }
            _ => Ok(self),
        }
    }
}

impl Mass for Split {
    fn mass(&self, r: f64) -> f64 {
        match self.levels {
            Some(levels) => share_above(whole(r, levels), self.splits.into()),
            None if r > 0.0 => 1.0,
            None => 0.0,
        }
    }

    fn scale(&self) -> f64 {
        1.0 / f64::from(self.levels.unwrap_or(1))
    }

    fn per_unit(&self) -> Option<u32> {
        Some(self.levels.unwrap_or(1))
    }
}

impl Described for Split {
    const NAME: &'static str = "split";
    const NORM: Norm = Norm::L1;

    fn read(text: &str) -> Result<Self> {
        let (splits, settings) = settings(Self::NAME, text, &["levels", "seed"])?;
        let mut read = Self { splits: positive("the splits", splits)?, levels: None, seed: 0 };
        for (key, text) in settings {
            match key {
                "levels" => read.levels = Some(positive("levels", text)?),
                _ => read.seed = number("seed", text)?,
            }
        }
        read.check()
    }

    fn parameter(&self) -> f64 {
        f64::from(self.splits)
    }

    fn open(&self) -> Option<&'static str> {
        self.levels.is_none().then_some("levels")
    }

    fn is_enumerated(&self) -> bool {
        true
    }

    fn rows(&self) -> Option<u64> {
        Some(self.splits.into())
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", Self::NAME, self.splits)?;
        self.levels.map_or(Ok(()), |levels| write!(f, ":levels={levels}"))?;
        if self.seed == 0 { Ok(()) } else { write!(f, ":seed={}", self.seed) }
    }
}
