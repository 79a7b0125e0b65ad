//! The record of one input.

use serde::{Deserialize, Serialize};

use super::answer::{CertificateRecord, GuaranteeRecord, LabelSetRecord, PredictionRecord};
use super::identity::Identity;
use super::status::status_name;
use crate::certificate::LabelSetCertificate;
use crate::counts::{Counts, CountsForm};
use crate::smoothed::{Answer, Outcome, Request, Task};
use crate::{Error, Result};

const FORMAT: &str = "smoothtopk-record";
/// The version that is written.
const VERSION: &str = "1.0";
/// The major version; a reader refuses another.
const MAJOR: &str = "1";

/// What came of one input, with all that is needed to check it again: the counts can be certified again anywhere. A
/// field that this version does not know is refused: it may say what the samples do not prove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// `smoothtopk-record`.
    pub format: String,
    /// The version of this form.
    pub version: String,
    /// The version of smoothtopk that wrote it.
    pub program_version: String,
    /// In a RUN: the example's index in the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// In a RUN: the label that the data gives the example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_label: Option<usize>,
    /// In a RUN of a folder of images: the example's file, as `CLASS/file` or `file`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// `predict`, `certify`, `certify_answer` or `count`.
    pub task: String,
    /// `OK`, or why there is no answer.
    pub status: String,
    /// Why there is no answer, in words.
    pub error: Option<String>,
    /// What was asked.
    pub request: Asked,
    /// The label that is certified, where it is known; of a prediction or an answer the first one.
    pub label: Option<usize>,
    /// Where the label, or the labels of an answer, come from.
    pub label_source: LabelSource,
    /// For each k, where a top set was predicted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predictions: Vec<PredictionRecord>,
    /// For each k, where a label was certified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateRecord>,
    /// For each k, where a set of true labels was certified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub label_sets: Vec<LabelSetRecord>,
    /// For each k, where an answer was certified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guarantees: Vec<GuaranteeRecord>,
    /// The samples that the answer rests on; of those that were drawn, where there is no answer.
    pub counts: CountsForm,
    /// The samples that selected a label, or how alpha is split.
    pub selection: Option<CountsForm>,
    /// Samples drawn, those after the last look among them; not those that select.
    pub samples_drawn: u64,
    /// The status that ended the samples before the rule was done with them; null where none did.
    pub early_stop: Option<String>,
    /// From the first sample to the last.
    pub seconds: f64,
    /// The model, and what ran it; null where that is not known.
    pub model: Option<Identity>,
}

/// A request, without its seed or key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The noise with its parameter.
    pub noise: String,
    /// The norm of perturbations, and so of radii: `l2`, `l1`, `l0`, `patch`.
    pub norm: String,
    /// The k of top-k.
    pub k: Vec<usize>,
    /// The samples that answer; the most of them, where the rule may stop before.
    pub n: u64,
    /// The samples that select; 0 where none do.
    pub n0: u64,
    /// The failure probability of each statement.
    pub alpha: f64,
    /// When samples are enough.
    pub rule: String,
    /// How alpha was to be split.
    pub allocation: String,
    /// Whether bounds were to be randomized.
    pub randomized: bool,
    /// The largest |x| that the grid carries exactly.
    pub input_max: f64,
}

/// Where certified labels come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelSource {
    /// Given beforehand.
    Given,
    /// Chosen by n0 separate samples.
    Selected,
    /// Chosen by the very samples that answer.
    SameCounts,
}

impl Asked {
    /// What a request asks of a task.
    pub fn of(request: &Request, task: Task) -> Self {
        Self {
            noise: request.family.to_string(),
            norm: request.family.norm().to_string(),
            k: request.k.clone(),
            n: request.n,
            n0: request.pilot_samples(task),
            alpha: request.alpha,
            rule: request.rule.to_string(),
            allocation: request.allocation.to_string(),
            randomized: request.randomized,
            input_max: request.input_max,
        }
    }
}

