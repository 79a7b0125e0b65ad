//! Deadlines: one thread, started with the first of them, that sleeps until the next.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Instant;

use super::group::Group;
use crate::sampler::{JobStopper, Process};
use crate::{Error, ErrorKind, Result, signals};

/// Stops work at its deadline. Dropping it forgets the deadlines.
#[derive(Default)]
pub(super) struct Timer {
    shared: Arc<Shared>,
    thread: Mutex<Option<(JoinHandle<()>, Process)>>,
}

#[derive(Default)]
struct Shared {
    alarms: Mutex<Alarms>,
    changed: Condvar,
}

#[derive(Default)]
struct Alarms {
    next: u64,
    /// By time, and by number where times are equal.
    set: BTreeMap<(Instant, u64), (Error, Weak<Group>)>,
    closed: bool,
}

impl std::fmt::Debug for Timer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timer").finish_non_exhaustive()
    }
}

impl Timer {
    /// Has `group` stopped at `deadline` because it is `late`, for as long as the alarm lives. The timer must have been
    /// started.
    pub(super) fn set(&self, deadline: Instant, late: Error, group: &Arc<Group>) -> Alarm {
        let mut alarms = self.shared.lock();
        let key = (deadline, alarms.next);
        alarms.next += 1;
        alarms.set.insert(key, (late, Arc::downgrade(group)));
        let is_next = alarms.set.first_key_value().is_some_and(|(first, _)| *first == key);
        drop(alarms);
        if is_next {
            // The thread sleeps until a later one.
            self.shared.changed.notify_one();
        }
        Alarm { shared: Arc::clone(&self.shared), key }
    }

    /// Starts the thread, unless it runs. Before anything is queued: it may fail.
    pub(super) fn start(&self) -> Result<()> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            let shared = Arc::clone(&self.shared);
            let _blocked = signals::block();
            let started = std::thread::Builder::new().name("smoothtopk-timer".into()).spawn(move || shared.run());
            let started = started.map_err(|error| {
                Error::new(ErrorKind::Internal, format!("cannot start the thread that watches deadlines: {error}"))
            })?;
            *thread = Some((started, Process::this()));
        }
        Ok(())
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((thread, process)) = thread {
            if !process.is_this() {
                std::mem::forget(thread);
                return;
            }
            self.shared.lock().closed = true;
            self.shared.changed.notify_one();
            // It catches what callbacks panic with, so there is nothing to pass on.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Alarms> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut alarms = self.lock();
        let mut due = Vec::new();
        while !alarms.closed {
            let now = Instant::now();
            while let Some(first) = alarms.set.first_entry()
                && first.key().0 <= now
            {
                due.push(first.remove());
            }
            if !due.is_empty() {
                drop(alarms);
                stop(due.drain(..));
                alarms = self.lock();
                continue;
            }
            alarms = match alarms.set.first_key_value() {
                None => self.changed.wait(alarms).unwrap_or_else(PoisonError::into_inner),
                Some((&(next, _), _)) => {
                    self.changed.wait_timeout(alarms, next - now).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

/// Stops what is late, all of it before the sampler's queue is tidied: very many deadlines may pass at one moment.
fn stop(due: impl Iterator<Item = (Error, Weak<Group>)>) {
    let late: Vec<(Arc<Group>, Error)> = due.filter_map(|(why, group)| Some((group.upgrade()?, why))).collect();
    JobStopper::stop_each(late.iter().flat_map(|(group, why)| group.jobs().iter().map(move |job| (job, why))));
}

/// A deadline that is watched.
pub(super) struct Alarm {
    shared: Arc<Shared>,
    key: (Instant, u64),
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.shared.lock().set.remove(&self.key);
    }
}
