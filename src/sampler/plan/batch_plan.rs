//! A batch plan, and what was measured of it.

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
    /// Whether this is what an earlier search found: [`Search::cache`](super::Search::cache).
    pub cached: bool,
}

/// A plan, what it reached, and the memory that it takes as far as is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PlanResult {
    pub measured: Measured,
    pub bytes: u64,
    /// Whether the machine was quiet enough for the plan to be kept.
    pub settled: bool,
}

/// More threads than any machine has cores to run, and few enough for the system to start.
const MAX_THREADS: usize = 1024;

impl Plan {
    /// One thread for each core this process may use: its CPU affinity and, on Linux, its cgroup's quota (v1 and v2)
    /// respected.
    pub fn usable_threads() -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
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
    pub(super) fn buffer_bytes(self, elements: usize) -> u64 {
        let values = (self.batch as u64).saturating_mul(self.threads as u64).saturating_mul(elements as u64);
        values.saturating_mul(size_of::<f32>() as u64)
    }
}
