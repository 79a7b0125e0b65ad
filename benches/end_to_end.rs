//! Rows a second of the whole way (noise, model, top label, counts) beside ONNX Runtime's bare `Run` on the same model,
//! with the same session, batch and threads, inputs prepared beforehand and outputs kept. The quotient of the two is
//! what smoothing costs.
//!
//!     cargo bench --bench end_to_end
//!
//! Measures the demo's MLP; ResNet-20 and EfficientNet-Lite0 too where the shared inputs are found.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use smoothtopk::model::{Model, ModelOptions, Runner};
use smoothtopk::noise::{Grid, Purpose};
use smoothtopk::sampler::{BaseClassifier, Job, Plan, Sampler};

fn models() -> Vec<(&'static str, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("SMOOTHTOPK_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    [
        ("digits_mlp", root.join("demo/digits_mlp_sigma0.25.onnx")),
        ("resnet20", shared.join("models/cifar10_resnet20_sigma0.25.onnx")),
        ("efficientnet_lite0", shared.join("models/efficientnet_lite0.onnx")),
    ]
    .into_iter()
    .filter(|(name, path)| {
        let found = path.exists();
        if !found {
            eprintln!("SKIPPED: {name}: {} is missing", path.display());
        }
        found
    })
    .collect()
}

/// `threads` threads that each run their share of the batches on the shared session, from an input prepared beforehand
/// and into an output kept from run to run: no noise, no top label, no counts.
struct Bare {
    runners: Vec<Runner>,
}

impl Bare {
    fn new(model: &Model, plan: Plan) -> Self {
        let runner = || {
            let mut runner = model.runner(plan.batch).unwrap();
            runner.rows_mut(plan.batch).fill(0.5);
            let mut labels = vec![0; plan.batch];
            runner.run(plan.batch, &mut labels).unwrap();
            runner
        };
        Self { runners: (0..plan.threads).map(|_| runner()).collect() }
    }

    fn run(&mut self, batches_each: u64) -> Duration {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for runner in &mut self.runners {
                scope.spawn(move || (0..batches_each).for_each(|_| runner.run_bare().unwrap()));
            }
        });
        start.elapsed()
    }
}

fn end_to_end(criterion: &mut Criterion) {
    let threads = Plan::usable_threads();
    let mut group = criterion.benchmark_group("end_to_end");
    group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5));
    for (name, path) in models() {
        let model = Arc::new(Model::open(&path, &ModelOptions::default()).unwrap());
        let classifier: Arc<dyn BaseClassifier> = model.clone();
        let measured = Plan::measure(&classifier, threads, Duration::from_secs(2)).unwrap();
        let plan = measured.plan;
        eprintln!("{name}: {plan:?}, {:.0} rows/s when measured", measured.rows_per_second);
        // About a quarter of a second of work an iteration.
        let batches_each =
            ((measured.rows_per_second / 4.0) as u64).div_ceil((plan.batch * plan.threads) as u64).max(2);
        let rows = batches_each * (plan.batch * plan.threads) as u64;
        group.throughput(Throughput::Elements(rows));

        let mut bare = Bare::new(&model, plan);
        bare.run(2);
        group.bench_function(BenchmarkId::new("bare", name), |bencher| {
            bencher.iter_custom(|iterations| (0..iterations).map(|_| bare.run(batches_each)).sum());
        });
        drop(bare);

        let sampler = Sampler::new(classifier, plan).unwrap();
        let sigma = 0.25;
        let grid = Grid::for_range(1.0, sigma).unwrap();
        let input = vec![0.5f32; model.signature().elements];
        let mut first = 0;
        group.bench_function(BenchmarkId::new("smoothtopk", name), |bencher| {
            bencher.iter(|| {
                let job = Job::on_grid(&input, sigma, grid, 1, Purpose::Estimate).unwrap().samples(first..first + rows);
                first += rows;
                sampler.submit(job).unwrap().wait().complete().unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, end_to_end);
criterion_main!(benches);
