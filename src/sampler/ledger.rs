//! What a sampler has done and has under way, in numbers that its threads add to without a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::sampler::process::Process;
use crate::{Error, ErrorKind, Result};

/// The most that may be under way at once; beyond it jobs are refused at once with `Busy`. The default: any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Jobs, one for each input.
    pub jobs: Option<u64>,
    /// Bytes of their inputs, 4 an element.
    pub input_bytes: Option<u64>,
}

/// What a sampler has done and has under way. Numbers only grow, but for those of what waits or runs; each is exact,
/// but they are read one after the other while threads go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SamplerStats {
    /// Samples counted.
    pub samples: u64,
    /// Those of them that gave no label: their scores were not finite.
    pub invalid_samples: u64,
    /// Samples that may be drawn at once and wait for a thread.
    pub samples_waiting: u64,
    /// Jobs of which no sample was begun.
    pub jobs_waiting: u64,
    /// Jobs that have begun and not ended.
    pub jobs_running: u64,
    /// Jobs that have ended, in whichever way.
    pub jobs_ended: u64,
    /// Those of them that were stopped by a cancel, by dropping them or by closing the sampler.
    pub jobs_cancelled: u64,
    /// Those of them that were stopped by their deadline.
    pub jobs_late: u64,
    /// Those of them that a failed run of the classifier stopped.
    pub jobs_failed: u64,
    /// Jobs that were refused because too many were under way.
    pub jobs_refused: u64,
}

/// Leave to submit jobs. What is not used when it is dropped is given back.
#[derive(Debug)]
pub struct Admitted {
    ledger: Arc<Ledger>,
    left: u64,
}

impl Admitted {
    /// Uses the leave for one job of the sampler with this ledger; false where there is none left.
    pub(super) fn use_one(&mut self, ledger: &Arc<Ledger>) -> bool {
        let some = self.left > 0 && Arc::ptr_eq(ledger, &self.ledger);
        self.left -= u64::from(some);
        some
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.ledger.dismiss(self.left);
    }
}

#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) process: Process,
    limits: Limits,
    bytes_a_job: u64,
    under_way: AtomicU64,
    begun: AtomicU64,
    samples: AtomicU64,
    invalid: AtomicU64,
    ended: AtomicU64,
    ended_unbegun: AtomicU64,
    cancelled: AtomicU64,
    late: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

impl Ledger {
    pub fn new(limits: Limits, elements: usize) -> Self {
        Self {
            process: Process::this(),
            limits,
            bytes_a_job: (elements * size_of::<f32>()).max(1) as u64,
            under_way: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            samples: AtomicU64::new(0),
            invalid: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            ended_unbegun: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            late: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Lets all of so many jobs in, or none.
    pub fn admit(self: &Arc<Self>, jobs: u64) -> Result<Admitted> {
        let most = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
        let (by_jobs, by_bytes) = (most(self.limits.jobs), most(self.limits.input_bytes) / self.bytes_a_job);
        let let_in = |under_way: u64| under_way.checked_add(jobs).filter(|&sum| sum <= by_jobs.min(by_bytes));
        let Err(under_way) = self.under_way.fetch_update(Ordering::Relaxed, Ordering::Relaxed, let_in) else {
            return Ok(Admitted { ledger: Arc::clone(self), left: jobs });
        };
        let (field, limit, unit, bytes) = match by_jobs <= by_bytes {
            true => ("max_jobs", by_jobs, "inputs", 1),
            false => ("max_input_bytes", most(self.limits.input_bytes), "bytes of inputs", self.bytes_a_job),
        };
        if jobs > by_jobs.min(by_bytes) {
            let message =
                format!("{} {unit} at once are more than {limit}, the most there may be: ask for fewer", jobs * bytes);
            return Err(Error::argument(field, message));
        }
        add(&self.refused, jobs);
        let message = format!(
            "{} {unit} are under way and {} more were asked for, of at most {limit}: ask again when some have ended",
            under_way * bytes,
            jobs * bytes
        );
        Err(Error::new(ErrorKind::Busy, message).with_field(field))
    }

    /// Takes back that so many jobs were let in.
    fn dismiss(&self, jobs: u64) {
        self.under_way.fetch_sub(jobs, Ordering::Relaxed);
    }

    /// Notes the first row of a job.
    pub fn begin(&self) {
        add(&self.begun, 1);
    }

    pub fn count(&self, samples: u64, invalid: u64) {
        add(&self.samples, samples);
        if invalid > 0 {
            add(&self.invalid, invalid);
        }
    }

    /// Notes the end of a job that was let in.
    pub fn end(&self, begun: bool, stopped: Option<ErrorKind>) {
        add(&self.ended, 1);
        if !begun {
            add(&self.ended_unbegun, 1);
        }
        match stopped {
            None => {}
            Some(ErrorKind::Cancelled) => add(&self.cancelled, 1),
            Some(ErrorKind::DeadlineExceeded) => add(&self.late, 1),
            Some(_) => add(&self.failed, 1),
        }
        self.dismiss(1);
    }

    pub fn stats(&self, samples_waiting: u64) -> SamplerStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let jobs_ended = read(&self.ended);
        let running = read(&self.begun).saturating_sub(jobs_ended - read(&self.ended_unbegun).min(jobs_ended));
        let under_way = read(&self.under_way);
        SamplerStats {
            samples: read(&self.samples),
            invalid_samples: read(&self.invalid),
            samples_waiting,
            jobs_waiting: under_way.saturating_sub(running),
            jobs_running: running.min(under_way),
            jobs_ended,
            jobs_cancelled: read(&self.cancelled),
            jobs_late: read(&self.late),
            jobs_failed: read(&self.failed),
            jobs_refused: read(&self.refused),
        }
    }
}
