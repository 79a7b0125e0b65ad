//! `verify --adversarial`: perturbed inputs against the certificates of the examples that they are made from.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use serde_json::{Value, json};
use smoothtopk::noise::Purpose;
use smoothtopk::stats::Counts;
use smoothtopk::{Error, Result};

use super::Args;
use super::evaluate::{Evaluator, Noise};
use super::membership;
use super::norm::distance_above;
use super::reopen::Reopened;
use super::report::{self, Report};
use super::verdict::{Levels, Tally};
use crate::data::{self, DataOptions, Dataset, Resize};
use crate::progress::Progress;

/// The share of a test's rows that choose the rivals to test against, and the fewest such rows.
const PILOT: (u64, u64) = (10, 100);

/// A perturbed input and the example that it is made from.
struct Perturbed {
    idx: usize,
    x: Vec<f32>,
    /// An upper bound of its distance from the example.
    norm: f64,
}

/// What a certificate says of a perturbed input.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Promise {
    /// The norm is below the radius: this label is in the top k.
    Inside { label: usize, radius: f64 },
    /// The norm, as bounded from above, is not below the radius: nothing.
    Outside { label: usize, radius: f64 },
    /// The example has no certificate at this k: nothing.
    Uncertified,
}

/// What fresh rows say of a label being in the top k.
#[derive(Clone, Debug)]
struct Evaluated {
    counts: Counts,
    p_in: f64,
    p_out: f64,
    verdict: &'static str,
}

/// True when no more certificates are seen to be broken than alpha allows.
pub fn run(args: &Args, file: &Path, reopened: &Reopened, seed: u64) -> Result<bool> {
    let Reopened { manifest, sampling, certified } = reopened;
    let perturbed = read(args, file, reopened)?;
    let promises: HashMap<(usize, usize), (usize, f64)> =
        certified.iter().map(|certified| ((certified.idx, certified.k), (certified.label, certified.radius))).collect();
    // Two tests, of in and of out, for each input and k.
    let levels = Levels::new(args.false_alarm, 2 * perturbed.len() * manifest.k.len(), manifest.k.len());
    let noise = Noise { sigma: manifest.sigma, grid: sampling.grid()?, seed };
    let evaluator = match args.n {
        Some(n) => Some((Evaluator::new(sampling.opened.classifier.clone(), sampling.plan()?, noise)?, n)),
        None => None,
    };
    let mut table =
        String::from("## Perturbed inputs\n\n| input | example | k | norm at most | radius | says | seen |\n");
    table += "| ---: | ---: | ---: | ---: | ---: | --- | --- |\n";
    let mut lines = Vec::new();
    let mut broken: BTreeSet<(usize, usize)> = BTreeSet::new();
    let progress = Progress::new(perturbed.len(), args.run.quiet || evaluator.is_none());
    for (input, Perturbed { idx, x, norm }) in perturbed.iter().enumerate() {
        let drawn = match &evaluator {
            Some((evaluator, n)) => Some(draw(evaluator, x, *n, input as u64)?),
            None => None,
        };
        for &k in &manifest.k {
            let promise = promise(promises.get(&(*idx, k)).copied(), *norm);
            let evaluated = match (&drawn, promise) {
                (Some((pilot, counts)), Promise::Inside { label, .. } | Promise::Outside { label, .. }) => {
                    Some(evaluate(pilot, counts, label, k, levels.test)?)
                }
                _ => None,
            };
            if matches!((promise, &evaluated), (Promise::Inside { .. }, Some(Evaluated { verdict: OUT, .. }))) {
                broken.insert((k, *idx));
            }
            table += &row(input, *idx, k, *norm, promise, evaluated.as_ref(), manifest.alpha);
            lines.push(json_line(input, *idx, k, *norm, promise, evaluated.as_ref()));
        }
        progress.rows(drawn.map_or(0, |(pilot, counts)| pilot.n() + counts.n()));
        progress.example_done(None);
    }
    progress.finish();

    // Whoever made the inputs may have chosen among all certificates of the RUN: all of them count.
    let tally = |&k: &usize| {
        let certificates = certified.iter().filter(|certified| certified.k == k).count();
        let breaks = broken.iter().filter(|(of, _)| *of == k).count();
        Tally::new(k, certificates as u64, breaks as u64, manifest.alpha)
    };
    let tallies = manifest.k.iter().map(tally).collect::<Result<Vec<_>>>()?;
    let facts = json!({
        "mode": "adversarial", "adversarial": file.display().to_string(), "inputs": perturbed.len(), "n": args.n,
        "seed": args.n.map(|_| seed), "test_level": levels.test,
    });
    let mut report = Report::new(&args.run.run, manifest, args.false_alarm, &levels, &tallies, facts);
    lines.into_iter().for_each(|line| report.line(line));
    report.section(&table);
    report.write(args.json, args.out.as_deref())?;
    Ok(report.sound())
}

