//! Slices: a plan at work for a few hundredths of a second at a time, so that several plans can take turns.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch_plan::Plan;
use crate::Result;
use crate::noise::{Grid, Purpose};
use crate::sampler::{BaseClassifier, Job, Sampler};

const SIGMA: f64 = 0.25;
/// A slice is sized by the figure of the one before, the first by that of a first run: it may be far too short, and is
/// tried again, but never grows more than this at once.
const GROWTH: f64 = 16.0;
const RESIZES: usize = 4;

/// A plan that is being measured, with its threads and buffers.
pub(super) struct Contender {
    pub plan: Plan,
    /// Rows a second of the best slice: on a shared machine, other work only ever makes a slice slower.
    pub best: f64,
    /// Rows a second of the worst slice of full length.
    pub worst: f64,
    sampler: Sampler,
    grid: Grid,
    input: Vec<f32>,
    next: u64,
    /// Rows a second of the last slice.
    last: f64,
}

impl Contender {
    /// Starts the plan's threads, and runs a batch on each: the first runs allocate.
    pub fn start(classifier: &Arc<dyn BaseClassifier>, plan: Plan) -> Result<Self> {
        let sampler = Sampler::new(Arc::clone(classifier), plan)?;
        let input = vec![0.5; classifier.elements()];
        let grid = Grid::for_range(1.0, SIGMA)?;
        let mut started = Self { plan, best: 0.0, worst: f64::INFINITY, sampler, grid, input, next: 0, last: 0.0 };
        started.last = started.draw(started.round())?;
        Ok(started)
    }

    /// A batch on every thread: shorter jobs leave threads without work.
    fn round(&self) -> u64 {
        self.plan.batch as u64 * self.plan.threads as u64
    }

    /// How long a slice of `wanted` will take: never less than one round.
    pub fn takes(&self, wanted: Duration) -> Duration {
        wanted.max(Duration::from_secs_f64(self.round() as f64 / self.last.max(self.best)))
    }

    /// Works for about `wanted`, and gives the rows a second.
    pub fn slice(&mut self, wanted: Duration) -> Result<f64> {
        let wanted = wanted.as_secs_f64();
        let mut rate = 0.0;
        for _ in 0..RESIZES {
            let rounds = (self.last * wanted / self.round() as f64).round().max(1.0);
            let rows = rounds as u64 * self.round();
            rate = self.draw(rows)?;
            // A slice that turned out short only looks slower, by the time that starting it took.
            self.best = self.best.max(rate);
            self.last = rate.min(self.last * GROWTH);
            if rows as f64 / rate >= wanted / 2.0 {
                self.worst = self.worst.min(rate);
                break;
            }
        }
        Ok(rate)
    }

    /// Rows a second of `rows` rows.
    fn draw(&mut self, rows: u64) -> Result<f64> {
        let samples = self.next..self.next + rows;
        self.next += rows;
        let job = Job::on_grid(&self.input, SIGMA, self.grid, 0, Purpose::Select)?.samples(samples);
        let start = Instant::now();
        self.sampler.submit(job)?.wait().complete()?;
        Ok(rows as f64 / start.elapsed().as_secs_f64().max(1e-9))
    }
}
