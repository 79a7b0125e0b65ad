//! An outcome as JSON, with all that is needed to check it again.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Answer, Outcome, Task};
use crate::ErrorKind;
use crate::stats::Counts;

/// What produced an outcome, apart from the request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Identity {
    /// SHA-256 of the model, in hex: [`crate::model::Model::sha256`].
    pub model_sha256: String,
    /// The execution provider, with its device.
    pub provider: String,
    /// The type in which the model takes its rows.
    pub precision: String,
    /// ONNX Runtime's version.
    pub onnxruntime_version: String,
}

impl Outcome {
    /// The outcome as a JSON object: the request with its seed and job key, what drew the rows, the counts, and what follows
    /// from them. Every number parses back to itself. `certificate::certify` on `counts`, less `radius_slack`, gives the radii
    /// again; the model, the input, the seed and the key give the counts again.
    pub fn to_json(&self, identity: &Identity) -> Value {
        let request = &self.request;
        let slack = request.grid().map(|grid| grid.radius_slack(self.elements)).ok();
        let mut record = json!({
            "format": 1,
            "program": "smoothtopk",
            "program_version": env!("CARGO_PKG_VERSION"),
            "task": if self.task == Task::Predict { "predict" } else { "certify" },
            "sigma": request.sigma,
            "k": request.k,
            "n": request.n,
            "n0": if self.task == Task::CertifySelected { request.n0 } else { 0 },
            "alpha": request.alpha,
            "seed": request.seed,
            "key": self.key,
            "input_max": request.input_max,
            "grid": request.grid().map(|grid| f64::from(grid.step())).ok(),
            "elements": self.elements,
            "classes": self.counts.classes(),
            "rows": self.counts.n(),
            "counts": self.counts.labels(),
            "seconds": self.elapsed.as_secs_f64(),
        });
        let more = match self.task {
            Task::Predict => json!({}),
            _ => json!({
                "bound": request.bound.to_string(),
                "radius_slack": slack,
                "label_source": if self.task == Task::CertifySelected { "selected" } else { "given" },
                "selection_rows": self.selection.as_ref().map(Counts::n),
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
                let entry = |prediction: &crate::certificate::Prediction| {
                    json!({
                        "k": prediction.top.len(),
                        "labels": prediction.top,
                        "p_value": prediction.p_value,
                        "abstain": prediction.abstain,
                    })
                };
                json!({ "status": "OK", "predictions": predictions.iter().map(entry).collect::<Vec<_>>() })
            }
            Ok(Answer::Certificates(certificates)) => {
                let entry = |certificate: &crate::certificate::Certificate| {
                    json!({
                        "k": certificate.k,
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
                    "certificates": certificates.iter().map(entry).collect::<Vec<_>>(),
                })
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
