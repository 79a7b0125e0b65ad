//! The device path with the processor as its device: counts as the host path's, whatever happens on the way.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::slice::from_ref;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::CudaClassifier;
use super::driver::Driver;
use super::host_driver::HostDriver;
use super::seat::Seat;
use crate::model::{Model, ModelOptions};
use crate::noise::{Grid, Noise, NoiseStream, Purpose};
use crate::sampler::{BaseClassifier, Drawn, Job, JobHandle, Plan, Sampler};
use crate::{ErrorKind, Result};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

pub(super) fn model(name: &str, options: ModelOptions) -> Model {
    Model::open(path(name), &options).unwrap()
}

/// The model on devices that are none.
pub(super) fn on<D: Driver + 'static>(drivers: &[Arc<D>], model: &Model) -> Arc<CudaClassifier> {
    let seat = |driver: &Arc<D>| Arc::new(Seat::new(model.clone(), driver.clone(), String::new()));
    Arc::new(CudaClassifier { model: model.clone(), seats: drivers.iter().map(seat).collect() })
}

pub(super) const DIGITS: &str = "demo/digits_mlp_sigma0.25.onnx";
pub(super) const SIGMA: f64 = 0.25;

/// What a job is made of, so that it can be made twice.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub elements: usize,
    pub key: u64,
    pub samples: Range<u64>,
    pub noise: Noise,
}

impl Recipe {
    pub fn rows(&self) -> u64 {
        self.samples.end - self.samples.start
    }

    pub fn job(&self) -> Job {
        // Pixels, which exact noise takes too.
        let pixel = |i: usize| ((i as u64 * 105 + self.key * 45) % 256) as f32 / 255.0;
        let input = (0..self.elements).map(pixel).collect::<Vec<_>>();
        Job::new(&input, &self.noise, Purpose::Estimate).unwrap().key(self.key).samples(self.samples.clone())
    }
}

pub(super) fn default_noise() -> Noise {
    Noise::on_grid(SIGMA, Grid::for_range(1.0, SIGMA).unwrap(), 11).unwrap()
}

pub(super) fn job(elements: usize, key: u64, samples: Range<u64>) -> Recipe {
    Recipe { elements, key, samples, noise: default_noise() }
}

/// Jobs through a sampler, all queued before any is waited for.
fn draw(sampler: &Sampler, jobs: &[Recipe]) -> Vec<Drawn> {
    let handles = jobs.iter().map(|job| sampler.submit(job.job())).collect::<Result<Vec<_>>>().unwrap();
    handles.into_iter().map(JobHandle::wait).collect()
}

pub(super) fn counts(classifier: Arc<dyn BaseClassifier>, plan: Plan, jobs: &[Recipe]) -> Vec<Vec<u64>> {
    let sampler = Sampler::new(classifier, plan).unwrap();
    let drawn = draw(&sampler, jobs);
    let complete = |(drawn, job): (Drawn, &Recipe)| {
        let counts = drawn.complete().unwrap();
        assert_eq!(counts.n(), job.rows());
        counts.labels().to_vec()
    };
    drawn.into_iter().zip(jobs).map(complete).collect()
}

/// Models of every type, layout and reading.
pub(super) fn cases() -> Vec<(&'static str, ModelOptions)> {
    let options = ModelOptions::default;
    let channels = || ModelOptions { mean: vec![0.1, 0.2, 0.3], std: vec![0.5, 0.25, 2.0], ..options() };
    let threshold = |threshold| ModelOptions { threshold: Some(threshold), ..options() };
    vec![
        (DIGITS, ModelOptions { mean: vec![0.25], std: vec![0.5], ..options() }),
        ("tests/models/linear.onnx", options()),
        ("tests/models/float16.onnx", options()),
        ("tests/models/input_float16.onnx", options()),
        ("tests/models/input_bfloat16.onnx", options()),
        ("tests/models/input_float64.onnx", options()),
        ("tests/models/input_uint8.onnx", options()),
        ("tests/models/output_float16.onnx", options()),
        ("tests/models/output_bfloat16.onnx", options()),
        ("tests/models/nan_scores.onnx", options()),
        ("tests/models/scores_4d.onnx", options()),
        ("tests/models/binary_prob.onnx", threshold(0.5)),
        ("tests/models/binary_logit.onnx", threshold(0.0)),
        ("tests/models/label_int64.onnx", ModelOptions { classes: Some(4), ..options() }),
        ("tests/models/image_nchw.onnx", channels()),
        ("tests/models/image_nhwc.onnx", channels()),
        ("tests/models/fixed_batch.onnx", options()),
        ("tests/models/torch_cnn_fixed_batch.onnx", options()),
    ]
}

