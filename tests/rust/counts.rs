//! Counts: what may be added, what is written, what is refused, and how often the loops that people write with them are
//! wrong.

mod adding;
mod json;
mod loops;
mod refusals;
#[path = "coverage/truth.rs"]
mod truth;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use smoothtopk::Result;
use smoothtopk::counts::{Counts, Subject};
use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::sampler::{BaseClassifier, BatchRunner, Plan};
use smoothtopk::smoothed::{Control, Request, Sampled, SmoothedClassifier};

/// Label 1 where the first element is above a half, label 2 where the second is above 1.2, else label 0; of four
/// labels.
struct Steps(Subject);
struct StepsRunner(Vec<f32>);

impl BaseClassifier for Steps {
    fn elements(&self) -> usize {
        2
    }
    fn classes(&self) -> usize {
        4
    }
    fn subject(&self) -> Subject {
        self.0.clone()
    }
    fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>> {
        Ok(Box::new(StepsRunner(vec![0.0; 2 * batch])))
    }
}

impl BatchRunner for StepsRunner {
    fn rows_mut(&mut self, rows: usize) -> &mut [f32] {
        &mut self.0[..2 * rows]
    }
    fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()> {
        for (label, row) in labels.iter_mut().zip(self.0.chunks_exact(2)).take(rows) {
            *label = if row[1] > 1.2 { 2 } else { u32::from(row[0] > 0.5) };
        }
        Ok(())
    }
}

const X: [f32; 2] = [0.8, 0.9];

fn noise() -> Gaussian {
    Gaussian::new(0.25).unwrap()
}

fn request() -> Request {
    Request { n: 2000, n0: 200, ..Request::new(noise()).seeded(7) }
}

fn of(classifier: impl BaseClassifier + 'static) -> SmoothedClassifier {
    SmoothedClassifier::new(Arc::new(classifier), Plan { batch: 64, threads: 2 }).unwrap()
}

/// What all `Steps` are of: counts of a classifier that says nothing of itself are added within one handle alone.
fn steps() -> Subject {
    Subject { model_sha256: Some("57e95".into()), ..Subject::default() }
}

fn smoothed() -> SmoothedClassifier {
    of(Steps(steps()))
}

fn model() -> SmoothedClassifier {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/exact_order.onnx");
    of(Model::open(path, &ModelOptions::default()).unwrap())
}

fn drawn(g: &SmoothedClassifier, input: &[f32], samples: Range<u64>, request: &Request) -> Sampled {
    g.submit_samples(input, samples, request, 5, Control::default()).unwrap().wait()
}

/// Samples of [`X`] under the one seed.
fn sample(g: &SmoothedClassifier, samples: Range<u64>) -> Counts {
    drawn(g, &X, samples, &request()).counts
}
