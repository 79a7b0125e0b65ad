//! A job: which samples to draw around one input, and the counts they gave.

use std::ops::Range;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::noise::{Grid, Noise, Purpose};
use crate::sampler::centre::{Centre, ReadInput};
use crate::sampler::lane::Lane;
use crate::sampler::process::Process;
use crate::sampler::progress::JobState;
use crate::sampler::queue::WorkQueue;
use crate::sampler::samples::Samples;
use crate::sampler::watch::Watch;
use crate::stats::Tally;
use crate::{Error, ErrorKind, Result};

/// The labels of which samples are to be counted, and what looks at the counts meanwhile.
pub struct Job {
    pub(super) samples: Samples,
    pub(super) watch: Option<Box<dyn Watch>>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").field("samples", &self.samples).field("watched", &self.watch.is_some()).finish()
    }
}

impl Job {
    /// No samples yet, job key 0, around `input`, which is placed on the noise's grid ([`Noise::centre`]).
    ///
    /// Two jobs with the same noise, job key and purpose get the same rows: give every input of a data set a key of its
    /// own.
    ///
    /// # Errors
    /// `InvalidData` when the input is empty, or has an element that is not finite or that exact noise does not take.
    pub fn new(input: &[f32], noise: &Noise, purpose: Purpose) -> Result<Self> {
        Ok(Self::around(Centre::placed(noise.centre(input)?), noise, purpose))
    }

    /// As [`Job::new`], around an input of so many elements that `read` gives when the first row is drawn. What it
    /// fails with ends the job. It is let go of then, or when the job ends before.
    pub(crate) fn reading(elements: usize, read: ReadInput, noise: &Noise, purpose: Purpose) -> Self {
        Self::around(Centre::kept(elements, read), noise, purpose)
    }

    fn around(centre: Centre, noise: &Noise, purpose: Purpose) -> Self {
        let noise = noise.clone();
        let samples = Samples { centre, noise, key: 0, purpose, pilot: 0, range: 0..0, lane: None };
        Self { samples, watch: None }
    }

    /// As [`Job::new`] with the default noise, [`Noise::on_grid`].
    ///
    /// # Errors
    /// As [`Job::new`], and `InvalidArgument` when sigma is not a finite number > 0.
    pub fn on_grid(input: &[f32], sigma: f64, grid: Grid, seed: u64, purpose: Purpose) -> Result<Self> {
        Self::new(input, &Noise::on_grid(sigma, grid, seed)?, purpose)
    }

    /// Sets the job key: the same (noise, key, purpose, sample) is the same row.
    #[must_use]
    pub fn key(mut self, key: u64) -> Self {
        self.samples.key = key;
        self
    }

    /// Sets the lane; all jobs that are given none share one.
    #[must_use]
    pub fn lane(mut self, lane: &Lane) -> Self {
        self.samples.lane = Some(lane.clone());
        self
    }

    /// Sets the range of samples to draw.
    #[must_use]
    pub fn samples(mut self, samples: Range<u64>) -> Self {
        self.samples.range = samples;
        self
    }

    /// Draws the first `rows` samples of [`Purpose::Select`] too, and counts them apart: before the others where the
    /// job is watched, beside them where it is not.
    #[must_use]
    pub fn pilot(mut self, rows: u64) -> Self {
        self.samples.pilot = rows;
        self
    }

    /// Has the counts looked at while the job draws: it then ends with its last sample or when `watch` has seen enough,
    /// whichever comes first.
    #[must_use]
    pub fn watched(mut self, watch: impl Watch + 'static) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    /// Elements of the input.
    pub fn elements(&self) -> usize {
        self.samples.centre.elements
    }
}

/// What a job drew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Counts of the rows drawn: all of the job's, those that its watch asked for, or those before it stopped.
    pub tally: Tally,
    /// Counts of the pilot rows, where the job had any.
    pub pilot: Option<Tally>,
    /// The label of every row, of all windows of an enumerated family; [`NO_LABEL`](crate::model::NO_LABEL) for none.
    pub votes: Option<Vec<u32>>,
    /// Why the job stopped before its last sample, where it did. Which samples are in `tally` is then not determined:
    /// not always the first ones, and rows of a run that failed are not among them. Such counts are for people to read,
    /// and certify nothing ([`Ending::CutShort`](crate::counts::Ending::CutShort)).
    pub stopped: Option<Error>,
    /// From the moment the first row was handed to a worker to the job's end, or until now.
    pub elapsed: Duration,
}