#[test]
fn counts_are_the_hosts_for_every_type_layout_and_reading() {
    let Some(driver) = HostDriver::new() else { return };
    for (name, options) in cases() {
        let model = model(name, options);
        let elements = model.signature().elements;
        let batch = BaseClassifier::fixed_batch(&model).unwrap_or(24);
        let jobs = [job(elements, 0, 0..301), job(elements, 1, 5..6), job(elements, 2, 1 << 40..(1 << 40) + 57)];
        let host = counts(Arc::new(model.clone()), Plan { batch, threads: 2 }, &jobs);
        let device = counts(on(from_ref(&driver), &model), Plan { batch, threads: 1 }, &jobs);
        assert_eq!(device, host, "{name}");
    }
    assert_eq!(driver.held(), (0, 0), "memory and events are given back");
}

#[test]
fn many_jobs_and_devices_share_batches() {
    let drivers = [HostDriver::new(), HostDriver::new()];
    let [Some(a), Some(b)] = drivers else { return };
    let model = model(DIGITS, ModelOptions::default());
    // More than there are slots, and segments of a batch; some shorter than a batch, some longer; one empty.
    let jobs = (0..150).map(|key| job(64, key, 0..[3, 40, 0, 211][key as usize % 4])).collect::<Vec<_>>();
    let host = counts(Arc::new(model.clone()), Plan { batch: 16, threads: 2 }, &jobs);
    for batch in [1, 7, 64, 500] {
        let device = on(&[a.clone(), b.clone()], &model);
        assert_eq!(counts(device, Plan { batch, threads: 2 }, &jobs), host, "batches of {batch}");
    }
    assert_eq!((a.held(), b.held()), ((0, 0), (0, 0)));
    let refused = Sampler::new(on(from_ref(&a), &model), Plan { batch: 8, threads: 2 }).err().unwrap();
    assert_eq!(refused.field(), Some("threads"), "{refused}");
}

#[test]
fn an_input_goes_up_once_and_little_comes_down() {
    let Some(driver) = HostDriver::new() else { return };
    let model = model(DIGITS, ModelOptions::default());
    let classifier = on(from_ref(&driver), &model);
    let rows = 5_000;
    counts(classifier.clone(), Plan { batch: 256, threads: 1 }, &[job(64, 0, 0..rows)]);
    let (up, down) = classifier.traffic();
    assert_eq!(up, 64 * 4);
    assert!(down >= 40 && (up + down) < rows, "{down} bytes down");
}

#[test]
fn short_memory_halves_the_batch_and_loses_no_row() {
    let Some(driver) = HostDriver::new() else { return };
    let model = model(DIGITS, ModelOptions::default());
    let jobs = [job(64, 0, 0..1000), job(64, 1, 0..300)];
    let host = counts(Arc::new(model.clone()), Plan { batch: 16, threads: 2 }, &jobs);
    // Room for the slots, and for two inputs of 100 rows or so of the 4096 planned.
    driver.left.store(64 * 2 * (64 + 2 * 10) * 4 + 2 * 100 * 64 * 4 + 100 * 40 + 4096, Ordering::SeqCst);
    let launches = driver.launches.load(Ordering::SeqCst);
    assert_eq!(counts(on(from_ref(&driver), &model), Plan { batch: 4096, threads: 1 }, &jobs), host);
    assert!(driver.launches.load(Ordering::SeqCst) - launches >= 2 * 1300 / 100, "in small batches");
    // Where not a single row fits, or the batch is fixed, it is an error that says so.
    driver.left.store(64 * 2 * (64 + 2 * 10) * 4 + 8, Ordering::SeqCst);
    let error = Sampler::new(on(from_ref(&driver), &model), Plan { batch: 64, threads: 1 }).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Run);
    assert!(error.message().contains("memory"), "{error}");
}

