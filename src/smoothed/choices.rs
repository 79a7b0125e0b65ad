//! What a request leaves open until its samples are drawn: how alpha is split, and where the noise comes from.

use std::fmt;
use std::str::FromStr;

use crate::noise::{ExactGrid, Source};
use crate::stats::Allocation;
use crate::{Error, Result};

/// How alpha is split between bounds: as said beforehand, or as pilot samples advise.
///
/// Written as [`Allocation`] is, or `auto`.
#[derive(Clone, Debug, PartialEq)]
pub enum AllocationChoice {
    /// This allocation of alpha.
    As(Allocation),
    /// The allocation that promises the largest radius, by the n0 samples that also select the label where none is
    /// given ([`crate::certificate::auto`]).
    Auto,
}

impl Default for AllocationChoice {
    fn default() -> Self {
        Self::As(Allocation::default())
    }
}

impl From<Allocation> for AllocationChoice {
    fn from(allocation: Allocation) -> Self {
        Self::As(allocation)
    }
}

impl fmt::Display for AllocationChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::As(allocation) => allocation.fmt(f),
            Self::Auto => f.pad("auto"),
        }
    }
}

impl FromStr for AllocationChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        text.parse().map(Self::As).map_err(|error: Error| match error.message() {
            message if message.ends_with(Allocation::FORMS) => {
                Error::argument("allocation", format!("{message}, auto"))
            }
            _ => error,
        })
    }
}

/// How noise is made.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum NoiseMode {
    /// Inputs and float32 Gaussian noise rounded to a grid on which their sums are exact; the sampler is taken for an
    /// exact Gaussian.
    #[default]
    Grid,
    /// Inputs on a declared grid, and the Gaussian discretised to it; what separates it from an exact one is taken off
    /// alpha.
    Exact(ExactGrid),
}

/// The generator of the noise's bits. Whoever knows its seed or key knows the noise.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Generator {
    /// Philox4x32-10.
    Philox {
        /// The seed; drawn from the operating system where there is none.
        seed: Option<u64>,
    },
    /// ChaCha12, a stream cipher: noise that was seen tells nothing of other noise.
    ChaCha12 {
        /// The key; drawn from the operating system where there is none.
        key: Option<[u8; 32]>,
    },
}

impl Default for Generator {
    fn default() -> Self {
        Self::Philox { seed: None }
    }
}

impl Generator {
    /// The generator with its seed or key, or with a new one.
    ///
    /// # Errors
    /// `Io` when the operating system gives none.
    pub fn source(&self) -> Result<Source> {
        match *self {
            Self::Philox { seed: Some(seed) } => Ok(Source::Philox { seed }),
            Self::Philox { seed: None } => Source::random_philox(),
            Self::ChaCha12 { key: Some(key) } => Ok(Source::ChaCha12 { key }),
            Self::ChaCha12 { key: None } => Source::random_chacha12(),
        }
    }

    /// The generator with its seed or key; none where it was given none.
    pub(super) fn given(&self) -> Option<Source> {
        match *self {
            Self::Philox { seed } => seed.map(|seed| Source::Philox { seed }),
            Self::ChaCha12 { key } => key.map(|key| Source::ChaCha12 { key }),
        }
    }

    /// The seed, of a generator that has one.
    pub fn seed(&self) -> Option<u64> {
        match *self {
            Self::Philox { seed } => seed,
            Self::ChaCha12 { .. } => None,
        }
    }
}

impl From<Source> for Generator {
    fn from(source: Source) -> Self {
        match source {
            Source::Philox { seed } => Self::Philox { seed: Some(seed) },
            Source::ChaCha12 { key } => Self::ChaCha12 { key: Some(key) },
        }
    }
}

impl fmt::Debug for Generator {
    /// Without the key, which has no business in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Philox { seed } => f.debug_struct("Philox").field("seed", seed).finish(),
            Self::ChaCha12 { .. } => f.debug_struct("ChaCha12").finish_non_exhaustive(),
        }
    }
}
