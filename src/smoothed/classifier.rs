//! The smoothed classifier.

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::flight::Flight;
use super::group::Group;
use super::origin::Origin;
use super::stats::{Statements, Stats};
use super::timer::Timer;
use super::watcher::Judgement;
use super::{Batch, Control, Draw, Given, Pending, Request, Task};
use crate::counts::{Rule, Subject};
use crate::noise::Purpose;
use crate::perturbation::Family;
use crate::sampler::{Admitted, BaseClassifier, Job, JobHandle, Lane, Limits, Plan, Sampler};
use crate::stats::MAX_TRIALS;
use crate::{Error, Result};

/// A smoothed classifier, with the threads that draw its samples. Safe to share between threads, whose samples share
/// batches.
#[derive(Debug)]
pub struct SmoothedClassifier {
    // Declared first: closing the sampler ends every job, and the timer may be ending one meanwhile.
    sampler: Sampler,
    timer: Timer,
    opened: Instant,
    statements: Arc<Statements>,
    /// What its counts are of, but for the input.
    subject: Subject,
    /// What it was opened with.
    noise: Option<Family>,
}

impl SmoothedClassifier {
    /// Smooths `classifier`, running batches by `plan`.
    ///
    /// # Errors
    /// As [`Sampler::new`].
    pub fn new(classifier: Arc<dyn BaseClassifier>, plan: Plan) -> Result<Self> {
        Self::limited(classifier, plan, Limits::default())
    }

    /// As [`SmoothedClassifier::new`], with the most that may be under way at once. Beyond it, work is refused at once
    /// with an error of kind `Busy`.
    ///
    /// # Errors
    /// As [`Sampler::new`].
    pub fn limited(classifier: Arc<dyn BaseClassifier>, plan: Plan, limits: Limits) -> Result<Self> {
        let subject = classifier.subject().opened()?;
        let sampler = Sampler::limited(classifier, plan, limits)?;
        let (timer, statements) = (Timer::default(), Arc::default());
        Ok(Self { sampler, timer, opened: Instant::now(), statements, subject, noise: None })
    }

    /// What was done and is under way, in numbers: cheap enough to be read many times a second.
    ///
    /// # Errors
    /// `Forked` in a forked process.
    pub fn stats(&self) -> Result<Stats> {
        let sampler = self.sampler.stats()?;
        let (answers, abstentions) = self.statements.numbers();
        Ok(Stats { elapsed: self.opened.elapsed(), sampler, answers, abstentions })
    }

    pub(super) fn with_noise(self, noise: Family) -> Self {
        Self { noise: Some(noise), ..self }
    }

    pub(super) fn noise(&self) -> Option<Family> {
        self.noise
    }

    /// The threads and batches in use.
    pub fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// Queues a task about one input, whose elements are on the scale of the request's sigma.
    ///
    /// Inputs that share a seed must have streams of their own, or they get the same noise.
    ///
    /// # Errors
    /// `InvalidArgument` when the request is out of range or does not fit the number of labels; `InvalidData` when the
    /// input has another number of elements than the model takes, or one that is not finite; `Busy` when too many jobs
    /// are under way ([`Limits`]); `Forked` in a process that was forked after this was made.
    pub fn submit(&self, input: &[f32], task: Task, request: &Request, stream: u64) -> Result<Pending> {
        let request = self.settle(&[task], request)?;
        self.sampler.check_elements(input.len())?;
        let (job, judgement, origin) = self.job_of(&input.into(), 0, task, &request, stream)?;
        let looks = judgement.clone();
        let handle = self.sampler.submit_then(job, move || looks.iter().for_each(Judgement::end))?;
        Ok(self.pending(handle, judgement, task, request, origin, stream))
    }

