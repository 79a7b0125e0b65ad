//! Simultaneous confidence bounds of what a certificate needs: the label's probability from below and those of its k
//! strongest rivals from above, all true at once with probability at least 1 - alpha.

use std::fmt;
use std::str::FromStr;

use super::allocation::{RivalBounds, SpentBounds};
use super::{Allocation, Counts, Prob, Validity, check_alpha};
use crate::{Error, Result};

/// How the failure probability alpha is spent. All three hold for a label fixed before the counts were seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Bound {
    /// alpha/(k + 1) for the label and for each of the k rivals that matter. The tightest of the three whenever k + 1 < c
    /// and the rivals are not one label.
    ///
    /// The k rivals with the largest true probabilities are fixed, though unknown: with probability 1 - k alpha/(k + 1)
    /// the bounds of all of them hold, and then the sorted bounds of all rivals dominate the sorted probabilities.
    #[default]
    Ranked,
    /// SimuEM of the paper: alpha/c for each of the c labels.
    SimuEm,
    /// BinoCP of the paper: alpha for the label; every rival is bounded by 1 minus the label's lower bound.
    BinoCp,
}

impl Bound {
    /// All of them, the default first.
    pub const ALL: [Self; 3] = [Self::Ranked, Self::SimuEm, Self::BinoCp];

    /// The failure probability of each single bound, rounded down.
    ///
    /// # Errors
    /// `InvalidArgument` when `alpha`, or its share, is outside the range of [`check_alpha`].
    pub fn share(self, alpha: f64, k: usize, classes: usize) -> Result<f64> {
        check_alpha(alpha)?;
        let parts = match self {
            Self::Ranked => k as f64 + 1.0,
            Self::SimuEm => classes as f64,
            Self::BinoCp => return Ok(alpha),
        };
        let share = (alpha / parts).next_down();
        check_alpha(share)?;
        Ok(share)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ranked => "ranked",
            Self::SimuEm => "simuem",
            Self::BinoCp => "binocp",
        })
    }
}

impl FromStr for Bound {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|bound| bound.to_string() == text)
            .ok_or_else(|| Error::argument("bound", format!("\"{text}\" is none of ranked, simuem, binocp")))
    }
}

/// What the counts say about a label and its k strongest rivals.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelBounds {
    /// Lower bound of the label's probability.
    pub label: Prob,
    /// Upper bounds of the k rivals with the largest ones, ascending.
    pub rivals: Vec<Prob>,
}

/// Refuses a k for which a top-k set says nothing.
///
/// With k >= c the top k hold every label under any perturbation, so there is nothing to certify or test.
///
/// # Errors
/// `InvalidArgument` unless 1 <= `k` < `classes`.
pub fn check_k(k: usize, classes: usize) -> Result<()> {
    match k {
        0 => Err(Error::argument("k", "k must be at least 1")),
        _ if k >= classes => Err(Error::argument(
            "k",
            format!("k = {k} must be less than the {classes} labels: the top {k} of {classes} hold every label"),
        )),
        _ => Ok(()),
    }
}

/// The bounds of `label` and of its `k` strongest rivals, all true at once with probability at least 1 - `alpha` if `label`
/// was fixed before the rows behind `counts` were drawn.
///
/// # Errors
/// `InvalidArgument` when `label` is not below c, `k` not in 1..c, `alpha` not in the range of
/// [`check_alpha`], or more than [`MAX_TRIALS`](super::MAX_TRIALS) rows were drawn.
pub fn label_bounds(counts: &Counts, label: usize, k: usize, alpha: f64, bound: Bound) -> Result<LabelBounds> {
    let SpentBounds { label, rivals } = Allocation::from(bound).bounds(counts, label, k, alpha, Validity::Fixed)?;
    match rivals {
        RivalBounds::Each(rivals) => Ok(LabelBounds { label, rivals }),
        // No plain bound sums rivals.
        RivalBounds::Sum { sum, size } => Ok(LabelBounds { label, rivals: vec![sum; size] }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for bound in Bound::ALL {
            assert_eq!(bound.to_string().parse::<Bound>(), Ok(bound));
        }
        assert_eq!("best".parse::<Bound>().map_err(|e| e.kind()), Err(crate::ErrorKind::InvalidArgument));
    }
}
