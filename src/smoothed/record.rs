//! An outcome as JSON, with all that is needed to check it again.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Answer, Guarantee, NoiseMode, Outcome, Task};
use crate::ErrorKind;
use crate::certificate::stop::Decision;
use crate::certificate::{Certificate, SetCertificate};
use crate::noise::{Noise, Source};
use crate::stats::{Counts, Validity};

/// What produced an outcome, apart from the request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Identity {
    /// SHA-256 of the model, in hex: [`crate::model::Model::sha256`].
    pub model_sha256: String,
    /// The execution provider, with its device.
    pub provider: String,
    /// The type in which the model takes its rows.
    pub precision: String,
    /// In what float32 is computed: [`crate::model::Model::arithmetic`].
    pub arithmetic: String,
    /// Why it ran on the processor and not by the provider asked for; none where that ran it.
    pub fallback: Option<String>,
    /// ONNX Runtime's version.
    pub onnxruntime_version: String,
}

impl Outcome {
    /// The outcome as a JSON object: the request with its seed and job key, what drew the rows, the counts, and what follows
    /// from them. Every number parses back to itself.
    ///
    /// `certificate::certify_with` on `counts` at `alpha_left`, with a certificate's `allocation` and the `validity` (randomized ones with its `uniform`), less
    /// `radius_slack`, gives its radius again where its `rows` are all of the counted ones; where they are fewer (one of several
    /// k, whose radius was larger at an earlier look), on the counts in `earlier`. The model, the input, the seed
    /// or the key of ChaCha12 and the job key give the counts again. So whoever reads a record knows the noise: keep it from
    /// adversaries as long as the seed or key is in use.
    pub fn to_json(&self, identity: &Identity) -> Value {
        let request = &self.request;
        let noise = request.noise().ok();
        let slack = noise.as_ref().map(|noise| noise.radius_slack(self.elements));
        let mut record = json!({
            "format": 1,
            "program": "smoothtopk",
            "program_version": crate::VERSION,
            "task": match self.task {
                Task::Predict => "predict",
                Task::CertifyAnswer => "certify_answer",
                Task::Certify(_) | Task::CertifySelected => "certify",
            },
            "sigma": request.sigma,
            "k": request.k,
            "n": request.n,
            "n0": request.pilot_samples(self.task),
            "alpha": request.alpha,
            "alpha_left": request.alpha_left(self.task, self.elements).ok(),
            "generator": noise.as_ref().map(|noise| noise.source().name()),
            "seed": request.generator.seed(),
            "chacha12_key": noise.as_ref().map(Noise::source).filter(|_| request.generator.seed().is_none()).map(Source::secret),
            "noise": noise.as_ref().map(Noise::name),
            "key": self.key,
            "input_max": request.input_max,
            "grid": noise.as_ref().map(|noise| noise.mode().step()),
            "levels": match request.noise { NoiseMode::Exact(grid) => Some(grid.levels()), NoiseMode::Grid => None },
            "rule": request.rule.to_string(),
            "validity": if request.randomized { "randomized".into() } else { request.validity().to_string() },
            "elements": self.elements,
            "classes": self.counts.classes(),
            "rows": self.counts.n(),
            "samples_drawn": self.rows,
            "cut": self.cut.as_ref().map(|error| status(error.kind())),
            "counts": self.counts.labels(),
            "seconds": self.elapsed.as_secs_f64(),
        });
        let more = match self.task {
            Task::Predict => json!({}),
            _ => json!({
                "bound": request.bound.to_string(),
                "radius_slack": slack,
                "label_source": match self.task {
                    Task::Certify(_) => "given",
                    Task::CertifyAnswer if request.n0 == 0 => "same counts",
                    _ => "selected",
                },
                "selection_samples": self.selection.as_ref().map(Counts::n),
                "selection": self.selection.as_ref().map(Counts::labels),
            }),
        };
        let answer = match &self.answer {
            Err(error) => json!({
                "status": status(error.kind()),
                "error": error.to_string(),
                // Of a label fixed beforehand it is known without an answer.
                "label": match self.task { Task::Certify(label) => Some(label), _ => None },
            }),
            Ok(Answer::Predictions(predictions)) => {
                let entry = |(prediction, decision): (&crate::certificate::Prediction, &Decision)| {
                    json!({
                        "k": prediction.top.len(),
                        "decision": decision.to_string(),
                        "labels": prediction.top,
                        "p_value": prediction.p_value,
                        "abstain": prediction.abstain,
                    })
                };
                json!({ "status": "OK", "predictions": predictions.iter().zip(&self.decisions).map(entry).collect::<Vec<_>>() })
            }
            Ok(Answer::Certificates(certificates)) => {
                let entry = |((certificate, decision), earlier): ((&Certificate, &Decision), &Option<Counts>)| {
                    json!({
                        "k": certificate.k,
                        "rows": certificate.n,
                        "earlier": of_look(earlier),
                        "decision": decision.to_string(),
                        "allocation": certificate.allocation.to_string(),
                        // As certify_with takes them, with the uniform of randomized bounds.
                        "validity": certificate.validity.to_string(),
                        "uniform": match certificate.validity {
                            Validity::Randomized(uniform) => Some(uniform.value()),
                            _ => None,
                        },
                        "radius": certificate.radius,
                        "certified": certificate.certified(),
                        "p_lower": certificate.p_lower.p,
                        "p_upper": certificate.p_upper.p,
                        "set_size": certificate.set_size,
                    })
                };
                json!({
                    "status": "OK",
                    "label": certificates.first().map(|certificate| certificate.label),
                    "certificates": certificates.iter().zip(&self.decisions).zip(&self.earlier).map(entry).collect::<Vec<_>>(),
                })
            }
            Ok(Answer::Guarantees(guarantees)) => {
                let guarantees = guarantees.iter().zip(&self.decisions).zip(&self.earlier).map(guarantee);
                json!({ "status": "OK", "guarantees": guarantees.collect::<Vec<_>>() })
            }
        };
        let identity = json!(identity);
        if let Value::Object(fields) = &mut record {
            for part in [identity, more, answer] {
                if let Value::Object(part) = part {
                    fields.extend(part);
                }
            }
        }
        record
    }
}

