//! Jobs that are waited for, cancelled and timed as one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Control;
use super::cancel::Registration;
use super::group::Group;
use super::timer::{Alarm, Timer};
use crate::sampler::JobStopper;
use crate::{Error, ErrorKind, Result};

/// Work under way: tasks, or a draw. Dropping it cancels what has not ended.
///
/// In a process that was forked after it was submitted it has ended, with errors of kind `Forked`; cancelling or
/// dropping it there does nothing.
pub struct Flight {
    group: Arc<Group>,
    alarm: Option<Alarm>,
    registration: Option<Registration>,
}

impl std::fmt::Debug for Flight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flight").field("jobs", &self.group.jobs().len()).finish_non_exhaustive()
    }
}

/// Who learns of the end of work under way.
pub struct Completion(Arc<Group>);

impl Completion {
    /// Has `done` called exactly once when all of the work has ended, however that came, with no lock held: at once, on
    /// this thread, if it has, else on a worker's thread, on the one that watches deadlines, or on the one that cancels
    /// or drops. It must not block, nor drop the work or the classifier. A panic in it is caught and ignored. At most
    /// once for a work.
    pub fn then(&self, done: Box<dyn FnOnce() + Send>) {
        self.0.then(done);
    }
}

/// How often a thread that waits looks at how far the work is.
const POLL: Duration = Duration::from_millis(20);

impl Flight {
    pub(super) fn new(group: Arc<Group>, timer: &Timer, start: Instant, control: Control) -> Self {
        let mut flight = Self { group, alarm: None, registration: None };
        flight.alarm = control.end(start).map(|(end, late)| timer.set(end, late, &flight.group));
        flight.registration = control.cancel.map(|token| token.register(&flight.group));
        flight
    }

    /// Its number in this process, from 1: what log messages call it by.
    pub fn id(&self) -> u64 {
        self.group.id
    }

    /// Checks that this is the process that it was submitted in.
    ///
    /// # Errors
    /// `Forked` where it is not.
    pub fn check_process(&self) -> Result<()> {
        self.group.process.check()
    }

    /// A way to learn of the end that may be kept elsewhere.
    pub fn completion(&self) -> Completion {
        Completion(Arc::clone(&self.group))
    }

    /// True when waiting will not block.
    pub fn is_finished(&self) -> bool {
        self.group.is_finished()
    }

    /// Waits for the end, at most `timeout`. True when it has come.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.group.wait(Some(timeout), |state| state.left == 0)
    }

    pub(super) fn wait(&self) {
        self.group.wait(None, |state| state.left == 0);
    }

    /// Waits for the end, and tells `progress` of the samples done and of all samples, on this thread: at the end, and
    /// at most once a batch before it.
    pub fn wait_with(&self, mut progress: impl FnMut(u64, u64)) {
        let (mut reported, total) = (None, self.samples_total());
        loop {
            let ended = self.wait_timeout(POLL);
            let samples = self.samples_done();
            if reported != Some(samples) && (samples > 0 || ended) {
                progress(samples, total);
                reported = Some(samples);
            }
            if ended {
                return;
            }
        }
    }

    /// Waits for the end, and until what [`Completion::then`] was given has returned; at once when called from it.
    pub fn wait_done(&self) {
        let here = Some(std::thread::current().id());
        self.group.wait(None, |state| state.finished || (state.left == 0 && state.calling == here));
    }

    /// Samples counted so far.
    pub fn samples_done(&self) -> u64 {
        self.group.jobs().iter().map(JobStopper::samples_done).fold(0, u64::saturating_add)
    }

    /// Samples to be counted in all.
    pub fn samples_total(&self) -> u64 {
        self.group.jobs().iter().map(JobStopper::samples_total).fold(0, u64::saturating_add)
    }

    /// Stops what has not ended. The counts so far are kept.
    pub fn cancel(&self) {
        self.group.stop(&Error::new(ErrorKind::Cancelled, "the job was cancelled"));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.cancel();
        if !self.group.process.is_this() {
            // They would take locks.
            std::mem::forget((self.alarm.take(), self.registration.take()));
        }
    }
}
