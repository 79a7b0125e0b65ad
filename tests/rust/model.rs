//! Opening, reading and running models of every kind, and refusing those that do not fit.
//!
//! The models and what is expected of them are in `tests/models`, made by the scripts named there. ONNX Runtime must
//! be found: these tests fail without it (`make setup`).

mod cases;
mod custom_ops;
mod damaged;
mod options;
mod running;
mod runtime;
mod shared;

use std::path::PathBuf;

use smoothtopk::model::{Constant, Model, ModelOptions};
use smoothtopk::{Error, Result};

fn models() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/models")
}

/// A copy of a model's bytes.
fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(models().join(name)).unwrap()
}

fn open_with(name: &str, options: ModelOptions) -> Result<Model> {
    Model::open(models().join(name), &options)
}

fn open(name: &str) -> Model {
    open_with(name, ModelOptions::default()).unwrap()
}

fn refused(name: &str, options: ModelOptions) -> Error {
    open_with(name, options).map(|model| model.signature().clone()).expect_err(name)
}

fn constant(name: &str, values: &[f64]) -> Constant {
    Constant { name: name.into(), values: values.to_vec() }
}

/// Labels of rows, run in batches of `batch`.
fn labels(model: &Model, rows: &[Vec<f32>], batch: usize) -> Vec<u32> {
    let mut runner = model.runner(batch).unwrap();
    let mut all = Vec::new();
    for chunk in rows.chunks(batch) {
        let mut labels = vec![12345; chunk.len()];
        runner.rows_mut(chunk.len()).copy_from_slice(&chunk.concat());
        runner.run(chunk.len(), &mut labels).unwrap();
        all.extend(labels);
    }
    all
}
