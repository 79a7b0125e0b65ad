//! The smoothed classifier g of a base classifier f: what a host asks, from an input to a prediction or a certificate.
//!
//! ```
//! use std::sync::Arc;
//! use smoothtopk::model::{Model, ModelOptions};
//! use smoothtopk::sampler::Plan;
//! use smoothtopk::smoothed::{Answer, Request, SmoothedClassifier, Task};
//!
//! let model = Arc::new(Model::open("demo/digits_mlp_sigma0.25.onnx", &ModelOptions::default())?);
//! let g = SmoothedClassifier::new(model, Plan { batch: 32, threads: 2 })?;
//! let request = Request { k: vec![1, 3], n: 10_000, ..Request::new(0.25) };
//! let x = vec![0.5; 64];
//! let outcome = g.submit(&x, Task::CertifySelected, &request, 0)?.wait();
//! if let Answer::Certificates(certificates) = outcome.answer? {
//!     for certificate in certificates {
//!         println!("label {} stays in the top {} within {}", certificate.label, certificate.k, certificate.radius);
//!     }
//! }
//! # Ok::<(), smoothtopk::Error>(())
//! ```

mod batch;
mod cancel;
mod choices;
mod flight;
mod guarantee;
mod pending;
mod record;
mod request;
mod timer;
mod watcher;

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use batch::{Batch, Draw};
pub use cancel::CancelToken;
pub use choices::{Bounding, Generator, NoiseMode};
use flight::{Flight, Group};
pub use guarantee::Guarantee;
pub use pending::{Answer, Outcome, Pending};
pub use record::Identity;
pub use request::{Request, Task};
use timer::Timer;
use watcher::Judgement;

use crate::certificate::stop::Rule;
use crate::noise::Purpose;
use crate::sampler::{BaseClassifier, Job, JobHandle, Lane, Plan, Sampler};
use crate::stats::MAX_TRIALS;
use crate::{Error, Result};

/// A smoothed classifier, with the threads that draw its rows. Safe to share between threads, whose rows share batches.
#[derive(Debug)]
pub struct SmoothedClassifier {
    // Declared first: closing the sampler ends every job, and the timer may be ending one meanwhile.
    sampler: Sampler,
    timer: Timer,
}

/// When work ends early, and who is told that it has ended. The default: never, and nobody.
#[derive(Default)]
pub struct Control {
    /// Stops the work this long after it was submitted, on the monotonic clock; the counts so far are kept, with an error of
    /// kind `DeadlineExceeded`.
    pub timeout: Option<Duration>,
    /// Stops the work when it is set.
    pub cancel: Option<CancelToken>,
    /// Called exactly once when all of the work has ended, however that came, with no lock held: on a worker's thread, on the
    /// one that watches deadlines, or on the one that cancels, drops or submits. It must not block, nor drop the work or the
    /// classifier. A panic in it is caught and ignored.
    pub done: Option<Box<dyn FnOnce() + Send>>,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("timeout", &self.timeout).field("cancel", &self.cancel).finish_non_exhaustive()
    }
}

impl SmoothedClassifier {
    /// Smooths `classifier`, running batches by `plan`.
    ///
    /// # Errors
    /// As [`Sampler::new`].
    pub fn new(classifier: Arc<dyn BaseClassifier>, plan: Plan) -> Result<Self> {
        Ok(Self { sampler: Sampler::new(classifier, plan)?, timer: Timer::default() })
    }

    /// The threads and batches in use.
    pub fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// Queues a task about one input, whose elements are on the scale of the request's sigma.
    ///
    /// `key` is the job key: inputs that share a seed must have keys of their own, or they get the same noise.
    ///
    /// # Errors
    /// `InvalidArgument` when the request is out of range or does not fit the number of labels; `InvalidData` when the input
    /// has another number of elements than the model takes, or one that is not finite.
    pub fn submit(&self, input: &[f32], task: Task, request: &Request, key: u64) -> Result<Pending> {
        let request = self.settle(&[task], request)?;
        self.sampler.check_elements(input.len())?;
        let (job, judgement) = job_of(input, task, &request, key, self.classes())?;
        let handle = self.sampler.submit(job)?;
        Ok(Pending::new(handle, judgement, task, request, input.len(), key))
    }

