//! What the page is about, as its program reads it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use smoothtopk::perturbation::Norm;

use super::column::{f64s, labels, u8s, whole};
use super::pictures::Pictures;
use crate::number::rounded;
use crate::report::curve::Run;
use crate::report::{alpha, tables, units};
use crate::run_dir::{RECORDS, Row};

/// Everything, as JSON. `names` are those of labels; `pictures` has those of the examples, for each run that has some.
pub fn content(
    runs: &[Run],
    radii: &[f64],
    names: &BTreeMap<usize, String>,
    pictures: &[Option<Pictures>],
    with_data: bool,
) -> Value {
    let mut decisions = Vec::new();
    let all: Vec<Value> = runs.iter().zip(pictures).map(|(run, of)| of_run(run, of, &mut decisions)).collect();
    let row = |(i, run): (usize, &Run)| -> Vec<Value> {
        run.curves.iter().map(|curve| json!({"run": i, "cells": tables::accuracies(run, curve, radii)})).collect()
    };
    json!({
        "version": smoothtopk::VERSION,
        "radii": radii,
        "legend": tables::legend(runs),
        "table": runs.iter().enumerate().flat_map(row).collect::<Vec<_>>(),
        "facts": tables::FACTS,
        "names": names,
        "with_data": with_data,
        "decisions": decisions,
        "runs": all,
    })
}

fn of_run(run: &Run, pictures: &Option<Pictures>, decisions: &mut Vec<String>) -> Value {
    let manifest = run.manifest.as_ref();
    let curves: Vec<Value> = match manifest {
        Some(_) => (0..run.curves.len()).map(|i| of_k(run, i, decisions)).collect(),
        None => vec![curve(run, None, &run.rows)],
    };
    let rows: Vec<Row> = match manifest {
        Some(_) => run.examples.iter().map(|example| run.row(example, 0)).collect(),
        None => run.rows.clone(),
    };
    let counts = || run.examples.iter().flat_map(|example| &example.counts);
    let ends = run.examples.iter().scan(0, |end, example| {
        *end += example.counts.len() as u64;
        Some(*end)
    });
    json!({
        "name": run.name,
        "path": run.path.display().to_string(),
        "records": manifest.map(|_| run.path.join(RECORDS).display().to_string()),
        "norm": units::short(run.norm()),
        "axis": units::axis(run.norm()),
        "whole": matches!(run.norm(), Norm::L0 | Norm::Patch),
        "labelled": run.labelled,
        "answers": run.of_answers(),
        "enumerated": manifest.is_some_and(|manifest| manifest.perturbation.noise.is_enumerated()),
        "data": manifest.map(|manifest| &manifest.data_sha256),
        "facts": manifest.map(|manifest| tables::facts(manifest, rounded)),
        "classes": manifest.map(|manifest| manifest.reading.classes),
        "notes": tables::notes(run),
        "alpha": alpha::reading(run),
        "failed": run.failed,
        "idx": whole(rows.iter().map(|row| row.idx as u64)),
        "label": labels(rows.iter().map(|row| row.label)),
        "line": manifest.map(|_| whole(run.examples.iter().map(|example| example.line as u64))),
        "samples": manifest.map(|_| whole(run.examples.iter().map(|example| example.samples))),
        "file": files(run),
        "ends": whole(ends),
        "count_label": whole(counts().map(|(label, _)| *label as u64)),
        "count": whole(counts().map(|(_, count)| *count)),
        "pictures": pictures.as_ref().map(Pictures::json),
        "curves": curves,
    })
}

/// The files of a run's examples; none where they have none.
fn files(run: &Run) -> Option<Vec<&str>> {
    let any = run.examples.iter().any(|example| example.file.is_some());
    any.then(|| run.examples.iter().map(|example| example.file.as_deref().unwrap_or_default()).collect())
}

/// The i-th k of a RUN.
fn of_k(run: &Run, i: usize, decisions: &mut Vec<String>) -> Value {
    let rows: Vec<Row> = run.examples.iter().map(|example| run.row(example, i)).collect();
    let mut place = |decision: &str| {
        let known = decisions.iter().position(|other| other == decision);
        known.unwrap_or_else(|| {
            decisions.push(decision.to_owned());
            decisions.len() - 1
        }) as u8
    };
    let of_decision: Vec<u8> = run.examples.iter().map(|example| place(example.decision(i))).collect();
    let k = run.ks()[i];
    let mut found = curve(run, Some(k), &rows);
    found["decision"] = u8s(of_decision.into_iter());
    // The norms that tell something else than the radius.
    for norm in Norm::TOLD {
        let told: Option<Vec<f64>> = rows.iter().map(|row| run.within(row.radius, norm)).collect();
        if let Some(told) = told.filter(|told| rows.iter().zip(told).any(|(row, told)| row.radius != *told)) {
            found["in"][norm.to_string()] = f64s(told.into_iter());
        }
    }
    if run.of_answers() {
        let answers = || run.examples.iter().map(|example| example.guarantees.get(i));
        let each =
            answers().flat_map(|found| (0..k).map(move |j| found.and_then(|found| found.labels.get(j).copied())));
        let radii = answers()
            .flat_map(|found| (0..k).map(move |j| found.and_then(|found| found.label_radii.get(j)).copied()))
            .map(Option::unwrap_or_default);
        found["answer"] = labels(each);
        found["answer_radius"] = f64s(radii);
    }
    found
}

/// What every tool's results have.
fn curve(run: &Run, k: Option<usize>, rows: &[Row]) -> Value {
    let counted = rows.iter().map(|row| u8::from(if run.labelled { row.correct } else { row.predict.is_some() }));
    let name = k.map_or_else(|| "k not stated".to_owned(), |k| format!("k = {k}"));
    json!({
        "k": k,
        "name": name,
        "predict": labels(rows.iter().map(|row| row.predict)),
        "radius": f64s(rows.iter().map(|row| row.radius)),
        "counted": u8s(counted),
    })
}