#[test]
fn memory_that_runs_short_in_a_run_halves_the_batch_and_counts_no_row_twice() {
    let Some(driver) = HostDriver::new() else { return };
    let model = model(DIGITS, ModelOptions::default());
    let jobs = [job(64, 0, 0..700), job(64, 1, 0..333)];
    let host = counts(Arc::new(model.clone()), Plan { batch: 16, threads: 2 }, &jobs);
    // The device refuses the label kernel of every launch for a while: the rows are made, the model has run, nothing is
    // counted.
    driver.refuse.store(5, Ordering::SeqCst);
    assert_eq!(counts(on(from_ref(&driver), &model), Plan { batch: 256, threads: 1 }, &jobs), host);
    assert_eq!(driver.refuse.load(Ordering::SeqCst), 0);
}

#[test]
fn a_lost_device_ends_its_jobs_with_an_error_and_what_they_had_counted() {
    let Some(driver) = HostDriver::new() else { return };
    let model = model(DIGITS, ModelOptions::default());
    let sampler = Sampler::new(on(from_ref(&driver), &model), Plan { batch: 50, threads: 1 }).unwrap();
    driver.waits.store(40, Ordering::SeqCst);
    let drawn = draw(&sampler, &[job(64, 0, 0..1 << 40), job(64, 1, 0..10)]);
    for drawn in &drawn {
        let error = drawn.stopped.as_ref().unwrap();
        assert_eq!(error.kind(), ErrorKind::Run);
        assert!(error.message().contains("lost"), "{error}");
    }
    let n = drawn[0].tally.n();
    assert!(n > 0 && n < 1 << 40, "{n} rows before it was lost");
    assert_eq!(drawn[0].tally.labels().iter().sum::<u64>(), n, "counts and rows are of the same rows");
    // Whoever comes later is told at once.
    let late = draw(&sampler, &[job(64, 2, 0..10)]);
    assert!(late[0].stopped.as_ref().is_some_and(|error| error.message().contains("lost")));
}

#[test]
fn the_other_devices_go_on_without_a_lost_one() {
    let [Some(a), Some(b)] = [HostDriver::new(), HostDriver::new()] else { return };
    let model = model(DIGITS, ModelOptions::default());
    let sampler = Sampler::new(on(&[a.clone(), b], &model), Plan { batch: 8, threads: 2 }).unwrap();
    a.waits.store(0, Ordering::SeqCst);
    // Until the lost one has tried, and failed.
    let mut keys = 0..1000;
    let failed = keys.any(|key| draw(&sampler, &[job(64, key, 0..100)])[0].stopped.is_some());
    let drawn = draw(&sampler, &(0..20).map(|key| job(64, key, 0..100)).collect::<Vec<_>>());
    assert!(failed, "the lost device had its turn");
    assert!(drawn.iter().all(|drawn| drawn.stopped.is_none() && drawn.tally.n() == 100));
}

#[test]
fn a_stopped_job_gives_what_it_has_and_leaves_its_place() {
    let Some(driver) = HostDriver::new() else { return };
    let model = model(DIGITS, ModelOptions::default());
    let sampler = Sampler::new(on(from_ref(&driver), &model), Plan { batch: 32, threads: 1 }).unwrap();
    for key in 0..70 {
        let handle = sampler.submit(job(64, key, 0..1 << 40).job()).unwrap();
        while handle.samples_done() == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        handle.cancel();
        let drawn = handle.wait();
        assert_eq!(drawn.stopped.unwrap().kind(), ErrorKind::Cancelled);
        assert_eq!(drawn.tally.labels().iter().sum::<u64>(), drawn.tally.n());
    }
    // Closing ends what is unfinished, with nobody waiting for ever.
    let handle = sampler.submit(job(64, 7, 0..1 << 40).job()).unwrap();
    drop(sampler);
    assert_eq!(handle.wait().stopped.unwrap().kind(), ErrorKind::Cancelled);
    assert_eq!(driver.held(), (0, 0));
}

