//! A task under way, and what came of it.

use std::time::Duration;

use crate::certificate::{self, Certificate, Prediction};
use crate::sampler::{Drawn, JobHandle, JobStopper};
use crate::smoothed::{Request, Task};
use crate::stats::Counts;
use crate::{Error, ErrorKind, Result};

/// A task under way. Dropping it cancels it.
#[derive(Debug)]
pub struct Pending {
    job: JobHandle,
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
}

/// What came of a task: its counts, whole or not, and what they say.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The answer, or why there is none: the task was cancelled, or a run of the model failed.
    pub answer: Result<Answer>,
    /// Counts of the rows that answer; of those that were drawn, where the task was cut short.
    pub counts: Counts,
    /// Counts of the rows that selected the label, where one was selected.
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
    pub(super) fn new(job: JobHandle, task: Task, request: Request, elements: usize, key: u64) -> Self {
        Self { job, task, request, elements, key }
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
    pub fn rows_done(&self) -> u64 {
        self.job.rows_done()
    }

    /// Rows to be counted in all.
    pub fn rows_total(&self) -> u64 {
        self.job.stopper().rows_total()
    }

    /// Stops the task; [`Pending::wait`] then gives the counts so far and no answer.
    pub fn cancel(&self) {
        self.job.cancel();
    }

    /// Waits for the end.
    pub fn wait(self) -> Outcome {
        let Self { job, task, request, elements, key } = self;
        let drawn = job.wait();
        Outcome {
            answer: answer(&drawn, task, &request, elements),
            elapsed: drawn.elapsed,
            counts: drawn.counts,
            selection: drawn.pilot,
            request,
            key,
            task,
            elements,
        }
    }
}

fn answer(drawn: &Drawn, task: Task, request: &Request, elements: usize) -> Result<Answer> {
    if let Some(error) = &drawn.stopped {
        return Err(error.clone());
    }
    let Request { sigma, ref k, alpha, bound, .. } = *request;
    let label = match (task, &drawn.pilot) {
        (Task::Predict, _) => {
            let predictions =
                k.iter().map(|&k| certificate::predict(&drawn.counts, k, alpha)).collect::<Result<_>>()?;
            return Ok(Answer::Predictions(predictions));
        }
        (Task::Certify(label), _) => label,
        (Task::CertifySelected, Some(pilot)) => pilot.top(),
        (Task::CertifySelected, None) => return Err(Error::new(ErrorKind::Internal, "no rows selected a label")),
    };
    let slack = request.grid()?.radius_slack(elements);
    let certificates = k
        .iter()
        .map(|&k| Ok(certificate::certify(&drawn.counts, label, k, sigma, alpha, bound)?.shrunk_by(slack)))
        .collect::<Result<_>>()?;
    Ok(Answer::Certificates(certificates))
}
