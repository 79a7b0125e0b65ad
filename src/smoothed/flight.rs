//! Jobs that are waited for, cancelled and timed as one.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use super::cancel::{CancelToken, Registration};
use super::timer::{Alarm, Timer};
use crate::sampler::JobStopper;
use crate::{Error, ErrorKind};

type Done = Box<dyn FnOnce() + Send>;

/// What the jobs, the timer and the cancel token share of work under way.
pub(super) struct Group {
    state: Mutex<State>,
    changed: Condvar,
    jobs: OnceLock<Vec<JobStopper>>,
}

struct State {
    /// Jobs that have not ended.
    left: usize,
    done: Option<Done>,
    /// The thread that is in `done`.
    calling: Option<ThreadId>,
    /// All jobs have ended, and `done` has returned.
    finished: bool,
}

impl Group {
    /// Of `jobs` jobs, at least one, each of which calls [`Group::job_ended`] once.
    pub(super) fn new(jobs: usize, done: Option<Done>) -> Arc<Self> {
        let state = State { left: jobs, done, calling: None, finished: false };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new(), jobs: OnceLock::new() })
    }

    pub(super) fn set_jobs(&self, jobs: Vec<JobStopper>) {
        // Set once, by whoever made the group.
        let _ = self.jobs.set(jobs);
    }

    fn jobs(&self) -> &[JobStopper] {
        self.jobs.get().map_or(&[], Vec::as_slice)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn job_ended(&self) {
        let mut state = self.lock();
        state.left -= 1;
        if state.left > 0 {
            return;
        }
        if let Some(done) = state.done.take() {
            state.calling = Some(std::thread::current().id());
            self.changed.notify_all();
            drop(state);
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(done));
            state = self.lock();
            state.calling = None;
        }
        state.finished = true;
        drop(state);
        self.changed.notify_all();
    }

    /// Stops every job that has not ended.
    pub(super) fn stop(&self, why: &Error) {
        if self.lock().left > 0 {
            JobStopper::stop_all(self.jobs(), why);
        }
    }
}

/// Work under way. Dropping it cancels what has not ended.
pub(super) struct Flight {
    group: Arc<Group>,
    _alarm: Option<Alarm>,
    _registration: Option<Registration>,
}

impl std::fmt::Debug for Flight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flight").field("jobs", &self.group.jobs().len()).finish_non_exhaustive()
    }
}

/// How often a thread that waits looks at how far the work is.
const POLL: Duration = Duration::from_millis(20);

impl Flight {
    pub(super) fn new(
        group: Arc<Group>,
        timer: &Timer,
        start: Instant,
        timeout: Option<Duration>,
        cancel: Option<CancelToken>,
    ) -> Self {
        let mut flight = Self { group, _alarm: None, _registration: None };
        if let Some(timeout) = timeout {
            // A deadline beyond what the clock can hold never comes.
            let deadline = start.checked_add(timeout);
            flight._alarm = deadline.map(|deadline| timer.set(deadline, timeout, &flight.group));
        }
        flight._registration = cancel.map(|token| token.register(&flight.group));
        flight
    }

    pub(super) fn is_finished(&self) -> bool {
        self.group.lock().left == 0
    }

    pub(super) fn wait_timeout(&self, timeout: Duration) -> bool {
        let waited = self.group.changed.wait_timeout_while(self.group.lock(), timeout, |state| state.left > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.left == 0
    }

    pub(super) fn wait(&self) {
        let waited = self.group.changed.wait_while(self.group.lock(), |state| state.left > 0);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn wait_with(&self, mut progress: impl FnMut(u64, u64)) {
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

    /// Waits until the callback has returned; at once on the thread that is in it.
    pub(super) fn wait_done(&self) {
        let here = Some(std::thread::current().id());
        let waited = self
            .group
            .changed
            .wait_while(self.group.lock(), |state| !state.finished && (state.left > 0 || state.calling != here));
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn samples_done(&self) -> u64 {
        self.group.jobs().iter().map(JobStopper::samples_done).fold(0, u64::saturating_add)
    }

    pub(super) fn samples_total(&self) -> u64 {
        self.group.jobs().iter().map(JobStopper::samples_total).fold(0, u64::saturating_add)
    }

    pub(super) fn cancel(&self) {
        self.group.stop(&Error::new(ErrorKind::Cancelled, "the job was cancelled"));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.cancel();
    }
}
