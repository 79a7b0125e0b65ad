//! How far a job is: which rows were handed out, which came back, and whether its watch has seen enough.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::model::{NO_FURTHER_LABEL, NO_LABEL};
#[cfg(feature = "cuda")]
use crate::noise::RowNoise;
use crate::noise::{GridInput, Purpose, StreamNoise};
use crate::perturbation::Norm;
use crate::sampler::lane::Lane;
use crate::sampler::ledger::Ledger;
use crate::sampler::samples::Samples;
use crate::sampler::sync::{Condvar, Mutex, MutexGuard};
use crate::sampler::watch::Watch;
use crate::stats::Tally;
use crate::{Error, ErrorKind, Result};

/// Called once when a job has ended.
pub(super) type OnEnd = Box<dyn FnOnce() + Send>;

/// A job in the sampler's hands.
///
/// Its rows have positions: the pilot's first, then the samples.
pub(super) struct JobState {
    samples: Samples,
    noise: StreamNoise,
    pilot_noise: StreamNoise,
    /// The counter of no row.
    none: LabelCounter,
    pub(super) ledger: Arc<Ledger>,
    /// Its number among the jobs of its sampler, from 1; 0 before it was queued. Under the queue's lock.
    arrival: AtomicU64,
    progress: Mutex<Progress>,
    ended: Condvar,
}

/// Counts labels.
#[derive(Clone)]
pub(super) struct LabelCounter {
    labels: Vec<u64>,
    rows: u64,
    /// The most labels of a row, where it has a set of them.
    base_k: Option<usize>,
    /// Rows of sets that have none because their scores are not finite.
    invalid: u64,
    /// The label of each sample, where they are known by their numbers.
    votes: Option<Vec<u32>>,
}

pub(super) struct Progress {
    pub(super) estimate: LabelCounter,
    pub(super) pilot: Option<LabelCounter>,
    /// Positions before this one were handed out.
    given: u64,
    /// Positions before this one may be handed out: up to the next look.
    released: u64,
    /// Positions before this one are to be counted.
    pub(super) end: u64,
    /// Rows that a worker has and has not given back.
    out: u64,
    /// Threads that wait for the end: telling nobody costs a call of the system.
    waiting: usize,
    /// The watch, but while it looks.
    watch: Option<Box<dyn Watch>>,
    looking: bool,
    pub(super) stopped: Option<Error>,
    pub(super) started_at: Option<Instant>,
    pub(super) ended_at: Option<Instant>,
    on_end: Option<OnEnd>,
}

impl std::fmt::Debug for JobState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobState").field("samples", &self.samples).finish_non_exhaustive()
    }
}

impl LabelCounter {
    pub(super) fn new(classes: usize, base_k: Option<usize>) -> Self {
        Self { labels: vec![0; classes], rows: 0, base_k, invalid: 0, votes: None }
    }

    /// With the label of each of so many samples.
    fn with_votes(self, samples: u64) -> Self {
        Self { votes: Some(vec![NO_LABEL; samples as usize]), ..self }
    }

    /// Counts the sets of labels of samples, and says how many of them are invalid.
    fn add_sets(&mut self, labels: &[u32], base_k: usize) -> u64 {
        let (classes, before) = (self.labels.len(), self.invalid);
        for set in labels.chunks_exact(base_k) {
            let len = set.iter().position(|&label| label == NO_FURTHER_LABEL).unwrap_or(base_k);
            let set = &set[..len];
            // A row with an unknown label, or with one twice, is invalid: it counts for every rival.
            let is_set = (0..len).all(|i| (set[i] as usize) < classes && !set[..i].contains(&set[i]));
            if is_set {
                set.iter().for_each(|&label| self.labels[label as usize] += 1);
            } else {
                self.invalid += 1;
            }
            self.rows += 1;
        }
        self.invalid - before
    }

