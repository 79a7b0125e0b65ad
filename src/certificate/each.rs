//! Certificates for every label of an answer, all true at once.

use super::answer_labels::{AlphaSplit, Descending, Selection, share, top_j_is_separated};
use super::basis::Basis;
use super::bounds::{BoundFunctions, sum_down, sum_up};
use super::question::Question;
use super::radius::{TopKRadius, largest_over_sets};
use crate::Result;
use crate::stats::{Prob, Tally};

/// The certificate of one of the returned labels.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LabelCertificate {
    /// The label.
    pub label: usize,
    /// The radius within which the label stays in the top k, in the units of the input, rounded down; 0 for none.
    pub radius: f64,
    /// Lower bound of the label's probability.
    pub p_lower: Prob,
    /// Upper bound of the summed probability of the rivals that limit the radius.
    pub p_upper: Prob,
    /// How many rivals that sum has: t of Theorem 1, in 1..=k.
    pub set_size: usize,
}

/// The statement that each label of the answer stays among the smoothed classifier's top k within its own radius. All
/// of it is true with probability at least 1 minus the alpha of its basis, over the samples drawn.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EachCertificate {
    /// A certificate for each label, in the order of the answer; k of them.
    pub labels: Vec<LabelCertificate>,
    /// How the labels were chosen.
    pub selection: Selection,
    /// How alpha was split.
    pub split: AlphaSplit,
    /// What it rests on.
    pub basis: Basis,
}

impl EachCertificate {
    /// The radius within which all of them stay, and so the set does not change: the least of theirs.
    /// [`Question::set`], which is asked for nothing else, gives a larger one.
    pub fn radius_of_all(&self) -> f64 {
        self.labels.iter().map(|label| label.radius).fold(f64::INFINITY, f64::min)
    }
}

impl Question<'_> {
    /// Certifies every label: with probability at least 1 - alpha each stays in the top k within its radius, all at
    /// once, though the same counts may have chosen them. The label of an answer of k = 1 is certified as
    /// [`Question::set`] does.
    ///
    /// # Errors
    /// `InvalidArgument` when the smallest share of alpha is too small.
    pub fn each(&self) -> Result<EachCertificate> {
        let (k, n, selection) = (self.k(), self.tally.n(), self.labels.selection());
        // A single label is fixed once it is shown to be the most likely one; more are bounded by their own weight.
        let tested = k == 1 && selection == Selection::SameCounts;
        let split = AlphaSplit::of(self.basis.alpha_left, tested);
        let labels = self.labels.labels();
        let lowers: Vec<Prob> = if k == 1 {
            let all = Descending::new(self.tally);
            let fixed = !tested || top_j_is_separated(&self.bounds, &all, 1, split.choice)?;
            let lower = (self.bounds.lower)(self.count(labels[0]), n, share(split.lower, 1)?)?;
            vec![if fixed { lower } else { Prob::ZERO }]
        } else {
            let m = if selection == Selection::SameCounts { self.tally.classes() } else { k };
            let lower = |&label: &usize| self.bounds.weighted_lower(self.count(label), n, split.lower, m);
            labels.iter().map(lower).collect::<Result<_>>()?
        };
        let strongest = Strongest::new(self.tally, k, split.upper, &self.bounds)?;
        let labels = labels.iter().enumerate().map(|(i, &label)| {
            let own = lowers[i];
            let mut others = [&lowers[..i], &lowers[i + 1..]].concat();
            others.sort_by(|a, b| b.p.total_cmp(&a.p));
            let sets = sets(own, &others, &strongest.rivals_of(self.count(label)));
            let TopKRadius { radius, set_size, set } = largest_over_sets(&self.basis.noise, own, sets.into_iter());
            LabelCertificate { label, radius: self.basis.less_cost(radius), p_lower: own, p_upper: set, set_size }
        });
        Ok(EachCertificate { labels: labels.collect(), selection, split, basis: Basis { n, ..*self.basis } })
    }
}

/// For t = 1..=k an upper bound of the mass of the t weakest of any k rivals of a label with lower bound `own`: the sum
/// of the t weakest of `rivals` (ascending), or what the label and the k - t strongest rivals leave, of whom `others`
/// (descending lower bounds of the other label of the answers) have at least this much.
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
    /// The k largest rivals of every label are among the k + 1 most likely labels: fixed, though unknown. A single
    /// returned label, which is fixed, has one strongest rival.
    fn new(counts: &Tally, k: usize, alpha: f64, bounds: &BoundFunctions) -> Result<Self> {
        let share = share(alpha, if k == 1 { 1 } else { k + 1 })?;
        let mut uppers: Vec<(u64, Prob)> = Vec::with_capacity(k + 1);
        for &count in &Descending::new(counts).all[..=k] {
            let upper = match uppers.last() {
                // Equal counts have equal bounds.
                Some(&(before, upper)) if before == count => upper,
                _ => (bounds.upper)(count + counts.invalid(), counts.n(), share)?,
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
