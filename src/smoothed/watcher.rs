//! Judging a task's counts while its rows are drawn.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Answer, Guarantee, Request, Task};
use crate::certificate::stop::{AnswerJudge, CertifyJudge, Decision, Look, PredictJudge, Statement, Terms, Verdict};
use crate::certificate::{Certificate, Inference, certify_with};
use crate::sampler::Watch;
use crate::stats::Counts;
use crate::{Error, ErrorKind, Result};

/// What the looks at a task's counts found, shared by the job that is drawing and by the one who waits for it.
#[derive(Clone)]
pub(super) struct Judgement(Arc<Mutex<State>>);

struct State {
    request: Request,
    task: Task,
    classes: usize,
    elements: usize,
    judge: Judge,
    /// The counts of the last look.
    seen: Option<Counts>,
    /// For each k, those of the look that decided it.
    decided: Vec<Option<Counts>>,
}

enum Judge {
    /// The rows that choose the label are still being drawn.
    Waiting,
    Certify(Box<CertifyJudge>),
    Predict(Box<PredictJudge>),
    /// With the counts of the rows that chose the labels.
    Answer(Box<AnswerJudge>, Counts),
    Failed(Error),
}

/// What was judged when the rows ended.
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
    pub(super) fn new(request: &Request, task: Task, classes: usize, elements: usize) -> Result<Self> {
        let (request, decided) = (request.clone(), vec![None; request.k.len()]);
        let mut state = State { request, task, classes, elements, judge: Judge::Waiting, seen: None, decided };
        if state.request.pilot_samples(task) == 0 {
            state.judge = state.judge_for(None)?;
        }
        Ok(Self(Arc::new(Mutex::new(state))))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the looks say, once no further row will be looked at: all of the request's statements, those not decided as
    /// undecided. `None` before the first look.
    pub(super) fn judged(&self) -> Result<Option<Judged>> {
        let mut state = self.lock();
        let Some(counts) = state.seen.clone() else { return Ok(None) };
        let none = || Error::new(ErrorKind::Internal, "a look gave no statement");
        let State { request, task, elements, judge, decided, .. } = &mut *state;
        let before_last = |look: &Option<Counts>| {
            look.clone().filter(|look| look.n() < counts.n()).map(|look| look.ended_by_rule(request.n))
        };
        let mut earlier: Vec<Option<Counts>> = decided.iter().map(before_last).collect();
        let (answer, decisions) = match judge {
            Judge::Failed(error) => return Err(error.clone()),
            Judge::Waiting => return Ok(None),
            Judge::Certify(judge) => {
                judge.close(&counts)?;
                let slack = request.noise()?.radius_slack(*elements);
                let larger = |(verdict, earlier): (&Verdict, &mut Option<Counts>)| {
                    let decided = verdict.certificate.clone().ok_or_else(none)?;
                    let last = at(&counts, &decided)?.shrunk_by(slack);
                    if last.radius < decided.radius {
                        return Ok(decided);
                    }
                    *earlier = None;
                    Ok(last)
                };
                let certificates = judge.verdicts().iter().zip(&mut earlier).map(larger).collect::<Result<_>>()?;
                (Answer::Certificates(certificates), judge.verdicts().iter().map(|verdict| verdict.decision).collect())
            }
            Judge::Answer(judge, pilot) => {
                judge.close(&counts)?;
                let (alpha, slack) = (request.alpha_left(*task, *elements)?, request.noise()?.radius_slack(*elements));
                let at = |counts: &Counts, k| {
                    Guarantee::with(counts, Some(&*pilot), k, request.sigma, alpha, slack, &Inference::ANYTIME)
                };
                // As above, by the radius that the rule is about.
                let larger = |(&k, earlier): (&usize, &mut Option<Counts>)| {
                    let last = at(&counts, k)?;
                    if let Some(look) = &*earlier {
                        let decided = at(look, k)?;
                        if last.set.radius < decided.set.radius {
                            return Ok(decided);
                        }
                    }
                    *earlier = None;
                    Ok(last)
                };
                let guarantees = request.k.iter().zip(&mut earlier).map(larger).collect::<Result<_>>()?;
                (Answer::Guarantees(guarantees), judge.verdicts().iter().map(|verdict| verdict.decision).collect())
            }
            Judge::Predict(judge) => {
                judge.close(&counts)?;
                let predictions = judge.verdicts().iter().map(|verdict| verdict.prediction.clone().ok_or_else(none));
                let answer = Answer::Predictions(predictions.collect::<Result<_>>()?);
                (answer, judge.verdicts().iter().map(|verdict| verdict.decision).collect())
            }
        };
        Ok(Some(Judged { answer, decisions, earlier, counts: counts.ended_by_rule(request.n) }))
    }
}

