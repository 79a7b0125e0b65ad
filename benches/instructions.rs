//! A fixed piece of work whose instructions `make test-instructions` counts under callgrind: what a row costs beside
//! the model.
//!
//!     instructions CASE ROWS
//!
//! `rust`: a classifier of one comparison, so that nearly all of the program is noise, scheduling and counting.
//! `digits_mlp`: the demo's model, of which only this program's own instructions are counted, not ONNX Runtime's.

use std::path::Path;
use std::sync::Arc;

use smoothtopk::Result;
use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::noise::{self, Grid, Purpose};
use smoothtopk::sampler::{BaseClassifier, BatchRunner, Job, Plan, Sampler};

const ELEMENTS: usize = 64;
const PLAN: Plan = Plan { batch: 64, threads: 1 };

struct Sign;
struct SignRunner(Vec<f32>);

impl BaseClassifier for Sign {
    fn elements(&self) -> usize {
        ELEMENTS
    }
    fn classes(&self) -> usize {
        2
    }
    fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>> {
        Ok(Box::new(SignRunner(vec![0.0; batch * ELEMENTS])))
    }
}

impl BatchRunner for SignRunner {
    fn rows_mut(&mut self, rows: usize) -> &mut [f32] {
        &mut self.0[..rows * ELEMENTS]
    }
    fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()> {
        for (label, row) in labels.iter_mut().zip(self.0[..rows * ELEMENTS].chunks_exact(ELEMENTS)) {
            *label = u32::from(row[0] > 0.5);
        }
        Ok(())
    }
}

fn main() {
    // Cargo adds `--bench` where it runs this itself: there is nothing to time.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [case, rows] = arguments.as_slice() else {
        println!("to be run by `make test-instructions`");
        return;
    };
    // Valgrind has no AVX-512, so that this is the path on every x86-64 processor of the last ten years.
    assert_eq!(noise::Path::best(), noise::Path::Avx2, "the figures are those of the AVX2 path");
    let rows: u64 = rows.parse().expect("ROWS is a number");
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/digits_mlp_sigma0.25.onnx");
    let classifier: Arc<dyn BaseClassifier> = match case.as_str() {
        "rust" => Arc::new(Sign),
        "digits_mlp" => Arc::new(Model::open(demo, &ModelOptions::default()).unwrap()),
        _ => panic!("no such case: {case}"),
    };
    let sampler = Sampler::new(classifier, PLAN).unwrap();
    let (sigma, grid) = (0.25, Grid::for_range(1.0, 0.25).unwrap());
    let job = Job::on_grid(&[0.5; ELEMENTS], sigma, grid, 1, Purpose::Estimate).unwrap().samples(0..rows);
    let counts = sampler.submit(job).unwrap().wait().complete().unwrap();
    println!("{:?}", counts.labels());
}
