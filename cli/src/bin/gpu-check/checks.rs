//! Correctness: the device's rows and counts against the processor's, and what is said when something is missing.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use smoothtopk::model::{CudaOptions, ElementType, Model, ModelOptions, Provider, Runtime};
use smoothtopk::noise::{Grid, NoiseStream, Purpose};
use smoothtopk::sampler::cuda::{CudaClassifier, KernelSource};
use smoothtopk::sampler::{BaseClassifier, Job, Plan, Sampler, Watch};
use smoothtopk::stats::Tally;
use smoothtopk::{ErrorKind, Result};

use crate::report::Outcome::{self, Failed, Passed, Skipped};

pub const SIGMA: f64 = 0.25;
/// Tally on the processor and on a GPU may differ by this share of the rows: the model's own float32 sums come in
/// another order there, and a row whose two highest scores are within a few roundings may go either way. The rows
/// themselves have the same bits.
const TOLERANCE: f64 = 2e-3;

pub fn cuda(device: u32) -> ModelOptions {
    ModelOptions { provider: Provider::Cuda { device }, ..ModelOptions::default() }
}

pub fn open(model: &Path, options: &ModelOptions, devices: &[u32]) -> Result<Arc<CudaClassifier>> {
    CudaClassifier::open(model, options, devices, KernelSource::default()).map(Arc::new)
}

/// An input with structure, in [0, 1].
pub fn input(elements: usize, key: u64) -> Vec<f32> {
    (0..elements).map(|i| (0.5 + 0.5 * (i as f64 * 0.013 + key as f64).sin()) as f32).collect()
}

pub fn job(elements: usize, key: u64, rows: u64) -> Result<Job> {
    let grid = Grid::for_range(1.0, SIGMA)?;
    Ok(Job::on_grid(&input(elements, key), SIGMA, grid, 7, Purpose::Estimate)?.key(key).samples(0..rows))
}

/// Tally of jobs, each a key and a number of rows, that are queued together.
pub fn counts(classifier: Arc<dyn BaseClassifier>, plan: Plan, jobs: &[(u64, u64)]) -> Result<Vec<Vec<u64>>> {
    let elements = classifier.elements();
    let sampler = Sampler::new(classifier, plan)?;
    let submit = |&(key, rows): &(u64, u64)| sampler.submit(job(elements, key, rows)?);
    let handles = jobs.iter().map(submit).collect::<Result<Vec<_>>>()?;
    handles.into_iter().map(|handle| Ok(handle.wait().complete()?.labels().to_vec())).collect()
}

/// A provider that cannot be had is refused, with what is missing; one that can runs a model.
pub fn strict(model: &Path, provider: &str) -> Result<Outcome> {
    let options = ModelOptions { provider: provider.parse()?, ..ModelOptions::default() };
    let error = match Model::open(model, &options) {
        Ok(opened) if *opened.provider() == options.provider => return Ok(Passed("works".into())),
        Ok(opened) => return Ok(Failed(format!("the model runs on {} instead", opened.provider()))),
        Err(error) => error,
    };
    let message = error.message();
    let names_it = message.contains("missing") || message.contains("is there") || message.contains("not there");
    match error.kind() == ErrorKind::Provider && names_it {
        true => Ok(Passed(format!("refused: {message}"))),
        false => Ok(Failed(format!("refused without what is missing: {error}"))),
    }
}

pub fn falls_back_when_asked(model: &Path, provider: &str) -> Result<Outcome> {
    let options = ModelOptions { provider: provider.parse()?, allow_fallback: true, ..ModelOptions::default() };
    let opened = Model::open(model, &options)?;
    match (opened.provider() == &options.provider, opened.fallback()) {
        (true, None) => Ok(Skipped(format!("{provider} works"))),
        (false, Some(_)) if *opened.provider() == Provider::Cpu => {
            Ok(Passed("to the processor, and it is recorded".into()))
        }
        (_, fallback) => Ok(Failed(format!("on {} with {fallback:?} recorded", opened.provider()))),
    }
}

