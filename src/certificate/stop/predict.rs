//! When the top-k set is settled.

use super::rule::{Decision, Look, Rule, Terms, check_counts, leave_undecided, look_after};
use crate::certificate::plan::first_true;
use crate::certificate::{Prediction, predict};
use crate::stats::bounds::check_k;
use crate::stats::{Counts, anytime};
use crate::{Error, Result};

/// What became of one k.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PredictVerdict {
    /// The size of the top set.
    pub k: usize,
    /// What was decided: [`Decision::Settled`] under [`Rule::Predict`], [`Decision::Complete`] under [`Rule::Fixed`].
    pub decision: Decision,
    /// The prediction of the look that decided, or of the last one; its p-value is one that holds at all looks at once under
    /// [`Rule::Predict`]. `None` before the first look, and under [`Rule::Fixed`] before the last row.
    pub prediction: Option<Prediction>,
}

/// Decides when rows are enough to say which k labels are the top k. For [`Rule::Predict`] and [`Rule::Fixed`].
///
/// Under [`Rule::Predict`] the sets returned over all looks are wrong (hold a label truly less likely than one outside) with
/// probability at most alpha for each k.
///
/// Between two looks a bet is held: that each label of the set that led at the earlier look is likelier than each one outside.
/// Were T the true top k, then in every other set B some label i is in truth no likelier than some j of T outside B; the capital
/// of betting on i against j, for one such pair a set, cannot grow but by luck, for any fixed T. So a set is settled when even
/// the worst such pairs of rows would have brought every other T to 1/alpha: one inequality of Ville, no union over labels.
/// `docs/statistics.md` has the proof.
#[derive(Clone, Debug)]
pub struct PredictJudge {
    terms: Terms,
    /// The look that names the first leaders, and the first that can settle a set.
    first: (u64, u64),
    races: Vec<Race>,
    verdicts: Vec<PredictVerdict>,
    before: Option<Counts>,
}

/// The rows of one k.
#[derive(Clone, Debug)]
struct Race {
    k: usize,
    /// All sets that led at a look, ascending labels, with the counts of the rows drawn while they did.
    led: Vec<Reign>,
    /// The one that leads since the last look.
    leader: Option<usize>,
}

#[derive(Clone, Debug)]
struct Reign {
    set: Vec<usize>,
    counts: Vec<u64>,
    /// Rows without a label: any outside may have had them.
    invalid: u64,
    /// ln of the capital of betting on the least frequent label of the set against the most frequent outside.
    ln_capital: f64,
}

impl PredictJudge {
    /// A judge of the top-k sets of every k in `ks`.
    ///
    /// # Errors
    /// `InvalidArgument` when a term or a k is out of range, there is no k, or the rule is for certifying a label.
    pub fn new(terms: &Terms, ks: &[usize]) -> Result<Self> {
        terms.check()?;
        if !matches!(terms.rule, Rule::Fixed | Rule::Predict) {
            return Err(Error::argument(
                "rule",
                format!("{} is for a label that is certified, not for a prediction", terms.rule),
            ));
        }
        if ks.is_empty() {
            return Err(Error::argument("k", "there must be at least one k"));
        }
        ks.iter().try_for_each(|&k| check_k(k, terms.classes))?;
        let smallest = ks.iter().copied().min().unwrap_or(1) as u64;
        let first = match terms.rule {
            Rule::Fixed => (terms.n_max, terms.n_max),
            _ => first_looks(smallest, terms.alpha)?,
        };
        Ok(Self {
            terms: *terms,
            first,
            races: ks.iter().map(|&k| Race { k, led: Vec::new(), leader: None }).collect(),
            verdicts: ks.iter().map(|&k| PredictVerdict { k, decision: Decision::Open, prediction: None }).collect(),
            before: None,
        })
    }

    /// The number of rows of the next look, after one at `n` (0 before the first); `n_max` at last.
    pub fn next_look(&self, n: u64) -> u64 {
        let (leader, settled) = self.first;
        look_after(n, if n < leader { leader } else { settled }, self.terms.n_max)
    }

