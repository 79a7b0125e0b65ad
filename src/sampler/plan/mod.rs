//! The batch plan: how many rows a run takes and how many run at once, measured on the device at hand and kept on disk.

mod cache;
mod key;
mod machine;
mod search;
mod slices;

use std::sync::Arc;
use std::time::Duration;

pub use cache::PlanCache;
pub use search::Search;

use crate::sampler::BaseClassifier;
use crate::{Error, Result};

/// Rows a batch and batches at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Rows of one run, at least 1.
    pub batch: usize,
    /// Threads that each run batches, at least 1.
    pub threads: usize,
}

/// A plan and what it was measured to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The plan.
    pub plan: Plan,
    /// Rows a second, noise and counting included.
    pub rows_per_second: f64,
    /// Whether this is what an earlier search found: [`Search::cache`].
    pub cached: bool,
}

/// More threads than any machine has cores to run, and few enough for the system to start.
const MAX_THREADS: usize = 1024;

impl Plan {
    /// One thread for each core this process may use: its CPU affinity and, on Linux, its cgroup's quota (v1 and v2) respected.
    pub fn usable_threads() -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }

    /// The fastest plan found for `threads` threads within `budget`, not looked up and not kept: [`Search`] with these.
    ///
    /// # Errors
    /// As [`Search::run`].
    pub fn measure(classifier: &Arc<dyn BaseClassifier>, threads: usize, budget: Duration) -> Result<Measured> {
        Self::measure_up_to(classifier, threads, budget, usize::MAX)
    }

    /// As [`Plan::measure`], with batches of at most `most` rows, where `most` is at least 1.
    ///
    /// # Errors
    /// As [`Plan::measure`].
    pub fn measure_up_to(
        classifier: &Arc<dyn BaseClassifier>,
        threads: usize,
        budget: Duration,
        most: usize,
    ) -> Result<Measured> {
        Search { threads: Some(threads), budget, most, cache: None, ..Search::default() }.run(classifier)
    }

    /// Checks that the classifier can run batches of this size.
    ///
    /// # Errors
    /// `InvalidArgument` when there is no row or no thread, or the classifier's batch is fixed at another size.
    pub fn check(self, classifier: &dyn BaseClassifier) -> Result<()> {
        if self.batch == 0 {
            return Err(Error::argument("batch", "must be at least 1"));
        }
        if self.threads == 0 || self.threads > MAX_THREADS {
            return Err(Error::argument("threads", format!("must be from 1 to {MAX_THREADS}, got {}", self.threads)));
        }
        match classifier.fixed_batch() {
            Some(fixed) if fixed != self.batch => Err(Error::argument(
                "batch",
                format!(
                    "the model's batch is fixed at {fixed}, so that no other batch than {fixed} can be run; got {}",
                    self.batch
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Bytes of the input buffers of all threads, at most `usize::MAX`.
    fn buffer_bytes(self, elements: usize) -> u64 {
        let values = (self.batch as u64).saturating_mul(self.threads as u64).saturating_mul(elements as u64);
        values.saturating_mul(size_of::<f32>() as u64)
    }
}
