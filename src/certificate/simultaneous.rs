//! Certificates for every label that an answer returns, all true at once.

use super::inference::{Inference, sum_down, sum_up};
use super::radius::{TopKRadius, largest_over_sets};
use super::returned::{Descending, Returned, Selection, Spent, parted, share};
use super::search::less_slack;
use crate::Result;
use crate::noise::family::Gaussian;
use crate::stats::{Counts, Prob};

/// The certificate of one of the returned labels.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LabelCertificate {
    /// The label.
    pub label: usize,
    /// The l2 radius within which the label stays in the top k, in the units of the input, rounded down; 0 for none.
    pub radius: f64,
    /// Lower bound of the label's probability.
    pub p_lower: Prob,
    /// Upper bound of the summed probability of the rivals that limit the radius.
    pub p_upper: Prob,
    /// How many rivals that sum has: t of Theorem 1, in 1..=k.
    pub set_size: usize,
}

/// The statement that each of the returned labels stays among the smoothed classifier's top k within its own radius. All of
/// it is true with probability at least 1 - `alpha`, over the rows drawn.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EachCertificate {
    /// A certificate for each returned label, in the order of the answer; k of them.
    pub labels: Vec<LabelCertificate>,
    /// How the labels were chosen.
    pub selection: Selection,
    /// The noise's standard deviation, in the units of the input.
    pub sigma: f64,
    /// The failure probability of the whole statement.
    pub alpha: f64,
    /// How it was spent.
    pub spent: Spent,
    /// The rows drawn.
    pub n: u64,
}

impl EachCertificate {
    /// The radius within which all of them stay, and so the set does not change: the least of theirs.
    /// [`certify_set`](super::certify_set), which is asked for nothing else, gives a larger one.
    pub fn radius_of_all(&self) -> f64 {
        self.labels.iter().map(|label| label.radius).fold(f64::INFINITY, f64::min)
    }

    /// The certificates with `slack` taken off every radius, rounded down; see
    /// [`Certificate::shrunk_by`](super::Certificate::shrunk_by).
    #[must_use]
    pub fn shrunk_by(mut self, slack: f64) -> Self {
        for label in &mut self.labels {
            label.radius = less_slack(label.radius, slack);
        }
        self
    }
}

/// Certifies every returned label: with probability at least 1 - `alpha` each stays in the top k within its radius, all at
/// once, though the same counts may have chosen them.
///
/// `sigma` is the standard deviation of the Gaussian noise, in the units of the input. The label of one returned set of k
/// = 1 is certified as [`certify_set`](super::certify_set) does.
///
/// # Errors
/// `InvalidArgument` when k is not in 1..c, a label not below c, the labels were not chosen by these counts though
/// `returned` says so, `sigma` not a positive number, `alpha` or its smallest share not in
/// [[`MIN_ALPHA`](crate::stats::MIN_ALPHA), [`MAX_ALPHA`](crate::stats::MAX_ALPHA)], or no row or more than
/// [`MAX_TRIALS`](crate::stats::MAX_TRIALS) rows were drawn.
///
/// ```
/// use smoothtopk::certificate::{Inference, Returned, certify_each};
/// use smoothtopk::stats::Counts;
/// let counts = Counts::complete(vec![2, 2, 334, 93642, 2, 5279, 737, 0, 2, 0])?;
/// let returned = Returned::same_counts(&counts, 3)?;
/// let each = certify_each(&counts, &returned, 0.25, 0.001, &Inference::FIXED)?;
/// assert_eq!(each.labels.iter().map(|label| label.label).collect::<Vec<_>>(), [3, 5, 6]);
/// assert!(each.labels[0].radius > 0.54 && each.labels[2].radius > 0.0);
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub fn certify_each(
    counts: &Counts,
    returned: &Returned,
    sigma: f64,
    alpha: f64,
    inference: &Inference,
) -> Result<EachCertificate> {
    let noise = Gaussian::new(sigma)?;
    returned.check(counts, alpha, inference)?;
    let (k, n, selection) = (returned.labels().len(), counts.n(), returned.selection());
    // A single label is fixed once it is shown to be the most likely one; more are bounded by their own weight.
    let tested = k == 1 && selection == Selection::SameCounts;
    let spent = Spent::split(alpha, tested);
    let count = |label: usize| counts.labels()[label];
    let lowers: Vec<Prob> = if k == 1 {
        let fixed = !tested || parted(inference, &Descending::new(counts), 1, spent.choice)?;
        let label = returned.labels()[0];
        vec![if fixed { (inference.lower)(count(label), n, share(spent.lower, 1)?)? } else { Prob::ZERO }]
    } else {
        let m = if selection == Selection::SameCounts { counts.classes() } else { k };
        let lower = |&label: &usize| inference.weighted_lower(count(label), n, spent.lower, m);
        returned.labels().iter().map(lower).collect::<Result<_>>()?
    };
    let strongest = Strongest::new(counts, k, spent.upper, inference)?;
    let labels = returned.labels().iter().enumerate().map(|(i, &label)| {
        let own = lowers[i];
        let mut others = [&lowers[..i], &lowers[i + 1..]].concat();
        others.sort_by(|a, b| b.p.total_cmp(&a.p));
        let sets = sets(own, &others, &strongest.rivals_of(count(label)));
        let TopKRadius { radius, set_size, set } = largest_over_sets(&noise, own, sets.into_iter());
        LabelCertificate { label, radius, p_lower: own, p_upper: set, set_size }
    });
    Ok(EachCertificate { labels: labels.collect(), selection, sigma, alpha, spent, n })
}