    /// Queues a part of the samples of a task with a fixed n, such that other machines may draw the others. The part
    /// that has sample 0 draws the n0 samples, too. Its outcome has counts and no answer: [`of_parts`](super::of_parts)
    /// makes one of all parts.
    ///
    /// # Errors
    /// As [`SmoothedClassifier::submit`]; `InvalidArgument` when the task has a rule, its noise is enumerated, or the
    /// part is empty or goes beyond n.
    pub fn submit_part(
        &self,
        input: &[f32],
        task: Task,
        request: &Request,
        stream: u64,
        part: Range<u64>,
    ) -> Result<Pending> {
        let request = self.settle(&[task], request)?;
        if part.is_empty() || part.end > request.n {
            let (start, end, n) = (part.start, part.end, request.n);
            return Err(Error::argument("part", format!("{start}..{end} must be some of the {n} samples")));
        }
        if request.rule != Rule::Fixed || request.family.is_enumerated() {
            let message =
                "of a task with a rule, or of enumerated noise, certifies nothing: all samples decide together";
            return Err(Error::argument("part", message));
        }
        self.sampler.check_elements(input.len())?;
        let (job, judgement, origin) = self.job_of(&input.into(), 0, task, &request, stream)?;
        let pilot = if part.start == 0 { request.pilot_samples(task) } else { 0 };
        let handle = self.sampler.submit(job.pilot(pilot).samples(part.clone()))?;
        let pending = self.pending(handle, judgement, task, request, origin, stream);
        Ok(Pending { part: Some(part), ..pending })
    }

    fn pending(
        &self,
        job: JobHandle,
        judgement: Option<Judgement>,
        task: Task,
        request: Request,
        origin: Origin,
        stream: u64,
    ) -> Pending {
        let (statements, outcome) = (Arc::clone(&self.statements), OnceLock::new());
        Pending { job, judgement, task, request, origin, stream, part: None, statements, outcome }
    }

