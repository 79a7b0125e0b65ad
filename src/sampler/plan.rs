//! The batch plan: how many rows a run takes and how many run at once, measured on the device at hand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::noise::{Grid, Purpose};
use crate::sampler::{BaseClassifier, Job, Sampler};
use crate::{Error, Result};

/// Rows a batch and batches at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Rows of one run, at least 1.
    pub batch: usize,
    /// Threads that each run batches, at least 1.
    pub threads: usize,
}

/// A plan and what it was measured to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The plan.
    pub plan: Plan,
    /// Rows a second, noise and counting included.
    pub rows_per_second: f64,
}

/// The input buffers of all threads together stay below this, whatever the batch would gain.
const MAX_BUFFER_BYTES: usize = 256 << 20;
/// A larger batch must be faster by this much to be worth its memory and its delay.
const WORTH: f64 = 1.02;
/// More threads than any machine has cores to run, and few enough for the system to start.
const MAX_THREADS: usize = 1024;
/// A batch size is measured for at least this long.
const SLICE: Duration = Duration::from_millis(60);

impl Plan {
    /// One thread for each core this process may use (CPU affinity and cgroup quota respected).
    pub fn usable_threads() -> usize {
        std::thread::available_parallelism().map_or(1, usize::from)
    }

    /// The fastest batch size found within `budget` for `threads` threads: doubles the batch as long as that pays, and
    /// measures what a job costs, noise and counting included.
    ///
    /// A classifier with a fixed batch is measured at that one. `budget` is kept but for the runs in progress when it
    /// ends; the first batch size is always measured.
    ///
    /// # Errors
    /// As [`Sampler::new`], and whatever a run fails with.
    pub fn measure(classifier: &Arc<dyn BaseClassifier>, threads: usize, budget: Duration) -> Result<Measured> {
        Self::measure_up_to(classifier, threads, budget, usize::MAX)
    }

    /// As [`Plan::measure`], with batches of at most `most` rows, where `most` is at least 1.
    ///
    /// # Errors
    /// As [`Plan::measure`].
    pub fn measure_up_to(
        classifier: &Arc<dyn BaseClassifier>,
        threads: usize,
        budget: Duration,
        most: usize,
    ) -> Result<Measured> {
        let start = Instant::now();
        let fixed = classifier.fixed_batch();
        let mut batch = fixed.unwrap_or(1);
        let mut best: Option<Measured> = None;
        let mut slower = 0;
        loop {
            let plan = Self { batch, threads };
            let found = Measured { plan, rows_per_second: rows_per_second(classifier, plan)? };
            match best {
                Some(other) if found.rows_per_second < other.rows_per_second * WORTH => slower += 1,
                _ => {
                    best = Some(found);
                    slower = 0;
                }
            }
            batch *= 2;
            let bytes = batch * classifier.elements() * size_of::<f32>() * threads;
            if fixed.is_some() || slower == 2 || batch > most || bytes > MAX_BUFFER_BYTES || start.elapsed() > budget {
                return Ok(best.unwrap_or(found));
            }
        }
    }

    /// Checks that the classifier can run batches of this size.
    ///
    /// # Errors
    /// `InvalidArgument` when there is no row or no thread, or the classifier's batch is fixed at another size.
    pub fn check(self, classifier: &dyn BaseClassifier) -> Result<()> {
        if self.batch == 0 {
            return Err(Error::argument("batch", "must be at least 1"));
        }
        if self.threads == 0 || self.threads > MAX_THREADS {
            return Err(Error::argument("threads", format!("must be from 1 to {MAX_THREADS}, got {}", self.threads)));
        }
        match classifier.fixed_batch() {
            Some(fixed) if fixed != self.batch => Err(Error::argument(
                "batch",
                format!(
                    "the model's batch is fixed at {fixed}, so that no other batch than {fixed} can be run; got {}",
                    self.batch
                ),
            )),
            _ => Ok(()),
        }
    }
}

fn rows_per_second(classifier: &Arc<dyn BaseClassifier>, plan: Plan) -> Result<f64> {
    let sampler = Sampler::new(Arc::clone(classifier), plan)?;
    let sigma = 0.25;
    let grid = Grid::for_range(1.0, sigma)?;
    let input = vec![0.5f32; classifier.elements()];
    let draw = |rows: u64| -> Result<Duration> {
        let job = Job::on_grid(&input, sigma, grid, 0, Purpose::Select)?.samples(0..rows);
        let start = Instant::now();
        sampler.submit(job)?.wait().complete()?;
        Ok(start.elapsed())
    };
    let round = (plan.batch * plan.threads) as u64;
    // The first runs allocate; they are not what is measured.
    let mut rows = round;
    let mut took = draw(rows)?;
    if took < SLICE * 4 {
        took = draw(rows)?;
    }
    while took < SLICE {
        // Aims a little past the slice, and never grows more than 16 times at once on a first, noisy figure.
        let growth = (1.2 * SLICE.as_secs_f64() / took.as_secs_f64().max(1e-9)).clamp(2.0, 16.0);
        rows = ((rows as f64 * growth) as u64).div_ceil(round) * round;
        took = draw(rows)?;
    }
    Ok(rows as f64 / took.as_secs_f64())
}