/// The rows that the device makes, bit for bit.
pub fn bits(model: &Path, device: u32, kernels: KernelSource) -> Result<Outcome> {
    let classifier = match CudaClassifier::open(model, &cuda(device), &[device], kernels) {
        Err(error) if kernels == KernelSource::Nvrtc && error.message().contains("libnvrtc") => {
            return Ok(Skipped(error.message().to_owned()));
        }
        classifier => classifier?,
    };
    let layout = classifier.model().device_layout()?;
    if layout.input != ElementType::Float32 || !layout.mean.is_empty() {
        return Ok(Skipped("the model takes its rows changed".into()));
    }
    let elements = layout.elements;
    let rows = (40_000_000 / elements).clamp(8, 4096);
    let mut yardstick = classifier.yardstick(rows)?;
    let grid = Grid::for_range(1.0, SIGMA)?;
    let mut x = input(elements, 3);
    grid.round(&mut x);
    let (mut expected, mut differing, mut sum, mut squares) = (vec![0.0f32; elements], 0_u64, 0.0, 0.0);
    for (seed, first) in [(1, 0), (u64::MAX, u64::from(u32::MAX) - 3)] {
        let noise = NoiseStream::new(seed, seed ^ 5, Purpose::Estimate);
        let made = yardstick.rows(&noise, SIGMA, &grid, &x, first, rows)?;
        for (sample, made) in (first..).zip(made.chunks_exact(elements * 4)) {
            noise.noisy_row(sample, SIGMA, &grid, &x, &mut expected)?;
            for ((made, expected), x) in made.chunks_exact(4).zip(&expected).zip(&x) {
                let made = f32::from_ne_bytes([made[0], made[1], made[2], made[3]]);
                differing += u64::from(made.to_bits() != expected.to_bits());
                let z = f64::from(made - x) / SIGMA;
                (sum, squares) = (sum + z, squares + z * z);
            }
        }
    }
    let n = (2 * rows * elements) as f64;
    let (mean, variance) = (sum / n, squares / n);
    // Five standard errors: wrong once in a million runs.
    let fits = mean.abs() < 5.0 / n.sqrt() && (variance - 1.0).abs() < 5.0 * (2.0 / n).sqrt();
    let detail =
        format!("{n:.1e} elements of {elements} a row, {differing} differ; mean {mean:.1e}, variance {variance:.6}");
    Ok(if differing == 0 && fits { Passed(detail) } else { Failed(detail) })
}

/// Tally on the device against the processor's.
pub fn same_counts(model: &Path, options: &ModelOptions, devices: &[u32], rows: u64) -> Result<Outcome> {
    let classifier = open(model, options, devices)?;
    // One long job and many short ones, which share batches.
    let short = (1..80).map(|key| (key, rows / 200 + key % 7));
    let jobs = std::iter::once((0, rows)).chain(short).collect::<Vec<_>>();
    let plan = classifier.plan(classifier.fixed_batch().unwrap_or(128));
    let device = counts(classifier, plan, &jobs)?;
    let host = Model::open(model, &ModelOptions::default())?;
    let plan = Plan { batch: host.fixed_batch().unwrap_or(8), threads: Plan::usable_threads() };
    let host = counts(Arc::new(host), plan, &jobs)?;
    let (mut moved, mut all) = (0, 0);
    for (device, host) in device.iter().zip(&host) {
        moved += device.iter().zip(host).map(|(a, b)| a.abs_diff(*b)).sum::<u64>().div_ceil(2);
        all += host.iter().sum::<u64>();
    }
    let share = moved as f64 / all as f64;
    let detail = format!("{moved} of {all} rows have another label");
    Ok(if share <= TOLERANCE { Passed(detail) } else { Failed(detail) })
}

/// Tally do not depend on batches.
pub fn same_in_every_batch(model: &Path, device: u32, rows: u64) -> Result<Outcome> {
    let classifier = open(model, &cuda(device), &[device])?;
    let jobs = [(5, rows), (6, rows / 3)];
    let of = |batch| counts(classifier.clone(), classifier.plan(batch), &jobs);
    let (small, large) = (of(33)?, of(256)?);
    let moved: u64 =
        small.iter().zip(&large).flat_map(|(a, b)| a.iter().zip(b)).map(|(a, b)| a.abs_diff(*b)).sum::<u64>() / 2;
    let detail = format!("{moved} of {} rows have another label in batches of 33 and 256", rows + rows / 3);
    Ok(if moved as f64 <= TOLERANCE * rows as f64 { Passed(detail) } else { Failed(detail) })
}

struct Looks {
    every: u64,
    shown: Arc<Mutex<Vec<Tally>>>,
}

