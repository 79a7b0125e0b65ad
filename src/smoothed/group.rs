//! What the jobs, the timer and the cancel token share of work under way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use crate::Error;
use crate::sampler::{JobStopper, Process};

type Done = Box<dyn FnOnce() + Send>;

/// What the jobs, the timer and the cancel token share of work under way.
pub(super) struct Group {
    /// Its number in this process, from 1.
    pub(super) id: u64,
    pub(super) process: Process,
    state: Mutex<State>,
    changed: Condvar,
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
    /// Threads that wait for a change: telling nobody costs a call of the system.
    waiting: usize,
}

impl Group {
    /// Of `jobs` jobs, at least one, each of which calls [`Group::job_ended`] once.
    pub(super) fn new(jobs: usize) -> Arc<Self> {
        let state = State { left: jobs, done: None, calling: None, finished: false, waiting: 0 };
        static IDS: AtomicU64 = AtomicU64::new(1);
        let id = IDS.fetch_add(1, Ordering::Relaxed);
        let (state, changed, jobs) = (Mutex::new(state), Condvar::new(), OnceLock::new());
        Arc::new(Self { id, process: Process::this(), state, changed, jobs })
    }

    pub(super) fn set_jobs(&self, jobs: Vec<JobStopper>) {
        // Set once, by whoever made the group.
        let _ = self.jobs.set(jobs);
    }

    pub(super) fn jobs(&self) -> &[JobStopper] {
        self.jobs.get().map_or(&[], Vec::as_slice)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all jobs have ended.
    pub(super) fn is_finished(&self) -> bool {
        !self.process.is_this() || self.lock().left == 0
    }

    /// Waits until the state is as asked, at most `timeout`. True when it is.
    pub(super) fn wait(&self, timeout: Option<Duration>, until: impl Fn(&State) -> bool) -> bool {
        if !self.process.is_this() {
            return true;
        }
        // A moment beyond what the clock can hold never comes.
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        state.waiting += 1;
        while !until(&state) {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            state = match left {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => break,
                Some(left) => self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        state.waiting -= 1;
        until(&state)
    }

    /// Has `done` called when all jobs have ended: at once, where they have.
    pub(super) fn then(&self, done: Done) {
        if !self.process.is_this() {
            return;
        }
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
            self.tell(state);
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(done));
            state = self.lock();
            state.calling = None;
        }
        state.finished = true;
        self.tell(state);
    }

    fn tell(&self, state: MutexGuard<'_, State>) {
        let waiting = state.waiting;
        drop(state);
        if waiting > 0 {
            self.changed.notify_all();
        }
    }

    /// Stops every job that has not ended.
    pub(super) fn stop(&self, why: &Error) {
        if !self.is_finished() {
            JobStopper::stop_all(self.jobs(), why);
        }
    }
}
