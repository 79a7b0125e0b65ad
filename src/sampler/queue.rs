//! The rows that wait for a worker, and what each worker is busy with.

use std::ops::Range;
use std::sync::{Arc, PoisonError};

#[cfg(feature = "cuda")]
use crate::noise::RowNoise;
use crate::sampler::classifier::StopRun;
use crate::sampler::lanes::Lanes;
use crate::sampler::progress::JobState;
use crate::sampler::sync::{Condvar, Mutex, MutexGuard};
use crate::{Error, ErrorKind};

/// Rows of one job inside a batch.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub job: Arc<JobState>,
    /// Whether the rows are the pilot's.
    pub pilot: bool,
    pub samples: Range<u64>,
}

impl Segment {
    pub fn rows(&self) -> usize {
        // A segment is never longer than a batch.
        (self.samples.end - self.samples.start) as usize
    }

    /// What a device's kernels make the rows from; none where they cannot, so that the host makes them.
    #[cfg(feature = "cuda")]
    pub fn noise_for_kernels(&self) -> Option<RowNoise> {
        self.job.noise_for_kernels(self.pilot)
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
    lanes: Lanes,
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

fn closed() -> Error {
    Error::new(ErrorKind::Cancelled, "the sampler was closed")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub fn new(workers: usize, fixed_batch: bool) -> Self {
        Self {
            waiting: Mutex::new(Waiting::default()),
            work: Condvar::new(),
            busy: (0..workers).map(|_| Mutex::new(Busy::default())).collect(),
            fixed_batch,
        }
    }

    pub fn push(&self, job: Arc<JobState>) {
        let mut waiting = lock(&self.waiting);
        waiting.lanes.push(job);
        drop(waiting);
        self.work.notify_all();
    }

    /// Queues the rows that a look has released.
    pub fn push_again(&self, job: Arc<JobState>) {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            drop(waiting);
            job.stop(closed());
            return;
        }
        waiting.lanes.push_again(job);
        drop(waiting);
        self.work.notify_all();
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
            waiting = self.work.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// As [`Shared::take`], without waiting: no rows where there are none.
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

    /// Forgets the stopped jobs, and stops the runs that carry only such jobs.
    pub fn remove_stopped(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.lanes.remove_stopped();
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
