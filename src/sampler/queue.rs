//! The rows that wait for a worker, and what each worker is busy with.

use std::sync::{Arc, PoisonError};

use crate::sampler::lanes::Lanes;
use crate::sampler::progress::JobState;
use crate::sampler::segment::Segment;
use crate::sampler::stop::StopRun;
use crate::sampler::sync::{Condvar, Mutex, MutexGuard};
use crate::{Error, ErrorKind};

/// Jobs that are removed under one lock.
const AT_ONCE: usize = 256;

/// The rows that wait, and the workers that take them: what job handles and workers share.
pub(super) struct WorkQueue {
    waiting: Mutex<Waiting>,
    work: Condvar,
    /// One for each worker: the jobs in the batch that it runs, and how to stop that run.
    busy: Vec<Mutex<Busy>>,
    /// Batches always have this many rows when the classifier takes no other number.
    fixed_batch: bool,
}

#[derive(Default)]
struct Waiting {
    lanes: Lanes,
    closed: bool,
    /// Workers that wait for rows: waking nobody costs a call of the system.
    idle: usize,
}

#[derive(Default)]
struct Busy {
    jobs: Vec<Arc<JobState>>,
    stopper: Option<Arc<dyn StopRun>>,
}

impl std::fmt::Debug for WorkQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkQueue").field("workers", &self.busy.len()).finish_non_exhaustive()
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Cancelled, "the model was freed before this had ended")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WorkQueue {
    pub fn new(workers: usize, fixed_batch: bool) -> Self {
        Self {
            waiting: Mutex::new(Waiting::default()),
            work: Condvar::new(),
            busy: (0..workers).map(|_| Mutex::new(Busy::default())).collect(),
            fixed_batch,
        }
    }

    /// Queues a job, or the rows of it that a look has released.
    pub fn push(&self, job: Arc<JobState>) {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            drop(waiting);
            job.stop(closed());
            return;
        }
        waiting.lanes.push(job);
        let idle = waiting.idle;
        drop(waiting);
        if idle > 0 {
            self.work.notify_all();
        }
    }

    /// Rows that wait.
    pub fn rows(&self) -> u64 {
        u64::try_from(lock(&self.waiting).lanes.rows()).unwrap_or(u64::MAX)
    }

    /// The next batch's rows; blocks until there are any. None when the sampler is closed.
    pub fn take(&self, batch: usize) -> Option<Vec<Segment>> {
        let mut waiting = lock(&self.waiting);
        loop {
            if waiting.closed {
                return None;
            }
            let segments = self.take_waiting(&mut waiting, batch);
            if !segments.is_empty() {
                return Some(segments);
            }
            waiting.idle += 1;
            waiting = self.work.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            waiting.idle -= 1;
        }
    }

    /// As [`WorkQueue::take`], without waiting: no rows where there are none.
    #[cfg(feature = "cuda")]
    pub fn try_take(&self, batch: usize) -> Option<Vec<Segment>> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed { None } else { Some(self.take_waiting(&mut waiting, batch)) }
    }

    fn take_waiting(&self, waiting: &mut Waiting, batch: usize) -> Vec<Segment> {
        let mut room = batch as u64;
        if !self.fixed_batch {
            // The last rows are shared out evenly, so that no worker idles while another runs a full batch.
            let share = waiting.lanes.rows().div_ceil(self.busy.len() as u128);
            room = room.min(u64::try_from(share).unwrap_or(u64::MAX)).max(1);
        }
        waiting.lanes.take(room)
    }

    /// Forgets jobs that were stopped. Where workers have rows of them, `running`, stops the runs that carry only such
    /// jobs.
    pub fn remove_stopped(&self, jobs: &[&JobState], running: bool) {
        // Nobody who wants the lock is to wait for all of very many.
        for some in jobs.chunks(AT_ONCE) {
            let mut waiting = lock(&self.waiting);
            some.iter().for_each(|job| waiting.lanes.remove(job));
        }
        if running {
            for busy in &self.busy {
                lock(busy).stop_if_idle();
            }
        }
    }

    /// Notes what a worker is about to run. False when all of it was stopped meanwhile and need not run.
    pub fn begin(&self, worker: usize, segments: &[Segment], stopper: Option<&Arc<dyn StopRun>>) -> bool {
        let mut busy = lock(&self.busy[worker]);
        // A stop aimed at the batch before must not end this one.
        if let Some(stopper) = stopper {
            stopper.reset();
        }
        busy.jobs = segments.iter().map(|segment| Arc::clone(&segment.job)).collect();
        busy.stopper = stopper.map(Arc::clone);
        busy.jobs.iter().any(|job| !job.is_stopped())
    }

    /// Notes that a worker's run has ended.
    pub fn end(&self, worker: usize) {
        lock(&self.busy[worker]).jobs.clear();
    }

    /// Ends every waiting job, and sends the workers home.
    pub fn close(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.closed = true;
        let mut jobs = waiting.lanes.drain();
        drop(waiting);
        self.work.notify_all();
        for busy in &self.busy {
            jobs.extend(lock(busy).jobs.iter().map(Arc::clone));
        }
        for job in jobs {
            job.stop(closed());
        }
        for busy in &self.busy {
            lock(busy).stop_if_idle();
        }
    }
}

impl Busy {
    fn stop_if_idle(&self) {
        if !self.jobs.is_empty()
            && self.jobs.iter().all(|job| job.is_stopped())
            && let Some(stopper) = &self.stopper
        {
            stopper.stop();
        }
    }
}
