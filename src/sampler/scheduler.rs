//! The sampler: worker threads that each run noise, model and top label for whole batches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::model::NO_LABEL;
use crate::sampler::classifier::{BaseClassifier, BatchRunner};
use crate::sampler::device::{DeviceWorkers, WorkerBody};
use crate::sampler::job::{Job, JobHandle, JobStopper};
use crate::sampler::ledger::{Admitted, Ledger, Limits, SamplerStats};
use crate::sampler::plan::Plan;
use crate::sampler::progress::{JobState, LabelCounter, OnEnd};
use crate::sampler::queue::WorkQueue;
use crate::sampler::segment::Segment;
use crate::sampler::stop::StopRun;
use crate::{Error, ErrorKind, Result, signals};

/// Draws jobs' samples on worker threads of its own, which sleep while there is nothing to do.
///
/// Safe to share between threads; rows of jobs submitted by different threads share batches. Jobs of one
/// lane are served in the order they were submitted, and lanes that had few rows go first. Dropping the
/// sampler cancels what is unfinished and waits for its threads. They block all signals but those of faults.
///
/// A process that is forked has none of the threads: there, submitting fails with `Forked`, and dropping does nothing.
pub struct Sampler {
    classifier: Arc<dyn BaseClassifier>,
    plan: Plan,
    queue: Arc<WorkQueue>,
    ledger: Arc<Ledger>,
    workers: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Sampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sampler").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl Sampler {
    /// Starts `plan.threads` workers with buffers for batches of `plan.batch` rows each.
    ///
    /// # Errors
    /// `InvalidArgument` when the plan has no row or no thread, or not the classifier's fixed batch; what the
    /// classifier says when it cannot give a runner; `Internal` when a thread cannot be started.
    pub fn new(classifier: Arc<dyn BaseClassifier>, plan: Plan) -> Result<Self> {
        Self::limited(classifier, plan, Limits::default())
    }

    /// As [`Sampler::new`], with the most that may be under way at once.
    ///
    /// # Errors
    /// As [`Sampler::new`].
    pub fn limited(classifier: Arc<dyn BaseClassifier>, plan: Plan, limits: Limits) -> Result<Self> {
        plan.check(classifier.as_ref())?;
        let queue = Arc::new(WorkQueue::new(plan.threads, classifier.fixed_batch().is_some()));
        let ledger = Arc::new(Ledger::new(limits, classifier.elements()));
        let mut sampler = Self { classifier, plan, queue, ledger, workers: Vec::with_capacity(plan.threads) };
        let host = |index| {
            let worker =
                HostWorker::new(Arc::clone(&sampler.classifier), Arc::clone(&sampler.queue), index, plan.batch)?;
            Ok(Box::new(move || worker.run()) as WorkerBody)
        };
        let workers = match sampler.classifier.device_workers() {
            Some(DeviceWorkers(device)) => device.workers(&sampler.queue, plan.batch, plan.threads)?,
            None => (0..plan.threads).map(host).collect::<Result<Vec<_>>>()?,
        };
        let _blocked = signals::block();
        for (index, work) in workers.into_iter().enumerate() {
            let thread =
                std::thread::Builder::new().name(format!("smoothtopk-{index}")).spawn(work).map_err(|error| {
                    Error::new(ErrorKind::Internal, format!("cannot start a worker thread: {error}")).caused_by(error)
                })?;
            sampler.workers.push(thread);
        }
        Ok(sampler)
    }

    /// The batch size and threads in use.
    pub fn plan(&self) -> Plan {
        self.plan
    }

    /// The classifier that rows are run through.
    pub fn classifier(&self) -> &Arc<dyn BaseClassifier> {
        &self.classifier
    }

    /// Queues a job.
    ///
    /// # Errors
    /// `InvalidData` when the job's input does not have the classifier's number of elements; `Busy` when as many jobs
    /// are under way as may be ([`Limits`]); `Forked` in a forked process.
    pub fn submit(&self, job: Job) -> Result<JobHandle> {
        self.enqueue(job, &mut self.admit(1)?, None)
    }

