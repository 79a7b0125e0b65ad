//! What a plan was measured for: where all of it is the same, the plan is the same.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::batch_plan::Plan;
use super::machine;

/// Everything that the speed of a plan depends on, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    /// The library's version: another one may measure or run otherwise.
    library: String,
    /// The model, where it runs and by which ONNX Runtime: [`crate::sampler::BaseClassifier::identity`].
    classifier: String,
    /// The processor, which makes the noise also where a GPU runs the model.
    processor: String,
    /// Cores that this process may use.
    cores: usize,
    threads: usize,
    /// Whether the number of threads was given, or half as many would have been allowed.
    threads_given: bool,
    most: usize,
}

impl Key {
    pub fn new(classifier: String, threads: usize, threads_given: bool, most: usize) -> Self {
        Self {
            library: env!("CARGO_PKG_VERSION").to_owned(),
            classifier,
            processor: machine::processor(),
            cores: Plan::usable_threads(),
            threads,
            threads_given,
            most,
        }
    }

    /// The name of the file that holds its plan.
    pub fn file_name(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        let digest = Sha256::digest(text.as_bytes());
        let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{hex}.json")
    }
}