    /// Counts the labels of samples, the first of which is the one of that number, and says how many were none.
    fn add(&mut self, first: u64, labels: &[u32]) -> u64 {
        if let Some(base_k) = self.base_k {
            return self.add_sets(labels, base_k);
        }
        if let Some(votes) = self.votes.as_mut().and_then(|votes| votes.get_mut(first as usize..)) {
            votes.iter_mut().zip(labels).for_each(|(vote, &label)| *vote = label);
        }
        let mut none = 0;
        for &label in labels {
            // A label outside the classes is none: a row of whichever rival it would help.
            match self.labels.get_mut(label as usize) {
                Some(count) if label != NO_LABEL => *count += 1,
                _ => none += 1,
            }
        }
        self.rows += labels.len() as u64;
        none
    }

    #[cfg(feature = "cuda")]
    fn add_counts(&mut self, labels: &[u32], rows: u64) -> u64 {
        let mut counted = 0;
        for (count, more) in self.labels.iter_mut().zip(labels) {
            *count += u64::from(*more);
            counted += u64::from(*more);
        }
        self.rows += rows;
        rows.saturating_sub(counted)
    }

    pub(super) fn counts(&self) -> Tally {
        match self.base_k {
            None => Tally::tallied(self.labels.clone(), self.rows),
            Some(base_k) => Tally::tallied_sets(self.labels.clone(), self.rows, self.invalid, base_k),
        }
    }
}

impl Progress {
    pub(super) fn ended(&self) -> bool {
        self.out == 0 && !self.looking && (self.given == self.end || self.stopped.is_some())
    }

    /// The tally so far.
    pub(super) fn counts(&self) -> Tally {
        self.estimate.counts()
    }

    /// The label of each sample, where they are known by their numbers.
    pub(super) fn votes(&self) -> Option<Vec<u32>> {
        self.estimate.votes.clone()
    }

    /// The pilot's, where there is one.
    pub(super) fn pilot_counts(&self) -> Option<Tally> {
        self.pilot.as_ref().map(LabelCounter::counts)
    }

    /// Rows counted, the pilot's among them.
    pub(super) fn counted(&self) -> u64 {
        self.estimate.rows + self.pilot.as_ref().map_or(0, |pilot| pilot.rows)
    }

    fn counter(&mut self, pilot: bool) -> &mut LabelCounter {
        match &mut self.pilot {
            Some(counter) if pilot => counter,
            _ => &mut self.estimate,
        }
    }

    /// True when exactly the rows up to the next look have been counted.
    fn is_due(&self) -> bool {
        self.given > 0 && self.given == self.released && self.counted() == self.given
    }
}

/// Rows that were handed out.
pub(super) struct Taken {
    pub(super) pilot: bool,
    pub(super) samples: Range<u64>,
    /// Further rows that may be handed out.
    pub(super) left: u64,
}

/// What a look led to.
enum Seen {
    Enough,
    /// The position up to which rows may now be drawn.
    Until(u64),
}

