//! Stopping a run of a classifier.

/// Stops a run in progress from another thread.
pub trait StopRun: Send + Sync {
    /// Stops the run in progress, and every later one until [`StopRun::reset`].
    fn stop(&self);

    /// Lets later runs go on.
    fn reset(&self);
}
