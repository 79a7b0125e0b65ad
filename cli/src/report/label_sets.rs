//! What runs of multi-label models certify: top-k precision, recall and F1, as functions of the radius.

use serde::Serialize;
use smoothtopk::{Error, Result};

use super::curve::Run;
use super::tables::{cell, field, number};
use crate::run_dir::Example;

/// Of how many labels are kept, k, and how many there are.
type Measure = fn(f64, f64, f64) -> f64;

/// The measures of one example whose top k surely holds `kept` of its `labels` true labels.
const MEASURES: [(&str, Measure); 3] = [
    ("precision", |kept, k, _| kept / k),
    ("recall", |kept, _, labels| kept / labels),
    ("F1", |kept, k, labels| 2.0 * kept / (k + labels)),
];

/// The measures of a run for one k, each a mean over its examples.
#[derive(Serialize)]
pub struct Line<'a> {
    run: &'a str,
    k: usize,
    measure: &'static str,
    examples: usize,
    /// At each radius of the table; null without examples.
    values: Vec<Option<f64>>,
}

/// Whether the runs are of multi-label models.
///
/// # Errors
/// `InvalidArgument` where some are and some are not.
pub fn are(runs: &[Run]) -> Result<bool> {
    let of_sets = |run: &&Run| run.manifest.as_ref().is_some_and(|manifest| manifest.reading.base_k.is_some());
    match runs.iter().filter(of_sets).count() {
        0 => Ok(false),
        some if some == runs.len() => Ok(true),
        _ => Err(Error::argument("runs", "are some of multi-label models and some not: report them apart")),
    }
}

/// The largest radius at which anything is certified; 0 for none.
pub fn largest(runs: &[Run]) -> f64 {
    let records = runs.iter().flat_map(|run| &run.examples).flat_map(|example| &example.label_sets);
    records.flat_map(|found| found.radii()).filter(|radius| radius.is_finite()).fold(0.0, f64::max)
}

/// The measures of every run and k at these radii.
pub fn lines<'a>(runs: &'a [Run], radii: &[f64]) -> Vec<Line<'a>> {
    let of_k = |run: &'a Run, i: usize, k: usize| {
        MEASURES.map(|(measure, of)| {
            let mean = |&radius: &f64| {
                let sum = run.examples.iter().map(|example| at(example, i, k, radius, of)).sum::<f64>();
                (!run.examples.is_empty()).then(|| sum / run.examples.len() as f64)
            };
            let values = radii.iter().map(mean).collect();
            Line { run: &run.name, k, measure, examples: run.examples.len(), values }
        })
    };
    runs.iter().flat_map(|run| run.ks().iter().enumerate().flat_map(move |(i, &k)| of_k(run, i, k))).collect()
}

/// The measure of an example for its i-th k at a radius.
fn at(example: &Example, i: usize, k: usize, radius: f64, of: Measure) -> f64 {
    example.label_sets.get(i).map_or(0.0, |found| {
        let kept = found.radii().filter(|&certified| certified > 0.0 && certified >= radius).count();
        of(kept as f64, k as f64, found.labels.len() as f64)
    })
}

/// The table.
pub fn markdown(runs: &[Run], radii: &[f64]) -> String {
    let head: String = radii.iter().map(|radius| format!(" {radius} |")).collect();
    let mut out = format!("| run | k | measure | examples |{head}\n| --- | ---: | --- | ---: |");
    out += &(" ---: |".repeat(radii.len()) + "\n");
    for line in lines(runs, radii) {
        let cells: String = line.values.iter().map(|&value| format!(" {} |", number(value))).collect();
        out += &format!("| {} | {} | {} | {} |{cells}\n", cell(line.run), line.k, line.measure, line.examples);
    }
    out += "\nNumbered columns: means over the examples of what is certified at a radius of at least r. With e of the d true labels \
            certified to be among the top k: precision e/k, recall e/d, F1 2e/(k + d).\n";
    for run in runs.iter().filter(|run| !run.failed.is_empty()) {
        out += &format!("\n{} examples of {} could not be certified.\n", run.failed.len(), cell(&run.name));
    }
    out
}

/// The curves: a line for each run, k and radius.
pub fn csv(runs: &[Run], radii: &[f64]) -> String {
    let mut out = String::from("run,k,radius,precision,recall,f1\n");
    for of_k in lines(runs, radii).chunks(MEASURES.len()) {
        for (i, radius) in radii.iter().enumerate() {
            let values = of_k.iter().map(|line| line.values[i].map(|value| value.to_string()).unwrap_or_default());
            let values = values.collect::<Vec<_>>().join(",");
            out += &format!("{},{},{radius},{values}\n", field(of_k[0].run), of_k[0].k);
        }
    }
    out
}