    /// Queues one task for each of `tasks.len()` inputs, row-major in `inputs`; input i gets the stream `stream + i`.
    /// They share one seed, one deadline and one cancel token.
    ///
    /// # Errors
    /// As [`SmoothedClassifier::submit`], and `InvalidArgument` when there is no input or a stream overflows. Nothing
    /// is queued then.
    pub fn submit_batch<'a>(
        &self,
        inputs: impl Into<Given<'a>>,
        tasks: &[Task],
        request: &Request,
        stream: u64,
        control: Control,
    ) -> Result<Batch> {
        let start = Instant::now();
        let (elements, given) = (self.sampler.classifier().elements(), inputs.into());
        let len = given.inputs().len();
        if tasks.is_empty() {
            return Err(Error::argument("count", "there must be at least one input"));
        }
        if tasks.len().checked_mul(elements) != Some(len) {
            let message = format!("{} inputs of {elements} elements are needed, got {len} elements", tasks.len());
            return Err(Error::data("inputs", message));
        }
        if stream.checked_add(tasks.len() as u64 - 1).is_none() {
            return Err(Error::argument(
                "stream",
                format!("{stream} and the {} after it overflow 64 bits", tasks.len()),
            ));
        }
        let request = self.settle(tasks, request)?;
        // Before anything is made of the inputs.
        let mut leave = self.sampler.admit(tasks.len() as u64)?;
        self.watch_time(&control)?;
        // All are checked before the first is queued.
        let prepare = |(i, &task): (usize, &Task)| {
            self.job_of(&given, i, task, &request, stream + i as u64).map_err(|error| match tasks.len() {
                1 => error,
                _ => error.prefixed(&format!("input {i}: ")),
            })
        };
        let jobs: Vec<(Job, Option<Judgement>, Origin)> =
            tasks.iter().enumerate().map(prepare).collect::<Result<_>>()?;
        // A lane of its own for each request.
        let lane = Lane::new();
        let group = Group::new(jobs.len());
        let mut pending = Vec::with_capacity(jobs.len());
        for (i, ((job, judgement, origin), &task)) in jobs.into_iter().zip(tasks).enumerate() {
            let handle = self.queue(job.lane(&lane), &mut leave, &group, judgement.clone())?;
            pending.push(self.pending(handle, judgement, task, request.clone(), origin, stream + i as u64));
        }
        group.set_jobs(pending.iter().map(Pending::stopper).collect());
        let flight = Flight::new(group, &self.timer, start, control);
        Ok(Batch::new(flight, pending))
    }

    /// Queues the samples `samples` of the estimation noise of one input, with the request's sigma, seed and grid.
    /// Counts of disjoint ranges add to those of a task over all of them.
    ///
    /// # Errors
    /// `InvalidArgument` when sigma, the largest input or the range is out of range; `InvalidData` as
    /// [`SmoothedClassifier::submit`].
    pub fn submit_samples(
        &self,
        input: &[f32],
        samples: Range<u64>,
        request: &Request,
        stream: u64,
        control: Control,
    ) -> Result<Draw> {
        let start = Instant::now();
        if samples.is_empty() || samples.end > MAX_TRIALS {
            let message = format!(
                "the samples {} .. {} must be at least one and end by {MAX_TRIALS}",
                samples.start, samples.end
            );
            return Err(Error::argument("samples", message));
        }
        self.sampler.check_elements(input.len())?;
        self.sampler.classifier().check_input(input)?;
        let request = request.settled(&self.sampler.classifier().shape())?;
        if request.family.is_enumerated() {
            let message = format!("{}: all rows are needed, so a part of them is no draw: certify", request.family);
            return Err(Error::argument("noise", message));
        }
        let noise = request.noise()?;
        let mut leave = self.sampler.admit(1)?;
        let job = Job::new(input, &noise, Purpose::Estimate)?;
        let origin = Origin::new(&noise, stream, Purpose::Estimate, &self.subject, input);
        self.watch_time(&control)?;
        let group = Group::new(1);
        let job = job.key(stream).samples(samples.clone()).lane(&Lane::new());
        let handle = self.queue(job, &mut leave, &group, None)?;
        group.set_jobs(vec![handle.stopper()]);
        Ok(Draw::new(Flight::new(group, &self.timer, start, control), handle, origin, samples))
    }

    /// Has the thread that watches deadlines running where there is one to watch.
    fn watch_time(&self, control: &Control) -> Result<()> {
        if control.timeout.is_some() || control.deadline.is_some() { self.timer.start() } else { Ok(()) }
    }

    /// Checks the request for every task, and settles its seed.
    fn settle(&self, tasks: &[Task], request: &Request) -> Result<Request> {
        let (classes, elements) = (self.classes(), self.sampler.classifier().elements());
        let request = request.settled(&self.sampler.classifier().shape())?;
        if self.sampler.classifier().base_k().is_some() && tasks.iter().any(|task| *task != Task::Count) {
            let message = "the base classifier gives each sample a set of labels, and this task is about one: draw counts, and \
                           certify sets of true labels by them";
            return Err(Error::argument("base_k", message));
        }
        tasks.iter().try_for_each(|&task| request.check_for(task, classes, elements))?;
        request.with_seed()
    }

    fn classes(&self) -> usize {
        self.sampler.classifier().classes()
    }

    fn queue(&self, job: Job, leave: &mut Admitted, group: &Arc<Group>, looks: Option<Judgement>) -> Result<JobHandle> {
        let group = Arc::clone(group);
        self.sampler.submit_admitted(job, leave, move || {
            looks.iter().for_each(Judgement::end);
            group.job_ended();
        })
    }

    /// What its counts are of, but for the input.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The job of the task about one input, the judgement of its counts where a rule may stop it, and what its counts
    /// are of.
    fn job_of(
        &self,
        given: &Given<'_>,
        index: usize,
        task: Task,
        request: &Request,
        stream: u64,
    ) -> Result<(Job, Option<Judgement>, Origin)> {
        let purpose = task.purpose();
        let noise = request.noise()?;
        let elements = self.sampler.classifier().elements();
        let range = index * elements..(index + 1) * elements;
        let input = given.inputs().read(range.clone());
        self.sampler.classifier().check_input(&input)?;
        let origin = Origin::new(&noise, stream, purpose, &self.subject, &input);
        // Also of an input that is read again later: what is refused is refused at once.
        let job = Job::new(&input, &noise, purpose)?;
        let job = match given {
            Given::Now(_) => job,
            Given::Later(buffer) => {
                let (buffer, origin) = (Arc::clone(buffer), origin.clone());
                let read = move || origin.check_input(buffer.inputs().read(range.clone()).into_owned());
                Job::reading(elements, Box::new(read), &noise, purpose)
            }
        };
        let job = job.key(stream).pilot(request.pilot_samples(task)).samples(0..request.n);
        if request.rule == Rule::Fixed {
            // Which label is certified, and how, does not change what is drawn: pilot and samples go at once.
            return Ok((job, None, origin));
        }
        let judgement = Judgement::new(request, task, self.classes(), &origin)?;
        Ok((job.watched(judgement.clone()), Some(judgement), origin))
    }
}