    /// Queues a job, and has `on_end` called exactly once when it has ended: with all its samples, by a stop, by a
    /// failure, or because the sampler was dropped. No lock is held then. The thread is a worker's, or the one that
    /// stops the job: `on_end` must not block it, nor drop this sampler. A panic of `on_end` is caught and ignored.
    ///
    /// # Errors
    /// As [`Sampler::submit`]; `on_end` is then dropped.
    pub fn submit_then(&self, job: Job, on_end: impl FnOnce() + Send + 'static) -> Result<JobHandle> {
        self.submit_admitted(job, &mut self.admit(1)?, on_end)
    }

    /// Gives leave to submit so many jobs, all or none.
    ///
    /// # Errors
    /// `Busy` when too many are under way; `InvalidArgument` when there may never be so many; `Forked` in a forked
    /// process.
    pub fn admit(&self, jobs: u64) -> Result<Admitted> {
        self.ledger.process.check()?;
        self.ledger.admit(jobs)
    }

    /// As [`Sampler::submit_then`], by leave that was given before.
    ///
    /// # Errors
    /// As [`Sampler::submit`], and `Busy` when no leave of this sampler is left.
    pub fn submit_admitted(
        &self,
        job: Job,
        leave: &mut Admitted,
        on_end: impl FnOnce() + Send + 'static,
    ) -> Result<JobHandle> {
        self.enqueue(job, leave, Some(Box::new(on_end)))
    }

    /// What was done and is under way, in numbers: cheap enough to be read many times a second.
    ///
    /// # Errors
    /// `Forked` in a forked process.
    pub fn stats(&self) -> Result<SamplerStats> {
        self.ledger.process.check()?;
        Ok(self.ledger.stats(self.queue.rows()))
    }

    /// Refuses an input with another number of elements than the classifier takes.
    pub(crate) fn check_elements(&self, elements: usize) -> Result<()> {
        if elements == self.classifier.elements() {
            return Ok(());
        }
        Err(Error::data(
            "input",
            format!("has {elements} elements, the model takes {} a row", self.classifier.elements()),
        ))
    }

    fn enqueue(&self, job: Job, leave: &mut Admitted, on_end: Option<OnEnd>) -> Result<JobHandle> {
        self.check_elements(job.elements())?;
        if self.classifier.device_workers().is_some() {
            // Nothing may fail between a device's rows.
            job.samples.centre.get(&job.samples.noise)?;
        }
        if !leave.use_one(&self.ledger) {
            return Err(Error::new(ErrorKind::Busy, "no leave to submit a job to this sampler is left"));
        }
        let rows = job.samples.rows();
        let counter = LabelCounter::new(self.classifier.classes(), self.classifier.base_k());
        let state = Arc::new(JobState::new(job.samples, job.watch, counter, &self.ledger, on_end));
        let stopper = JobStopper { state: Arc::clone(&state), queue: Arc::downgrade(&self.queue) };
        match rows {
            0 => state.end_empty(),
            _ => self.queue.push(state),
        }
        Ok(JobHandle { stopper })
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        if !self.ledger.process.is_this() {
            // The threads are not here to be joined, nor is what they use to be taken down.
            std::mem::forget((std::mem::take(&mut self.workers), Arc::clone(&self.classifier)));
            return;
        }
        self.queue.close();
        for worker in self.workers.drain(..) {
            // A worker catches its classifier's panics, so there is nothing to pass on.
            let _ = worker.join();
        }
    }
}

struct HostWorker {
    classifier: Arc<dyn BaseClassifier>,
    queue: Arc<WorkQueue>,
    index: usize,
    batch: usize,
    elements: usize,
    /// Places for labels of a row.
    places: usize,
    runner: Box<dyn BatchRunner>,
    stopper: Option<Arc<dyn StopRun>>,
    labels: Vec<u32>,
}