#[test]
fn a_yardstick_runs_each_part_alone() {
    let Some(driver) = HostDriver::new() else { return };
    let model = model(DIGITS, ModelOptions::default());
    let mut yardstick = on(from_ref(&driver), &model).yardstick(20).unwrap();
    assert_eq!(yardstick.input_bytes(), 20 * 64 * 4);
    for took in [yardstick.noise(3).unwrap(), yardstick.bare(3).unwrap(), yardstick.write(3).unwrap()] {
        assert!(took > Duration::ZERO);
    }
    let (noise, grid) = (NoiseStream::new(3, 4, Purpose::Predict), Grid::for_range(1.0, SIGMA).unwrap());
    let x = [0.25; 64];
    let rows = yardstick.rows(&noise, SIGMA, &grid, &x, 9, 5).unwrap();
    let mut expected = vec![0.0; 5 * 64];
    for (sample, row) in (9..).zip(expected.chunks_exact_mut(64)) {
        noise.noisy_row(sample, SIGMA, &grid, &x, row).unwrap();
    }
    assert_eq!(rows, expected.iter().flat_map(|value| value.to_ne_bytes()).collect::<Vec<_>>());
    for (x, rows, field) in [(&x[..], 0, "rows"), (&x[..], 21, "rows"), (&x[..63], 1, "x")] {
        let error = yardstick.rows(&noise, SIGMA, &grid, x, 0, rows).unwrap_err();
        assert_eq!(error.field(), Some(field), "{error}");
    }
    drop(yardstick);
    assert_eq!(driver.held(), (0, 0));
}

#[test]
fn what_cannot_stay_on_the_device_is_refused() {
    let Some(driver) = HostDriver::new() else { return };
    let maps = model("tests/models/sklearn_logistic_zipmap.onnx", ModelOptions::default());
    let error = Sampler::new(on(from_ref(&driver), &maps), Plan { batch: 8, threads: 1 }).err().unwrap();
    assert_eq!(error.field(), Some("output"), "{error}");
    let options = ModelOptions::default();
    let error = CudaClassifier::open(path(DIGITS), &options, &[0], Default::default()).unwrap_err();
    assert_eq!(error.field(), Some("provider"), "{error}");
    let options = ModelOptions { provider: "cuda".parse().unwrap(), ..options };
    for devices in [&[][..], &[0, 0]] {
        let error = CudaClassifier::open(path(DIGITS), &options, devices, Default::default()).unwrap_err();
        assert_eq!(error.field(), Some("devices"), "{error}");
    }
}

#[test]
fn labels_outside_the_classes_end_the_job_as_on_the_host() {
    let Some(driver) = HostDriver::new() else { return };
    // Of three classes; rows that are all noise have each of the labels.
    let model = model("tests/models/label_int64.onnx", ModelOptions { classes: Some(2), ..ModelOptions::default() });
    let jobs = [job(model.signature().elements, 0, 0..500)];
    let host = Sampler::new(Arc::new(model.clone()), Plan { batch: 16, threads: 2 }).unwrap();
    let device = Sampler::new(on(from_ref(&driver), &model), Plan { batch: 16, threads: 1 }).unwrap();
    for sampler in [host, device] {
        let drawn = draw(&sampler, &jobs).remove(0);
        let error = drawn.stopped.unwrap();
        assert_eq!(error.kind(), ErrorKind::Run);
        assert!(error.message().contains("outside 0..2"), "{error}");
    }
    assert_eq!(driver.held(), (0, 0));
}
