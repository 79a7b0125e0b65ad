//! What computed an outcome.

use serde::{Deserialize, Serialize};

/// What computed an outcome, beside the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
