//! A job: which samples to draw around one input, and the counts they gave.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::model::NO_LABEL;
use crate::noise::{Grid, NoiseStream, Purpose};
use crate::sampler::queue::Shared;
use crate::sampler::sync::{Condvar, Mutex, MutexGuard};
use crate::stats::Counts;
use crate::{Error, ErrorKind, Result};

/// The labels of which samples are to be counted.
#[derive(Clone, Debug)]
pub struct Job {
    input: Vec<f32>,
    sigma: f64,
    grid: Grid,
    seed: u64,
    key: u64,
    purpose: Purpose,
    samples: Range<u64>,
    lane: u64,
}

impl Job {
    /// No samples yet, job key 0, around `input`, which is rounded to `grid`.
    ///
    /// `sigma` is the noise's standard deviation on the input's own scale. Two jobs with the same seed, job key and
    /// purpose get the same noise: give every input of a data set a key of its own.
    ///
    /// # Errors
    /// `InvalidArgument` when sigma is not a finite number > 0; `InvalidData` when the input is empty or has an element
    /// that is not finite.
    pub fn new(input: &[f32], sigma: f64, grid: Grid, seed: u64, purpose: Purpose) -> Result<Self> {
        if !(sigma > 0.0 && sigma.is_finite()) {
            return Err(Error::argument("sigma", format!("must be a finite number > 0, got {sigma}")));
        }
        if input.is_empty() {
            return Err(Error::data("input", "has no elements"));
        }
        if let Some(element) = input.iter().position(|x| !x.is_finite()) {
            return Err(Error::data(
                "input",
                format!("element {element} is {}: every element must be finite", input[element]),
            ));
        }
        let mut input = input.to_vec();
        grid.round(&mut input);
        Ok(Self { input, sigma, grid, seed, key: 0, purpose, samples: 0..0, lane: 0 })
    }

    /// Sets the job key: the same (seed, key, purpose, sample) is the same noise.
    #[must_use]
    pub fn key(mut self, key: u64) -> Self {
        self.key = key;
        self
    }

    /// Sets the lane, 0 by default: jobs of one lane are served in the order they were submitted, lanes take turns.
    #[must_use]
    pub fn lane(mut self, lane: u64) -> Self {
        self.lane = lane;
        self
    }

    /// Sets the range of samples to draw.
    #[must_use]
    pub fn samples(mut self, samples: Range<u64>) -> Self {
        self.samples = samples;
        self
    }

    fn rows(&self) -> u64 {
        self.samples.end.saturating_sub(self.samples.start)
    }

    /// Elements of the input.
    pub fn elements(&self) -> usize {
        self.input.len()
    }
}

/// What a job drew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Counts of the rows drawn: all of the job's, or those before it stopped.
    pub counts: Counts,
    /// Why the job stopped before its last sample, where it did. Which samples are in `counts` is then not determined:
    /// not always the first ones, and rows of a run that failed are not among them. Such counts are for people to read: a
    /// failure may depend on its rows, so they certify nothing.
    pub stopped: Option<Error>,
    /// From the moment the first row was handed to a worker to the job's end.
    pub elapsed: Duration,
}

impl Drawn {
    /// The counts, where the job drew all its samples.
    ///
    /// # Errors
    /// Why it did not: `Cancelled`, or what made a run fail.
    pub fn complete(self) -> Result<Counts> {
        match self.stopped {
            None => Ok(self.counts),
            Some(error) => Err(error),
        }
    }
}

/// A submitted job. Dropping the handle of an unfinished job cancels it.
#[derive(Debug)]
pub struct JobHandle {
    pub(super) stopper: JobStopper,
}

/// Stops a job from anywhere, and keeps nothing alive but what the job has counted.
#[derive(Clone, Debug)]
pub struct JobStopper {
    pub(super) state: Arc<JobState>,
    pub(super) shared: Weak<Shared>,
}

impl JobStopper {
    /// Stops unfinished jobs of one sampler: no further row of them is handed out, and a run that carries only stopped jobs
    /// is stopped. The counts so far are kept, and [`JobHandle::wait`] gives them with `why`.
    pub fn stop_all(jobs: &[Self], why: &Error) {
        let mut shared = None;
        for job in jobs {
            if job.state.stop(why.clone()) {
                shared = job.shared.upgrade().or(shared);
            }
        }
        if let Some(shared) = shared {
            shared.remove_stopped();
        }
    }

    /// Rows counted so far.
    pub fn rows_done(&self) -> u64 {
        self.state.lock().rows
    }

    /// Rows to be counted in all.
    pub fn rows_total(&self) -> u64 {
        self.state.rows()
    }
}

