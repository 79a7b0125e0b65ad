//! The sampler: counts do not depend on batch, threads, packing or restarts; stopping, failures and panics stay in
//! their job.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

mod function;
mod host;
mod limits;
mod watch;

use proptest::prelude::*;
use smoothtopk::certificate::Query;
use smoothtopk::counts::Counts;
use smoothtopk::model::NO_LABEL;
use smoothtopk::noise::{Grid, Purpose};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::sampler::{BaseClassifier, BatchRunner, Job, Lane, Plan, Sampler, StopRun};
use smoothtopk::smoothed::{Control, Request, SmoothedClassifier};
use smoothtopk::stats::Tally;
use smoothtopk::{Error, ErrorKind, Result};

/// A classifier from a function of a row: its arithmetic does not depend on the batch's shape.
struct Rows<F> {
    elements: usize,
    classes: usize,
    fixed_batch: Option<usize>,
    label: F,
}

type Label = fn(&[f32]) -> Result<u32>;

struct RowsRunner {
    elements: usize,
    buffer: Vec<f32>,
    label: Label,
}

impl BaseClassifier for Rows<Label> {
    fn elements(&self) -> usize {
        self.elements
    }
    fn classes(&self) -> usize {
        self.classes
    }
    fn fixed_batch(&self) -> Option<usize> {
        self.fixed_batch
    }
    fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>> {
        Ok(Box::new(RowsRunner {
            elements: self.elements,
            buffer: vec![0.0; batch * self.elements],
            label: self.label,
        }))
    }
}

impl BatchRunner for RowsRunner {
    fn rows_mut(&mut self, rows: usize) -> &mut [f32] {
        &mut self.buffer[..rows * self.elements]
    }
    fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()> {
        for (label, row) in labels.iter_mut().zip(self.buffer.chunks_exact(self.elements)).take(rows) {
            *label = (self.label)(row)?;
        }
        Ok(())
    }
}

/// The largest of the first five elements; none where the sixth is far out.
fn largest(row: &[f32]) -> Result<u32> {
    if row[5] > 1.0 {
        return Ok(NO_LABEL);
    }
    let mut top = 0;
    for label in 1..5 {
        if row[label] > row[top] {
            top = label;
        }
    }
    Ok(top as u32)
}

fn five(fixed_batch: Option<usize>) -> Arc<dyn BaseClassifier> {
    Arc::new(Rows::<Label> { elements: 6, classes: 5, fixed_batch, label: largest })
}

const SIGMA: f64 = 0.5;

fn job(key: u64, samples: std::ops::Range<u64>) -> Job {
    let input: Vec<f32> = (0..6).map(|i| ((key * 7 + i) % 5) as f32 / 4.0).collect();
    let grid = Grid::for_range(1.0, SIGMA).unwrap();
    Job::on_grid(&input, SIGMA, grid, 11, Purpose::Estimate).unwrap().key(key).samples(samples)
}

fn draw(sampler: &Sampler, jobs: impl IntoIterator<Item = Job>) -> Vec<Tally> {
    let handles: Vec<_> = jobs.into_iter().map(|job| sampler.submit(job).unwrap()).collect();
    handles.into_iter().map(|handle| handle.wait().complete().unwrap()).collect()
}

fn sampler(batch: usize, threads: usize) -> Sampler {
    Sampler::new(five(None), Plan { batch, threads }).unwrap()
}

#[test]
fn counts_are_the_same_for_every_batch_thread_count_and_packing() {
    let sizes = [1u64, 2, 63, 64, 65, 500, 1000];
    let jobs = || sizes.iter().enumerate().map(|(key, &rows)| job(key as u64, 0..rows));
    let alone: Vec<_> = jobs().map(|job| draw(&sampler(1, 1), [job]).remove(0)).collect();
    assert!(alone.iter().any(|counts| counts.invalid() > 0), "some rows must have no label for the test to see them");
    assert!(alone[6].labels().iter().all(|&count| count > 0), "every label must occur");
    for (batch, threads) in [(1, 2), (3, 1), (7, 4), (64, 2), (256, 3), (5000, 2)] {
        assert_eq!(draw(&sampler(batch, threads), jobs()), alone, "batch {batch}, {threads} threads");
    }
    let padded = Sampler::new(five(Some(8)), Plan { batch: 8, threads: 2 }).unwrap();
    assert_eq!(draw(&padded, jobs()), alone, "fixed batch");
}

