//! A task under way.

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::origin::Origin;
use super::outcome::{Answer, Outcome};
use super::stats::Statements;
use super::watcher::{Judged, Judgement};
use super::{Request, Task};
use crate::certificate::stop::Decision;
use crate::counts::{Counts, Ending};
use crate::sampler::{JobHandle, JobStopper};
use crate::{Error, ErrorKind, Result};

/// A task under way. Dropping it cancels it.
#[derive(Debug)]
pub struct Pending {
    pub(super) job: JobHandle,
    pub(super) judgement: Option<Judgement>,
    pub(super) task: Task,
    pub(super) request: Request,
    pub(super) origin: Origin,
    pub(super) stream: u64,
    /// The samples that are drawn, where these are not all.
    pub(super) part: Option<Range<u64>>,
    pub(super) statements: Arc<Statements>,
    pub(super) outcome: OnceLock<Outcome>,
}

impl Pending {
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

    /// Samples counted so far.
    pub fn samples_done(&self) -> u64 {
        self.job.samples_done()
    }

    /// Samples to be counted in all.
    pub fn samples_total(&self) -> u64 {
        self.job.stopper().samples_total()
    }

    /// Stops the task; [`Pending::wait`] then gives the counts so far and no answer.
    pub fn cancel(&self) {
        self.job.cancel();
    }

    /// Counts of the samples so far, for people to read: cut short, they certify nothing.
    pub fn counts(&self) -> Counts {
        self.origin.counts(self.job.tally(), self.samples(), Ending::CutShort)
    }

    /// What came of it, once it has ended.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.is_finished().then(|| self.outcome.get_or_init(|| self.conclude()))
    }

    /// Waits for the end.
    pub fn wait(mut self) -> Outcome {
        self.job.wait_end();
        self.outcome.take().unwrap_or_else(|| self.conclude())
    }

    fn samples(&self) -> Range<u64> {
        self.part.clone().unwrap_or(0..self.request.n)
    }

    /// What came of it, once the job has ended.
    fn conclude(&self) -> Outcome {
        let Self { job, judgement, task, request, origin, stream, statements, .. } = self;
        let (task, stream) = (*task, *stream);
        let drawn = job.drawn();
        let samples_drawn = drawn.tally.n();
        let pilot = drawn.pilot.map(|pilot| origin.pilot(pilot, request.pilot_samples(task)));
        let ending = match (&drawn.stopped, &self.part) {
            (Some(_), _) => Ending::CutShort,
            (None, Some(_)) => Ending::Part { of: request.n },
            (None, None) => Ending::Fixed,
        };
        // Whoever adds samples to the pilot may do so for what it chose.
        pilot.iter().for_each(Counts::choose);
        // Under a rule, only counts of whole looks are more than cut short.
        let counts = match judgement {
            Some(_) => origin.counts(drawn.tally, 0..request.n, Ending::CutShort),
            None => origin.counts(drawn.tally, self.samples(), ending).with_votes(drawn.votes),
        };
        let judged = match (judgement, &drawn.stopped) {
            (Some(judgement), stopped) => by_rule(judgement, stopped.as_ref(), pilot.as_ref()),
            (None, Some(error)) => Err(error.clone()),
            // A part of them gives none.
            (None, None) => counts.validity().and_then(|_| fixed(counts.clone(), pilot.as_ref(), task, request)),
        };
        let (answer, decisions, earlier, counts) = match judged {
            Ok(Judged { answer, decisions, earlier, counts }) => {
                statements.count(&answer);
                (Ok(answer), decisions, earlier, counts)
            }
            Err(error) => (Err(error), Vec::new(), Vec::new(), counts),
        };
        Outcome {
            answer,
            decisions,
            earlier,
            early_stop: drawn.stopped,
            counts,
            samples_drawn,
            elapsed: drawn.elapsed,
            selection: pilot,
            request: request.clone(),
            stream,
            task,
        }
    }
}

/// The answer that the looks gave; of the last look, where the task was late.
fn by_rule(judgement: &Judgement, stopped: Option<&Error>, pilot: Option<&Counts>) -> Result<Judged> {
    match stopped {
        Some(error) if error.kind() != ErrorKind::DeadlineExceeded => Err(error.clone()),
        late => match judgement.judged(pilot)? {
            Some(judged) => Ok(judged),
            None => Err(late.cloned().unwrap_or_else(|| Error::new(ErrorKind::Internal, "no look was taken"))),
        },
    }
}

/// The answer of all samples asked for.
pub(super) fn fixed(counts: Counts, pilot: Option<&Counts>, task: Task, request: &Request) -> Result<Judged> {
    let (ks, alpha, perturbation) = (&request.k, request.alpha, counts.perturbation());
    let certify = |label: usize| {
        let certificate = |&k| counts.certify(&request.query(pilot, perturbation, label, k)?);
        ks.iter().map(certificate).collect::<Result<_>>().map(Answer::Certificates)
    };
    let answer = match (task, pilot) {
        (Task::Predict, _) => Answer::Predictions(ks.iter().map(|&k| counts.predict(k, alpha)).collect::<Result<_>>()?),
        (Task::CertifyAnswer, _) => {
            Answer::Guarantees(ks.iter().map(|&k| counts.guarantee(pilot, k, alpha)).collect::<Result<_>>()?)
        }
        (Task::Certify(label), _) => certify(label)?,
        (Task::CertifySelected, Some(pilot)) => certify(pilot.top())?,
        // Of all rows the label is no choice by chance.
        (Task::CertifySelected, None) if perturbation.noise.is_enumerated() => certify(counts.top())?,
        (Task::CertifySelected, None) => return Err(Error::new(ErrorKind::Internal, "no samples selected a label")),
    };
    let decisions = vec![Decision::Complete; ks.len()];
    let earlier = vec![None; ks.len()];
    Ok(Judged { answer, decisions, earlier, counts })
}
