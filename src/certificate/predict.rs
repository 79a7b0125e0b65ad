//! The smoothed classifier's top-k set, or an abstention.

use super::bounds::BoundFunctions;
use crate::Result;
use crate::stats::{Tally, binomial, check_alpha, check_k, check_trials};

/// The k labels with the largest counts, and whether they are, with confidence, the smoothed classifier's top k.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Prediction {
    /// The k labels with the largest counts, descending; among equal counts the lowest index first.
    pub top: Vec<usize>,
    /// The p-value of the two-sided binomial test between the k-th count and the (k+1)-th with all invalid samples,
    /// rounded up; 1 when they tie or the latter is larger.
    pub p_value: f64,
    /// Whether the p-value exceeds alpha: the set must then not be used as a prediction.
    pub abstain: bool,
}

impl Prediction {
    /// The predicted set, or `None` for an abstention.
    pub fn labels(&self) -> Option<&[usize]> {
        (!self.abstain).then_some(&self.top)
    }
}

/// Predicts the smoothed classifier's top-k set from a tally of a number of samples that was fixed beforehand, or
/// abstains; [`Counts::predict`](crate::counts::Counts::predict) knows what a tally rests on.
///
/// The set is wrong (a label in it is truly less likely than one outside) with probability at most `alpha`, over the
/// samples drawn: Hung and Fithian, "Rank verification for exponential families", Annals of Statistics 47 (2019),
/// applied at the boundary; the proof for sets is in `docs/statistics.md`. Says nothing about the order within the set.
///
/// # Errors
/// `InvalidArgument` when `k` is not in 1..c, `alpha` not in [[`MIN_ALPHA`](crate::stats::MIN_ALPHA),
/// [`MAX_ALPHA`](crate::stats::MAX_ALPHA)], or no sample or more than [`MAX_TRIALS`](crate::stats::MAX_TRIALS) samples
/// were drawn.
///
/// ```
/// use smoothtopk::certificate::predict;
/// use smoothtopk::stats::Tally;
/// let counts = Tally::complete(vec![40, 3, 57])?;
/// assert_eq!(predict(&counts, 2, 0.001)?.labels(), Some(&[2, 0][..]));
/// assert_eq!(predict(&counts, 1, 0.001)?.labels(), None);
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub fn predict(counts: &Tally, k: usize, alpha: f64) -> Result<Prediction> {
    check_alpha(alpha)?;
    by(counts, k, alpha, binomial::leads)
}

/// The top-k set of all rows of an enumerated family: never wrong.
pub(super) fn of_all_rows(counts: &Tally, k: usize) -> Result<Prediction> {
    by(counts, k, 0.0, BoundFunctions::EXACT.boundary)
}

fn by(counts: &Tally, k: usize, alpha: f64, leads: fn(u64, u64) -> Result<f64>) -> Result<Prediction> {
    counts.check_one_label()?;
    check_k(k, counts.classes())?;
    check_trials(counts.n())?;
    let count = |label: usize| counts.labels()[label];
    let descending = |a: &usize, b: &usize| count(*b).cmp(&count(*a)).then(a.cmp(b));
    let mut labels: Vec<usize> = (0..counts.classes()).collect();
    let (top, &mut next, _) = labels.select_nth_unstable_by(k, descending);
    top.sort_unstable_by(descending);
    // Invalid samples may have been the next label's.
    let p_value = leads(count(top[k - 1]), count(next) + counts.invalid())?;
    labels.truncate(k);
    Ok(Prediction { top: labels, p_value, abstain: p_value > alpha })
}
