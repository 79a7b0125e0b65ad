//! The labels that an answer returns, how they were chosen, and what the choice costs.

use super::bounds::BoundFunctions;
use crate::stats::{Tally, check_alpha, check_k};
use crate::{Error, Result};

/// How the returned labels were chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Selection {
    /// By the very counts that certify them: the k labels with the largest counts. The choice is paid for out of alpha.
    SameCounts,
    /// Independently of the counts that certify them: by pilot samples, or beforehand. The choice costs nothing.
    Pilot,
}

/// The k labels that an answer returns, the likeliest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerLabels {
    labels: Vec<usize>,
    selection: Selection,
}

impl AnswerLabels {
    /// The k labels with the largest counts, descending, among equal counts the lowest index first; to be certified by
    /// these same counts.
    ///
    /// # Errors
    /// `InvalidArgument` when `k` is not in 1..c.
    pub fn same_counts(counts: &Tally, k: usize) -> Result<Self> {
        Ok(Self { labels: top(counts, k)?, selection: Selection::SameCounts })
    }

    /// The k labels with the largest counts of a pilot; to be certified by the counts of other samples.
    ///
    /// # Errors
    /// As [`AnswerLabels::same_counts`].
    pub fn pilot(pilot: &Tally, k: usize) -> Result<Self> {
        Ok(Self { labels: top(pilot, k)?, selection: Selection::Pilot })
    }

    /// Labels that were chosen without a look at the samples that certify them, the likeliest first.
    ///
    /// # Errors
    /// `InvalidArgument` when there is no label, or one occurs twice.
    pub fn independent(labels: Vec<usize>) -> Result<Self> {
        let mut sorted = labels.clone();
        sorted.sort_unstable();
        if labels.is_empty() || sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Error::argument("labels", format!("{labels:?} must be one label or more, each once")));
        }
        Ok(Self { labels, selection: Selection::Pilot })
    }

    /// The labels, the likeliest first.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// How they were chosen.
    pub fn selection(&self) -> Selection {
        self.selection
    }

    /// Refuses a tally that did not choose these labels, though they say so.
    pub(super) fn check_choice(&self, tally: &Tally) -> Result<()> {
        if self.selection == Selection::SameCounts && top(tally, self.labels.len())? != self.labels {
            let message = "the labels were chosen by other counts than these: give the counts that chose them, or, if those \
                           are of other samples, say that the labels come from a pilot";
            return Err(Error::argument("labels", message));
        }
        Ok(())
    }
}

/// How the alpha of a statement was spent. The parts add to at most alpha.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct AlphaSplit {
    /// On the test that the labels chosen by the same counts are truly the likeliest; 0 where none was needed.
    pub choice: f64,
    /// On lower bounds, together.
    pub lower: f64,
    /// On upper bounds, together.
    pub upper: f64,
}

impl AlphaSplit {
    /// Halves for the lower and the upper bounds, of all of `alpha` or of what the test of the choice leaves.
    ///
    /// The test asks for the difference of two counts, the bounds for the sum of two intervals, which is wider: an
    /// eighth is enough for the test hardly ever to be what fails.
    pub(super) fn of(alpha: f64, tested: bool) -> Self {
        let choice = if tested { alpha / 8.0 } else { 0.0 };
        let half = 0.5 * if tested { (alpha - choice).next_down().max(0.0) } else { alpha };
        Self { choice, lower: half, upper: half }
    }
}

/// A part's share of one of `bounds` equal ones, rounded down.
///
/// # Errors
/// `InvalidArgument` when it is outside the range of [`check_alpha`].
pub(super) fn share(part: f64, bounds: usize) -> Result<f64> {
    // Of no alpha there is none: exact shares need none.
    if part == 0.0 {
        return Ok(0.0);
    }
    let share = if bounds == 1 { part } else { (part / bounds as f64).next_down() };
    check_alpha(share)?;
    Ok(share)
}

/// Whether the `j` labels with the largest counts are shown to be the j most likely ones at level `alpha`, whatever
/// labels the samples without one may have had. There are more than j labels.
pub(super) fn top_j_is_separated(bounds: &BoundFunctions, counts: &Descending, j: usize, alpha: f64) -> Result<bool> {
    Ok((bounds.boundary)(counts.all[j - 1], counts.all[j] + counts.invalid)? <= alpha)
}

/// Counts, the largest first.
pub(super) struct Descending {
    pub all: Vec<u64>,
    pub invalid: u64,
}

impl Descending {
    pub fn new(counts: &Tally) -> Self {
        let mut all = counts.labels().to_vec();
        all.sort_unstable_by(|a, b| b.cmp(a));
        Self { all, invalid: counts.invalid() }
    }
}

fn top(counts: &Tally, k: usize) -> Result<Vec<usize>> {
    check_k(k, counts.classes())?;
    let mut labels: Vec<usize> = (0..counts.classes()).collect();
    let order = |a: &usize, b: &usize| counts.labels()[*b].cmp(&counts.labels()[*a]).then(a.cmp(b));
    labels.select_nth_unstable_by(k, order);
    labels.truncate(k);
    labels.sort_unstable_by(order);
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_never_exceeds_alpha() {
        for alpha in [0.5, 0.1, 0.05, 0.001, 1e-12, 3.3e-50] {
            for tested in [false, true] {
                let spent = AlphaSplit::of(alpha, tested);
                assert!(spent.choice + spent.lower + spent.upper <= alpha && spent.lower > 0.4 * alpha);
                for bounds in 1..200 {
                    assert!(share(spent.lower, bounds).unwrap() * bounds as f64 <= spent.lower);
                }
            }
        }
    }
}