#[test]
fn no_lane_keeps_another_waiting_and_jobs_of_one_lane_are_served_in_order() {
    let sampler = sampler(16, 2);
    let (busy, quick) = (Lane::new(), Lane::new());
    let long = sampler.submit(job(0, 0..1_000_000_000_000).lane(&busy)).unwrap();
    // Behind a job of many hours in its own lane, a short one is done all the same.
    for key in 1..20 {
        let short = sampler.submit(job(key, 0..300).lane(&quick)).unwrap();
        assert!(short.wait_timeout(Duration::from_secs(20)), "a short job was kept waiting by a long one");
        assert_eq!(short.wait().complete().unwrap(), draw(&sampler, [job(key, 0..300).lane(&quick)])[0]);
    }
    let behind = sampler.submit(job(1, 0..300).lane(&busy)).unwrap();
    assert!(!behind.wait_timeout(Duration::from_millis(100)), "in its own lane it has to wait");
    long.cancel();
    assert_eq!(behind.wait().complete().unwrap().n(), 300);
    assert!(!long.is_finished() || long.wait().stopped.is_some());
}

#[test]
fn jobs_of_many_threads_share_batches_and_get_the_same_counts() {
    let alone: Vec<_> = (0..16).map(|key| draw(&sampler(1, 1), [job(key, 0..300)]).remove(0)).collect();
    let shared = sampler(32, 2);
    std::thread::scope(|scope| {
        for (key, expected) in alone.iter().enumerate() {
            let shared = &shared;
            scope.spawn(move || {
                for _ in 0..4 {
                    assert_eq!(&draw(shared, [job(key as u64, 0..300)])[0], expected);
                }
            });
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn disjoint_ranges_add(cuts in proptest::collection::vec(0u64..2000, 0..6), batch in 1usize..100, key in 0u64..5) {
        let sampler = sampler(batch, 2);
        let whole = draw(&sampler, [job(key, 0..2000)]).remove(0);
        let mut cuts = cuts;
        cuts.extend([0, 2000]);
        cuts.sort_unstable();
        let parts = draw(&sampler, cuts.windows(2).map(|cut| job(key, cut[0]..cut[1])));
        let mut sum = Tally::new(vec![0; 5], 0).unwrap();
        for part in &parts {
            sum.add(part).unwrap();
        }
        prop_assert_eq!(sum, whole);
    }
}

#[test]
fn seed_key_and_purpose_each_change_the_noise() {
    let sampler = sampler(64, 2);
    let grid = Grid::for_range(1.0, SIGMA).unwrap();
    let with =
        |seed, key, purpose| Job::on_grid(&[0.5; 6], SIGMA, grid, seed, purpose).unwrap().key(key).samples(0..5000);
    let counts = draw(
        &sampler,
        [
            with(1, 0, Purpose::Estimate),
            with(1, 0, Purpose::Estimate),
            with(2, 0, Purpose::Estimate),
            with(1, 1, Purpose::Estimate),
            with(1, 0, Purpose::Select),
        ],
    );
    assert_eq!(counts[0], counts[1]);
    for other in &counts[2..] {
        assert_ne!(&counts[0], other);
    }
}

#[test]
fn an_empty_job_ends_at_once_and_a_wrong_input_is_refused() {
    let sampler = sampler(4, 1);
    assert_eq!(draw(&sampler, [job(0, 5..5)])[0].n(), 0);
    let grid = Grid::for_range(1.0, SIGMA).unwrap();
    let short = Job::on_grid(&[0.0; 5], SIGMA, grid, 0, Purpose::Estimate).unwrap().samples(0..1);
    let error = sampler.submit(short).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("input")));
    for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = Job::on_grid(&[0.0; 6], sigma, grid, 0, Purpose::Estimate).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidArgument, Some("sigma")));
    }
    for bad in [f32::NAN, f32::INFINITY] {
        let error = Job::on_grid(&[0.0, bad], SIGMA, grid, 0, Purpose::Estimate).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("input")));
    }
    assert!(Job::on_grid(&[], SIGMA, grid, 0, Purpose::Estimate).is_err());
}

