//! The search for a batch plan: what it finds, what it keeps, and what bounds it.

use std::fs;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use smoothtopk::log::{self, Level};
use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::sampler::{BaseClassifier, BatchRunner, Measured, Plan, PlanCache, Sampler, Search};
use smoothtopk::{ErrorKind, Result};

/// A classifier whose runs take as long as told: sleeping, so that a busy machine changes little.
struct Timed {
    micros: fn(rows: usize) -> u64,
    identity: Option<&'static str>,
    /// Bytes that a row holds while it runs.
    row_bytes: u64,
    fixed: Option<usize>,
    largest: Arc<AtomicUsize>,
    held: Arc<AtomicU64>,
    released: AtomicUsize,
    runners: AtomicUsize,
}

impl Timed {
    fn new(micros: fn(usize) -> u64) -> Self {
        Self {
            micros,
            identity: Some("timed"),
            row_bytes: 0,
            fixed: None,
            largest: Arc::default(),
            held: Arc::default(),
            released: AtomicUsize::new(0),
            runners: AtomicUsize::new(0),
        }
    }
}

struct TimedRunner {
    rows: Vec<f32>,
    micros: fn(usize) -> u64,
    row_bytes: u64,
    largest: Arc<AtomicUsize>,
    held: Arc<AtomicU64>,
}

impl BaseClassifier for Timed {
    fn elements(&self) -> usize {
        1
    }
    fn classes(&self) -> usize {
        2
    }
    fn fixed_batch(&self) -> Option<usize> {
        self.fixed
    }
    fn identity(&self) -> Option<String> {
        self.identity.map(str::to_owned)
    }
    fn run_bytes(&self) -> Option<u64> {
        Some(self.held.load(Ordering::SeqCst))
    }
    fn release(&self) {
        self.released.fetch_add(1, Ordering::SeqCst);
    }
    fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>> {
        self.runners.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(TimedRunner {
            rows: vec![0.0; batch],
            micros: self.micros,
            row_bytes: self.row_bytes,
            largest: Arc::clone(&self.largest),
            held: Arc::clone(&self.held),
        }))
    }
}

impl BatchRunner for TimedRunner {
    fn rows_mut(&mut self, rows: usize) -> &mut [f32] {
        &mut self.rows[..rows]
    }
    fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()> {
        sleep(Duration::from_micros((self.micros)(rows)));
        self.largest.fetch_max(rows, Ordering::SeqCst);
        self.held.fetch_max(rows as u64 * self.row_bytes, Ordering::SeqCst);
        labels.fill(0);
        Ok(())
    }
}

/// Searches on one thread, with nothing kept.
fn alone() -> Search {
    Search { threads: Some(1), cache: None, ..Search::default() }
}

fn search(search: &Search, classifier: &Arc<Timed>) -> Result<Measured> {
    search.run(&(Arc::clone(classifier) as Arc<dyn BaseClassifier>))
}

/// Searches until the plan is kept, which a busy machine may put off, and then once more: what was measured last, and
/// what was kept.
fn until_kept(search: &Search, classifier: impl Fn() -> Arc<dyn BaseClassifier>) -> (Measured, Measured) {
    let mut last = search.run(&classifier()).unwrap();
    for _ in 0..50 {
        let next = search.run(&classifier()).unwrap();
        if next.cached {
            return (last, next);
        }
        last = next;
    }
    panic!("not kept in 50 searches");
}

#[test]
fn the_fastest_batch_is_found() {
    // A start, rows that cost little, and rows beyond 16 that cost four times as much: 4.4 rows a millisecond at 16,
    // 2.9 at 8, 3.2 at 32.
    let classifier =
        Arc::new(Timed::new(|rows| 2000 + 100 * rows.min(16) as u64 + 400 * rows.saturating_sub(16) as u64));
    let found = search(&alone(), &classifier).unwrap();
    assert_eq!(found.plan, Plan { batch: 16, threads: 1 });
    assert!(!found.cached && found.rows_per_second > 1000.0 && found.rows_per_second < 4500.0, "{found:?}");
    assert_eq!(classifier.released.load(Ordering::SeqCst), 1);
}

#[test]
fn a_search_keeps_to_its_limits() {
    // The larger the batch, the better.
    let greedy = || Timed::new(|rows| 2000 + rows as u64);
    for (limits, row_bytes, most) in [
        (Search { most: 5, ..alone() }, 0, 4),
        // Buffers of 4 bytes a row, and what the runs say that they hold.
        (Search { memory: 64, ..alone() }, 0, 16),
        (Search { memory: (1 << 20) + 64, ..alone() }, 1 << 16, 16),
    ] {
        let classifier = Arc::new(Timed { row_bytes, ..greedy() });
        let found = search(&limits, &classifier).unwrap();
        // All sizes up to the limit were tried, and none beyond it.
        assert_eq!(classifier.largest.load(Ordering::SeqCst), most, "{limits:?}");
        assert!(found.plan.batch <= most);
    }
    let fixed = Arc::new(Timed { fixed: Some(8), ..greedy() });
    assert_eq!(search(&Search { most: 2, ..alone() }, &fixed).unwrap().plan, Plan { batch: 8, threads: 1 });
    for (bad, field) in [(Search { most: 0, ..alone() }, "most"), (Search { threads: Some(0), ..alone() }, "threads")] {
        let error = search(&bad, &Arc::new(greedy())).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidArgument, Some(field)));
    }
}

