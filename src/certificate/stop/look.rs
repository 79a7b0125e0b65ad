//! Where looks are, and what comes of them.

use std::fmt;

use super::terms::Terms;
use crate::stats::Tally;
use crate::{Error, Result};

/// What a look at the counts says about the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Look {
    /// Draw on, to the next look.
    GoOn,
    /// All is decided.
    Stop,
}

/// What came of one k.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Nothing yet.
    Open,
    /// The fixed number of samples was drawn.
    Complete,
    /// `radius`: certified at the radius asked for.
    Certified,
    /// `radius`: no number of samples could certify that radius. `tolerance`, `steps`: none could certify any. Wrong
    /// with probability at most alpha.
    Refuted,
    /// `tolerance`: more samples are expected to add no more than the tolerance. `steps`: no number of samples, or none
    /// up to `n_max`, could bring the radius to the next step.
    Reached,
    /// `predict`: the top-k set is settled.
    Settled,
    /// The samples ended without a decision: at `n_max`, before it by a deadline, or as soon as what was left of them
    /// could decide nothing. What is given with it is sound all the same.
    Undecided,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Certified => "certified",
            Self::Refuted => "refuted",
            Self::Reached => "reached",
            Self::Settled => "settled",
            Self::Undecided => "undecided",
        })
    }
}

/// The look after one at `n` samples: at `first`, then every `n / 32` samples (one at least), at last at `n_max`: 300
/// looks to 100,000 samples, and 1.6 % of the samples too many at a decision on average. In whole numbers, so the same
/// everywhere.
pub(super) fn look_after(n: u64, first: u64, n_max: u64) -> u64 {
    let next = if n < first { first } else { n + (n / 32).max(1) };
    next.min(n_max)
}

/// Refuses counts that cannot be those of a look after one at `seen` samples.
pub(super) fn check_tally(counts: &Tally, terms: &Terms, seen: u64) -> Result<()> {
    let &Terms { classes, n_max, .. } = terms;
    if counts.classes() != classes {
        return Err(Error::data("counts", format!("counts of {} labels, where there are {classes}", counts.classes())));
    }
    let n = counts.n();
    if n == 0 || n < seen || n > n_max {
        return Err(Error::data("n", format!("{n} samples were drawn: a look must be at {} to {n_max}", seen.max(1))));
    }
    Ok(())
}