impl Record {
    /// The record of an outcome. With `secrets` the counts hold the seed or key: whoever reads it knows the noise.
    pub fn of(outcome: &Outcome, model: Option<&Identity>, secrets: bool) -> Self {
        let form = |counts: &Counts| counts.form(secrets);
        let mut record = Self {
            format: FORMAT.into(),
            version: VERSION.into(),
            program_version: crate::VERSION.into(),
            index: None,
            true_label: None,
            file: None,
            task: outcome.task.name().into(),
            status: match &outcome.answer {
                Ok(_) => "OK",
                Err(_) if outcome.is_part() => "PART",
                Err(error) => status_name(error.kind()),
            }
            .into(),
            error: outcome.answer.as_ref().err().map(ToString::to_string),
            request: Asked::of(&outcome.request, outcome.task),
            label: if let Task::Certify(label) = outcome.task { Some(label) } else { None },
            label_source: match outcome.task {
                Task::Certify(_) | Task::Count => LabelSource::Given,
                Task::CertifyAnswer if outcome.request.n0 > 0 => LabelSource::Selected,
                Task::CertifySelected if !outcome.request.family.is_enumerated() => LabelSource::Selected,
                Task::CertifySelected | Task::CertifyAnswer | Task::Predict => LabelSource::SameCounts,
            },
            predictions: Vec::new(),
            certificates: Vec::new(),
            label_sets: Vec::new(),
            guarantees: Vec::new(),
            counts: form(&outcome.counts),
            selection: outcome.selection.as_ref().map(form),
            samples_drawn: outcome.samples_drawn,
            early_stop: outcome.early_stop.as_ref().map(|error| status_name(error.kind()).into()),
            seconds: outcome.elapsed.as_secs_f64(),
            model: model.cloned(),
        };
        let elements = outcome.counts.perturbation().elements;
        let each = || outcome.decisions.iter().copied().zip(outcome.earlier.iter().map(Option::as_ref));
        match &outcome.answer {
            Ok(Answer::Counted) | Err(_) => {}
            Ok(Answer::Predictions(list)) => {
                record.label = list.first().and_then(|found| found.top.first().copied());
                let found = list.iter().zip(each());
                record.predictions =
                    found.map(|(found, (decision, _))| PredictionRecord::of(found, decision)).collect();
            }
            Ok(Answer::Certificates(list)) => {
                record.label = list.first().map(|found| found.label);
                let found = list.iter().zip(each());
                let of =
                    |(found, (decision, earlier))| CertificateRecord::of(found, decision, earlier, elements, secrets);
                record.certificates = found.map(of).collect();
            }
            Ok(Answer::Guarantees(list)) => {
                record.label = list.first().and_then(|found| found.labels().first().copied());
                let found = list.iter().zip(each());
                let of =
                    |(found, (decision, earlier))| GuaranteeRecord::of(found, decision, earlier, elements, secrets);
                record.guarantees = found.map(of).collect();
            }
        }
        record
    }

    /// Adds a certificate of a set of true labels, made of the record's counts.
    pub fn add_label_set(&mut self, found: &LabelSetCertificate) {
        self.label_sets.push(LabelSetRecord::of(found));
    }

    /// One line of JSON. Every number parses back to itself.
    pub fn to_json(&self) -> String {
        // Plain strings, numbers and lists always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The record that was written so.
    ///
    /// # Errors
    /// `InvalidData` when the text is not JSON of this form, or has a field that this version does not know; the
    /// message names the field.
    pub fn from_json(text: &str) -> Result<Self> {
        let record: Self = serde_json::from_str(text).map_err(|error| {
            let at = field_before(text, error.column()).map_or_else(String::new, |field| format!(" (at \"{field}\")"));
            let error = error.to_string().replace(" at line 1 column ", " at column ");
            Error::data("record", format!("is not JSON of {FORMAT} {VERSION}: {error}{at}"))
        })?;
        if record.format != FORMAT || record.version.split('.').next() != Some(MAJOR) {
            let message = format!("is {:?} {}: this version reads {FORMAT} {MAJOR}", record.format, record.version);
            return Err(Error::data("record", message));
        }
        Ok(record)
    }

    /// The counts that the i-th k of the answer rests on.
    ///
    /// # Errors
    /// `InvalidData` when they are damaged.
    pub fn counts_of(&self, i: usize) -> Result<Counts> {
        let of_certificate = self.certificates.get(i).and_then(|found| found.counts.as_ref());
        let of_guarantee = self.guarantees.get(i).and_then(|found| found.counts.as_ref());
        of_certificate.or(of_guarantee).unwrap_or(&self.counts).clone().try_into()
    }
}

/// The name of the last field that begins before a column of a line of JSON.
fn field_before(text: &str, column: usize) -> Option<&str> {
    let before = text.get(..column.min(text.len()))?;
    before[..before.rfind("\":")?].rsplit('"').next()
}
