//! The rows that wait for a worker, and what each worker is busy with.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::sampler::classifier::StopRun;
use crate::sampler::job::JobState;
use crate::{Error, ErrorKind};

/// Rows of one job inside a batch.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub job: Arc<JobState>,
    pub samples: Range<u64>,
}

impl Segment {
    pub fn rows(&self) -> usize {
        // A segment is never longer than a batch.
        (self.samples.end - self.samples.start) as usize
    }
}

/// What the handles and the workers share.
pub(super) struct Shared {
    waiting: Mutex<Waiting>,
    work: Condvar,
    /// One for each worker: the jobs in the batch that it runs, and how to stop that run.
    busy: Vec<Mutex<Busy>>,
    /// Batches always have this many rows when the classifier takes no other number.
    fixed_batch: bool,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Arc<JobState>>,
    /// Rows of `jobs` not yet handed out, but for those of jobs that were stopped.
    rows: u128,
    closed: bool,
}

#[derive(Default)]
struct Busy {
    jobs: Vec<Arc<JobState>>,
    stopper: Option<Arc<dyn StopRun>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("workers", &self.busy.len()).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn new(workers: usize, fixed_batch: bool) -> Self {
        Self {
            waiting: Mutex::default(),
            work: Condvar::new(),
            busy: (0..workers).map(|_| Mutex::default()).collect(),
            fixed_batch,
        }
    }

    pub fn push(&self, job: Arc<JobState>) {
        let mut waiting = lock(&self.waiting);
        waiting.rows += u128::from(job.rows());
        waiting.jobs.push_back(job);
        drop(waiting);
        self.work.notify_all();
    }

    /// The next batch's rows, first come first served; blocks until there are any. None when the sampler is closed.
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
            waiting = self.work.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn take_waiting(&self, waiting: &mut Waiting, batch: usize) -> Vec<Segment> {
        let mut room = batch as u64;
        if !self.fixed_batch {
            // The last rows are shared out evenly, so that no worker idles while another runs a full batch.
            let share = waiting.rows.div_ceil(self.busy.len() as u128);
            room = room.min(u64::try_from(share).unwrap_or(u64::MAX)).max(1);
        }
        let mut segments = Vec::new();
        while room > 0
            && let Some(job) = waiting.jobs.front()
        {
            let samples = job.take(room);
            let rows = samples.end - samples.start;
            if rows == 0 {
                // All handed out, or stopped (a stopped job's rows are taken off the total by `remove_stopped`).
                waiting.jobs.pop_front();
                continue;
            }
            room -= rows;
            waiting.rows = waiting.rows.saturating_sub(u128::from(rows));
            segments.push(Segment { job: Arc::clone(job), samples });
        }
        if waiting.jobs.is_empty() {
            waiting.rows = 0;
        }
        segments
    }

    /// Forgets the stopped jobs, and stops the runs that carry only such jobs.
    pub fn remove_stopped(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.jobs.retain(|job| !job.is_stopped());
        waiting.rows = waiting.jobs.iter().map(|job| u128::from(job.left())).sum();
        drop(waiting);
        for busy in &self.busy {
            lock(busy).stop_if_idle();
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
        let mut jobs: Vec<_> = waiting.jobs.drain(..).collect();
        drop(waiting);
        self.work.notify_all();
        for busy in &self.busy {
            jobs.extend(lock(busy).jobs.iter().map(Arc::clone));
        }
        for job in jobs {
            job.stop(Error::new(ErrorKind::Cancelled, "the sampler was closed"));
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
