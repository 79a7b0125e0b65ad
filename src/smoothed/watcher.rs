//! Judging a task's counts while its samples are drawn.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::origin::Origin;
use super::outcome::Answer;
use super::{Request, Task};
use crate::certificate::stop::{AnswerJudge, CertifyJudge, Decision, Look, PredictJudge, Statement, StopJudge, Terms};
use crate::certificate::{Certificate, Guarantee, Prediction};
use crate::counts::{Counts, Ending};
use crate::sampler::Watch;
use crate::stats::Tally;
use crate::{Error, ErrorKind, Result};

/// What the looks at a task's counts found, shared by the job that is drawing and by those who wait for it.
#[derive(Clone)]
pub(super) struct Judgement(Arc<Shared>);

struct Shared {
    request: Request,
    task: Task,
    classes: usize,
    origin: Origin,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    judge: Judge,
    /// The tally of the last look.
    seen: Option<Tally>,
    /// For each k, that of the look that decided it.
    decided: Vec<Option<Tally>>,
    /// How many looks there were.
    looks: u64,
    /// No further look will be taken.
    is_over: bool,
    /// The job has ended.
    has_ended: bool,
}

enum Judge {
    /// The samples that choose the label are still being drawn.
    Waiting,
    /// Of certificates of this label.
    Certify(usize, Box<CertifyJudge>),
    Predict(Box<PredictJudge>),
    Answer(Box<AnswerJudge>),
    Failed(Error),
}

impl Judge {
    fn judge(&mut self) -> Option<&mut dyn StopJudge> {
        match self {
            Self::Certify(_, judge) => Some(judge.as_mut()),
            Self::Predict(judge) => Some(judge.as_mut()),
            Self::Answer(judge) => Some(judge.as_mut()),
            Self::Waiting | Self::Failed(_) => None,
        }
    }
}

/// What a look found, from which its statements are made without the lock.
pub(super) struct Seen {
    /// Its number, from 1.
    pub look: u64,
    tally: Tally,
    decided: Vec<Option<Tally>>,
    decisions: Vec<Decision>,
    found: Found,
}

enum Found {
    Certificates(usize),
    Predictions(Vec<Prediction>),
    Guarantees,
}

/// What was judged by a look.
pub(super) struct Judged {
    pub answer: Answer,
    pub decisions: Vec<Decision>,
    /// For each k, the counts of an earlier look, where its part of the answer rests on those.
    pub earlier: Vec<Option<Counts>>,
    /// The counts that the answer rests on.
    pub counts: Counts,
}

impl std::fmt::Debug for Judgement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Judgement").finish_non_exhaustive()
    }
}

impl Judgement {
    /// A judgement of a checked request that stops by a rule.
    pub(super) fn new(request: &Request, task: Task, classes: usize, origin: &Origin) -> Result<Self> {
        let (judge, decided) = (Judge::Waiting, vec![None; request.k.len()]);
        let state = State { judge, seen: None, decided, looks: 0, is_over: false, has_ended: false };
        let (request, origin, state) = (request.clone(), origin.clone(), Mutex::new(state));
        let shared = Shared { request, task, classes, origin, state, changed: Condvar::new() };
        if shared.request.pilot_samples(task) == 0 {
            let judge = shared.judge_for(None)?;
            shared.lock().judge = judge;
        }
        Ok(Self(Arc::new(shared)))
    }

    /// What the looks say, once no further sample will be looked at: all of the request's statements, those not decided
    /// as undecided. `None` before the first look.
    pub(super) fn judged(&self, pilot: Option<&Counts>) -> Result<Option<Judged>> {
        let seen = {
            let mut state = self.0.lock();
            let State { judge, seen, .. } = &mut *state;
            if let (Some(judge), Some(seen)) = (judge.judge(), seen) {
                judge.close(seen)?;
            }
            state.seen()?
        };
        seen.map(|seen| self.0.state(seen, pilot)).transpose()
    }

    /// What the last look found, while samples go on. `None` before the first look.
    pub(super) fn seen(&self) -> Result<Option<Seen>> {
        self.0.lock().seen()
    }

    /// The statements of a look.
    pub(super) fn state(&self, seen: Seen, pilot: Option<&Counts>) -> Result<Judged> {
        self.0.state(seen, pilot)
    }

