//! When work ends early, and who learns that it has ended.

use std::time::Duration;

use super::CancelToken;

/// When work ends early, and who learns that it has ended. The default: never, and nobody.
#[derive(Default)]
pub struct Control {
    /// Stops the work this long after it was submitted, on the monotonic clock; the counts so far are kept, with an
    /// error of kind `DeadlineExceeded`.
    pub timeout: Option<Duration>,
    /// Stops the work when it is set.
    pub cancel: Option<CancelToken>,
    /// Called exactly once when all of the work has ended, however that came, with no lock held: on a worker's thread,
    /// on the one that watches deadlines, or on the one that cancels, drops or submits. It must not block, nor drop the
    /// work or the classifier. A panic in it is caught and ignored.
    pub done: Option<Box<dyn FnOnce() + Send>>,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("timeout", &self.timeout).field("cancel", &self.cancel).finish_non_exhaustive()
    }
}
