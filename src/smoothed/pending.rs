//! A task under way, and what came of it.

use std::time::Duration;

use super::Guarantee;
use super::watcher::{Judged, Judgement};
use crate::certificate::stop::Decision;
use crate::certificate::{self, Certificate, Prediction};
use crate::sampler::{Drawn, JobHandle, JobStopper};
use crate::smoothed::{Request, Task};
use crate::stats::Counts;
use crate::{Error, ErrorKind, Result};

/// A task under way. Dropping it cancels it.
#[derive(Debug)]
pub struct Pending {
    job: JobHandle,
    judgement: Option<Judgement>,
    task: Task,
    request: Request,
    elements: usize,
    key: u64,
}

/// What a task found.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// One for each k of the request.
    Predictions(Vec<Prediction>),
    /// One for each k of the request, all of the same label; the grid's rounding is already off their radii.
    Certificates(Vec<Certificate>),
    /// One for each k of the request; the grid's rounding is already off their radii.
    Guarantees(Vec<Guarantee>),
}

/// What came of a task: its counts, whole or not, and what they say.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The answer, or why there is none: the task was cancelled, late, or a run of the model failed.
    ///
    /// A task with a rule that is late has the answer of its last look, which is sound; `cut` says that it was late.
    pub answer: Result<Answer>,
    /// What was decided for each k of the request; empty where there is no answer.
    pub decisions: Vec<Decision>,
    /// Why the rows ended before the rule was done with them, where they did.
    pub cut: Option<Error>,
    /// Counts of the rows that the answer rests on; of those that were drawn, where there is no answer.
    pub counts: Counts,
    /// For each k, the counts of the earlier look that its part of the answer rests on: with several k one may be decided before
    /// the others. `None` where that is `counts`; empty where there is no answer.
    pub earlier: Vec<Option<Counts>>,
    /// Rows drawn, those after the last look among them; not those that select.
    pub rows: u64,
    /// Counts of the rows that selected the label or how alpha is spent, where there were any.
    pub selection: Option<Counts>,
    /// From the task's first row to its last.
    pub elapsed: Duration,
    /// The request, with the seed that was used.
    pub request: Request,
    /// The job key.
    pub key: u64,
    /// The question.
    pub task: Task,
    /// Elements of the input.
    pub elements: usize,
}

impl Pending {
    pub(super) fn new(
        job: JobHandle,
        judgement: Option<Judgement>,
        task: Task,
        request: Request,
        elements: usize,
        key: u64,
    ) -> Self {
        Self { job, judgement, task, request, elements, key }
    }

    pub(super) fn stopper(&self) -> JobStopper {
        self.job.stopper()
    }

    /// True when [`Pending::wait`] will not block.
    pub fn is_finished(&self) -> bool {
        self.job.is_finished()
    }

    /// Waits for the end, at most `timeout`. True when it has come.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.job.wait_timeout(timeout)
    }

    /// Rows counted so far.
    pub fn samples_done(&self) -> u64 {
        self.job.samples_done()
    }

    /// Rows to be counted in all.
    pub fn samples_total(&self) -> u64 {
        self.job.stopper().samples_total()
    }

    /// Stops the task; [`Pending::wait`] then gives the counts so far and no answer.
    pub fn cancel(&self) {
        self.job.cancel();
    }

    /// Waits for the end.
    pub fn wait(self) -> Outcome {
        let Self { job, judgement, task, request, elements, key } = self;
        let drawn = job.wait();
        let rows = drawn.counts.n();
        let judged = match &judgement {
            Some(judgement) => by_rule(&drawn, judgement),
            None => fixed(&drawn, task, &request, elements, key),
        };
        let (answer, decisions, earlier, counts) = match judged {
            Ok(Judged { answer, decisions, earlier, counts }) => (Ok(answer), decisions, earlier, counts),
            Err(error) => (Err(error), Vec::new(), Vec::new(), drawn.counts),
        };
        Outcome {
            answer,
            decisions,
            earlier,
            cut: drawn.stopped,
            counts,
            rows,
            elapsed: drawn.elapsed,
            selection: drawn.pilot,
            request,
            key,
            task,
            elements,
        }
    }
}

/// The answer that the looks gave; of the last look, where the task was late.
fn by_rule(drawn: &Drawn, judgement: &Judgement) -> Result<Judged> {
    match &drawn.stopped {
        Some(error) if error.kind() != ErrorKind::DeadlineExceeded => Err(error.clone()),
        late => match judgement.judged()? {
            Some(judged) => Ok(judged),
            None => Err(late.clone().unwrap_or_else(|| Error::new(ErrorKind::Internal, "no look was taken"))),
        },
    }
}

/// The answer of all rows asked for.
fn fixed(drawn: &Drawn, task: Task, request: &Request, elements: usize, key: u64) -> Result<Judged> {
    if let Some(error) = &drawn.stopped {
        return Err(error.clone());
    }
    let judged = |answer| {
        let decisions = vec![Decision::Complete; request.k.len()];
        Ok(Judged { answer, decisions, earlier: vec![None; request.k.len()], counts: drawn.counts.clone() })
    };
    let Request { sigma, ref k, .. } = *request;
    let (counts, alpha) = (&drawn.counts, request.alpha_left(task, elements)?);
    let label = match (task, &drawn.pilot) {
        (Task::Predict, _) => {
            let predictions = k.iter().map(|&k| certificate::predict(counts, k, alpha)).collect::<Result<_>>()?;
            return judged(Answer::Predictions(predictions));
        }
        (Task::CertifyAnswer, pilot) => {
            let slack = request.noise()?.radius_slack(elements);
            let guarantee = |&k| Guarantee::new(counts, pilot.as_ref(), k, sigma, alpha, slack);
            return judged(Answer::Guarantees(k.iter().map(guarantee).collect::<Result<_>>()?));
        }
        (Task::Certify(label), _) => label,
        (Task::CertifySelected, Some(pilot)) => pilot.top(),
        (Task::CertifySelected, None) => return Err(Error::new(ErrorKind::Internal, "no rows selected a label")),
    };
    let slack = request.noise()?.radius_slack(elements);
    let certify = |&k| {
        let allocation = request.allocation(drawn.pilot.as_ref(), label, k, elements)?;
        let validity = request.validity_of(k, key)?;
        Ok(certificate::certify_with(counts, label, k, sigma, alpha, &allocation, validity)?.shrunk_by(slack))
    };
    judged(Answer::Certificates(k.iter().map(certify).collect::<Result<_>>()?))
}
