//! What the guarantees for an answer are asked of.

use super::answer_labels::AnswerLabels;
use super::basis::Basis;
use super::bounds::BoundFunctions;
use crate::Result;
use crate::stats::{Tally, check_k, check_label, check_trials};

/// The labels of an answer, the numbers that are to certify them, and what those rest on. Its methods `each`, `set`,
/// `kept` and `order` are the statements.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub(super) basis: &'a Basis,
    pub(super) tally: &'a Tally,
    pub(super) labels: &'a AnswerLabels,
    pub(super) bounds: BoundFunctions,
}

impl<'a> Question<'a> {
    /// The question whether `labels` keep what they are, asked of `tally`.
    ///
    /// # Errors
    /// `InvalidArgument` when k is not in 1..c, a label not below c, the labels were not chosen by this tally though
    /// they say so, alpha out of range, or there is no sample or too many.
    pub fn new(basis: &'a Basis, tally: &'a Tally, labels: &'a AnswerLabels) -> Result<Self> {
        tally.check_one_label()?;
        let classes = tally.classes();
        check_k(labels.labels().len(), classes)?;
        basis.check()?;
        check_trials(tally.n())?;
        basis.check_rows(tally.n())?;
        labels.labels().iter().try_for_each(|&label| check_label(label, classes, "labels"))?;
        labels.check_choice(tally)?;
        Ok(Self { basis, tally, labels, bounds: BoundFunctions::of(basis.validity)? })
    }

    /// The same question with other bounds, for tests of what depends on them.
    #[doc(hidden)]
    #[must_use]
    pub fn with_bounds(self, bounds: BoundFunctions) -> Self {
        Self { bounds, ..self }
    }

    /// The number of labels of the answer.
    pub(super) fn k(&self) -> usize {
        self.labels.labels().len()
    }

    pub(super) fn count(&self, label: usize) -> u64 {
        self.tally.labels()[label]
    }

    /// Whether each label is one of `labels`.
    pub(super) fn is_one_of(&self, labels: &[usize]) -> Vec<bool> {
        let mut inside = vec![false; self.tally.classes()];
        labels.iter().for_each(|&label| inside[label] = true);
        inside
    }

    /// The counts of all labels but these.
    pub(super) fn outside(&self, labels: &[usize]) -> impl Iterator<Item = u64> {
        self.tally.labels().iter().zip(self.is_one_of(labels)).filter(|(_, inside)| !inside).map(|(&count, _)| count)
    }
}
