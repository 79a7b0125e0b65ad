//! What is measured: plain ONNX Runtime, and the whole way. Each runs a slice of rows and says how long it took.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use smoothtopk::model::{Model, Runner};
use smoothtopk::noise::{Grid, NoiseStream, Purpose};
use smoothtopk::sampler::{BaseClassifier, Job, Plan, Sampler};

pub const SIGMA: f64 = 0.25;

/// Runs at once, threads within each, and rows of each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub runs: usize,
    pub intra: usize,
    pub batch: usize,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, intra, batch } = self;
        write!(f, "{runs} run{} x {intra} thread{}, batch {batch}", plural(*runs), plural(*intra))
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// What a slice reached.
#[derive(Clone, Copy)]
pub struct Rate {
    /// Rows a second.
    pub by_clock: f64,
    /// Rows a second of processor time, of all threads together: what other programs take of the machine's time is not
    /// in it.
    pub by_processor: f64,
}

pub trait Side {
    /// Rows of a batch on every thread: slices are whole multiples.
    fn round(&self) -> u64;

    /// Runs at least `rows` rows: how many it was.
    fn run(&mut self, rows: u64) -> u64;

    /// One slice of about `slice`, given the rate of the last one.
    fn slice(&mut self, slice: Duration, last: Rate) -> Rate {
        let rounds = (last.by_clock * slice.as_secs_f64() / self.round() as f64).round().max(1.0);
        self.timed(rounds as u64 * self.round())
    }

    /// A first rate, after what the first runs allocate.
    fn warm_up(&mut self) -> Rate {
        self.timed(self.round());
        self.timed(self.round());
        self.timed(self.round())
    }

    fn timed(&mut self, rows: u64) -> Rate {
        let (start, before) = (Instant::now(), processor_time());
        let rows = self.run(rows) as f64;
        let (clock, processor) = (start.elapsed(), processor_time() - before);
        Rate { by_clock: rows / clock.as_secs_f64(), by_processor: rows / processor.as_secs_f64() }
    }
}

fn processor_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// ONNX Runtime's bare `Run` on one session, from noisy inputs prepared beforehand and into outputs kept from run to
/// run: no noise is made, no label read, nothing counted.
pub struct Bare {
    runners: Vec<Runner>,
    batch: usize,
}

impl Bare {
    pub fn new(model: &Model, runs: usize, batch: usize) -> Self {
        let elements = model.signature().elements;
        let (grid, x) = (Grid::for_range(1.0, SIGMA).unwrap(), vec![0.5; elements]);
        let noise = NoiseStream::new(1, 0, Purpose::Select);
        let runner = |index: usize| {
            let mut runner = model.runner(batch).unwrap();
            for (row, out) in runner.rows_mut(batch).chunks_exact_mut(elements).enumerate() {
                noise.noisy_row((index * batch + row) as u64, SIGMA, &grid, &x, out).unwrap();
            }
            // Brings the rows into the model's own type.
            runner.run(batch, &mut vec![0; batch]).unwrap();
            runner
        };
        Self { runners: (0..runs).map(runner).collect(), batch }
    }
}

impl Side for Bare {
    fn round(&self) -> u64 {
        (self.batch * self.runners.len()) as u64
    }

    fn run(&mut self, rows: u64) -> u64 {
        let batches = rows.div_ceil(self.batch as u64);
        // Drawn one by one, so that a thread that was held up does not keep the others waiting.
        let left = AtomicU64::new(batches);
        std::thread::scope(|scope| {
            for runner in &mut self.runners {
                let left = &left;
                scope.spawn(move || {
                    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                        runner.run_bare().unwrap();
                    }
                });
            }
        });
        batches * self.batch as u64
    }
}

/// Noise, model, top label and counts, as a certify draws them.
pub struct Ours {
    sampler: Sampler,
    grid: Grid,
    input: Vec<f32>,
    drawn: u64,
}

impl Ours {
    pub fn new(model: &Arc<Model>, plan: Plan) -> Self {
        let classifier: Arc<dyn BaseClassifier> = model.clone();
        let input = vec![0.5; classifier.elements()];
        let grid = Grid::for_range(1.0, SIGMA).unwrap();
        Self { sampler: Sampler::new(classifier, plan).unwrap(), grid, input, drawn: 0 }
    }
}

impl Side for Ours {
    fn round(&self) -> u64 {
        let Plan { batch, threads } = self.sampler.plan();
        (batch * threads) as u64
    }

    fn run(&mut self, rows: u64) -> u64 {
        let samples = self.drawn..self.drawn + rows;
        self.drawn += rows;
        let job = Job::on_grid(&self.input, SIGMA, self.grid, 1, Purpose::Estimate).unwrap().samples(samples);
        let counts = self.sampler.submit(job).unwrap().wait().complete().unwrap();
        assert_eq!(counts.n(), rows);
        rows
    }
}
