//! Rows a second over batch sizes and threads.

use std::sync::Arc;

use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::sampler::Plan;

use crate::Effort;
use crate::models::Entry;
use crate::sides::{Bare, Ours, Rate, Shape, Side};

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

/// A point while it is measured.
struct Open {
    curve: usize,
    shape: Shape,
    side: Box<dyn Side>,
    last: Rate,
    best: f64,
}

/// All curves of a model, Bare's first. Every point takes a slice in turn, several times over, so that no point has all
/// of its slices in one bad minute; the best slice counts.
pub fn run(entry: &Entry, effort: &Effort) -> Vec<Curve> {
    let threads = Plan::usable_threads();
    let model = open(entry, 1);
    let (mut curves, mut points) = (Vec::new(), Vec::new());
    let mut curve = |name: String, ours: bool, side: &dyn Fn(usize) -> (Shape, Box<dyn Side>)| {
        for batch in doublings(entry.most) {
            let (shape, mut side) = side(batch);
            let last = side.warm_up();
            points.push(Open { curve: curves.len(), shape, side, last, best: 0.0 });
        }
        curves.push(Curve { name, ours, points: Vec::new() });
    };
    for runs in doublings(threads) {
        curve(format!("Bare, {runs} x 1"), false, &|batch| {
            (Shape { runs, intra: 1, batch }, Box::new(Bare::new(&model, runs, batch)))
        });
    }
    for intra in doublings(threads).into_iter().filter(|intra| *intra > 1) {
        let model = open(entry, intra);
        curve(format!("Bare, 1 x {intra}"), false, &|batch| {
            (Shape { runs: 1, intra, batch }, Box::new(Bare::new(&model, 1, batch)))
        });
    }
    for runs in doublings(threads) {
        curve(format!("smoothtopk, {runs} x 1"), true, &|batch| {
            (Shape { runs, intra: 1, batch }, Box::new(Ours::new(&model, Plan { batch, threads: runs })))
        });
    }
    for _ in 0..effort.sweeps {
        for point in &mut points {
            point.last = point.side.slice(effort.slice / 2, point.last);
            point.best = point.best.max(point.last.by_clock);
        }
    }
    for Open { curve, shape, best, .. } in points {
        curves[curve].points.push(Point { shape, rate: best });
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
