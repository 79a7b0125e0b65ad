//! The smoothed classifier g of a base classifier f: what a host asks, from an input to a prediction or a certificate.
//!
//! ```
//! use ndarray::Array;
//! use smoothtopk::smoothed::{Request, SmoothedClassifier, Task};
//!
//! let g = SmoothedClassifier::open("demo/digits_mlp_sigma0.25.onnx", 0.25)?;
//! let x = Array::from_elem((1, 8, 8), 0.5f32);
//! let request = Request { k: vec![1, 3], n: 10_000, ..g.request()? };
//! for found in g.run(x.view(), Task::CertifySelected, &request)?.certificates()? {
//!     println!("label {} stays in the top {} within {}", found.label, found.k, found.radius);
//! }
//! # Ok::<(), smoothtopk::Error>(())
//! ```

mod arrays;
mod batch;
mod builder;
mod cancel;
mod choices;
mod classifier;
mod control;
mod flight;
mod group;
mod inputs;
mod origin;
mod outcome;
mod parts;
mod pending;
mod request;
mod stats;
mod timer;
mod watcher;

pub use arrays::radii;
pub use batch::{Batch, Draw, Sampled};
pub use builder::Builder;
pub use cancel::CancelToken;
pub use choices::{AllocationChoice, Generator, NoiseMode};
pub use classifier::SmoothedClassifier;
pub use control::Control;
pub use flight::{Completion, Flight};
pub use inputs::{Buffer, Given, Inputs};
pub use outcome::{Answer, Outcome};
pub use parts::of_parts;
pub use pending::{Interim, Pending};
pub use request::{Request, Task};
pub use stats::Stats;