/// The same statement from other counts of the same rows. All looks' certificates are true at once, so the largest may be taken:
/// of several k one is often decided before the others.
fn at(counts: &Counts, certificate: &Certificate) -> Result<Certificate> {
    let Certificate { label, k, sigma, alpha, ref allocation, validity, .. } = *certificate;
    certify_with(counts, label, k, sigma, alpha, allocation, validity)
}

impl State {
    /// The judge, with the pilot's counts where there are any.
    fn judge_for(&self, pilot: Option<&Counts>) -> Result<Judge> {
        let Request { rule, ref k, n, sigma, .. } = self.request;
        let alpha = self.request.alpha_left(self.task, self.elements)?;
        let terms = Terms { rule, classes: self.classes, alpha, n_max: n };
        let label = match self.task {
            Task::Predict => return Ok(Judge::Predict(Box::new(PredictJudge::new(&terms, k)?))),
            Task::CertifyAnswer => {
                let pilot = pilot.ok_or_else(|| Error::new(ErrorKind::Internal, "no pilot"))?;
                let slack = self.request.noise()?.radius_slack(self.elements);
                let judge = AnswerJudge::new(&terms, pilot, k, sigma, slack)?;
                return Ok(Judge::Answer(Box::new(judge), pilot.clone()));
            }
            Task::Certify(label) => label,
            Task::CertifySelected => {
                pilot.map(Counts::top).ok_or_else(|| Error::new(ErrorKind::Internal, "no pilot"))?
            }
        };
        let statement = |&k| Ok(Statement { k, allocation: self.request.allocation(pilot, label, k, self.elements)? });
        let statements = k.iter().map(statement).collect::<Result<_>>()?;
        let slack = self.request.noise()?.radius_slack(self.elements);
        Ok(Judge::Certify(Box::new(CertifyJudge::new(&terms, label, sigma, slack, statements)?)))
    }
}

impl Watch for Judgement {
    fn pilot(&mut self, counts: &Counts) {
        let mut state = self.lock();
        state.judge = state.judge_for(Some(counts)).unwrap_or_else(Judge::Failed);
    }

    fn next_look(&mut self, rows: u64) -> u64 {
        match &self.lock().judge {
            Judge::Certify(judge) => judge.next_look(rows),
            Judge::Predict(judge) => judge.next_look(rows),
            Judge::Answer(judge, _) => judge.next_look(rows),
            // The next look ends the job.
            Judge::Waiting | Judge::Failed(_) => rows + 1,
        }
    }

    fn look(&mut self, counts: &Counts) -> bool {
        let mut state = self.lock();
        state.seen = Some(counts.clone());
        let look = match &mut state.judge {
            Judge::Certify(judge) => judge.look(counts),
            Judge::Predict(judge) => judge.look(counts),
            Judge::Answer(judge, _) => judge.look(counts),
            Judge::Waiting | Judge::Failed(_) => Ok(Look::Stop),
        };
        let now: Vec<Decision> = match &state.judge {
            Judge::Certify(judge) => judge.verdicts().iter().map(|verdict| verdict.decision).collect(),
            Judge::Predict(judge) => judge.verdicts().iter().map(|verdict| verdict.decision).collect(),
            Judge::Answer(judge, _) => judge.verdicts().iter().map(|verdict| verdict.decision).collect(),
            Judge::Waiting | Judge::Failed(_) => Vec::new(),
        };
        for (decided, now) in state.decided.iter_mut().zip(now) {
            if now != Decision::Open && decided.is_none() {
                *decided = Some(counts.clone());
            }
        }
        match look {
            Ok(look) => look == Look::GoOn,
            Err(error) => {
                state.judge = Judge::Failed(error);
                false
            }
        }
    }
}