/// For t = 1..=k an upper bound of the mass of the t weakest of any k rivals of a label with lower bound `own`: the sum of
/// the t weakest of `rivals` (ascending), or what the label and the k - t strongest rivals leave, of whom `others`
/// (descending lower bounds of the other returned labels) have at least this much.
fn sets(own: Prob, others: &[Prob], rivals: &[Prob]) -> Vec<Prob> {
    let k = rivals.len();
    // With i = k - t of the others: the lower bounds of the label and of them.
    let mut taken = vec![own];
    for other in &others[..k - 1] {
        taken.push(sum_down(&[taken[taken.len() - 1], *other]));
    }
    let mut sum = Prob::ZERO;
    let weakest = rivals.iter().enumerate().map(|(i, rival)| {
        sum = if i == 0 { *rival } else { sum_up(&[sum, *rival]) };
        sum
    });
    weakest
        .zip(taken.into_iter().rev())
        .map(|(sum, taken)| if sum.p < taken.q { sum } else { taken.complement() })
        .collect()
}

/// Upper bounds that hold, sorted, for the most likely labels.
struct Strongest {
    /// The k + 1 largest counts with their upper bounds, ascending.
    uppers: Vec<(u64, Prob)>,
}

impl Strongest {
    /// The k largest rivals of every label are among the k + 1 most likely labels: fixed, though unknown. A single returned
    /// label, which is fixed, has one strongest rival.
    fn new(counts: &Counts, k: usize, alpha: f64, inference: &Inference) -> Result<Self> {
        let share = share(alpha, if k == 1 { 1 } else { k + 1 })?;
        let mut uppers: Vec<(u64, Prob)> = Vec::with_capacity(k + 1);
        for &count in &Descending::new(counts).all[..=k] {
            let upper = match uppers.last() {
                // Equal counts have equal bounds.
                Some(&(before, upper)) if before == count => upper,
                _ => (inference.upper)(count + counts.invalid(), counts.n(), share)?,
            };
            uppers.push((count, upper));
        }
        uppers.reverse();
        Ok(Self { uppers })
    }

    /// The k largest bounds, ascending, without that of a label with this count (one of them, where it is there).
    fn rivals_of(&self, count: u64) -> Vec<Prob> {
        let own = self.uppers.iter().position(|upper| upper.0 == count).unwrap_or(0);
        self.uppers.iter().enumerate().filter(|(i, _)| *i != own).map(|(_, upper)| upper.1).collect()
    }
}
