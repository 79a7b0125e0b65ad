//! The serialized form of counts: docs/record.md has its schema.

use serde::{Deserialize, Serialize};

use super::{Counts, Draw, Draws, Ending, Perturbation, Subject};
use crate::model::NO_LABEL;
use crate::stats::Tally;
use crate::{Error, Result};

/// The major version of the form; a reader refuses another.
const MAJOR: &str = "1";
/// The version that is written.
const VERSION: &str = "1.0";
const FORMAT: &str = "smoothtopk-counts";

/// Counts as they are written. A field that this version does not know is refused: it may say what the samples do not
/// prove.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountsForm {
    format: String,
    version: String,
    labels: Vec<u64>,
    n: u64,
    /// The most labels of a sample, where samples are given sets of labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base_k: Option<usize>,
    /// Of such counts the invalid samples, which the others do not show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invalid: Option<u64>,
    perturbation: Perturbation,
    ending: Ending,
    seen: bool,
    chose: bool,
    draws: Vec<Draw>,
    subject: Subject,
    /// Of windows the label of each place, row by row; null where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    votes: Option<Vec<Option<u32>>>,
}

impl Counts {
    /// The counts as JSON, with a digest in the place of the seed or key: for showing to others.
    pub fn to_json(&self) -> String {
        self.to_text(false)
    }

    /// The counts as JSON, with the seed or key: whoever reads it knows the noise. With it the samples can be drawn
    /// again.
    pub fn to_json_with_secret(&self) -> String {
        self.to_text(true)
    }

    /// The counts that were written so.
    ///
    /// # Errors
    /// `InvalidData` when the text is not JSON of this form, has a field that this version does not know, or
    /// contradicts itself.
    pub fn from_json(text: &str) -> Result<Self> {
        let form: CountsForm = serde_json::from_str(text).map_err(|error| {
            let hint = if error.to_string().contains("unknown field") {
                " (a newer version of smoothtopk may have written it: read it with that version)"
            } else {
                ""
            };
            Error::data("counts", format!("are not JSON of {FORMAT} {VERSION}: {error}{hint}"))
        })?;
        form.try_into()
    }

    fn to_text(&self, secrets: bool) -> String {
        // Plain strings, numbers and lists always serialize.
        serde_json::to_string(&self.form(secrets)).unwrap_or_default()
    }

    /// The form, for a record that holds it; with the seed or key where `secrets` says so.
    pub fn form(&self, secrets: bool) -> CountsForm {
        CountsForm {
            format: FORMAT.into(),
            version: VERSION.into(),
            labels: self.labels().to_vec(),
            n: self.n(),
            base_k: self.base_k(),
            invalid: self.base_k().map(|_| self.invalid()),
            perturbation: self.perturbation().clone(),
            ending: self.ending(),
            seen: self.is_seen(),
            chose: self.has_chosen(),
            draws: self.draws().list(secrets),
            subject: self.subject().clone(),
            votes: self.votes().map(|votes| {
                let vote = |&vote: &u32| Some(vote).filter(|&vote| (vote as usize) < self.classes());
                votes.iter().map(vote).collect()
            }),
        }
    }
}

impl TryFrom<CountsForm> for Counts {
    type Error = Error;

    fn try_from(form: CountsForm) -> Result<Self> {
        let CountsForm {
            format,
            version,
            labels,
            n,
            base_k,
            invalid,
            perturbation,
            ending,
            seen,
            chose,
            draws,
            subject,
            votes,
        } = form;
        if format != FORMAT || version.split('.').next() != Some(MAJOR) {
            let message = format!("are \"{format}\" {version}: this version reads {FORMAT} {MAJOR}");
            return Err(Error::data("counts", message));
        }
        perturbation.check()?;
        let draws = Draws::try_from(draws)?;
        let has_none = perturbation.is_assumed() || perturbation.noise.is_enumerated();
        if has_none != draws.is_empty() {
            return Err(Error::data(
                "draws",
                "contradict the perturbation: bare numbers and enumerated rows have none, other counts have some",
            ));
        }
        // Of samples that were cut short some are missing.
        let drawn = draws.len();
        if !draws.is_empty() && (drawn < n || (drawn > n && ending != Ending::CutShort)) {
            return Err(Error::data("n", format!("is {n}, and the draws have {drawn} samples: the file is damaged")));
        }
        let votes = votes.map(|votes| votes.into_iter().map(|vote| vote.unwrap_or(NO_LABEL)).collect());
        let tally = match (base_k, invalid) {
            (None, None) => Tally::new(labels, n)?,
            (Some(base_k), Some(invalid)) => Tally::of_sets(labels, n, invalid, base_k)?,
            _ => {
                return Err(Error::data(
                    "invalid",
                    "and base_k are given together, of samples that are sets of labels",
                ));
            }
        };
        let counts = Self::new(tally, perturbation, ending, draws, subject.into()).with_votes(votes);
        counts.check_rows()?;
        if seen {
            counts.see();
        }
        if chose {
            counts.choose();
        }
        Ok(counts)
    }
}

/// A value that is written as its text.
pub(super) mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
