//! The summary as JSON: each run with its curves, every number with all its digits.

use serde::Serialize;

use super::curve::{Curve, Run};
use crate::run_dir::Options;

#[derive(Serialize)]
pub struct Summary<'a> {
    runs: Vec<OfRun<'a>>,
}

#[derive(Serialize)]
struct OfRun<'a> {
    name: &'a str,
    /// Whether true labels are known; otherwise accuracies are shares certified, right or wrong.
    labelled: bool,
    /// Whether accuracies are about the returned sets rather than about one label.
    guarantee: bool,
    norm: String,
    /// The examples that the run is to have; null where it does not say.
    examples_total: Option<usize>,
    /// Examples that could not be certified, and why.
    failed: &'a [String],
    /// What certify was given; null for a file of another tool.
    options: Option<&'a Options>,
    curves: Vec<OfCurve>,
}

#[derive(Serialize)]
struct OfCurve {
    /// Null for a file that does not say.
    k: Option<usize>,
    examples: usize,
    /// The share without a certificate; this and the others are null without examples.
    abstain: Option<f64>,
    /// The average certified radius.
    acr: Option<f64>,
    median_radius: Option<f64>,
    accuracies: Vec<Accuracy>,
}

#[derive(Serialize)]
struct Accuracy {
    radius: f64,
    certified_accuracy: Option<f64>,
}

impl<'a> Summary<'a> {
    pub fn of(runs: &'a [Run], radii: &[f64]) -> Self {
        Self { runs: runs.iter().map(|run| of_run(run, radii)).collect() }
    }
}

fn of_run<'a>(run: &'a Run, radii: &[f64]) -> OfRun<'a> {
    OfRun {
        name: &run.name,
        labelled: run.labelled,
        guarantee: run.of_answers(),
        norm: run.norm().to_string(),
        examples_total: run.total(),
        failed: &run.failed,
        options: run.manifest.as_ref().map(|manifest| &manifest.options),
        curves: run.curves.iter().map(|curve| of_curve(curve, radii)).collect(),
    }
}

fn of_curve(curve: &Curve, radii: &[f64]) -> OfCurve {
    let accuracy = |&radius: &f64| Accuracy { radius, certified_accuracy: curve.accuracy(radius) };
    OfCurve {
        k: curve.k,
        examples: curve.examples,
        abstain: curve.abstention(),
        acr: curve.average_radius(),
        median_radius: curve.median_radius(),
        accuracies: radii.iter().map(accuracy).collect(),
    }
}
