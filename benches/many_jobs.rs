//! Many jobs in flight on one classifier: rows/s beside one call of as many inputs, how late deadlines come, and how
//! long a cancel holds its caller.
//!
//!     cargo bench --bench many_jobs [-- JOBS..]
//!
//! Each job is a call of its own about one image, with a lane, a deadline and a callback of its own, as a server makes
//! them. Both ways of asking take turns; the ratio is of the medians. `late` is from the deadline to the callback.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::sampler::{BaseClassifier, Plan};
use smoothtopk::smoothed::{Batch, Control, Request, SmoothedClassifier, Task};

/// Samples of a job.
const N: u64 = 100;
/// More than is ever drawn.
const ENDLESS: u64 = 1_000_000_000;
const TURNS: usize = 3;
/// Jobs that are cancelled one by one.
const CANCELLED: usize = 1000;

fn main() {
    let mut jobs: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    if jobs.is_empty() {
        jobs = vec![1000, 8000, 20_000, 100_000];
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/digits_mlp_sigma0.25.onnx");
    let classifier: Arc<dyn BaseClassifier> = Arc::new(Model::open(path, &ModelOptions::default()).unwrap());
    let plan = Plan { batch: 256, threads: Plan::usable_threads() };
    let g = SmoothedClassifier::new(classifier, plan).unwrap();
    println!("digits MLP, {} threads, batch {}, {N} samples a job\n", plan.threads, plan.batch);
    println!(
        "| jobs | one call: rows/s | a call each: rows/s | ratio | one deadline late | all deadlines late: median, last | cancel: median, longest | drop of all, a job |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for jobs in jobs {
        row(&g, jobs);
    }
}

fn row(g: &SmoothedClassifier, jobs: usize) {
    let turns: Vec<(f64, f64)> = (0..TURNS).map(|_| (one_call(g, jobs), a_call_each(g, jobs))).collect();
    let rows = (jobs as u64 * N) as f64;
    let one = rows / median(turns.iter().map(|turn| turn.0).collect());
    let each = rows / median(turns.iter().map(|turn| turn.1).collect());
    let ms = |seconds: f64| 1e3 * seconds;
    let among = one_deadline(g, jobs);
    let (middle, last) = all_deadlines(g, jobs);
    let (cancel, longest, dropped) = cancels(g, jobs);
    println!(
        "| {jobs} | {one:.0} | {each:.0} | {:.3} | {:.1} ms | {:.1}, {:.1} ms | {:.3}, {:.3} ms | {:.2} us |",
        each / one,
        ms(among),
        ms(middle),
        ms(last),
        ms(cancel),
        ms(longest),
        1e6 * dropped,
    );
}

fn image(i: usize) -> Vec<f32> {
    (0..64).map(|pixel| ((i * 7 + pixel * 3) % 17) as f32 / 16.0).collect()
}

fn request(n: u64) -> Request {
    Request { n, ..Request::new(Gaussian::new(0.25).unwrap()).seeded(1) }
}

fn submit(g: &SmoothedClassifier, i: usize, n: u64, control: Control) -> Batch {
    g.submit_batch(&image(i), &[Task::Predict], &request(n), i as u64, control).unwrap()
}

/// With a timeout, and what is called at the end.
fn submit_until(
    g: &SmoothedClassifier,
    i: usize,
    n: u64,
    timeout: Duration,
    done: impl FnOnce() + Send + 'static,
) -> Batch {
    let batch = submit(g, i, n, Control { timeout: Some(timeout), ..Control::default() });
    batch.completion().then(Box::new(done));
    batch
}

/// Seconds of one call.
fn one_call(g: &SmoothedClassifier, jobs: usize) -> f64 {
    let start = Instant::now();
    let inputs: Vec<f32> = (0..jobs).flat_map(image).collect();
    let batch = g.submit_batch(&inputs, &vec![Task::Predict; jobs], &request(N), 0, Control::default()).unwrap();
    assert!(batch.wait().iter().all(|outcome| outcome.answer.is_ok()));
    start.elapsed().as_secs_f64()
}

/// Seconds of a call for each, all in flight at once.
fn a_call_each(g: &SmoothedClassifier, jobs: usize) -> f64 {
    let start = Instant::now();
    let done = Arc::new(AtomicU64::new(0));
    let each = |i| {
        let done = Arc::clone(&done);
        let count = move || {
            done.fetch_add(1, Ordering::Relaxed);
        };
        submit_until(g, i, N, Duration::from_secs(3600), count)
    };
    let batches: Vec<Batch> = (0..jobs).map(each).collect();
    for batch in batches {
        batch.wait_done();
        assert!(batch.wait()[0].answer.is_ok());
    }
    assert_eq!(done.load(Ordering::Relaxed), jobs as u64);
    start.elapsed().as_secs_f64()
}

/// How late the only deadline among the jobs is, in seconds.
fn one_deadline(g: &SmoothedClassifier, jobs: usize) -> f64 {
    let others: Vec<Batch> = (1..jobs).map(|i| submit(g, i, ENDLESS, Control::default())).collect();
    let lates = (0..TURNS).map(|_| {
        let (start, timeout) = (Instant::now(), Duration::from_millis(50));
        let ended = Arc::new(AtomicU64::new(0));
        let told = Arc::clone(&ended);
        let note = move || told.store(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        let batch = submit_until(g, 0, ENDLESS, timeout, note);
        batch.wait_done();
        ended.load(Ordering::Relaxed) as f64 / 1e9 - timeout.as_secs_f64()
    });
    let late = median(lates.collect());
    drop(others);
    late
}

/// How late deadlines are that all pass at one moment: the median and the last, in seconds.
fn all_deadlines(g: &SmoothedClassifier, jobs: usize) -> (f64, f64) {
    let (start, timeout) = (Instant::now(), Duration::from_millis(500 + jobs as u64 / 25));
    let ended: Arc<Vec<AtomicU64>> = Arc::new((0..jobs).map(|_| AtomicU64::new(0)).collect());
    let batches: Vec<Batch> = (0..jobs)
        .map(|i| {
            let told = Arc::clone(&ended);
            let note = move || told[i].store(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
            let timeout = timeout.saturating_sub(start.elapsed());
            submit_until(g, i, ENDLESS, timeout, note)
        })
        .collect();
    batches.iter().for_each(|batch| batch.wait_done());
    let mut late: Vec<f64> =
        ended.iter().map(|at| at.load(Ordering::Relaxed) as f64 / 1e9 - timeout.as_secs_f64()).collect();
    late.sort_by(f64::total_cmp);
    (late[late.len() / 2], late[late.len() - 1])
}

/// How long a cancel holds its caller while all are in flight, the median and the longest; and dropping the rest, a
/// job. In seconds.
fn cancels(g: &SmoothedClassifier, jobs: usize) -> (f64, f64, f64) {
    let batches: Vec<Batch> = (0..jobs).map(|i| submit(g, i, ENDLESS, Control::default())).collect();
    let some = CANCELLED.min(jobs);
    let mut took: Vec<f64> = (0..some)
        .map(|i| {
            let start = Instant::now();
            batches[(i * 7919) % jobs].cancel();
            start.elapsed().as_secs_f64()
        })
        .collect();
    took.sort_by(f64::total_cmp);
    let start = Instant::now();
    drop(batches);
    (took[some / 2], took[some - 1], start.elapsed().as_secs_f64() / jobs as f64)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
