//! The smoothed classifier g of a base classifier f: what a host asks, from an input to a prediction or a certificate.
//!
//! ```
//! use std::sync::Arc;
//! use smoothtopk::model::{Model, ModelOptions};
//! use smoothtopk::sampler::Plan;
//! use smoothtopk::smoothed::{Answer, Request, SmoothedClassifier, Task};
//!
//! let model = Arc::new(Model::open("demo/digits_mlp_sigma0.25.onnx", &ModelOptions::default())?);
//! let g = SmoothedClassifier::new(model, Plan { batch: 32, threads: 2 })?;
//! let request = Request { k: vec![1, 3], n: 10_000, ..Request::new(0.25) };
//! let x = vec![0.5; 64];
//! let outcome = g.submit(&x, Task::CertifySelected, &request, 0)?.wait();
//! if let Answer::Certificates(certificates) = outcome.answer? {
//!     for certificate in certificates {
//!         println!("label {} stays in the top {} within {}", certificate.label, certificate.k, certificate.radius);
//!     }
//! }
//! # Ok::<(), smoothtopk::Error>(())
//! ```

mod pending;
mod request;

use std::sync::Arc;

pub use pending::{Answer, Outcome, Pending};
pub use request::{Request, Task};

use crate::Result;
use crate::noise::Purpose;
use crate::sampler::{BaseClassifier, Job, Plan, Sampler};

/// A smoothed classifier, with the threads that draw its rows. Safe to share between threads, whose rows share batches.
#[derive(Debug)]
pub struct SmoothedClassifier {
    sampler: Sampler,
}

impl SmoothedClassifier {
    /// Smooths `classifier`, running batches by `plan`.
    ///
    /// # Errors
    /// As [`Sampler::new`].
    pub fn new(classifier: Arc<dyn BaseClassifier>, plan: Plan) -> Result<Self> {
        Ok(Self { sampler: Sampler::new(classifier, plan)? })
    }

    /// The threads and batches in use.
    pub fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// Queues a task about one input, whose elements are on the scale of the request's sigma.
    ///
    /// `key` is the job key: inputs that share a seed must have keys of their own, or they get the same noise.
    ///
    /// # Errors
    /// `InvalidArgument` when the request is out of range or does not fit the number of labels; `InvalidData` when the input
    /// has another number of elements than the model takes, or one that is not finite.
    pub fn submit(&self, input: &[f32], task: Task, request: &Request, key: u64) -> Result<Pending> {
        let classes = self.sampler.classifier().classes();
        request.check_for(task, classes)?;
        let request = request.with_seed()?;
        let (seed, grid) = (request.seed()?, request.grid()?);
        let submit = |purpose, n| {
            let job = Job::new(input, request.sigma, grid, seed, purpose)?.key(key).samples(0..n);
            self.sampler.submit(job)
        };
        let purpose = match task {
            // A label predicted and then certified under one seed must not be certified by the rows that chose it.
            Task::Predict => Purpose::Predict,
            Task::Certify(_) | Task::CertifySelected => Purpose::Estimate,
        };
        let estimate = submit(purpose, request.n)?;
        let select = match task {
            // With a fixed n, which label is certified does not change what is drawn: both ranges go at once.
            Task::CertifySelected => Some(submit(Purpose::Select, request.n0)?),
            Task::Predict | Task::Certify(_) => None,
        };
        Ok(Pending::new(estimate, select, task, request, input.len(), key))
    }
}