    /// Waits until there were more than `after` looks, or the job has ended, at most `timeout`. How many there were,
    /// and whether it has ended.
    pub(super) fn wait(&self, after: u64, timeout: Duration) -> (u64, bool) {
        // A moment beyond what the clock can hold never comes.
        let end = Instant::now().checked_add(timeout);
        let mut state = self.0.lock();
        // After the last look the end is near.
        while !state.has_ended && (state.looks <= after || state.is_over) {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            state = match left {
                None => self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => break,
                Some(left) => self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        (state.looks, state.has_ended)
    }

    /// Tells those who wait for a look that the job has ended.
    pub(super) fn end(&self) {
        self.0.lock().has_ended = true;
        self.0.changed.notify_all();
    }
}

/// The statement of the last look, or of the earlier one that decided where that has the larger radius. The statements
/// of all looks are true at once, so the largest may be taken: of several k one is often decided before the others.
fn larger<T>(
    last: &Counts,
    earlier: &mut Option<Counts>,
    state: impl Fn(&Counts) -> Result<T>,
    radius: impl Fn(&T) -> f64,
) -> Result<T> {
    let found = state(last)?;
    if let Some(look) = earlier {
        let decided = state(look)?;
        if radius(&found) < radius(&decided) {
            return Ok(decided);
        }
    }
    *earlier = None;
    Ok(found)
}

impl State {
    /// Looks at a tally. False when no further look is needed.
    fn look(&mut self, tally: &Tally) -> bool {
        self.seen = Some(tally.clone());
        self.is_over = true;
        let Some(judging) = self.judge.judge() else { return false };
        let look = judging.look(tally);
        for (decided, now) in self.decided.iter_mut().zip(judging.decisions()) {
            if now != Decision::Open && decided.is_none() {
                *decided = Some(tally.clone());
            }
        }
        match look {
            Ok(look) => {
                self.looks += 1;
                self.is_over = look == Look::Stop;
            }
            Err(error) => self.judge = Judge::Failed(error),
        }
        !self.is_over
    }

    /// What the last look found.
    fn seen(&mut self) -> Result<Option<Seen>> {
        let Some(tally) = self.seen.clone() else { return Ok(None) };
        let Some(judge) = self.judge.judge() else {
            return if let Judge::Failed(error) = &self.judge { Err(error.clone()) } else { Ok(None) };
        };
        let decisions = judge.decisions();
        let found = match &self.judge {
            Judge::Certify(label, _) => Found::Certificates(*label),
            Judge::Answer(_) => Found::Guarantees,
            Judge::Predict(judge) => {
                let none = || Error::new(ErrorKind::Internal, "a look gave no statement");
                let predictions = judge.verdicts().iter().map(|verdict| verdict.found.clone().ok_or_else(none));
                Found::Predictions(predictions.collect::<Result<_>>()?)
            }
            Judge::Waiting | Judge::Failed(_) => return Ok(None),
        };
        Ok(Some(Seen { look: self.looks, tally, decided: self.decided.clone(), decisions, found }))
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The statements of a look, whose counts share one memory with those of all other looks.
    fn state(&self, seen: Seen, pilot: Option<&Counts>) -> Result<Judged> {
        let Seen { tally, decided, decisions, found, .. } = seen;
        let before_last = |look: &Tally| look.n() < tally.n();
        let mut earlier: Vec<Option<Counts>> =
            decided.into_iter().map(|look| look.filter(before_last).map(|look| self.counts(look))).collect();
        let counts = self.counts(tally);
        let Self { request, origin, .. } = self;
        let answer = match found {
            Found::Certificates(label) => {
                let certify = |(&k, earlier): (&usize, &mut Option<Counts>)| {
                    let query = request.query(pilot, &origin.perturbation, label, k)?;
                    larger(&counts, earlier, |counts| counts.certify(&query), |found: &Certificate| found.radius)
                };
                Answer::Certificates(request.k.iter().zip(&mut earlier).map(certify).collect::<Result<_>>()?)
            }
            Found::Guarantees => {
                // By the radius that the rule is about.
                let guarantee = |(&k, earlier): (&usize, &mut Option<Counts>)| {
                    let at = |counts: &Counts| counts.guarantee(pilot, k, request.alpha);
                    larger(&counts, earlier, at, |found: &Guarantee| found.set.radius)
                };
                Answer::Guarantees(request.k.iter().zip(&mut earlier).map(guarantee).collect::<Result<_>>()?)
            }
            Found::Predictions(predictions) => Answer::Predictions(predictions),
        };
        // Not before: what a caller did with the counts of an earlier look is nothing to this statement.
        let earlier = earlier.into_iter().map(|look| look.map(|look| origin.handed_out(look))).collect();
        Ok(Judged { answer, decisions, earlier, counts: origin.handed_out(counts.seen()) })
    }

    /// Counts of the first samples, at a look.
    fn counts(&self, tally: Tally) -> Counts {
        let ending = Ending::Looks { rule: Some(self.request.rule), last: Some(self.request.n) };
        let samples = 0..tally.n();
        self.origin.counts(tally, samples, ending)
    }

    /// The judge, with the pilot's tally where there is one.
    fn judge_for(&self, pilot: Option<&Tally>) -> Result<Judge> {
        let Request { rule, ref k, n, alpha, family, .. } = self.request;
        let perturbation = &self.origin.perturbation;
        let cost = perturbation.radius_cost;
        let terms = Terms { rule, classes: self.classes, alpha: perturbation.alpha_left(alpha, n)?, n_max: n };
        let no_pilot = || Error::new(ErrorKind::Internal, "no pilot");
        let label = match self.task {
            Task::Predict => return Ok(Judge::Predict(Box::new(PredictJudge::new(&terms, k)?))),
            Task::CertifyAnswer => {
                let pilot = pilot.ok_or_else(no_pilot)?;
                return Ok(Judge::Answer(Box::new(AnswerJudge::new(&terms, pilot, k, family, cost)?)));
            }
            Task::Count => return Err(Error::argument("rule", "counts take a fixed n")),
            Task::Certify(label) => label,
            Task::CertifySelected => pilot.map(Tally::top).ok_or_else(no_pilot)?,
        };
        let pilot = pilot.map(|pilot| self.origin.pilot(pilot.clone(), pilot.n()));
        let statement =
            |&k| Ok(Statement { k, allocation: self.request.allocation_for(pilot.as_ref(), perturbation, label, k)? });
        let statements = k.iter().map(statement).collect::<Result<_>>()?;
        Ok(Judge::Certify(label, Box::new(CertifyJudge::new(&terms, label, family, cost, statements)?)))
    }
}

impl Watch for Judgement {
    fn pilot(&mut self, tally: &Tally) {
        let judge = self.0.judge_for(Some(tally)).unwrap_or_else(Judge::Failed);
        self.0.lock().judge = judge;
    }

    fn next_look(&mut self, samples: u64) -> u64 {
        // Without a judge the next look ends the job.
        self.0.lock().judge.judge().map_or(samples + 1, |judge| judge.next_look(samples))
    }

    fn look(&mut self, tally: &Tally) -> bool {
        let goes_on = self.0.lock().look(tally);
        self.0.changed.notify_all();
        goes_on
    }
}