#[test]
fn plans_that_cannot_run_are_refused() {
    for (plan, field, fixed) in [
        (Plan { batch: 0, threads: 1 }, "batch", None),
        (Plan { batch: 1, threads: 0 }, "threads", None),
        (Plan { batch: 4, threads: 1 }, "batch", Some(8)),
    ] {
        let error = Sampler::new(five(fixed), plan).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidArgument, Some(field)));
    }
}

#[test]
fn a_measured_plan_runs() {
    let classifier = five(None);
    let measured = Plan::measure(&classifier, 2, Duration::from_millis(300)).unwrap();
    assert_eq!(measured.plan.threads, 2);
    assert!(measured.rows_per_second > 0.0);
    draw(&Sampler::new(classifier, measured.plan).unwrap(), [job(0, 0..100)]);
    let fixed = five(Some(8));
    assert_eq!(Plan::measure(&fixed, 1, Duration::from_millis(10)).unwrap().plan, Plan { batch: 8, threads: 1 });
}

/// Fails on rows whose first element is above the limit, panics on those below its negative.
fn fragile(row: &[f32]) -> Result<u32> {
    if row[0] > 50.0 {
        return Err(Error::new(ErrorKind::Run, "the run failed"));
    }
    assert!(row[0] > -50.0, "the run panicked");
    Ok(u32::from(row[0] > 0.0))
}

#[test]
fn a_failure_or_a_panic_ends_only_its_own_job() {
    let classifier = Arc::new(Rows::<Label> { elements: 1, classes: 2, fixed_batch: None, label: fragile });
    let sampler = Sampler::new(classifier, Plan { batch: 64, threads: 2 }).unwrap();
    let grid = Grid::for_range(100.0, SIGMA).unwrap();
    let at = |x: f32, key| Job::on_grid(&[x], SIGMA, grid, 3, Purpose::Estimate).unwrap().key(key).samples(0..10);
    // Ten rows each: batches of 64 mix good and bad jobs.
    let handles: Vec<_> =
        (0..30).map(|key| sampler.submit(at([0.0, 100.0, -100.0][key as usize % 3], key)).unwrap()).collect();
    for (key, handle) in handles.into_iter().enumerate() {
        let drawn = handle.wait();
        match key % 3 {
            0 => assert_eq!(drawn.complete().unwrap().n(), 10),
            1 => assert_eq!(drawn.stopped.unwrap().kind(), ErrorKind::Run),
            _ => {
                let error = drawn.stopped.unwrap();
                assert_eq!(error.kind(), ErrorKind::Internal);
                assert!(error.message().contains("the run panicked"), "{error}");
            }
        }
    }
    assert_eq!(draw(&sampler, [at(0.0, 99)])[0].n(), 10, "the workers go on");
}

#[test]
fn labels_outside_the_classes_count_for_none() {
    let classifier = Arc::new(Rows::<Label> { elements: 1, classes: 2, fixed_batch: None, label: |_| Ok(2) });
    let sampler = Sampler::new(classifier, Plan { batch: 4, threads: 1 }).unwrap();
    let grid = Grid::for_range(1.0, SIGMA).unwrap();
    let job = Job::on_grid(&[0.0], SIGMA, grid, 3, Purpose::Estimate).unwrap().samples(0..10);
    let counts = draw(&sampler, [job]).remove(0);
    assert_eq!((counts.n(), counts.invalid()), (10, 10));
}

