//! What samples are of: the model and the input.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Stated;
use crate::{Error, Result};

/// The base classifier and the input that samples were drawn of. What is not known is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// SHA-256 of the model, in hex; none of a classifier that is no file.
    pub model_sha256: Option<String>,
    /// What the host says that a classifier is which is no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated: Option<Stated>,
    /// What is done to a sample before the model takes it, and how its output is read.
    pub reading: Option<String>,
    /// The numbers that the model computes with: two arithmetics are two base classifiers.
    pub arithmetic: Option<String>,
    /// The execution provider, without its device.
    pub provider: Option<String>,
    /// SHA-256 of the input's float32 elements, little-endian and row-major, in hex.
    pub input_sha256: Option<String>,
}

impl Subject {
    /// The subject of one open classifier. One that names neither a model nor a digest is told from all others, so that
    /// its counts are not added to theirs.
    ///
    /// # Errors
    /// As [`Stated::opened`].
    pub(crate) fn opened(mut self) -> Result<Self> {
        if self.model_sha256.is_none() {
            self.stated = Some(self.stated.unwrap_or_default().opened()?);
        }
        Ok(self)
    }

    /// The same base classifier with this input.
    #[must_use]
    pub fn with_input(&self, input: &[f32]) -> Self {
        let mut hash = Sha256::new();
        for chunk in input.chunks(1024) {
            let bytes: Vec<u8> = chunk.iter().flat_map(|value| value.to_le_bytes()).collect();
            hash.update(&bytes);
        }
        Self { input_sha256: Some(hex(&hash.finalize())), ..self.clone() }
    }

    /// Refuses samples of another model or input.
    pub(super) fn check_same(&self, other: &Self) -> Result<()> {
        let stated = |subject: &Self| subject.stated.as_ref().map(ToString::to_string);
        let pairs = [
            ("model", &self.model_sha256, &other.model_sha256),
            ("classifier", &stated(self), &stated(other)),
            ("reading of the model", &self.reading, &other.reading),
            ("arithmetic", &self.arithmetic, &other.arithmetic),
            ("provider", &self.provider, &other.provider),
            ("input", &self.input_sha256, &other.input_sha256),
        ];
        let Some((what, ours, theirs)) = pairs.into_iter().find(|(_, ours, theirs)| ours != theirs) else {
            return Ok(());
        };
        let shown = |text: &Option<String>| text.as_deref().map_or("unknown".to_owned(), |text| format!("\"{text}\""));
        let message = format!("are of another {what}: {}, not {}", shown(theirs), shown(ours));
        Err(Error::data("counts", message))
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