impl HostWorker {
    fn new(classifier: Arc<dyn BaseClassifier>, queue: Arc<WorkQueue>, index: usize, batch: usize) -> Result<Self> {
        let runner = classifier.runner(batch)?;
        let places = classifier.base_k().unwrap_or(1);
        Ok(Self {
            elements: classifier.elements(),
            places,
            classifier,
            queue,
            index,
            batch,
            stopper: runner.stopper(),
            runner,
            labels: vec![NO_LABEL; batch * places],
        })
    }

    fn run(mut self) {
        while let Some(segments) = self.queue.take(self.batch) {
            match self.classify(&segments) {
                Ok(()) => self.give_back(&segments),
                // One job's rows must not end another's: each is tried by itself.
                Err(error) if segments.len() > 1 && error.kind() != ErrorKind::Cancelled => {
                    for segment in &segments {
                        self.run_alone(segment);
                    }
                }
                Err(error) => give_up(&segments, &error),
            }
        }
    }

    fn run_alone(&mut self, segment: &Segment) {
        let segments = std::slice::from_ref(segment);
        match self.classify(segments) {
            Ok(()) => self.give_back(segments),
            Err(error) => give_up(segments, &error),
        }
    }

    fn give_back(&self, segments: &[Segment]) {
        let mut labels = self.labels.as_slice();
        for segment in segments {
            let (of_segment, rest) = labels.split_at(segment.rows() * self.places);
            if segment.job.give_back(segment.pilot, segment.samples.start, of_segment) {
                self.queue.push(Arc::clone(&segment.job));
            }
            labels = rest;
        }
    }

    fn classify(&mut self, segments: &[Segment]) -> Result<()> {
        if !self.queue.begin(self.index, segments, self.stopper.as_ref()) {
            self.queue.end(self.index);
            return Err(Error::new(ErrorKind::Cancelled, "the job was cancelled"));
        }
        let rows = segments.iter().map(Segment::rows).sum();
        let result = catch_unwind(AssertUnwindSafe(|| {
            let places = rows * self.places;
            self.labels[..places].fill(NO_LABEL);
            let buffer = self.runner.rows_mut(rows);
            if buffer.len() != rows * self.elements {
                return Err(Error::new(
                    ErrorKind::Internal,
                    format!(
                        "the classifier gave a buffer of {} values for {rows} rows of {}",
                        buffer.len(),
                        self.elements
                    ),
                ));
            }
            let mut rows_left = buffer.chunks_exact_mut(self.elements);
            for segment in segments {
                let centre = segment.job.centre()?;
                for (sample, row) in segment.samples.clone().zip(rows_left.by_ref()) {
                    segment.job.fill(segment.pilot, sample, &centre, row)?;
                }
            }
            self.runner.run(rows, &mut self.labels[..places])
        }));
        self.queue.end(self.index);
        match result {
            Ok(result) => result,
            Err(panic) => Err(self.after_panic(panic.as_ref())),
        }
    }

    /// A runner that panicked may be in any state: it is replaced.
    fn after_panic(&mut self, panic: &(dyn std::any::Any + Send)) -> Error {
        let what = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        let error = Error::new(ErrorKind::Internal, format!("the classifier panicked: {what}"));
        match catch_unwind(AssertUnwindSafe(|| self.classifier.runner(self.batch))) {
            Ok(Ok(runner)) => {
                self.stopper = runner.stopper();
                self.runner = runner;
                error
            }
            // The old runner stays; should it fail again, its jobs are told so.
            _ => error,
        }
    }
}

fn give_up(segments: &[Segment], error: &Error) {
    for segment in segments {
        segment.job.give_up(segment.rows() as u64, error.clone());
    }
}

#[cfg(all(test, loom))]
#[path = "loom_tests.rs"]
mod loom_tests;
