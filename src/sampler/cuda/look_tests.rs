//! Pilots, looks and other noise on the device path: what is seen and counted is the host path's.

use std::slice::from_ref;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use super::host_driver::HostDriver;
use super::tests::{DIGITS, Recipe, SIGMA, counts, default_noise, job, model, on};
use crate::model::{Model, ModelOptions};
use crate::noise::{ExactGrid, Grid, Mode, Noise, Source};
use crate::sampler::{BaseClassifier, Drawn, JobHandle, Plan, Sampler, Watch};
use crate::stats::Tally;
use crate::{ErrorKind, Result};

/// Looks after every so many rows, has enough at some number, and notes all that it is shown.
struct Looks {
    every: u64,
    enough: u64,
    shown: Arc<Mutex<Vec<Tally>>>,
}

impl Watch for Looks {
    fn pilot(&mut self, counts: &Tally) {
        self.shown.lock().unwrap().push(counts.clone());
    }
    fn next_look(&mut self, rows: u64) -> u64 {
        rows + self.every
    }
    fn look(&mut self, counts: &Tally) -> bool {
        self.shown.lock().unwrap().push(counts.clone());
        counts.n() < self.enough
    }
}

/// A job, its pilot's rows, and how it is looked at: every so many rows until there are enough.
#[derive(Clone, Debug)]
struct Looked {
    recipe: Recipe,
    pilot: u64,
    looks: Option<(u64, u64)>,
}

/// What was drawn, and what the job's watch was shown on the way.
type Seen = (Tally, Option<Tally>, Vec<Tally>);

fn seen(classifier: Arc<dyn BaseClassifier>, plan: Plan, jobs: &[Looked]) -> Vec<Seen> {
    let sampler = Sampler::new(classifier, plan).unwrap();
    let submit = |looked: &Looked| {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let mut job = looked.recipe.job().pilot(looked.pilot);
        if let Some((every, enough)) = looked.looks {
            job = job.watched(Looks { every, enough, shown: Arc::clone(&shown) });
        }
        sampler.submit(job).map(|handle| (handle, shown))
    };
    let submitted = jobs.iter().map(submit).collect::<Result<Vec<_>>>().unwrap();
    let wait = |(handle, shown): (JobHandle, Arc<Mutex<Vec<Tally>>>)| {
        let Drawn { tally: counts, pilot, stopped, .. } = handle.wait();
        assert!(stopped.is_none(), "{stopped:?}");
        let shown = std::mem::take(&mut *shown.lock().unwrap());
        (counts, pilot, shown)
    };
    submitted.into_iter().map(wait).collect()
}

fn host(model: &Model, jobs: &[Looked]) -> Vec<Seen> {
    seen(Arc::new(model.clone()), Plan { batch: 16, threads: 2 }, jobs)
}

/// With and without a pilot; unwatched, looked at often, seldom, at the end only, and enough before, at and after a
/// look.
fn jobs(noise: impl Fn(u64) -> Noise) -> Vec<Looked> {
    let looks = [None, Some((1, 9)), Some((32, 130)), Some((50, 200)), Some((400, 1)), Some((1 << 40, 1 << 40))];
    let jobs = looks.iter().flat_map(|looks| [0, 1, 40].map(|pilot| (*looks, pilot))).zip(0..);
    let looked = |((looks, pilot), key)| {
        let recipe = Recipe { noise: noise(key), ..job(64, key, 7..7 + 260) };
        Looked { recipe, pilot, looks }
    };
    jobs.map(looked).collect()
}

#[test]
fn looks_and_pilots_see_the_hosts_counts() {
    let [Some(a), Some(b)] = [HostDriver::new(), HostDriver::new()] else { return };
    let model = model(DIGITS, ModelOptions::default());
    let jobs = jobs(|_| default_noise());
    let host = host(&model, &jobs);
    for ((counts, pilot, shown), looked) in host.iter().zip(&jobs) {
        assert_eq!(pilot.as_ref().map_or(0, Tally::n), looked.pilot);
        assert_eq!(shown.is_empty(), looked.looks.is_none());
        assert!(looked.looks.is_some() || counts.n() == 260);
    }
    assert!(host[3].2.len() == 9 && host[5].2[0].n() == 40, "the jobs hold what they are to test");
    for batch in [1, 7, 64, 500] {
        let device = seen(on(from_ref(&a), &model), Plan { batch, threads: 1 }, &jobs);
        assert_eq!(device, host, "batches of {batch}");
        let devices = seen(on(&[a.clone(), b.clone()], &model), Plan { batch, threads: 2 }, &jobs);
        assert_eq!(devices, host, "batches of {batch}, two devices");
    }
    assert_eq!((a.held(), b.held()), ((0, 0), (0, 0)));
}