    /// Queues one task for each of `tasks.len()` inputs, row-major in `inputs`; input i gets the job key `key + i`. They share
    /// one seed, one deadline, one cancel token and one callback.
    ///
    /// # Errors
    /// As [`SmoothedClassifier::submit`], and `InvalidArgument` when there is no input or a job key overflows. Nothing is
    /// queued then, and [`Control::done`] is dropped.
    pub fn submit_batch(
        &self,
        inputs: &[f32],
        tasks: &[Task],
        request: &Request,
        key: u64,
        control: Control,
    ) -> Result<Batch> {
        let start = Instant::now();
        let elements = self.sampler.classifier().elements();
        if tasks.is_empty() {
            return Err(Error::argument("count", "there must be at least one input"));
        }
        if tasks.len().checked_mul(elements) != Some(inputs.len()) {
            let message =
                format!("{} inputs of {elements} elements are needed, got {} elements", tasks.len(), inputs.len());
            return Err(Error::data("inputs", message));
        }
        if key.checked_add(tasks.len() as u64 - 1).is_none() {
            return Err(Error::argument(
                "key",
                format!("{key} and the {} keys after it overflow 64 bits", tasks.len()),
            ));
        }
        let request = self.settle(tasks, request)?;
        if control.timeout.is_some() {
            self.timer.start()?;
        }
        // All are checked before the first is queued.
        let prepare = |(i, (input, &task)): (usize, (&[f32], &Task))| {
            job_of(input, task, &request, key + i as u64, self.classes()).map_err(|error| match tasks.len() {
                1 => error,
                _ => error.prefixed(&format!("input {i}: ")),
            })
        };
        let jobs: Vec<(Job, Option<Judgement>)> =
            inputs.chunks_exact(elements).zip(tasks).enumerate().map(prepare).collect::<Result<_>>()?;
        // A lane of its own for each request.
        let lane = Lane::new();
        let group = Group::new(jobs.len(), control.done);
        let mut pending = Vec::with_capacity(jobs.len());
        for (i, ((job, judgement), &task)) in jobs.into_iter().zip(tasks).enumerate() {
            let handle = self.queue(job.lane(&lane), &group)?;
            pending.push(Pending::new(handle, judgement, task, request.clone(), elements, key + i as u64));
        }
        group.set_jobs(pending.iter().map(Pending::stopper).collect());
        let flight = Flight::new(group, &self.timer, start, control.timeout, control.cancel);
        Ok(Batch::new(flight, pending))
    }

    /// Queues the samples `samples` of the estimation noise of one input, with the request's sigma, seed and grid. Counts of
    /// disjoint ranges add to those of a task over all of them.
    ///
    /// # Errors
    /// `InvalidArgument` when sigma, the largest input or the range is out of range; `InvalidData` as
    /// [`SmoothedClassifier::submit`]. [`Control::done`] is then dropped.
    pub fn submit_samples(
        &self,
        input: &[f32],
        samples: Range<u64>,
        request: &Request,
        key: u64,
        control: Control,
    ) -> Result<Draw> {
        let start = Instant::now();
        if samples.is_empty() || samples.end > MAX_TRIALS {
            let message = format!(
                "the samples {} .. {} must be at least one and end by {MAX_TRIALS}",
                samples.start, samples.end
            );
            return Err(Error::argument("rows", message));
        }
        self.sampler.check_elements(input.len())?;
        let job = Job::new(input, &request.noise()?, Purpose::Estimate)?;
        if control.timeout.is_some() {
            self.timer.start()?;
        }
        let group = Group::new(1, control.done);
        let handle = self.queue(job.key(key).samples(samples).lane(&Lane::new()), &group)?;
        group.set_jobs(vec![handle.stopper()]);
        Ok(Draw::new(Flight::new(group, &self.timer, start, control.timeout, control.cancel), handle))
    }

    /// Checks the request for every task, and settles its seed.
    fn settle(&self, tasks: &[Task], request: &Request) -> Result<Request> {
        let (classes, elements) = (self.classes(), self.sampler.classifier().elements());
        tasks.iter().try_for_each(|&task| request.check_for(task, classes, elements))?;
        request.with_seed()
    }

    fn classes(&self) -> usize {
        self.sampler.classifier().classes()
    }

    fn queue(&self, job: Job, group: &Arc<Group>) -> Result<JobHandle> {
        let group = Arc::clone(group);
        self.sampler.submit_then(job, move || group.job_ended())
    }
}

/// The job of one task, and the judgement of its counts where a rule may stop it.
fn job_of(input: &[f32], task: Task, request: &Request, key: u64, classes: usize) -> Result<(Job, Option<Judgement>)> {
    let purpose = match task {
        // A label predicted and then certified under one seed must not be certified by the rows that chose it.
        Task::Predict => Purpose::Predict,
        // Nor one that was returned with guarantees by the rows that chose it.
        Task::CertifyAnswer => Purpose::Answer,
        Task::Certify(_) | Task::CertifySelected => Purpose::Estimate,
    };
    let job = Job::new(input, &request.noise()?, purpose)?;
    let job = job.key(key).pilot(request.pilot_samples(task)).samples(0..request.n);
    if request.rule == Rule::Fixed {
        // Which label is certified, and how, does not change what is drawn: pilot and samples go at once.
        return Ok((job, None));
    }
    let judgement = Judgement::new(request, task, classes, input.len())?;
    Ok((job.watched(judgement.clone()), Some(judgement)))
}
