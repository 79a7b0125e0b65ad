//! What smoothing costs on the CPU: rows a second of the whole way (noise, model, top label, counts) over the best that
//! plain ONNX Runtime reaches on the same model.
//!
//!     make bench-yardstick
//!     cargo bench --bench yardstick -- [--quick] [--svg FILE] [MODEL...]
//!
//! Bare is swept first: concurrent runs of one thread on one session, and one run on several threads, at every batch
//! size that may pay; the best of a few slices each, since a shared machine only ever makes a slice slower. Then ours,
//! with the plan it measures for itself, and Bare's best take slices in turn (Bare, ours, Bare, ours, ..), and what
//! counts is the median of the quotients of neighbours: other work on the machine slows both alike. Beside it stands
//! the same quotient by processor time, which leaves out what other programs take, but also what a thread of ours
//! waits. Sweep and slices go into a table for docs/benchmarks.md and a plot.

mod compare;
mod models;
mod plot;
mod sides;
mod sweep;

use std::time::Duration;

/// How long everything is measured.
pub struct Effort {
    /// One slice; never shorter than a batch on every thread.
    pub slice: Duration,
    /// Slices of each point of a sweep.
    pub sweeps: usize,
    /// Pairs of slices, Bare's and ours.
    pub pairs: usize,
}

fn main() {
    let mut effort = Effort { slice: Duration::from_millis(250), sweeps: 4, pairs: 60 };
    let (mut svg, mut wanted) = (None, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--quick" => effort = Effort { slice: Duration::from_millis(100), sweeps: 2, pairs: 15 },
            "--svg" => svg = Some(arguments.next().expect("--svg takes a file")),
            name => wanted.push(name.to_owned()),
        }
    }
    let mut results = Vec::new();
    for model in models::all() {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == model.name) {
            continue;
        }
        match model.path.exists() {
            true => results.push(compare::run(&model, &effort)),
            false => eprintln!("SKIPPED: {}: {} is missing ({})", model.name, model.path.display(), model.how),
        }
    }
    compare::print(&results);
    if let Some(path) = svg {
        std::fs::write(&path, plot::svg(&results)).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
}
