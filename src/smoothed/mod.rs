//! The smoothed classifier g of a base classifier f: what a host asks, from an input to a prediction or a certificate.
//!
//! ```
//! use std::sync::Arc;
//! use smoothtopk::model::{Model, ModelOptions};
//! use smoothtopk::perturbation::Gaussian;
//! use smoothtopk::sampler::Plan;
//! use smoothtopk::smoothed::{Answer, Request, SmoothedClassifier, Task};
//!
//! let model = Arc::new(Model::open("demo/digits_mlp_sigma0.25.onnx", &ModelOptions::default())?);
//! let g = SmoothedClassifier::new(model, Plan { batch: 32, threads: 2 })?;
//! let request = Request { k: vec![1, 3], n: 10_000, ..Request::new(Gaussian::new(0.25)?) };
//! let x = vec![0.5; 64];
//! let outcome = g.submit(&x, Task::CertifySelected, &request, 0)?.wait();
//! if let Answer::Certificates(certificates) = outcome.answer? {
//!     for certificate in certificates {
//!         println!("label {} stays in the top {} within {}", certificate.label, certificate.k, certificate.radius);
//!     }
//! }
//! # Ok::<(), smoothtopk::Error>(())
//! ```

mod batch;
mod cancel;
mod choices;
mod classifier;
mod control;
mod flight;
mod origin;
mod pending;
mod request;
mod timer;
mod watcher;

pub use batch::{Batch, Draw, Sampled};
pub use cancel::CancelToken;
pub use choices::{AllocationChoice, Generator, NoiseMode};
pub use classifier::SmoothedClassifier;
pub use control::Control;
pub use pending::{Answer, Outcome, Pending};
pub use request::{Request, Task};
