//! Judging a task's counts while its samples are drawn.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::origin::Origin;
use super::outcome::Answer;
use super::{Request, Task};
use crate::certificate::stop::{AnswerJudge, CertifyJudge, Decision, Look, PredictJudge, Statement, StopJudge, Terms};
use crate::certificate::{Certificate, Guarantee};
use crate::counts::{Counts, Ending};
use crate::sampler::Watch;
use crate::stats::Tally;
use crate::{Error, ErrorKind, Result};

/// What the looks at a task's counts found, shared by the job that is drawing and by the one who waits for it.
#[derive(Clone)]
pub(super) struct Judgement(Arc<Mutex<State>>);

struct State {
    request: Request,
    task: Task,
    classes: usize,
    origin: Origin,
    judge: Judge,
    /// The tally of the last look.
    seen: Option<Tally>,
    /// For each k, that of the look that decided it.
    decided: Vec<Option<Tally>>,
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

/// What was judged when the samples ended.
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
        let (request, decided, origin) = (request.clone(), vec![None; request.k.len()], origin.clone());
        let mut state = State { request, task, classes, origin, judge: Judge::Waiting, seen: None, decided };
        if state.request.pilot_samples(task) == 0 {
            state.judge = state.judge_for(None)?;
        }
        Ok(Self(Arc::new(Mutex::new(state))))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the looks say, once no further sample will be looked at: all of the request's statements, those not decided
    /// as undecided. `None` before the first look.
    pub(super) fn judged(&self, pilot: Option<&Counts>) -> Result<Option<Judged>> {
        let mut state = self.lock();
        let Some(seen) = state.seen.clone() else { return Ok(None) };
        let counts = state.counts(seen.clone());
        let before_last = |look: &Option<Tally>| look.clone().filter(|look| look.n() < seen.n());
        let mut earlier: Vec<Option<Counts>> =
            state.decided.iter().map(|look| before_last(look).map(|look| state.counts(look))).collect();
        let State { request, origin, judge, .. } = &mut *state;
        let Some(closed) = judge.judge() else {
            return if let Judge::Failed(error) = judge { Err(error.clone()) } else { Ok(None) };
        };
        closed.close(&seen)?;
        let decisions = closed.decisions();
        let answer = match judge {
            Judge::Certify(label, _) => {
                let certify = |(&k, earlier): (&usize, &mut Option<Counts>)| {
                    let query = request.query(pilot, &origin.perturbation, *label, k)?;
                    larger(&counts, earlier, |counts| counts.certify(&query), |found: &Certificate| found.radius)
                };
                Answer::Certificates(request.k.iter().zip(&mut earlier).map(certify).collect::<Result<_>>()?)
            }
            Judge::Answer(_) => {
                // By the radius that the rule is about.
                let guarantee = |(&k, earlier): (&usize, &mut Option<Counts>)| {
                    let at = |counts: &Counts| counts.guarantee(pilot, k, request.alpha);
                    larger(&counts, earlier, at, |found: &Guarantee| found.set.radius)
                };
                Answer::Guarantees(request.k.iter().zip(&mut earlier).map(guarantee).collect::<Result<_>>()?)
            }
            Judge::Predict(judge) => {
                let none = || Error::new(ErrorKind::Internal, "a look gave no statement");
                let predictions = judge.verdicts().iter().map(|verdict| verdict.found.clone().ok_or_else(none));
                Answer::Predictions(predictions.collect::<Result<_>>()?)
            }
            Judge::Waiting | Judge::Failed(_) => return Ok(None),
        };
        Ok(Some(Judged { answer, decisions, earlier, counts: counts.seen() }))
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
        let mut state = self.lock();
        state.judge = state.judge_for(Some(tally)).unwrap_or_else(Judge::Failed);
    }

    fn next_look(&mut self, samples: u64) -> u64 {
        // Without a judge the next look ends the job.
        self.lock().judge.judge().map_or(samples + 1, |judge| judge.next_look(samples))
    }

    fn look(&mut self, tally: &Tally) -> bool {
        let mut state = self.lock();
        state.seen = Some(tally.clone());
        let State { judge, decided, .. } = &mut *state;
        let Some(judging) = judge.judge() else { return false };
        let look = judging.look(tally);
        for (decided, now) in decided.iter_mut().zip(judging.decisions()) {
            if now != Decision::Open && decided.is_none() {
                *decided = Some(tally.clone());
            }
        }
        match look {
            Ok(look) => look == Look::GoOn,
            Err(error) => {
                *judge = Judge::Failed(error);
                false
            }
        }
    }
}