impl JobHandle {
    /// Waits for the job's end.
    pub fn wait(self) -> Drawn {
        let state = &self.stopper.state;
        let mut progress = state.lock();
        while !progress.ended() {
            progress = state.ended.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
        let counts = state.counts(&progress);
        let elapsed = match (progress.started_at, progress.ended_at) {
            (Some(start), Some(end)) => end.duration_since(start),
            _ => Duration::ZERO,
        };
        Drawn { counts, stopped: progress.stopped.clone(), elapsed }
    }

    /// Waits for the job's end, at most `timeout`. True when it has ended.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        let state = &self.stopper.state;
        let start = Instant::now();
        let mut progress = state.lock();
        while !progress.ended() {
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return false;
            }
            progress = state.ended.wait_timeout(progress, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// True when every row is counted, or the job stopped.
    pub fn is_finished(&self) -> bool {
        self.stopper.state.lock().ended()
    }

    /// Rows counted so far.
    pub fn rows_done(&self) -> u64 {
        self.stopper.state.lock().rows
    }

    /// A way to stop the job that may be kept elsewhere.
    pub fn stopper(&self) -> JobStopper {
        self.stopper.clone()
    }

    /// Stops the job: no further row is handed out, and a run that carries only cancelled rows is stopped. The counts so
    /// far are kept, and [`JobHandle::wait`] gives them with an error of kind `Cancelled`.
    pub fn cancel(&self) {
        let cancelled = Error::new(ErrorKind::Cancelled, "the job was cancelled");
        JobStopper::stop_all(std::slice::from_ref(&self.stopper), &cancelled);
    }
}

impl Drop for JobHandle {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Called once when a job has ended.
pub(super) type OnEnd = Box<dyn FnOnce() + Send>;

/// A job in the sampler's hands.
pub(super) struct JobState {
    job: Job,
    noise: NoiseStream,
    progress: Mutex<Progress>,
    ended: Condvar,
}

struct Progress {
    counts: Vec<u64>,
    rows: u64,
    /// Rows that no worker has been given yet.
    left: u64,
    /// Rows that a worker has and has not given back.
    out: u64,
    stopped: Option<Error>,
    started_at: Option<Instant>,
    ended_at: Option<Instant>,
    on_end: Option<OnEnd>,
}

impl std::fmt::Debug for JobState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobState").field("job", &self.job).finish_non_exhaustive()
    }
}

impl Progress {
    fn ended(&self) -> bool {
        self.out == 0 && (self.left == 0 || self.stopped.is_some())
    }
}

impl JobState {
    pub(super) fn new(job: Job, classes: usize, on_end: Option<OnEnd>) -> Self {
        let progress = Progress {
            counts: vec![0; classes],
            rows: 0,
            left: job.rows(),
            out: 0,
            stopped: None,
            started_at: None,
            ended_at: None,
            on_end,
        };
        Self {
            noise: NoiseStream::new(job.seed, job.key, job.purpose),
            job,
            progress: Mutex::new(progress),
            ended: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self, progress: &Progress) -> Counts {
        Counts::tallied(progress.counts.clone(), progress.rows)
    }

    pub(super) fn rows(&self) -> u64 {
        self.job.rows()
    }

    pub(super) fn lane(&self) -> u64 {
        self.job.lane
    }

    /// Rows that no worker has been given yet.
    pub(super) fn left(&self) -> u64 {
        self.lock().left
    }

    /// True when the job is to get no further rows.
    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped.is_some()
    }

    /// Hands out up to `most` rows; none when the job is stopped.
    pub(super) fn take(&self, most: u64) -> Range<u64> {
        let mut progress = self.lock();
        let rows = if progress.stopped.is_some() { 0 } else { most.min(progress.left) };
        let start = self.job.samples.end - progress.left;
        progress.left -= rows;
        progress.out += rows;
        if rows > 0 && progress.started_at.is_none() {
            progress.started_at = Some(Instant::now());
        }
        start..start + rows
    }

    /// Writes the noisy row of a sample.
    pub(super) fn fill(&self, sample: u64, out: &mut [f32]) -> Result<()> {
        self.noise.noisy_row(sample, self.job.sigma, &self.job.grid, &self.job.input, out)
    }

    /// Counts the labels of rows that were handed out.
    pub(super) fn give_back(&self, labels: &[u32]) {
        let mut progress = self.lock();
        for &label in labels {
            if label == NO_LABEL {
                continue;
            }
            // A label outside the classes counts for none, as a row without finite scores does.
            if let Some(count) = progress.counts.get_mut(label as usize) {
                *count += 1;
            }
        }
        progress.rows += labels.len() as u64;
        self.settle(progress, labels.len() as u64);
    }

    /// Takes back rows that were handed out and not classified.
    pub(super) fn give_up(&self, rows: u64, error: Error) {
        let mut progress = self.lock();
        progress.stopped.get_or_insert(error);
        self.settle(progress, rows);
    }

    fn settle(&self, mut progress: MutexGuard<'_, Progress>, rows: u64) {
        progress.out -= rows;
        if progress.rows == self.job.rows() {
            // The stop came too late to lose anything.
            progress.stopped = None;
        }
        if progress.ended() {
            progress.ended_at = Some(Instant::now());
            self.ended.notify_all();
            let on_end = progress.on_end.take();
            // It may take locks of its own, and look at this job.
            drop(progress);
            if let Some(on_end) = on_end {
                // A panic of the host's must not end a worker.
                let _ = catch_unwind(AssertUnwindSafe(on_end));
            }
        }
    }

    /// Ends a job without rows.
    pub(super) fn end_empty(&self) {
        self.settle(self.lock(), 0);
    }

    /// Stops an unfinished job; false when it had ended or was stopped before.
    pub(super) fn stop(&self, error: Error) -> bool {
        let mut progress = self.lock();
        if progress.ended() || progress.stopped.is_some() {
            return false;
        }
        progress.stopped = Some(error);
        self.settle(progress, 0);
        true
    }
}