/// The counts of an earlier look, with the rows.
fn of_look(earlier: &Option<Counts>) -> Option<Value> {
    earlier.as_ref().map(|counts| json!([counts.n(), counts.labels()]))
}

fn guarantee(((guarantee, decision), earlier): ((&Guarantee, &Decision), &Option<Counts>)) -> Value {
    let radius = |kept: &Option<SetCertificate>| kept.as_ref().map(|kept| kept.radius);
    json!({
        "k": guarantee.labels().len(),
        "rows": guarantee.set.n,
        "earlier": of_look(earlier),
        "decision": decision.to_string(),
        "labels": guarantee.labels(),
        "label_radii": guarantee.each.labels.iter().map(|label| label.radius).collect::<Vec<_>>(),
        "set_radius": guarantee.set.radius,
        // null: that many stay under any perturbation.
        "kept_radii": guarantee.kept.iter().map(radius).collect::<Vec<_>>(),
        "first_radius": guarantee.first.radius,
        "ranking_radius": guarantee.ranking.radius,
    })
}

fn status(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidArgument => "INVALID_ARGUMENT",
        ErrorKind::InvalidData => "INVALID_DATA",
        ErrorKind::NotFound => "NOT_FOUND",
        ErrorKind::Io => "IO",
        ErrorKind::Model => "MODEL",
        ErrorKind::Runtime => "RUNTIME",
        ErrorKind::Provider => "PROVIDER",
        ErrorKind::Run => "RUN",
        ErrorKind::Cancelled => "CANCELLED",
        ErrorKind::DeadlineExceeded => "DEADLINE_EXCEEDED",
        ErrorKind::Internal => "INTERNAL",
    }
}
