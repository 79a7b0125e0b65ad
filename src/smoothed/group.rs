//! What the jobs, the timer and the cancel token share of work under way.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::ThreadId;

use crate::Error;
use crate::sampler::JobStopper;

type Done = Box<dyn FnOnce() + Send>;

/// What the jobs, the timer and the cancel token share of work under way.
pub(super) struct Group {
    state: Mutex<State>,
    pub(super) changed: Condvar,
    jobs: OnceLock<Vec<JobStopper>>,
}

pub(super) struct State {
    /// Jobs that have not ended.
    pub(super) left: usize,
    done: Option<Done>,
    /// The thread that is in `done`.
    pub(super) calling: Option<ThreadId>,
    /// All jobs have ended, and `done` has returned.
    pub(super) finished: bool,
}

impl Group {
    /// Of `jobs` jobs, at least one, each of which calls [`Group::job_ended`] once.
    pub(super) fn new(jobs: usize) -> Arc<Self> {
        let state = State { left: jobs, done: None, calling: None, finished: false };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new(), jobs: OnceLock::new() })
    }

    pub(super) fn set_jobs(&self, jobs: Vec<JobStopper>) {
        // Set once, by whoever made the group.
        let _ = self.jobs.set(jobs);
    }

    pub(super) fn jobs(&self) -> &[JobStopper] {
        self.jobs.get().map_or(&[], Vec::as_slice)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `done` called when all jobs have ended: at once, where they have.
    pub(super) fn then(&self, done: Done) {
        let mut state = self.lock();
        state.done = Some(done);
        state.finished = false;
        if state.left == 0 {
            self.finish(state);
        }
    }

    pub(super) fn job_ended(&self) {
        let mut state = self.lock();
        state.left -= 1;
        if state.left == 0 {
            self.finish(state);
        }
    }

    /// Tells that all jobs have ended.
    fn finish<'a>(&'a self, mut state: MutexGuard<'a, State>) {
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
