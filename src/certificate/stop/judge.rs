//! The form that all judges share.

use super::look::{Decision, Look, check_tally};
use super::terms::Terms;
use crate::Result;
use crate::certificate::plan::first_true;
use crate::counts::Rule;
use crate::stats::Tally;

/// Decides when the samples drawn so far are enough.
pub trait StopJudge: Send {
    /// The number of samples of the next look, after one at `n` (0 before the first); the largest number at last.
    fn next_look(&self, n: u64) -> u64;

    /// Looks at the tally of all samples so far, without a pilot's, and decides each statement that can be. Any number
    /// of samples will do, but not fewer than at the look before.
    ///
    /// # Errors
    /// `InvalidData` when the tally does not fit the number of labels, is of no sample, or of fewer or more than it may
    /// be.
    fn look(&mut self, tally: &Tally) -> Result<Look>;

    /// Ends the samples at this tally, whatever the rule: a deadline, a cancel. What is still open is then undecided;
    /// what was found with it is sound.
    ///
    /// # Errors
    /// As [`StopJudge::look`]; without any sample nothing is looked at.
    fn close(&mut self, tally: &Tally) -> Result<()>;

    /// What was decided of each statement, in their order.
    fn decisions(&self) -> Vec<Decision>;
}

/// What became of a statement: a k.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Verdict<Found> {
    /// The size of the top set.
    pub k: usize,
    /// What was decided.
    pub decision: Decision,
    /// What the look found that decided; the last look, where nothing was decided. `None` before the first look, and
    /// under [`Rule::Fixed`] before the last sample.
    pub found: Option<Found>,
}

/// The statements that one judge decides. Only this room has any.
pub trait Statements {
    /// What a look finds of one.
    type Found;

    /// The k of each.
    fn ks(&self) -> Vec<usize>;

    /// Before the statements of a look are decided one by one.
    ///
    /// # Errors
    /// `InvalidData` when the tally contradicts the look before.
    fn begin(&mut self, tally: &Tally) -> Result<()> {
        let _ = tally;
        Ok(())
    }

    /// What a look finds of the i-th, and whether that decides it.
    ///
    /// # Errors
    /// When the numbers are out of range.
    fn decide(&mut self, i: usize, terms: &Terms, tally: &Tally) -> Result<(Decision, Self::Found)>;

    /// As [`StopJudge::next_look`].
    fn next_look(&self, n: u64, n_max: u64) -> u64;
}

/// A judge of statements of one kind.
#[derive(Clone, Debug)]
pub struct Judge<S, Found> {
    pub(super) terms: Terms,
    pub(super) statements: S,
    verdicts: Vec<Verdict<Found>>,
    seen: u64,
}

impl<S: Statements> Judge<S, S::Found> {
    pub(super) fn of(terms: &Terms, statements: S) -> Self {
        let open = |k| Verdict { k, decision: Decision::Open, found: None };
        let verdicts = statements.ks().into_iter().map(open).collect();
        Self { terms: *terms, statements, verdicts, seen: 0 }
    }

    /// What became of each statement so far, in their order.
    pub fn verdicts(&self) -> &[Verdict<S::Found>] {
        &self.verdicts
    }
}

impl<S: Statements + Send> StopJudge for Judge<S, S::Found>
where
    S::Found: Send,
{
    fn next_look(&self, n: u64) -> u64 {
        self.statements.next_look(n, self.terms.n_max)
    }

    fn look(&mut self, tally: &Tally) -> Result<Look> {
        check_tally(tally, &self.terms, self.seen)?;
        self.statements.begin(tally)?;
        self.seen = tally.n();
        let last = tally.n() == self.terms.n_max;
        for (i, verdict) in self.verdicts.iter_mut().enumerate() {
            if verdict.decision != Decision::Open || (self.terms.rule == Rule::Fixed && !last) {
                continue;
            }
            let (decision, found) = self.statements.decide(i, &self.terms, tally)?;
            verdict.found = Some(found);
            verdict.decision = match decision {
                _ if self.terms.rule == Rule::Fixed => Decision::Complete,
                Decision::Open if last => Decision::Undecided,
                decision => decision,
            };
        }
        Ok(if self.verdicts.iter().any(|verdict| verdict.decision == Decision::Open) { Look::GoOn } else { Look::Stop })
    }

    fn close(&mut self, tally: &Tally) -> Result<()> {
        if tally.n() > 0 {
            let _ = self.look(tally)?;
        }
        let open = self.verdicts.iter_mut().filter(|verdict| verdict.decision == Decision::Open);
        open.for_each(|verdict| verdict.decision = Decision::Undecided);
        Ok(())
    }

    fn decisions(&self) -> Vec<Decision> {
        self.verdicts.iter().map(|verdict| verdict.decision).collect()
    }
}

/// The smallest number of samples, `at_most` at most, at which a test that stays true holds for some of the statements
/// 0 to `len`.
pub(super) fn first_for_any(len: usize, at_most: u64, test: impl Fn(usize, u64) -> Result<bool>) -> Result<u64> {
    let mut first = at_most;
    for i in 0..len {
        if test(i, first)? {
            first = first_true(1, first, |n| test(i, n))?;
        }
    }
    Ok(first)
}
