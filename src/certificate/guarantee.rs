//! Guarantees for an answer: all k labels, and what they are to each other.

use super::{AnswerLabels, Basis, EachCertificate, OrderCertificate, Question, SetCertificate};
use crate::Result;
use crate::stats::Tally;

/// What holds around an input for the k labels of an answer. Each field is a statement of its own at alpha; several
/// read together are all true with probability at least 1 minus the sum of their alphas.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Guarantee {
    /// Every label stays in the top k within a radius of its own, all at once.
    pub each: EachCertificate,
    /// The set does not change.
    pub set: SetCertificate,
    /// For e = 1, 2, .. k: at least e of the labels stay. `None` where that is so for any perturbation, because too few
    /// labels are outside to push more out.
    pub kept: Vec<Option<SetCertificate>>,
    /// The first label stays the first.
    pub first: OrderCertificate,
    /// The whole ranking stays, and its boundary with the rest.
    pub ranking: OrderCertificate,
}

impl Guarantee {
    /// From numbers alone; [`Counts::guarantee`](crate::counts::Counts::guarantee) knows what they rest on.
    ///
    /// # Errors
    /// As [`Question::new`] and the statements of a question.
    pub fn new(basis: &Basis, tally: &Tally, labels: &AnswerLabels) -> Result<Self> {
        let question = Question::new(basis, tally, labels)?;
        let k = labels.labels().len();
        let outside = tally.classes() - k;
        let kept = |e: usize| if k - e + 1 > outside { Ok(None) } else { question.kept(e).map(Some) };
        Ok(Self {
            each: question.each()?,
            set: question.set()?,
            kept: (1..=k).map(kept).collect::<Result<_>>()?,
            first: question.order(1)?,
            ranking: question.order(k)?,
        })
    }

    /// The k labels, the likeliest first.
    pub fn labels(&self) -> &[usize] {
        &self.ranking.labels
    }

    /// What all of it rests on.
    pub fn basis(&self) -> &Basis {
        &self.set.basis
    }
}
