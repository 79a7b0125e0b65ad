//! Running any ONNX classifier through ONNX Runtime: [`Runtime`] finds and loads the library, [`Model`] opens a file
//! and settles how it is read, [`Runner`] runs batches and gives the top label of each row.
//!
//! ```no_run
//! use smoothtopk::model::{Model, ModelOptions};
//!
//! # fn main() -> smoothtopk::Result<()> {
//! let model = Model::open("classifier.onnx", &ModelOptions::default())?;
//! let mut runner = model.runner(64)?;
//! runner.rows_mut(2).fill(0.5);
//! let mut labels = [0; 2];
//! runner.run(2, &mut labels)?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is classified
//! The input that is not held constant. It must be a tensor of float32, float16, bfloat16, float64 or uint8 whose first
//! dimension is the batch, dynamic or fixed.
//!
//! # Which output is read
//! The one asked for; else the only one; else the one named (without regard to case) `logits`, `scores`,
//! `probabilities` or `output_probability`, in this order; else none, and the model is refused. It is read by its type:
//!
//! | type | reading |
//! | --- | --- |
//! | floats `[B, c]`, `[B, c, 1, 1]` | a score per class: the highest wins, the lowest index among equals |
//! | the same with [`ModelOptions::base_k`] | the labels of the k' highest, or those above the threshold |
//! | floats `[B]`, `[B, 1]` | one score: label 1 where it is greater than [`ModelOptions::threshold`], which must be given |
//! | int64 or int32 `[B]`, `[B, 1]` | the label; [`ModelOptions::classes`] must be given |
//! | a sequence of maps from class to float | a score per class, in the order of the keys (scikit-learn's zipmap) |
//!
//! What comes out of a run counts, not the shape that the file declares. A row with a score of NaN, or whose highest
//! score is infinite, gives [`NO_LABEL`]; -inf is below all other scores. A label outside the classes is an error.
//!
//! # What is refused
//! Whatever does not fit, with the model's inputs and outputs and what to do. So is a model whose rows influence one
//! another (such as batch normalisation exported in training mode) or whose scores are random, because the theorem
//! needs independent rows: a cheap check at load, described in the source of `probe`. So is one whose own labels
//! contradict its scores, until the output is named. [`Signature::warnings`] says what else the check found.

mod constants;
mod core;
mod custom_ops;
mod devices;
mod digest;
mod engine;
mod file;
mod gpu;
mod labels;
#[allow(clippy::module_inception)]
mod model;
mod needed;
mod on_device;
mod options;
mod own_labels;
mod preprocess;
mod probe;
mod probe_rows;
mod provider_names;
mod providers;
mod raw;
mod reading;
mod resolve;
mod runner;
mod runtime;
mod search;
mod session;
mod signature;
mod types;

pub use self::gpu::{Arena, ComputeStream, ConvSearch, CudaOptions, DeviceStream, TensorRtOptions};
#[cfg(feature = "cuda")]
pub(crate) use self::labels::outside_somewhere as labels_outside;
pub use self::labels::{NO_FURTHER_LABEL, NO_LABEL};
pub(crate) use self::labels::{of_integers as labels_of_integers, of_scores as labels_of_scores};
pub use self::model::Model;
pub(crate) use self::model::OpenModel;
pub use self::on_device::{DeviceBatch, DeviceLayout, DeviceMemory};
pub use self::options::{Constant, ModelOptions, Provider};
pub(crate) use self::probe_rows::probe_row;
pub use self::providers::ProviderStatus;
pub use self::raw::HostApi;
pub use self::runner::{Canceller, Runner};
pub use self::runtime::Runtime;
pub use self::search::{Place, ProbeOutcome, RuntimeLocation};
pub use self::signature::{BatchDim, Layout, Reading, Signature};
pub use self::types::{Dim, ElementType, Interface, ValueInfo, ValueKind};
