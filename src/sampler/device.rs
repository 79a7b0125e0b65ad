//! Workers of a device, which keep rows where they are classified.

use std::sync::Arc;

use crate::Result;
use crate::sampler::queue::WorkQueue;

/// What [`crate::sampler::BaseClassifier::device_workers`] gives: not to be made elsewhere.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct DeviceWorkers<'a>(pub(super) &'a dyn SpawnWorkers);

/// What a worker's thread does until the sampler is closed.
pub(super) type WorkerBody = Box<dyn FnOnce() + Send>;

/// Makes the workers of a sampler.
pub(super) trait SpawnWorkers {
    /// `threads` workers, which take batches of up to `batch` rows.
    fn workers(&self, queue: &Arc<WorkQueue>, batch: usize, threads: usize) -> Result<Vec<WorkerBody>>;
}