#[test]
fn a_slow_classifier_is_not_run_beyond_the_budget() {
    let slow = Arc::new(Timed::new(|rows| 50_000 * rows as u64));
    let found = search(&Search { budget: Duration::from_millis(200), ..alone() }, &slow).unwrap();
    // Two rounds of one row have taken the scan's half.
    assert_eq!((found.plan.batch, slow.largest.load(Ordering::SeqCst)), (1, 1));
}

#[test]
fn a_kept_plan_is_not_measured_again() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Search { cache: Some(PlanCache::at(folder.path())), budget: Duration::from_millis(100), ..alone() };
    let timed = || Timed { row_bytes: 100, ..Timed::new(|rows| 1000 + 10 * rows as u64) };
    let (first, second) = until_kept(&kept, || Arc::new(timed()));
    assert!(!first.cached);
    assert_eq!((second.plan, second.rows_per_second), (first.plan, first.rows_per_second));

    let measured = |search_: &Search, classifier: Timed| {
        let classifier = Arc::new(classifier);
        let found = search(search_, &classifier).unwrap();
        assert_eq!(found.cached, classifier.runners.load(Ordering::SeqCst) == 0);
        !found.cached
    };
    assert!(!measured(&kept, timed()), "a kept plan");
    assert!(measured(&Search { cache: None, ..kept.clone() }, timed()), "the cache is off");
    assert!(measured(&kept, Timed { identity: Some("another"), ..timed() }), "another classifier");
    assert!(measured(&kept, Timed { identity: None, ..timed() }), "a classifier without identity");
    assert!(measured(&kept, Timed { identity: None, ..timed() }), "and it is not kept");
    assert!(measured(&Search { threads: Some(2), ..kept.clone() }, timed()), "other threads");
    assert!(measured(&Search { most: 1, ..kept.clone() }, timed()), "another limit");
    assert!(measured(&Search { memory: 100, ..kept.clone() }, timed()), "less memory than the plan needs");
}

#[test]
fn what_a_busy_machine_gave_is_not_kept() {
    // Five times as slow in every other tenth of a second; both batch sizes are as fast, so that they take turns all
    // the time.
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    fn is_slow() -> bool {
        (START.elapsed().as_millis() / 100).is_multiple_of(2)
    }
    let disturbed = || Arc::new(Timed::new(|rows| rows as u64 * if is_slow() { 5000 } else { 1000 }));
    let folder = tempfile::tempdir().unwrap();
    let kept = Search { cache: Some(PlanCache::at(folder.path())), most: 2, ..alone() };
    for _ in 0..2 {
        assert!(!search(&kept, &disturbed()).unwrap().cached);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_damaged_file_is_measured_over_and_said_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let kept = Search { cache: Some(PlanCache::at(folder.path())), budget: Duration::from_millis(100), ..alone() };
    let timed = || Arc::new(Timed::new(|_| 1000));
    until_kept(&kept, || timed());
    let file = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    fs::write(&file, b"{ \"key\"").unwrap();
    let said = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&said);
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    log::set_sink(Some((Level::Warn, Box::new(move |_, message| sink.lock().unwrap().push(message.to_owned())))))
        .unwrap();
    assert!(!search(&kept, &timed()).unwrap().cached);
    log::set_sink(None).unwrap();
    let said = said.lock().unwrap();
    assert!(said.iter().any(|message| message.contains(&name) && message.contains("ignored")), "{said:?}");
    until_kept(&kept, || timed());
}

#[test]
fn a_plan_of_a_model_runs_and_models_are_told_apart() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let open = |path: &str, options: &ModelOptions| -> Arc<dyn BaseClassifier> {
        Arc::new(Model::open(root.join(path), options).unwrap())
    };
    let quick = Search { cache: None, budget: Duration::from_millis(300), ..Search::default() };
    let (demo, default) = ("demo/digits_mlp_sigma0.25.onnx", ModelOptions::default());
    let found = quick.run(&open(demo, &default)).unwrap();
    Sampler::new(open(demo, &default), found.plan).unwrap();
    let fixed = open("tests/models/fixed_batch.onnx", &default);
    assert_eq!(Some(quick.run(&fixed).unwrap().plan.batch), fixed.fixed_batch());

    let identity = open(demo, &default).identity().unwrap();
    assert_eq!(open(demo, &default).identity().unwrap(), identity);
    assert_ne!(fixed.identity().unwrap(), identity);
    for options in [
        ModelOptions { intra_threads: 2, ..ModelOptions::default() },
        ModelOptions { mean: vec![0.5], ..ModelOptions::default() },
    ] {
        assert_ne!(open(demo, &options).identity().unwrap(), identity, "{options:?}");
    }
}

#[test]
fn what_runs_hold_is_known_and_given_back() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/digits_mlp_sigma0.25.onnx");
    let model: Arc<dyn BaseClassifier> = Arc::new(Model::open(path, &ModelOptions::default()).unwrap());
    let run = |rows: usize| {
        let mut runner = model.runner(rows).unwrap();
        runner.rows_mut(rows).fill(0.5);
        runner.run(rows, &mut vec![0; rows]).unwrap();
        model.run_bytes().unwrap()
    };
    // The widest layers have 128 values of four bytes; two of them are held at once, and sizes are rounded up.
    let (small, large) = (run(1), run(10_000));
    assert!(large - small >= 10_000 * 128 * 4, "{small} {large}");
    assert!(large - small <= 10_000 * 128 * 4 * 4, "{small} {large}");
    model.release();
    assert_eq!(run(1), large, "the most that was held stays so");
}
