//! What produced an outcome, apart from the request.

use serde::{Deserialize, Serialize};

use crate::counts::Stated;

/// The model, and what ran it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// SHA-256 of the model, in hex: [`crate::model::Model::sha256`]. Null of a function of the host's: no file was
    /// hashed.
    pub model_sha256: Option<String>,
    /// Of a function of the host's: what the host says that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated: Option<Stated>,
    /// The execution provider, with its device; [`Identity::FUNCTION`] of a function of the host's.
    pub provider: String,
    /// The type in which the model takes its samples.
    pub precision: String,
    /// In what float32 is computed: [`crate::model::Model::arithmetic`]; [`Identity::FUNCTION`] of a function of the
    /// host's, which nobody knows.
    pub arithmetic: String,
    /// Why it ran on the processor and not by the provider asked for; null where that ran it.
    pub fallback: Option<String>,
    /// ONNX Runtime's version; null where it ran nothing.
    pub onnxruntime_version: Option<String>,
}

impl Identity {
    /// The provider and the arithmetic of a function of the host's.
    pub const FUNCTION: &str = "the host's function";

    /// That of a function of the host's.
    pub fn of_function(stated: Option<Stated>) -> Self {
        Self {
            model_sha256: None,
            stated,
            provider: Self::FUNCTION.into(),
            precision: "float32".into(),
            arithmetic: Self::FUNCTION.into(),
            fallback: None,
            onnxruntime_version: None,
        }
    }

    /// What log messages call the model: the first digits of its SHA-256, or its stated name.
    pub fn short(&self) -> &str {
        match (&self.model_sha256, &self.stated) {
            (Some(sha256), _) => sha256.get(..12).unwrap_or(sha256),
            (None, Some(stated)) => &stated.name,
            (None, None) => "unknown",
        }
    }
}