impl JobState {
    pub(super) fn new(
        samples: Samples,
        mut watch: Option<Box<dyn Watch>>,
        none: LabelCounter,
        ledger: &Arc<Ledger>,
        on_end: Option<OnEnd>,
    ) -> Self {
        let released = match &mut watch {
            None => samples.rows(),
            Some(_) if samples.pilot > 0 => samples.pilot,
            Some(watch) => watch.next_look(0).max(1).min(samples.rows()),
        };
        let progress = Progress {
            estimate: match samples.noise.family().rows() {
                // Windows are few, and counted from number 0 on.
                Some(rows)
                    if samples.noise.family().norm() == Norm::Patch
                        && samples.range == (0..rows)
                        && none.base_k.is_none() =>
                {
                    none.clone().with_votes(rows)
                }
                _ => none.clone(),
            },
            pilot: (samples.pilot > 0).then(|| none.clone()),
            given: 0,
            released,
            end: samples.rows(),
            out: 0,
            waiting: 0,
            watch,
            looking: false,
            stopped: None,
            started_at: None,
            ended_at: None,
            on_end,
        };
        Self {
            noise: samples.noise.stream(samples.key, samples.purpose),
            pilot_noise: samples.noise.stream(samples.key, Purpose::Select),
            samples,
            none,
            ledger: Arc::clone(ledger),
            arrival: AtomicU64::new(0),
            progress: Mutex::new(progress),
            ended: Condvar::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the end.
    pub(super) fn wait(&self) -> MutexGuard<'_, Progress> {
        let mut progress = self.lock();
        progress.waiting += 1;
        while !progress.ended() {
            progress = self.ended.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
        progress.waiting -= 1;
        progress
    }

    /// Waits for the end, at most `timeout`. True when it has come.
    pub(super) fn wait_timeout(&self, timeout: Duration) -> bool {
        let start = Instant::now();
        let mut progress = self.lock();
        progress.waiting += 1;
        while !progress.ended() {
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                break;
            }
            progress = self.ended.wait_timeout(progress, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        progress.waiting -= 1;
        progress.ended()
    }

    /// The tally of no rows.
    pub(super) fn no_counts(&self) -> Tally {
        self.none.counts()
    }

    pub(super) fn lane(&self) -> Option<&Lane> {
        self.samples.lane.as_ref()
    }

    /// Its number among the jobs of its sampler: `first`, where it has none yet.
    pub(super) fn arrival(&self, first: impl FnOnce() -> u64) -> u64 {
        match self.arrival.load(Ordering::Relaxed) {
            0 => {
                let arrival = first();
                self.arrival.store(arrival, Ordering::Relaxed);
                arrival
            }
            arrival => arrival,
        }
    }

    /// Rows that may be handed out and have not been.
    pub(super) fn left(&self) -> u64 {
        let progress = self.lock();
        progress.released - progress.given
    }

    /// True when the job is to get no further rows.
    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped.is_some()
    }

    /// True when it was stopped because its time was up.
    pub(super) fn is_late(&self) -> bool {
        self.lock().stopped.as_ref().is_some_and(|error| error.kind() == ErrorKind::DeadlineExceeded)
    }

    /// Hands out up to `most` rows, all of the pilot or none of it; none when the job is stopped, or waits for a look.
    pub(super) fn take(&self, most: u64) -> Taken {
        let mut progress = self.lock();
        let start = progress.given;
        let pilot = start < self.samples.pilot;
        let until = if pilot { progress.released.min(self.samples.pilot) } else { progress.released };
        let rows = if progress.stopped.is_some() { 0 } else { most.min(until - start) };
        progress.given += rows;
        progress.out += rows;
        if rows > 0 && progress.started_at.is_none() {
            progress.started_at = Some(Instant::now());
            self.ledger.begin();
        }
        let first = if pilot { start } else { self.samples.range.start + (start - self.samples.pilot) };
        Taken { pilot, samples: first..first + rows, left: progress.released - progress.given }
    }

    /// The input, as the noise placed it.
    pub(super) fn centre(&self) -> Result<Arc<GridInput>> {
        self.samples.centre.get(&self.samples.noise)
    }

    /// Writes the noisy row of a sample around the job's centre.
    pub(super) fn fill(&self, pilot: bool, sample: u64, centre: &GridInput, out: &mut [f32]) -> Result<()> {
        let noise = if pilot { &self.pilot_noise } else { &self.noise };
        noise.noisy_row(sample, centre, out)
    }

    /// Counts the labels of rows that were handed out, those of the samples from `first` on. True when a look has
    /// released further rows, which are to be queued.
    pub(super) fn give_back(&self, pilot: bool, first: u64, labels: &[u32]) -> bool {
        let mut progress = self.lock();
        let none = progress.counter(pilot).add(first, labels);
        let rows = (labels.len() / self.none.base_k.unwrap_or(1)) as u64;
        self.ledger.count(rows, none);
        self.settle(progress, rows)
    }

    /// As [`JobState::give_back`], for `rows` rows that were counted elsewhere: `counts` has a number for each label.
    #[cfg(feature = "cuda")]
    pub(super) fn give_back_counts(&self, pilot: bool, counts: &[u32], rows: u64) -> bool {
        let mut progress = self.lock();
        let none = progress.counter(pilot).add_counts(counts, rows);
        self.ledger.count(rows, none);
        self.settle(progress, rows)
    }

    /// Whether whoever holds counts of this job is to give them back: every row up to the next look, or the last, is
    /// handed out, or no further one will be.
    #[cfg(feature = "cuda")]
    pub(super) fn is_due_back(&self) -> bool {
        let progress = self.lock();
        progress.given == progress.released || progress.stopped.is_some()
    }

    /// Whether no row will be handed out any more.
    #[cfg(feature = "cuda")]
    pub(super) fn is_handed_out(&self) -> bool {
        let progress = self.lock();
        progress.given == progress.end || progress.stopped.is_some()
    }

    /// What a device's kernels make the rows from; none where they cannot.
    #[cfg(feature = "cuda")]
    pub(super) fn noise_for_kernels(&self, pilot: bool) -> Option<RowNoise> {
        let noise = if pilot { &self.pilot_noise } else { &self.noise };
        noise.for_kernels()
    }

    /// Takes back rows that were handed out and not classified.
    pub(super) fn give_up(&self, rows: u64, error: Error) {
        let mut progress = self.lock();
        progress.stopped.get_or_insert(error);
        self.settle(progress, rows);
    }

    /// Notes that `rows` rows are no longer out, has the watch look where that is due, and ends the job where it is
    /// over. True when further rows are to be queued.
    fn settle<'a>(&'a self, mut progress: MutexGuard<'a, Progress>, rows: u64) -> bool {
        progress.out -= rows;
        let mut more = false;
        if progress.is_due()
            && let Some(watch) = progress.watch.take()
        {
            progress = self.have_looked_at(progress, watch);
            more = progress.released > progress.given && progress.stopped.is_none();
        }
        if progress.counted() == progress.end {
            // The stop came too late to lose anything.
            progress.stopped = None;
        }
        if progress.ended() {
            progress.ended_at = Some(Instant::now());
            // Before whoever waits, or is told, asks for more.
            self.ledger.end(progress.started_at.is_some(), progress.stopped.as_ref().map(Error::kind));
            if progress.waiting > 0 {
                self.ended.notify_all();
            }
            let on_end = progress.on_end.take();
            // It may take locks of its own, and look at this job.
            drop(progress);
            self.samples.centre.forget();
            if let Some(on_end) = on_end {
                // A panic of the host's must not end a worker.
                let _ = catch_unwind(AssertUnwindSafe(on_end));
            }
        }
        more
    }

    /// Lets the watch look at the counts, with the lock released.
    fn have_looked_at<'a>(
        &'a self,
        mut progress: MutexGuard<'a, Progress>,
        mut watch: Box<dyn Watch>,
    ) -> MutexGuard<'a, Progress> {
        let (given, end) = (progress.given, progress.end);
        let pilot = progress.pilot.as_ref().filter(|_| given == self.samples.pilot).map(LabelCounter::counts);
        let counts = progress.estimate.counts();
        progress.looking = true;
        drop(progress);
        let seen = catch_unwind(AssertUnwindSafe(|| {
            match &pilot {
                Some(counts) => watch.pilot(counts),
                None if !watch.look(&counts) || given == end => return Seen::Enough,
                None => {}
            }
            let next = self.samples.pilot.saturating_add(watch.next_look(given - self.samples.pilot));
            Seen::Until(next.max(given + 1).min(end))
        }));
        let mut progress = self.lock();
        progress.looking = false;
        match seen {
            Ok(Seen::Enough) => progress.end = given,
            Ok(Seen::Until(position)) => {
                progress.released = position;
                progress.watch = Some(watch);
            }
            Err(_) => {
                let error = Error::new(ErrorKind::Internal, "what watches the job's counts panicked");
                progress.stopped.get_or_insert(error);
            }
        }
        progress
    }

    /// Ends a job without rows.
    pub(super) fn end_empty(&self) {
        self.settle(self.lock(), 0);
    }

    /// Stops an unfinished job, and says how many of its rows workers have; none when it had ended or was stopped
    /// before.
    pub(super) fn stop(&self, error: Error) -> Option<u64> {
        let mut progress = self.lock();
        if progress.ended() || progress.stopped.is_some() {
            return None;
        }
        let out = progress.out;
        progress.stopped = Some(error);
        self.settle(progress, 0);
        Some(out)
    }
}
