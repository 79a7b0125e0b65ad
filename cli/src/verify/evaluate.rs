//! The smoothed classifier at points of an attacker's choice: counts of noisy rows, and the noise that gave a label.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use smoothtopk::model::NO_LABEL;
use smoothtopk::noise::{GridInput, Mode, Noise, Purpose, Source, StreamNoise};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::sampler::{BaseClassifier, BatchRunner, Job, JobHandle, Plan, Sampler};
use smoothtopk::stats::Tally;
use smoothtopk::{Error, ErrorKind, Result};

use crate::interrupt;

/// Between two looks at Ctrl-C.
const POLL: Duration = Duration::from_millis(50);

/// The distribution of a RUN's noise.
#[derive(Clone, Copy, Debug)]
pub struct Distribution {
    pub noise: Gaussian,
    pub mode: Mode,
}

/// Draws rows of the smoothed classifier at any point.
pub struct Evaluator {
    sampler: Sampler,
    /// One a thread, for rows whose noise is looked at as well.
    runners: Vec<Box<dyn BatchRunner>>,
    noise: Noise,
    seed: u64,
}

/// The rows of one label: how many, and the sum of their noise.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseOfLabel {
    pub rows: u64,
    pub sum: Vec<f64>,
}

impl Evaluator {
    pub fn new(
        classifier: Arc<dyn BaseClassifier>,
        plan: Plan,
        distribution: &Distribution,
        seed: u64,
    ) -> Result<Self> {
        let runners = (0..plan.threads).map(|_| classifier.runner(plan.batch)).collect::<Result<_>>()?;
        let noise = Noise::new(distribution.noise.sigma(), distribution.mode, Source::Philox { seed })?;
        Ok(Self { sampler: Sampler::new(classifier, plan)?, runners, noise, seed })
    }

    pub fn elements(&self) -> usize {
        self.sampler.classifier().elements()
    }

    pub fn noise(&self) -> &Noise {
        &self.noise
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Tally of `rows` rows at each of the points. All get the same noise, which only (`purpose`, `key`) has: what
    /// differs between their counts is due to the points.
    pub fn counts(&self, points: &[&[f32]], rows: u64, purpose: Purpose, key: u64) -> Result<Vec<Tally>> {
        let submit =
            |point: &&[f32]| self.sampler.submit(Job::new(point, &self.noise, purpose)?.key(key).samples(0..rows));
        let jobs: Vec<JobHandle> = points.iter().map(submit).collect::<Result<_>>()?;
        let wait = |job: JobHandle| {
            while !job.wait_timeout(POLL) {
                interrupt::check()?;
            }
            job.wait().complete()
        };
        interrupt::check()?;
        jobs.into_iter().map(wait).collect()
    }

    /// Runs `rows` rows at a point, and adds up the noise of those that gave each of `labels`. What is added up are
    /// whole steps of the grid, which f64 holds exactly, so that sums do not depend on the threads.
    pub fn noise_by_label(
        &mut self,
        point: &[f32],
        labels: &[usize],
        rows: u64,
        key: u64,
    ) -> Result<Vec<NoiseOfLabel>> {
        let batch = self.sampler.plan().batch;
        let watched = &Watched {
            noise: self.noise.stream(key, Purpose::Select),
            centre: self.noise.centre(point)?,
            step: self.noise.mode().step(),
            x: point,
            labels,
        };
        let share = rows.div_ceil(self.runners.len() as u64).max(1);
        let parts: Vec<Result<Vec<NoiseOfLabel>>> = std::thread::scope(|scope| {
            let mut threads = Vec::with_capacity(self.runners.len());
            for (thread, runner) in (0u64..).zip(&mut self.runners) {
                let samples = (thread * share).min(rows)..((thread + 1) * share).min(rows);
                threads.push(scope.spawn(move || watched.run(runner.as_mut(), samples, batch)));
            }
            let panicked = |_| Err(Error::new(ErrorKind::Internal, "a thread that ran the model panicked"));
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked)).collect()
        });
        let mut total = watched.nothing();
        for part in parts {
            for (total, part) in total.iter_mut().zip(part?) {
                total.rows += part.rows;
                total.sum.iter_mut().zip(&part.sum).for_each(|(total, part)| *total += part * watched.step);
            }
        }
        Ok(total)
    }
}

/// Rows at `x` whose noise is added up by label, in steps of the grid.
struct Watched<'a> {
    noise: StreamNoise,
    centre: GridInput,
    step: f64,
    x: &'a [f32],
    labels: &'a [usize],
}

impl Watched<'_> {
    fn nothing(&self) -> Vec<NoiseOfLabel> {
        vec![NoiseOfLabel { rows: 0, sum: vec![0.0; self.x.len()] }; self.labels.len()]
    }

    /// Runs a range of samples, in batches.
    fn run(&self, runner: &mut dyn BatchRunner, samples: Range<u64>, batch: usize) -> Result<Vec<NoiseOfLabel>> {
        let mut sums = self.nothing();
        let mut given = vec![NO_LABEL; batch];
        let mut row = vec![0.0; self.x.len()];
        let mut next = samples.start;
        while next < samples.end {
            interrupt::check()?;
            let end = samples.end.min(next + batch as u64);
            let given = &mut given[..(end - next) as usize];
            given.fill(NO_LABEL);
            let rows = runner.rows_mut(given.len());
            for (sample, row) in (next..end).zip(rows.chunks_exact_mut(self.x.len())) {
                self.fill(sample, row)?;
            }
            runner.run(given.len(), given)?;
            for (sample, &given) in (next..end).zip(&*given) {
                let Some(of_label) = self.labels.iter().position(|&label| label == given as usize) else { continue };
                // A model may have written over its rows: they are drawn again rather than read.
                self.fill(sample, &mut row)?;
                sums[of_label].rows += 1;
                for ((sum, &noisy), &x) in sums[of_label].sum.iter_mut().zip(&row).zip(self.x) {
                    // Both are f32 near the grid: the step between them is the nearest one.
                    *sum += ((f64::from(noisy) - f64::from(x)) / self.step).round();
                }
            }
            next = end;
        }
        Ok(sums)
    }

    fn fill(&self, sample: u64, row: &mut [f32]) -> Result<()> {
        self.noise.noisy_row(sample, &self.centre, row)
    }
}