impl Drawn {
    /// The counts, where the job drew all its samples.
    ///
    /// # Errors
    /// Why it did not: `Cancelled`, or what made a run fail.
    pub fn complete(self) -> Result<Tally> {
        match self.stopped {
            None => Ok(self.tally),
            Some(error) => Err(error),
        }
    }
}

/// A submitted job. Dropping the handle of an unfinished job cancels it.
///
/// In a process that was forked after the sampler was made nothing is under way: every job has ended there, without a
/// row and with an error of kind `Forked`, and cancelling or dropping it does nothing.
#[derive(Debug)]
pub struct JobHandle {
    pub(super) stopper: JobStopper,
}

/// Stops a job from anywhere, and keeps nothing alive but what the job has counted.
#[derive(Clone, Debug)]
pub struct JobStopper {
    pub(super) state: Arc<JobState>,
    pub(super) queue: Weak<WorkQueue>,
}

impl JobStopper {
    /// Stops unfinished jobs of one sampler: no further row of them is handed out, and a run that carries only stopped
    /// jobs is stopped. The counts so far are kept, and [`JobHandle::wait`] gives them with `why`.
    pub fn stop_all(jobs: &[Self], why: &Error) {
        Self::stop_each(jobs.iter().map(|job| (job, why)));
    }

    /// As [`JobStopper::stop_all`], with a reason for each: all are told before the queue is tidied.
    pub(crate) fn stop_each<'a>(jobs: impl Iterator<Item = (&'a Self, &'a Error)>) {
        let mut stopped = Vec::new();
        let mut running = false;
        let mut queue = None;
        for (job, why) in jobs {
            if queue.is_none() {
                if !job.is_here() {
                    return;
                }
                queue = Some(&job.queue);
            }
            if let Some(out) = job.state.stop(why.clone()) {
                running |= out > 0;
                stopped.push(job.state.as_ref());
            }
        }
        if let Some(queue) = queue.and_then(Weak::upgrade).filter(|_| !stopped.is_empty()) {
            queue.remove_stopped(&stopped, running);
        }
    }

    /// Checks that this is the process of the sampler's threads.
    pub(crate) fn check_process(&self) -> Result<()> {
        self.state.ledger.process.check()
    }

    fn is_here(&self) -> bool {
        self.state.ledger.process.is_this()
    }

    /// Rows counted so far.
    pub fn samples_done(&self) -> u64 {
        if self.is_here() { self.state.lock().counted() } else { 0 }
    }

    /// Rows to be counted in all; fewer than asked for once a watch has seen enough.
    pub fn samples_total(&self) -> u64 {
        if self.is_here() { self.state.lock().end } else { 0 }
    }
}

impl JobHandle {
    /// Waits for the job's end.
    pub fn wait(self) -> Drawn {
        self.wait_end();
        self.drawn()
    }

    /// Waits for the job's end, and leaves what it drew with it.
    pub fn wait_end(&self) {
        if self.stopper.is_here() {
            drop(self.stopper.state.wait());
        }
    }

    /// Counts of the rows so far, without the pilot's.
    pub fn tally(&self) -> Tally {
        let state = &self.stopper.state;
        if self.stopper.is_here() { state.lock().counts() } else { state.no_counts() }
    }

    /// What was drawn so far: all of it once the job has ended.
    pub fn drawn(&self) -> Drawn {
        let state = &self.stopper.state;
        if !self.stopper.is_here() {
            let (tally, stopped) = (state.no_counts(), Some(Process::forked()));
            return Drawn { tally, pilot: None, votes: None, stopped, elapsed: Duration::ZERO };
        }
        let progress = state.lock();
        let (tally, pilot) = (progress.counts(), progress.pilot_counts());
        let end = progress.ended_at.unwrap_or_else(Instant::now);
        let elapsed = progress.started_at.map_or(Duration::ZERO, |start| end.duration_since(start));
        Drawn { tally, pilot, votes: progress.votes(), stopped: progress.stopped.clone(), elapsed }
    }

    /// Waits for the job's end, at most `timeout`. True when it has ended.
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        !self.stopper.is_here() || self.stopper.state.wait_timeout(timeout)
    }

    /// True when every row is counted, or the job stopped.
    pub fn is_finished(&self) -> bool {
        !self.stopper.is_here() || self.stopper.state.lock().ended()
    }

    /// Rows counted so far.
    pub fn samples_done(&self) -> u64 {
        self.stopper.samples_done()
    }

    /// A way to stop the job that may be kept elsewhere.
    pub fn stopper(&self) -> JobStopper {
        self.stopper.clone()
    }

    /// Stops the job: no further row is handed out, and a run that carries only cancelled rows is stopped. The counts
    /// so far are kept, and [`JobHandle::wait`] gives them with an error of kind `Cancelled`.
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