/// The perturbed inputs, on the model's scale.
fn read(args: &Args, file: &Path, reopened: &Reopened) -> Result<Vec<Perturbed>> {
    let Reopened { manifest, sampling, .. } = reopened;
    let wrong = |message: String| Error::data("adversarial", format!("{}: {message}", file.display()));
    if file.is_dir() {
        return Err(wrong(
            "a folder; give .npz or .npy, for images that were rounded to 8 bits are other inputs".into(),
        ));
    }
    let input_scale = args.adversarial_scale.unwrap_or(manifest.input_scale);
    if !(input_scale > 0.0 && input_scale.is_finite()) {
        return Err(Error::argument("adversarial-scale", format!("must be a finite number > 0, got {input_scale}")));
    }
    let images = Dataset::open(file, &DataOptions { input_scale, classes_file: None, resize: Resize::default() })?;
    let indices = match &args.indices {
        Some(indices) => indices.clone(),
        None => data::indices(file)?.ok_or_else(|| {
            wrong(
                "has no array `indices` that says which example each input is made from; give --indices I,I,..".into(),
            )
        })?,
    };
    if indices.len() != images.len() {
        return Err(wrong(format!("{} inputs and {} indices; each input needs one", images.len(), indices.len())));
    }
    if let Some(idx) = indices.iter().find(|&&idx| idx >= sampling.data.len()) {
        return Err(wrong(format!(
            "an input is said to be made from example {idx}, of {} in the data",
            sampling.data.len()
        )));
    }
    images.check_shape(sampling.input_spec()).map_err(|error| error.prefixed(&format!("{}: ", file.display())))?;
    let perturbed = |(input, idx)| {
        let x = images.example(input, sampling.input_spec())?;
        let norm = distance_above(&sampling.example(idx)?, &x);
        Ok(Perturbed { idx, x, norm })
    };
    indices.into_iter().enumerate().map(perturbed).collect()
}

fn promise(certificate: Option<(usize, f64)>, norm: f64) -> Promise {
    match certificate {
        None => Promise::Uncertified,
        Some((label, radius)) if norm < radius => Promise::Inside { label, radius },
        Some((label, radius)) => Promise::Outside { label, radius },
    }
}

/// The verdicts.
const IN: &str = "in the top k";
const OUT: &str = "out of the top k";
const UNDECIDED: &str = "undecided";

/// A pilot's counts and a test's.
fn draw(evaluator: &Evaluator, x: &[f32], n: u64, key: u64) -> Result<(Counts, Counts)> {
    let pilot = (n / PILOT.0).max(PILOT.1);
    let pilot = evaluator.counts(&[x], pilot, Purpose::Predict, key)?.remove(0);
    let counts = evaluator.counts(&[x], n, Purpose::Estimate, key)?.remove(0);
    Ok((pilot, counts))
}

fn evaluate(pilot: &Counts, counts: &Counts, label: usize, k: usize, level: f64) -> Result<Evaluated> {
    let rivals = membership::strongest_rivals(pilot, label, k);
    let p_out = membership::p_out(counts, label, &rivals)?;
    let p_in = membership::p_in(counts, label, &rivals[..k - 1])?;
    let verdict = match (p_in <= level, p_out <= level) {
        (true, false) => IN,
        (false, true) => OUT,
        _ => UNDECIDED,
    };
    Ok(Evaluated { counts: counts.clone(), p_in, p_out, verdict })
}

fn row(
    input: usize,
    idx: usize,
    k: usize,
    norm: f64,
    promise: Promise,
    evaluated: Option<&Evaluated>,
    alpha: f64,
) -> String {
    let (radius, says) = match promise {
        Promise::Inside { label, radius } => (
            radius.to_string(),
            format!(
                "inside: the certificate promises label {label} in the top {k} (false with probability at most {alpha})"
            ),
        ),
        Promise::Outside { radius, .. } => (radius.to_string(), "outside: nothing promised".to_owned()),
        Promise::Uncertified => ("-".to_owned(), "no certificate: nothing promised".to_owned()),
    };
    let seen = match (promise, evaluated) {
        (Promise::Inside { label, .. } | Promise::Outside { label, .. }, Some(evaluated)) => {
            let (held, p_in, p_out) = (evaluated.verdict, evaluated.p_in, evaluated.p_out);
            format!("label {label} {held} (p in {}, out {})", report::probability(p_in), report::probability(p_out))
        }
        _ => "-".to_owned(),
    };
    format!("| {input} | {idx} | {k} | {norm} | {radius} | {says} | {seen} |\n")
}

fn json_line(input: usize, idx: usize, k: usize, norm: f64, promise: Promise, evaluated: Option<&Evaluated>) -> Value {
    let (says, label, radius) = match promise {
        Promise::Inside { label, radius } => ("inside", Some(label), Some(radius)),
        Promise::Outside { label, radius } => ("outside", Some(label), Some(radius)),
        Promise::Uncertified => ("no certificate", None, None),
    };
    let mut line = json!({
        "input": input, "idx": idx, "label": label, "k": k, "radius": radius, "norm": norm, "says": says,
    });
    if let Some(Evaluated { counts, p_in, p_out, verdict }) = evaluated {
        line["n"] = json!(counts.n());
        line["counts"] = json!(counts.labels());
        line["p_in"] = json!(p_in);
        line["p_out"] = json!(p_out);
        line["verdict"] = json!(verdict);
    }
    line
}
