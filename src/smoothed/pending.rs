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
use crate::sampler::{Drawn, JobHandle, JobStopper};
use crate::{Error, ErrorKind, Result};

/// What a look at a task's samples found.
#[derive(Clone, Debug)]
pub struct Interim {
    /// The number of the look, from 1; [`Interim::FINAL`] of what came of the task in the end.
    pub look: u64,
    /// What it says. A k that is not decided yet has the decision [`Decision::Open`].
    pub outcome: Outcome,
}

impl Interim {
    /// After all looks: what came of the task.
    pub const FINAL: u64 = u64::MAX;
}

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
        self.origin.handed_out(self.origin.counts(self.job.tally(), self.samples(), Ending::CutShort))
    }

    /// The interim answer: that of the last look that the rule took at the samples, where that is a look after the one
    /// of number `after`; 0 for any. Waits for one, at most `timeout`; `None` where none came. When the task has ended
    /// it is the task's outcome, as a look of the number [`Interim::FINAL`]; a look that was not asked for before comes
    /// first where that outcome has no answer.
    ///
    /// Its bounds hold at all looks at once, so each interim answer is as sound as the final one, whenever it is read,
    /// and all of them are true together with probability at least 1 - alpha: a caller may stop because of one. Its
    /// counts are those of the look.
    ///
    /// # Errors
    /// `InvalidArgument` where there is no rule, so that no look is taken: the bounds of a fixed number of samples hold
    /// at that number alone. `Forked` in a forked process. What made a look fail.
    pub fn latest(&self, after: u64, timeout: Duration) -> Result<Option<Interim>> {
        self.job.stopper().check_process()?;
        let judgement = self.judgement.as_ref().ok_or_else(|| no_looks(&self.request))?;
        let (looks, has_ended) = judgement.wait(after, timeout);
        let end = has_ended.then(|| self.outcome()).flatten().filter(|_| after < Interim::FINAL);
        let end = end.map(|outcome| Interim { look: Interim::FINAL, outcome: outcome.clone() });
        if looks <= after || end.as_ref().is_some_and(|end| end.outcome.answer.is_ok()) {
            return Ok(end);
        }
        let seen = match judgement.seen() {
            Ok(Some(seen)) => seen,
            // The end says why a look failed.
            Ok(None) | Err(_) if has_ended => return Ok(end),
            nothing => return nothing.map(|_| None),
        };
        // After the look, so that its samples are among those drawn.
        let drawn = self.job.drawn();
        let (look, pilot) = (seen.look, self.pilot(&drawn));
        let judged = judgement.state(seen, pilot.as_ref())?;
        Ok(Some(Interim { look, outcome: self.outcome_of(drawn, pilot, Ok(judged)) }))
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
        let drawn = self.job.drawn();
        let pilot = self.pilot(&drawn);
        let judged = match (&self.judgement, &drawn.stopped) {
            (Some(judgement), stopped) => by_rule(judgement, stopped.as_ref(), pilot.as_ref()),
            (None, Some(error)) => Err(error.clone()),
            (None, None) => {
                let counts = self.counts_of(&drawn);
                // A part of the samples gives no answer.
                counts.validity().and_then(|_| fixed(counts, pilot.as_ref(), self.task, &self.request))
            }
        };
        if let Ok(Judged { answer, .. }) = &judged {
            self.statements.count(answer);
        }
        self.outcome_of(drawn, pilot, judged)
    }

    fn outcome_of(&self, drawn: Drawn, pilot: Option<Counts>, judged: Result<Judged>) -> Outcome {
        let (answer, decisions, earlier, counts) = match judged {
            Ok(Judged { answer, decisions, earlier, counts }) => (Ok(answer), decisions, earlier, counts),
            Err(error) => (Err(error), Vec::new(), Vec::new(), self.counts_of(&drawn)),
        };
        Outcome {
            answer,
            decisions,
            earlier,
            early_stop: drawn.stopped,
            counts: self.origin.handed_out(counts),
            samples_drawn: drawn.tally.n(),
            elapsed: drawn.elapsed,
            selection: pilot,
            request: self.request.clone(),
            stream: self.stream,
            task: self.task,
        }
    }

    /// Counts of what was drawn. Under a rule, only counts of whole looks are more than cut short.
    fn counts_of(&self, drawn: &Drawn) -> Counts {
        let ending = match (&self.judgement, &drawn.stopped, &self.part) {
            (None, None, None) => Ending::Fixed,
            (None, None, Some(_)) => Ending::Part { of: self.request.n },
            _ => Ending::CutShort,
        };
        let counts = self.origin.counts(drawn.tally.clone(), self.samples(), ending);
        if ending == Ending::Fixed { counts.with_votes(drawn.votes.clone()) } else { counts }
    }

    /// Counts of the pilot's samples, where there are any. Whoever adds samples to them may do so for what they chose.
    fn pilot(&self, drawn: &Drawn) -> Option<Counts> {
        let pilot = self.origin.pilot(drawn.pilot.clone()?, self.request.pilot_samples(self.task));
        pilot.choose();
        Some(pilot)
    }
}

/// Why there is no interim answer.
fn no_looks(request: &Request) -> Error {
    let message = match request.family.is_enumerated() {
        true => "all rows are classified, and certify together or not at all: there is no interim answer",
        false => {
            "is fixed, which has no interim answer: its bounds hold for all n samples and for no fewer; give a rule \
             (radius:R, steps:E, tolerance:E, predict), whose bounds hold at each of its looks"
        }
    };
    Error::argument("rule", message)
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
        (Task::Count, _) => Answer::Counted,
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
