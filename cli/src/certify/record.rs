//! What the RUN keeps of one example.

use smoothtopk::certificate::Certificate;
use smoothtopk::certificate::stop::Decision;
use smoothtopk::smoothed::{self, Task};
use smoothtopk::stats::{Counts, Validity};
use smoothtopk::{Error, ErrorKind, Result};

use crate::run_dir::{Answer, Manifest, Outcome, Record, StopOfK};
use crate::sampling::Sampling;

pub fn record(sampling: &Sampling, manifest: &Manifest, idx: usize, outcome: smoothed::Outcome) -> Result<Record> {
    let ks = manifest.k.len();
    let mut record = Record {
        idx,
        label: sampling.data.label(idx),
        counted: None,
        counts: outcome.counts.labels().to_vec(),
        rows: outcome.counts.n(),
        outcomes: Vec::new(),
        stops: Vec::new(),
        answers: Vec::new(),
        time: outcome.elapsed,
    };
    match outcome.answer {
        Ok(smoothed::Answer::Certificates(certificates)) => {
            record.counted = certificates.first().map(|certificate| certificate.label);
            record.outcomes = certificates.iter().map(of_certificate).collect();
            if manifest.keeps_stops() {
                let ended = certificates.iter().zip(&outcome.decisions).zip(&outcome.earlier);
                record.stops =
                    ended.map(|((certificate, &decision), earlier)| stop(certificate, decision, earlier)).collect();
            }
        }
        Ok(smoothed::Answer::Guarantees(guarantees)) => {
            record.answers = guarantees.iter().map(Answer::from).collect();
            if manifest.keeps_stops() {
                let ended = outcome.decisions.iter().zip(&outcome.earlier);
                record.stops = ended.map(|(&decision, earlier)| unspent(decision, earlier.clone())).collect();
            }
        }
        Ok(smoothed::Answer::Predictions(_)) => {
            return Err(Error::new(ErrorKind::Internal, "a certificate was asked for and a prediction given"));
        }
        Err(error) if error.kind() == ErrorKind::DeadlineExceeded && manifest.keeps_stops() => {
            if let Task::Certify(label) = outcome.task {
                record.counted = Some(label);
            }
            record.stops = vec![unspent(Decision::Undecided, None); ks];
            if manifest.guarantee {
                record.answers = manifest.k.iter().map(|&k| Answer::none(k)).collect();
            } else {
                record.outcomes = vec![Outcome { certified: None }; ks];
            }
        }
        Err(error) => return Err(error),
    }
    Ok(record)
}

/// Where no alpha was spent on the bounds of one label: guarantees spend it in ways of their own, and nothing in time none.
fn unspent(decision: Decision, earlier: Option<Counts>) -> StopOfK {
    StopOfK { decision, allocation: None, earlier, uniform: None }
}

fn of_certificate(certificate: &Certificate) -> Outcome {
    Outcome { certified: certificate.certified().then_some((certificate.label, certificate.radius)) }
}

fn stop(certificate: &Certificate, decision: Decision, earlier: &Option<Counts>) -> StopOfK {
    let uniform = match certificate.validity {
        Validity::Randomized(uniform) => Some(uniform.value()),
        Validity::Fixed | Validity::Anytime | Validity::AnytimeTo(_) => None,
    };
    StopOfK { decision, allocation: Some(certificate.allocation.clone()), earlier: earlier.clone(), uniform }
}

impl Record {
    /// Whether something is certified for some k.
    pub fn certified(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.certified.is_some())
            || self.answers.iter().any(|answer| answer.set > 0.0)
    }

    /// Whether every k was decided before the rows ran out.
    pub fn decided(&self) -> bool {
        self.stops.iter().all(|stop| !matches!(stop.decision, Decision::Undecided | Decision::Open))
    }
}
