//! What came of a task.

use std::time::Duration;

use super::{Request, Task};
use crate::certificate::stop::Decision;
use crate::certificate::{Certificate, Guarantee, Prediction};
use crate::counts::{Counts, Ending};
use crate::{Error, Result};

/// What a task found.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// One for each k of the request.
    Predictions(Vec<Prediction>),
    /// One for each k of the request, all of the same label; what rounding costs is already off their radii.
    Certificates(Vec<Certificate>),
    /// One for each k of the request; what rounding costs is already off their radii.
    Guarantees(Vec<Guarantee>),
    /// Nothing but the counts of all samples.
    Counted,
}

/// What came of a task: its counts, whole or not, and what they say.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The answer, or why there is none: the task was cancelled, late, or a run of the model failed.
    ///
    /// A task with a rule that is late has the answer of its last look, which is sound; `early_stop` says that it was
    /// late.
    pub answer: Result<Answer>,
    /// What was decided for each k of the request; empty where there is no answer.
    pub decisions: Vec<Decision>,
    /// Why the samples ended before the rule was done with them, where they did.
    pub early_stop: Option<Error>,
    /// Counts of the samples that the answer rests on; of those that were drawn, where there is no answer.
    pub counts: Counts,
    /// For each k, the counts of the earlier look that its part of the answer rests on: with several k one may be
    /// decided before the others. `None` where that is `counts`; empty where there is no answer.
    pub earlier: Vec<Option<Counts>>,
    /// Samples drawn, those after the last look among them; not those that select.
    pub samples_drawn: u64,
    /// Counts of the samples that selected the label or how alpha is split, where there were any.
    pub selection: Option<Counts>,
    /// From the task's first sample to its last.
    pub elapsed: Duration,
    /// The request, with the seed that was used.
    pub request: Request,
    /// The stream.
    pub stream: u64,
    /// The question.
    pub task: Task,
}

impl Outcome {
    /// Whether its counts are a part of the samples, which answers nothing by itself.
    pub fn is_part(&self) -> bool {
        matches!(self.counts.ending(), Ending::Part { .. })
    }
}
