//! When the top-k set is settled.

use super::judge::{Judge, Statements};
use super::look::{Decision, look_after};
use super::terms::Terms;
use crate::certificate::plan::first_true;
use crate::certificate::{Prediction, predict};
use crate::counts::Rule;
use crate::stats::{Tally, anytime, check_k};
use crate::{Error, Result};

/// Decides when samples are enough to say which k labels are the top k. For [`Rule::Predict`] and [`Rule::Fixed`].
///
/// Under [`Rule::Predict`] the sets returned over all looks are wrong (hold a label truly less likely than one outside)
/// with probability at most alpha for each k.
///
/// Between two looks a bet is held: that each label of the set that led at the earlier look is likelier than each one
/// outside. Were T the true top k, then in every other set B some label i is in truth no likelier than some j of T
/// outside B; the capital of betting on i against j, for one such pair a set, cannot grow but by luck, for any fixed T.
/// So a set is settled when even the worst such pairs of samples would have brought every other T to 1/alpha: one
/// inequality of Ville, no union over labels. `docs/statistics.md` has the proof.
///
/// The tallies of its looks must each hold the samples of the look before; and how many that are must be settled before
/// they are drawn, as `next_look` does (a look that is chosen in hindsight names its leader in hindsight). A verdict's
/// p-value is one that holds at all looks at once under [`Rule::Predict`].
pub type PredictJudge = Judge<SetStatements, Prediction>;

/// Predictions of top-k sets.
#[derive(Clone, Debug)]
pub struct SetStatements {
    /// The look that names the first leaders, and the first that can settle a set.
    first: (u64, u64),
    races: Vec<Race>,
    before: Option<Tally>,
    /// What came since the look before.
    fresh: Option<Tally>,
}

/// The samples of one k.
#[derive(Clone, Debug)]
struct Race {
    k: usize,
    /// All sets that led at a look, ascending labels, with the counts of the samples drawn while they did.
    led: Vec<Reign>,
    /// The one that leads since the last look.
    leader: Option<usize>,
}

#[derive(Clone, Debug)]
struct Reign {
    set: Vec<usize>,
    counts: Vec<u64>,
    /// Invalid samples: any outside may have had them.
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
            let message = format!("{} is for a label that is certified, not for a prediction", terms.rule);
            return Err(Error::argument("rule", message));
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
        let races = ks.iter().map(|&k| Race { k, led: Vec::new(), leader: None }).collect();
        Ok(Self::of(terms, SetStatements { first, races, before: None, fresh: None }))
    }
}

impl Statements for SetStatements {
    type Found = Prediction;

    fn ks(&self) -> Vec<usize> {
        self.races.iter().map(|race| race.k).collect()
    }

    fn begin(&mut self, tally: &Tally) -> Result<()> {
        self.fresh = Some(self.fresh(tally)?);
        self.before = Some(tally.clone());
        Ok(())
    }

    fn decide(&mut self, i: usize, terms: &Terms, tally: &Tally) -> Result<(Decision, Prediction)> {
        let race = &mut self.races[i];
        if terms.rule == Rule::Fixed {
            return Ok((Decision::Complete, predict(tally, race.k, terms.alpha)?));
        }
        // `begin` has set it.
        let fresh = self.fresh.as_ref().unwrap_or(tally);
        let prediction = race.look(tally, fresh, terms.alpha)?;
        Ok((if prediction.abstain { Decision::Open } else { Decision::Settled }, prediction))
    }

    fn next_look(&self, n: u64, n_max: u64) -> u64 {
        let (leader, settled) = self.first;
        look_after(n, if n < leader { leader } else { settled }, n_max)
    }
}

impl SetStatements {
    /// The counts of the samples drawn since the look before.
    fn fresh(&self, counts: &Tally) -> Result<Tally> {
        let Some(before) = &self.before else { return Ok(counts.clone()) };
        let fresh = counts.labels().iter().zip(before.labels()).map(|(now, before)| now.checked_sub(*before)).collect();
        // An invalid sample counts too.
        let (Some(fresh), true) = (fresh, counts.invalid() >= before.invalid()) else {
            return Err(Error::data("counts", "a label has fewer samples than at the look before"));
        };
        Tally::new(fresh, counts.n() - before.n())
    }
}

/// For k = 1 one sample names a leader to bet on; larger sets need more samples for a leader worth a bet. A set can be
/// settled when each of its labels has then had just enough samples to beat a rival that has none.
fn first_looks(k: u64, alpha: f64) -> Result<(u64, u64)> {
    let leader = if k == 1 { 1 } else { 4 * k };
    let each = first_true(1, 1024, |n| Ok(anytime::one_sided_half(n, 0)? <= alpha))?;
    Ok((leader, leader + k * each))
}

impl Race {
    fn look(&mut self, counts: &Tally, fresh: &Tally, alpha: f64) -> Result<Prediction> {
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

    /// The largest p-value over all true sets T other than that of `leader`. The capital against T is the product of
    /// those of all reigns but its own, for a T that led itself: while T leads nothing is bet against it.
    fn p_value(&self, leader: usize) -> f64 {
        let all: f64 = self.led.iter().map(|reign| reign.ln_capital).sum();
        let others = self.led.iter().enumerate().filter(|&(i, _)| i != leader);
        let largest = others.map(|(_, reign)| reign.ln_capital).fold(0.0, f64::max);
        anytime::p_value(all - largest)
    }
}

impl Reign {
    fn add(&mut self, fresh: &Tally) {
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
