//! A serving trace: clients that ask for smoothed predictions, each with a deadline, and what they get with the rule
//! `predict` beside what they get with a fixed n.
//!
//!     cargo bench --bench serving
//!
//! By the plan that is found, and with batches of four rows: a plan is for the most rows a second, and a batch that
//! takes a good part of a deadline leaves little of it. 64 clients on one classifier, each asking for its next image as
//! soon as it has the last answer. For a fixed n, an answer that is late is none; with the rule, one that is not
//! settled by the deadline abstains. SERVING_SECONDS (5) is the length of a trace.

#[path = "../tests/rust/common/npz.rs"]
mod npz;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use smoothtopk::certificate::stop::Rule;
use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::sampler::{BaseClassifier, Plan};
use smoothtopk::smoothed::{Answer, Control, Outcome, Request, SmoothedClassifier, Task};

const CLIENTS: usize = 64;
const DEADLINE: Duration = Duration::from_millis(50);
const SMALL: usize = 4;

/// What the clients of one trace got.
#[derive(Default)]
struct Tally {
    answers: u64,
    abstained: u64,
    late: u64,
    /// Rows of every answer.
    rows: Vec<u64>,
    /// From asking to the answer, in seconds.
    waits: Vec<f64>,
}

impl Tally {
    fn add(&mut self, outcome: &Outcome, wait: Duration) {
        self.waits.push(wait.as_secs_f64());
        match &outcome.answer {
            Ok(Answer::Predictions(list)) => {
                self.rows.push(outcome.counts.n());
                if list[0].abstain { self.abstained += 1 } else { self.answers += 1 }
            }
            _ => self.late += 1,
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.answers += other.answers;
        self.abstained += other.abstained;
        self.late += other.late;
        self.rows.extend(other.rows);
        self.waits.extend(other.waits);
        self
    }
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("SMOOTHTOPK_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let seconds = std::env::var("SERVING_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5.0);
    let length = Duration::from_secs_f64(seconds);
    println!(
        "{CLIENTS} clients, a deadline of {} ms, k = 1, sigma 0.25, alpha 0.001, {seconds} s a trace\n",
        DEADLINE.as_millis()
    );
    println!(
        "| model | rows | asked/s | answers/s | abstained | late | rows an answer: mean, median, 95 % | wait: median, 95 % |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (name, model, data, scale) in [
        ("digits MLP", root.join("demo/digits_mlp_sigma0.25.onnx"), root.join("demo/digits_test200.npz"), 16.0),
        (
            "ResNet-20",
            shared.join("models/cifar10_resnet20_sigma0.25.onnx"),
            shared.join("data/cifar10_test500.npz"),
            255.0,
        ),
    ] {
        if let Some(missing) = [&model, &data].into_iter().find(|path| !path.exists()) {
            eprintln!("SKIPPED: {name}: {} is missing", missing.display());
            continue;
        }
        let images = images(&data, scale);
        let classifier: Arc<dyn BaseClassifier> = Arc::new(Model::open(&model, &ModelOptions::default()).unwrap());
        let found = Plan::measure(&classifier, Plan::usable_threads(), Duration::from_secs(2)).unwrap().plan;
        for plan in [found, Plan { batch: SMALL, ..found }] {
            let g = SmoothedClassifier::new(classifier.clone(), plan).unwrap();
            let name = format!("{name}, batch {}", plan.batch);
            for (rule, n) in [(Rule::Predict, 100_000), (Rule::Fixed, 100), (Rule::Fixed, 1000), (Rule::Fixed, 10_000)]
            {
                let request = Request { rule, n, ..Request::new(Gaussian::new(0.25).unwrap()) };
                print(&name, &request, length, &trace(&g, &images, &request, length));
            }
        }
    }
}

/// What all clients together got.
fn trace(g: &SmoothedClassifier, images: &[Vec<f32>], request: &Request, length: Duration) -> Tally {
    let (start, asked) = (Instant::now(), AtomicU64::new(0));
    let client = || {
        let mut tally = Tally::default();
        while start.elapsed() < length {
            let key = asked.fetch_add(1, Ordering::Relaxed);
            let image = &images[key as usize % images.len()];
            let control = Control { timeout: Some(DEADLINE), ..Control::default() };
            let asked = Instant::now();
            let batch = g.submit_batch(image, &[Task::Predict], request, key, control).unwrap();
            let outcome = batch.wait().remove(0);
            tally.add(&outcome, asked.elapsed());
        }
        tally
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).fold(Tally::default(), Tally::merge)
    })
}

fn print(name: &str, request: &Request, length: Duration, tally: &Tally) {
    let mut rows: Vec<f64> = tally.rows.iter().map(|&rows| rows as f64).collect();
    let mut waits = tally.waits.clone();
    let mean = rows.iter().sum::<f64>() / rows.len().max(1) as f64;
    let a_second = |count: u64| count as f64 / length.as_secs_f64();
    let what = if request.rule == Rule::Fixed { format!("fixed {}", request.n) } else { request.rule.to_string() };
    println!(
        "| {name} | {what} | {:.0} | {:.0} | {:.0}/s | {:.0}/s | {mean:.0}, {:.0}, {:.0} | {:.0}, {:.0} ms |",
        a_second(tally.waits.len() as u64),
        a_second(tally.answers),
        a_second(tally.abstained),
        a_second(tally.late),
        share(&mut rows, 0.5),
        share(&mut rows, 0.95),
        1e3 * share(&mut waits, 0.5),
        1e3 * share(&mut waits, 0.95),
    );
}

/// The value that this part of them does not exceed; 0 of none.
fn share(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (part * values.len() as f64).ceil() as usize;
    values.get(place.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// The images as the model takes them: divided by `scale`.
fn images(path: &Path, scale: f32) -> Vec<Vec<f32>> {
    let (shape, pixels) = npz::array::<u8>(std::fs::File::open(path).unwrap(), "images");
    let elements = shape[1..].iter().product::<u64>() as usize;
    pixels.chunks_exact(elements).map(|image| image.iter().map(|&pixel| f32::from(pixel) / scale).collect()).collect()
}