#[test]
fn a_pilot_and_a_look_send_the_input_up_no_second_time() {
    let Some(driver) = HostDriver::new() else { return };
    let classifier = on(from_ref(&driver), &model(DIGITS, ModelOptions::default()));
    for (pilot, looks) in [(100, None), (100, Some((64, 500)))] {
        let before = classifier.traffic().0;
        let looked = Looked { recipe: job(64, pilot, 0..1000), pilot, looks };
        seen(classifier.clone(), Plan { batch: 32, threads: 1 }, from_ref(&looked));
        assert_eq!(classifier.traffic().0 - before, 64 * 4, "{looks:?}");
    }
}

#[test]
fn noise_that_no_kernel_makes_goes_through_the_host_beside_noise_that_one_does() {
    let Some(driver) = HostDriver::new() else { return };
    let model = model(DIGITS, ModelOptions::default());
    let grid = Mode::Grid(Grid::for_range(1.0, SIGMA).unwrap());
    let exact = Mode::Exact(ExactGrid::pixels());
    let (philox, chacha) = (Source::Philox { seed: 11 }, Source::ChaCha12 { key: [3; 32] });
    let noises = [(grid, philox), (grid, chacha), (exact, philox), (exact, chacha)]
        .map(|(mode, source)| Noise::new(SIGMA, mode, source).unwrap());
    // Alone: the kernels make the default's rows, and no other's.
    for (noise, by_kernels) in noises.iter().zip([true, false, false, false]) {
        let recipe = Recipe { noise: noise.clone(), ..job(64, 5, 0..90) };
        let host = counts(Arc::new(model.clone()), Plan { batch: 16, threads: 1 }, from_ref(&recipe));
        let before = driver.launches.load(Ordering::SeqCst);
        let device = counts(on(from_ref(&driver), &model), Plan { batch: 16, threads: 1 }, from_ref(&recipe));
        assert_eq!(device, host, "{}", noise.name());
        assert_eq!(driver.launches.load(Ordering::SeqCst) > before, by_kernels, "{}", noise.name());
    }
    // Together, with pilots and looks.
    let jobs = jobs(|key| noises[key as usize % 4].clone());
    let host = host(&model, &jobs);
    for batch in [5, 64] {
        assert_eq!(seen(on(from_ref(&driver), &model), Plan { batch, threads: 1 }, &jobs), host);
    }
}

#[test]
fn short_memory_changes_nothing_that_a_look_sees() {
    let Some(driver) = HostDriver::new() else { return };
    let model = model(DIGITS, ModelOptions::default());
    let jobs = jobs(|_| default_noise());
    driver.refuse.store(5, Ordering::SeqCst);
    assert_eq!(seen(on(from_ref(&driver), &model), Plan { batch: 256, threads: 1 }, &jobs), host(&model, &jobs));
    assert_eq!(driver.refuse.load(Ordering::SeqCst), 0);
}

#[test]
fn a_lost_device_and_a_closed_sampler_end_what_is_looked_at() {
    let Some(driver) = HostDriver::new() else { return };
    let model = model(DIGITS, ModelOptions::default());
    for lost in [true, false] {
        let sampler = Sampler::new(on(from_ref(&driver), &model), Plan { batch: 50, threads: 1 }).unwrap();
        if lost {
            driver.waits.store(40, Ordering::SeqCst);
        }
        let shown = Arc::new(Mutex::new(Vec::new()));
        let looks = Looks { every: 30, enough: u64::MAX, shown: Arc::clone(&shown) };
        let handle = sampler.submit(job(64, 1, 0..1 << 40).job().pilot(20).watched(looks)).unwrap();
        if !lost {
            while shown.lock().unwrap().len() < 5 {
                std::thread::yield_now();
            }
            drop(sampler);
        }
        let drawn = handle.wait();
        let kind = if lost { ErrorKind::Run } else { ErrorKind::Cancelled };
        assert_eq!(drawn.stopped.unwrap().kind(), kind);
        // No look at anything but the rows that were asked for, whatever became of the device.
        let shown = shown.lock().unwrap();
        let rows = shown.iter().map(Tally::n).collect::<Vec<_>>();
        let asked = std::iter::once(20).chain((1..).map(|look| 30 * look)).take(rows.len()).collect::<Vec<_>>();
        assert!(rows.len() >= 5 && rows == asked, "{rows:?}");
        let last = rows[rows.len() - 1];
        assert!((last..last + 30).contains(&drawn.tally.n()), "{} rows, the last look at {last}", drawn.tally.n());
        driver.waits.store(-1, Ordering::SeqCst);
    }
}