impl Watch for Looks {
    fn pilot(&mut self, counts: &Tally) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).push(counts.clone());
    }
    fn next_look(&mut self, rows: u64) -> u64 {
        rows + self.every
    }
    fn look(&mut self, counts: &Tally) -> bool {
        self.pilot(counts);
        true
    }
}

/// A look sees the first samples, beside jobs that are not looked at; the pilot's rows come first and apart.
pub fn looks(model: &Path, device: u32) -> Result<Outcome> {
    let classifier = open(model, &cuda(device), &[device])?;
    let (elements, plan) = (classifier.elements(), classifier.plan(classifier.fixed_batch().unwrap_or(128)));
    let (pilot, every, rows) = (100, 400, 2000);
    let sampler = Sampler::new(classifier.clone(), plan)?;
    let shown = Arc::<Mutex<Vec<Tally>>>::default();
    let beside = sampler.submit(job(elements, 3, 4 * rows)?)?;
    let looks = Looks { every, shown: Arc::clone(&shown) };
    let drawn = sampler.submit(job(elements, 2, rows)?.pilot(pilot).watched(looks))?.wait();
    beside.wait().complete()?;
    let shown = std::mem::take(&mut *shown.lock().unwrap_or_else(PoisonError::into_inner));
    let at = shown.iter().map(Tally::n).collect::<Vec<_>>();
    let asked = std::iter::once(pilot).chain((1..=rows / every).map(|look| look * every)).collect::<Vec<_>>();
    if drawn.stopped.is_some() || at != asked {
        return Ok(Failed(format!("looks at {at:?} rows, not {asked:?}; stopped: {:?}", drawn.stopped)));
    }
    let (mut differing, mut all) = (0, 0);
    for counts in &shown[1..] {
        let unwatched = self::counts(classifier.clone(), plan, &[(2, counts.n())])?.remove(0);
        differing += unwatched.iter().zip(counts.labels()).map(|(a, b)| a.abs_diff(*b)).sum::<u64>().div_ceil(2);
        all += counts.n();
    }
    let detail = format!("{differing} of {all} rows seen at {} looks have another label unwatched", at.len() - 1);
    Ok(if differing as f64 <= TOLERANCE * all as f64 { Passed(detail) } else { Failed(detail) })
}

/// More than the device is allowed: smaller batches, and no row lost.
pub fn short_memory(model: &Path, device: u32) -> Result<Outcome> {
    let options = ModelOptions { memory_limit: Some(400 << 20), ..cuda(device) };
    let classifier = open(model, &options, &[device])?;
    let rows = 20_000;
    let found = counts(classifier.clone(), classifier.plan(16_384), &[(1, rows)])?;
    let counted = found[0].iter().sum::<u64>();
    let detail = format!("batches of 16,384 rows with 400 MiB: {counted} of {rows} rows counted");
    Ok(if counted == rows { Passed(detail) } else { Failed(detail) })
}

/// A job that is stopped gives what it has, soon.
pub fn stops(model: &Path, device: u32) -> Result<Outcome> {
    let classifier = open(model, &cuda(device), &[device])?;
    let elements = classifier.elements();
    let sampler = Sampler::new(classifier.clone(), classifier.plan(64))?;
    let handle = sampler.submit(job(elements, 1, 1 << 40)?)?;
    handle.wait_timeout(Duration::from_secs(1));
    let start = std::time::Instant::now();
    handle.cancel();
    let drawn = handle.wait();
    let took = start.elapsed();
    let n = drawn.tally.n();
    let stopped = drawn.stopped.is_some_and(|error| error.kind() == ErrorKind::Cancelled);
    let detail = format!("{n} rows in a second; stopped in {:.1} ms", took.as_secs_f64() * 1e3);
    Ok(if stopped && n > 0 && took < Duration::from_secs(2) { Passed(detail) } else { Failed(detail) })
}

pub fn graph(device: u32) -> ModelOptions {
    ModelOptions { cuda: CudaOptions { graph: true, ..CudaOptions::default() }, ..cuda(device) }
}

/// ONNX Runtime, and which providers it was built with.
pub fn runtime() -> Result<Outcome> {
    let runtime = Runtime::load(None)?;
    let built =
        runtime.providers().into_iter().filter(|status| status.built_in).map(|status| status.provider.to_string());
    let built = built.collect::<Vec<_>>().join(", ");
    Ok(Passed(format!("{} from {}: {built}", runtime.version(), runtime.path().display())))
}
