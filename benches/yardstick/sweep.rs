//! Rows a second over batch sizes and threads.

use std::sync::Arc;

use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::sampler::Plan;

use crate::Effort;
use crate::models::Entry;
use crate::sides::{Bare, Ours, Shape, Side};

/// A measured point.
pub struct Point {
    pub shape: Shape,
    pub rate: f64,
}

/// What one curve of the plot shows.
pub struct Curve {
    pub name: String,
    pub ours: bool,
    pub points: Vec<Point>,
}

/// 1, 2, 4, .. and `most` itself.
fn doublings(most: usize) -> Vec<usize> {
    let mut all: Vec<_> = std::iter::successors(Some(1), |n| Some(n * 2)).take_while(|n| *n < most).collect();
    all.push(most);
    all
}

fn open(entry: &Entry, intra: usize) -> Arc<Model> {
    // As ONNX Runtime comes: threads within one run wait by spinning.
    let options = ModelOptions { intra_threads: intra, intra_spinning: intra > 1, ..ModelOptions::default() };
    Arc::new(Model::open(&entry.path, &options).unwrap())
}

/// Measures one curve: every batch size in turn, a slice each, several times over; the best slice counts.
fn curve(
    entry: &Entry,
    effort: &Effort,
    name: String,
    ours: bool,
    side: impl Fn(usize) -> (Shape, Box<dyn Side>),
) -> Curve {
    let mut points = Vec::new();
    for batch in doublings(entry.most) {
        let (shape, mut side) = side(batch);
        let mut rate = side.warm_up();
        let best = (0..effort.sweeps).map(|_| {
            rate = side.slice(effort.slice / 2, rate);
            rate.by_clock
        });
        points.push(Point { shape, rate: best.fold(0.0, f64::max) });
    }
    Curve { name, ours, points }
}

/// All curves of a model, Bare's first.
pub fn run(entry: &Entry, effort: &Effort) -> Vec<Curve> {
    let threads = Plan::usable_threads();
    let model = open(entry, 1);
    let mut curves = Vec::new();
    for runs in doublings(threads) {
        curves.push(curve(entry, effort, format!("Bare, {runs} x 1"), false, |batch| {
            (Shape { runs, intra: 1, batch }, Box::new(Bare::new(&model, runs, batch)))
        }));
    }
    for intra in doublings(threads).into_iter().filter(|intra| *intra > 1) {
        let model = open(entry, intra);
        curves.push(curve(entry, effort, format!("Bare, 1 x {intra}"), false, |batch| {
            (Shape { runs: 1, intra, batch }, Box::new(Bare::new(&model, 1, batch)))
        }));
    }
    for threads in doublings(threads) {
        curves.push(curve(entry, effort, format!("smoothtopk, {threads} x 1"), true, |batch| {
            (Shape { runs: threads, intra: 1, batch }, Box::new(Ours::new(&model, Plan { batch, threads })))
        }));
    }
    curves
}

/// Bare's points, fastest first.
pub fn fastest(curves: &[Curve]) -> Vec<&Point> {
    let mut points: Vec<_> = curves.iter().filter(|curve| !curve.ours).flat_map(|curve| &curve.points).collect();
    points.sort_by(|a, b| b.rate.total_cmp(&a.rate));
    points
}

/// One of Bare's points, to be measured again.
pub fn bare(entry: &Entry, shape: Shape) -> Bare {
    Bare::new(&open(entry, shape.intra), shape.runs, shape.batch)
}
