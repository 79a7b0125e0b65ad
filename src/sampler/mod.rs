//! Jobs, their rows and the batches that carry them: label counts of noisy copies of an input.
//!
//! A [`Job`] asks for the labels of a range of samples around one input; a [`Sampler`] packs rows of one or many jobs
//! into full batches on its worker threads, so that the tails of jobs and small jobs still fill a batch. Counts depend
//! on the model, the input, sigma, the seed, the job key, the purpose and the sample range, and on nothing else: not on
//! batch size, threads, packing or restarts (up to the model's own floating-point dependence on batch shape). Counts of
//! disjoint sample ranges add.
//!
//! The sampler knows nothing of alpha, k or radii: what counts say is for [`crate::certificate`].
//!
//! ```
//! use std::sync::Arc;
//! use smoothtopk::{noise::{Grid, Purpose}, sampler::{BaseClassifier, BatchRunner, Job, Plan, Sampler}, Result};
//!
//! /// Label 1 where the first element is above zero. A `model::Model` is used in the same way.
//! struct Sign;
//! struct SignRunner(Vec<f32>);
//! impl BaseClassifier for Sign {
//!     fn elements(&self) -> usize { 1 }
//!     fn classes(&self) -> usize { 2 }
//!     fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>> { Ok(Box::new(SignRunner(vec![0.0; batch]))) }
//! }
//! impl BatchRunner for SignRunner {
//!     fn rows_mut(&mut self, rows: usize) -> &mut [f32] { &mut self.0[..rows] }
//!     fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()> {
//!         for (label, x) in labels.iter_mut().zip(&self.0[..rows]) { *label = u32::from(*x > 0.0); }
//!         Ok(())
//!     }
//! }
//!
//! let sampler = Sampler::new(Arc::new(Sign), Plan { batch: 64, threads: 2 })?;
//! let (sigma, seed) = (0.5, 7);
//! let job = Job::on_grid(&[0.5], sigma, Grid::for_range(1.0, sigma)?, seed, Purpose::Estimate)?.samples(0..10_000);
//! let counts = sampler.submit(job)?.wait().complete()?;
//! assert_eq!(counts.n(), 10_000);
//! assert!((counts.labels()[1] as f64 / 10_000.0 - 0.8413).abs() < 0.02); // Phi(1)
//! # Ok::<(), smoothtopk::Error>(())
//! ```

mod centre;
mod classifier;
#[cfg(feature = "cuda")]
pub mod cuda;
mod device;
mod function;
mod function_probe;
mod function_runner;
mod job;
mod lane;
mod lanes;
mod ledger;
mod open;
mod order;
mod plan;
mod process;
mod progress;
mod queue;
mod samples;
mod scheduler;
mod segment;
mod stop;
mod sync;
mod watch;

pub use classifier::{BaseClassifier, BatchRunner};
pub use function::{FunctionClassifier, FunctionOptions};
pub use function_runner::{FunctionBatch, FunctionOutput, Gives};
pub use job::{Drawn, Job, JobHandle, JobStopper};
pub use lane::Lane;
pub use ledger::{Admitted, Limits, SamplerStats};
pub use open::{Opened, open, open_bytes};
pub use plan::{Measured, Plan, PlanCache, Search};
pub(crate) use process::Process;
pub use scheduler::Sampler;
pub use stop::StopRun;
pub use watch::Watch;