/// A run that goes on until it is stopped.
struct Endless {
    running: Arc<AtomicUsize>,
}
struct EndlessRunner {
    buffer: Vec<f32>,
    running: Arc<AtomicUsize>,
    stop: Arc<Flag>,
}
struct Flag(AtomicBool);
impl StopRun for Flag {
    fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
    fn reset(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}
impl BaseClassifier for Endless {
    fn elements(&self) -> usize {
        1
    }
    fn classes(&self) -> usize {
        2
    }
    fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>> {
        let stop = Arc::new(Flag(AtomicBool::new(false)));
        Ok(Box::new(EndlessRunner { buffer: vec![0.0; batch], running: Arc::clone(&self.running), stop }))
    }
}
impl BatchRunner for EndlessRunner {
    fn rows_mut(&mut self, rows: usize) -> &mut [f32] {
        &mut self.buffer[..rows]
    }
    fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()> {
        // A row around 100 runs for ever; others end at once.
        labels.fill(0);
        if self.buffer[..rows].iter().all(|&x| x < 50.0) {
            return Ok(());
        }
        self.running.fetch_add(1, Ordering::SeqCst);
        while !self.stop.0.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        Err(Error::new(ErrorKind::Cancelled, "stopped"))
    }
    fn stopper(&self) -> Option<Arc<dyn StopRun>> {
        Some(Arc::clone(&self.stop) as Arc<dyn StopRun>)
    }
}

fn endless() -> (Sampler, Arc<AtomicUsize>, impl Fn(f32, u64) -> Job) {
    let running = Arc::new(AtomicUsize::new(0));
    let classifier = Arc::new(Endless { running: Arc::clone(&running) });
    let sampler = Sampler::new(classifier, Plan { batch: 4, threads: 2 }).unwrap();
    let grid = Grid::for_range(100.0, SIGMA).unwrap();
    let at = move |x: f32, rows| Job::on_grid(&[x], SIGMA, grid, 3, Purpose::Estimate).unwrap().samples(0..rows);
    (sampler, running, at)
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn cancelling_stops_the_run_keeps_the_counts_and_frees_the_workers() {
    let (sampler, running, at) = endless();
    let job = sampler.submit(at(100.0, 1000)).unwrap();
    let other = sampler.submit(at(0.0, 10)).unwrap();
    wait_until("both workers are busy", || running.load(Ordering::SeqCst) == 2);
    assert!(!job.wait_timeout(Duration::from_millis(20)));
    job.cancel();
    let drawn = job.wait();
    assert_eq!(drawn.stopped.as_ref().map(Error::kind), Some(ErrorKind::Cancelled));
    assert_eq!(drawn.tally.n(), 0);
    assert_eq!(other.wait().complete().unwrap().n(), 10, "the next job's rows take the place");
}

#[test]
fn dropping_a_handle_cancels_its_job_and_dropping_the_sampler_cancels_all() {
    let (sampler, running, at) = endless();
    drop(sampler.submit(at(100.0, 1000)).unwrap());
    wait_until("no worker runs", || running.load(Ordering::SeqCst) == 0);
    let first = sampler.submit(at(100.0, 1000)).unwrap();
    let second = sampler.submit(at(0.0, 1000)).unwrap();
    wait_until("both workers are busy", || running.load(Ordering::SeqCst) == 2);
    drop(sampler);
    for handle in [first, second] {
        assert_eq!(handle.wait().stopped.map(|error| error.kind()), Some(ErrorKind::Cancelled));
    }
}

#[test]
fn the_end_of_a_job_is_told_once_with_no_lock_held() {
    let ends = Arc::new(AtomicUsize::new(0));
    let counted = || {
        let ends = Arc::clone(&ends);
        move || {
            ends.fetch_add(1, Ordering::SeqCst);
        }
    };
    let plain = sampler(16, 2);
    plain.submit_then(job(0, 0..0), counted()).unwrap();
    assert_eq!(ends.load(Ordering::SeqCst), 1, "a job without rows has ended");
    plain.submit_then(job(0, 0..500), counted()).unwrap().wait();
    wait_until("normal end", || ends.load(Ordering::SeqCst) == 2);
    assert!(
        plain
            .submit_then(
                Job::on_grid(&[0.5], SIGMA, Grid::for_range(1.0, SIGMA).unwrap(), 0, Purpose::Estimate).unwrap(),
                counted()
            )
            .is_err()
    );
    let panics = plain.submit_then(job(1, 0..500), || panic!("this is a test")).unwrap();
    assert!(panics.wait().stopped.is_none());
    assert_eq!(draw(&plain, [job(2, 0..500)])[0].n(), 500, "the workers are whole");

    let (sampler, busy, endless_job) = endless();
    let first = sampler.submit_then(endless_job(100.0, 1_000_000), counted()).unwrap();
    wait_until("both workers are busy", || busy.load(Ordering::SeqCst) == 2);
    let waiting = sampler.submit_then(endless_job(100.0, 1_000_000), counted()).unwrap();
    waiting.cancel();
    waiting.cancel();
    assert_eq!(ends.load(Ordering::SeqCst), 3, "on the thread that cancels, where no row is out");
    drop(first);
    wait_until("cancel", || ends.load(Ordering::SeqCst) == 4);
    let last = sampler.submit_then(endless_job(100.0, 1_000_000), counted()).unwrap();
    drop(sampler);
    assert_eq!(ends.load(Ordering::SeqCst), 5, "closing the sampler ends every job");
    drop(last);
    assert_eq!(ends.load(Ordering::SeqCst), 5);
}

/// Fails on rows beyond 2 sigma, so that what is counted before depends on the rows.
fn fails_far_out(row: &[f32]) -> Result<u32> {
    if row[0] > 2.0 * SIGMA as f32 {
        return Err(Error::new(ErrorKind::Run, "far out"));
    }
    Ok(u32::from(row[0] > 0.0))
}

#[test]
fn counts_that_were_cut_short_certify_nothing() {
    let classifier = Arc::new(Rows::<Label> { elements: 1, classes: 2, fixed_batch: None, label: fails_far_out });
    let g = SmoothedClassifier::new(classifier, Plan { batch: 1, threads: 1 }).unwrap();
    let request = Request::new(Gaussian::new(SIGMA).unwrap()).seeded(3);
    let draw = |input: f32, samples, control| g.submit_samples(&[input], samples, &request, 0, control).unwrap();
    let refuse = |counts: &Counts| {
        let refused = [
            counts.certify(&Query::of_label(0)).map(drop),
            counts.predict(1, 0.001).map(drop),
            counts.guarantee(None, 1, 0.001).map(drop),
        ];
        for error in refused {
            let error = error.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("counts")), "{error}");
            assert!(error.message().contains("cut short"), "{error}");
        }
    };
    let failed = draw(-0.5, 0..100_000, Control::default()).wait();
    assert_eq!(failed.early_stop.unwrap().kind(), ErrorKind::Run);
    assert!(failed.counts.n() > 100, "{} samples before it failed", failed.counts.n());
    refuse(&failed.counts);
    let mut sum = draw(-0.5, 200_000..200_001, Control::default()).wait().counts;
    sum.add(&failed.counts).unwrap();
    refuse(&sum);
    // Nor those that a cancel cut short: of samples drawn side by side, those that come back first may be of one kind.
    let late = draw(-100.0, 0..1 << 39, Control::default());
    while late.samples_done() < 100 {
        std::thread::yield_now();
    }
    late.cancel();
    let late = late.wait();
    assert_eq!(late.early_stop.unwrap().kind(), ErrorKind::Cancelled);
    refuse(&late.counts);
}