    /// Looks at the counts of all rows so far, and settles each set that can be. The counts must be those of the look before and of
    /// rows drawn since; and how many rows that are must be settled before they are drawn, as [`PredictJudge::next_look`] does
    /// (a look that is chosen in hindsight names its leader in hindsight).
    ///
    /// # Errors
    /// `InvalidData` when the counts do not fit the number of labels, are of no row, or lack rows of the look before.
    pub fn look(&mut self, counts: &Counts) -> Result<Look> {
        let seen = self.before.as_ref().map_or(0, Counts::n);
        check_counts(counts, &self.terms, seen)?;
        let fresh = self.fresh(counts)?;
        let last = counts.n() == self.terms.n_max;
        for (race, verdict) in self.races.iter_mut().zip(&mut self.verdicts) {
            if verdict.decision != Decision::Open {
                continue;
            }
            let (decision, prediction) = match self.terms.rule {
                Rule::Fixed if !last => continue,
                Rule::Fixed => (Decision::Complete, predict(counts, race.k, self.terms.alpha)?),
                _ => {
                    let prediction = race.look(counts, &fresh, self.terms.alpha)?;
                    (if prediction.abstain { Decision::Open } else { Decision::Settled }, prediction)
                }
            };
            let decision = if last && decision == Decision::Open { Decision::Undecided } else { decision };
            *verdict = PredictVerdict { k: race.k, decision, prediction: Some(prediction) };
        }
        self.before = Some(counts.clone());
        Ok(Look::after(self.verdicts.iter().map(|verdict| verdict.decision)))
    }

    /// Ends the rows at these counts, whatever the rule: a deadline, a cancel. What is not settled by them abstains.
    ///
    /// # Errors
    /// As [`PredictJudge::look`]; without any row nothing is looked at.
    pub fn close(&mut self, counts: &Counts) -> Result<()> {
        if counts.n() > 0 {
            let _ = self.look(counts)?;
        }
        leave_undecided(self.verdicts.iter_mut().map(|verdict| &mut verdict.decision));
        Ok(())
    }

    /// What became of each k so far, in their order.
    pub fn verdicts(&self) -> &[PredictVerdict] {
        &self.verdicts
    }

    /// The counts of the rows drawn since the look before.
    fn fresh(&self, counts: &Counts) -> Result<Counts> {
        let Some(before) = &self.before else { return Ok(counts.clone()) };
        let fresh = counts.labels().iter().zip(before.labels()).map(|(now, before)| now.checked_sub(*before)).collect();
        // A row without a label counts as a row too.
        let (Some(fresh), true) = (fresh, counts.invalid() >= before.invalid()) else {
            return Err(Error::data("counts", "a label has fewer rows than at the look before"));
        };
        Counts::new(fresh, counts.n() - before.n())
    }
}

/// For k = 1 one row names a leader to bet on; larger sets need more rows for a leader worth a bet. A set can be settled when
/// each of its labels has then had just enough rows to beat a rival that has none.
fn first_looks(k: u64, alpha: f64) -> Result<(u64, u64)> {
    let leader = if k == 1 { 1 } else { 4 * k };
    let each = first_true(1, 1024, |n| Ok(anytime::one_sided_half(n, 0)? <= alpha))?;
    Ok((leader, leader + k * each))
}

impl Race {
    fn look(&mut self, counts: &Counts, fresh: &Counts, alpha: f64) -> Result<Prediction> {
        if let Some(leader) = self.leader {
            self.led[leader].add(fresh);
        }
        // Of the counts' own test only the order is used.
        let Prediction { top, .. } = predict(counts, self.k, alpha)?;
        let leader = self.find(&top);
        self.leader = Some(leader);
        let p_value = self.p_value(leader);
        Ok(Prediction { top, p_value, abstain: p_value > alpha })
    }

    /// The place of the set among those that led.
    fn find(&mut self, top: &[usize]) -> usize {
        let mut set = top.to_vec();
        set.sort_unstable();
        let found = self.led.iter().position(|reign| reign.set == set);
        found.unwrap_or_else(|| {
            let classes = self.led.first().map_or(0, |reign| reign.counts.len());
            self.led.push(Reign { set, counts: vec![0; classes], invalid: 0, ln_capital: 0.0 });
            self.led.len() - 1
        })
    }

    /// The largest p-value over all true sets T other than that of `leader`. The capital against T is the product of those of
    /// all reigns but its own, for a T that led itself: while T leads nothing is bet against it.
    fn p_value(&self, leader: usize) -> f64 {
        let all: f64 = self.led.iter().map(|reign| reign.ln_capital).sum();
        let others = self.led.iter().enumerate().filter(|&(i, _)| i != leader);
        let largest = others.map(|(_, reign)| reign.ln_capital).fold(0.0, f64::max);
        anytime::p_value(all - largest)
    }
}

impl Reign {
    fn add(&mut self, fresh: &Counts) {
        self.counts.resize(fresh.classes(), 0);
        for (count, fresh) in self.counts.iter_mut().zip(fresh.labels()) {
            *count += fresh;
        }
        self.invalid += fresh.invalid();
        let mut inside = u64::MAX;
        let mut outside = 0;
        for (label, &count) in self.counts.iter().enumerate() {
            if self.set.binary_search(&label).is_ok() {
                inside = inside.min(count);
            } else {
                outside = outside.max(count);
            }
        }
        self.ln_capital = anytime::ln_capital_half(inside, outside + self.invalid);
    }
}
