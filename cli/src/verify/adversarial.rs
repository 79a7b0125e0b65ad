//! `verify --adversarial`: perturbed inputs against the certificates of the examples that they are made from.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use serde_json::{Value, json};
use smoothtopk::noise::Purpose;
use smoothtopk::stats;
use smoothtopk::{Error, Result};

use super::args::Args;
use super::evaluate::Evaluator;
use super::membership;
use super::power::Power;
use super::reopen::Reopened;
use super::report::{self, Report};
use super::space::Space;
use super::statement::{Certified, Kind, listed};
use super::verdict::{Levels, Tally};
use crate::data::{DataOptions, Dataset};
use crate::number::number;
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

/// What a RUN says of a perturbed input for one of its k.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Promise<'a> {
    /// The norm is below the radius: one of the labels is in the top k.
    Inside(&'a Certified),
    /// The norm, as bounded from above, is not below the radius: nothing.
    Outside(&'a Certified),
    /// The example has no certificate at this k of the RUN: nothing.
    Uncertified { k: usize },
}

/// What fresh rows say of one of the labels being in the top k.
#[derive(Clone, Debug)]
struct Evaluated {
    counts: stats::Tally,
    p_in: f64,
    p_out: f64,
    verdict: &'static str,
}

/// True when no more certificates are seen to be broken than alpha allows.
pub fn run(args: &Args, file: &Path, reopened: &Reopened, seed: u64) -> Result<bool> {
    let Reopened { manifest, sampling, noise, certified, stated } = reopened;
    let alpha = manifest.request.alpha;
    let perturbed = read(args, file, reopened)?;
    let mut of_example: HashMap<usize, Vec<&Certified>> = HashMap::new();
    certified.iter().for_each(|certified| of_example.entry(certified.idx).or_default().push(certified));
    let promises: Vec<Vec<Promise<'_>>> = perturbed
        .iter()
        .map(|Perturbed { idx, norm, .. }| {
            promises(of_example.get(idx).map_or(&[], Vec::as_slice), &manifest.request.k, *norm)
        })
        .collect();
    // Two tests, of in and of out, for each promise.
    let tests = 2 * promises.iter().map(Vec::len).sum::<usize>();
    let levels = Levels::new(args.false_alarm, tests, stated.len());
    let elements = sampling.model.signature().elements;
    let evaluator = match args.n {
        Some(n) => {
            let evaluator = Evaluator::new(sampling.opened.classifier.clone(), sampling.plan()?, noise, seed)?;
            let level = levels.of_test(evaluator.noise(), n, elements)?;
            Some((evaluator, n, level))
        }
        None => None,
    };
    let mut table =
        String::from("## Perturbed inputs\n\n| input | example | k | about | norm at most | radius | says | seen |\n");
    table += "| ---: | ---: | ---: | --- | ---: | ---: | --- | --- |\n";
    let mut lines = Vec::new();
    let mut broken: BTreeSet<(Kind, usize)> = BTreeSet::new();
    let progress = Progress::new(perturbed.len(), args.run.quiet || evaluator.is_none());
    for (input, (Perturbed { idx, x, norm }, promises)) in perturbed.iter().zip(&promises).enumerate() {
        let drawn = match &evaluator {
            Some((evaluator, n, level)) => Some((draw(evaluator, x, *n, input as u64)?, *level)),
            None => None,
        };
        for &promise in promises {
            let evaluated = match (&drawn, promise) {
                (Some(((pilot, counts), level)), Promise::Inside(of) | Promise::Outside(of)) => {
                    Some(evaluate(pilot, counts, &of.labels, of.k, *level)?)
                }
                _ => None,
            };
            if let (Promise::Inside(certified), Some(Evaluated { verdict: OUT, .. })) = (promise, &evaluated) {
                broken.insert((certified.of, *idx));
            }
            table += &row(input, *idx, *norm, promise, evaluated.as_ref(), alpha);
            lines.push(json_line(input, *idx, *norm, promise, evaluated.as_ref()));
        }
        progress.samples(drawn.map_or(0, |((pilot, counts), _)| pilot.n() + counts.n()));
        progress.example_done(&[]);
    }
    progress.finish();

    let level = evaluator.as_ref().map(|(_, _, level)| *level);
    let levels = Levels { test: level.unwrap_or(levels.test), ..levels };
    // Whoever made the inputs may have chosen among all certificates of the RUN: all of them count.
    let tallies = stated.iter().map(|stated| {
        let breaks = broken.iter().filter(|(of, _)| *of == stated.kind).count();
        let (examples, certificates) = (stated.examples.len() as u64, stated.among(certified));
        let tally = Tally::new(stated.kind, examples, certificates, breaks as u64, alpha)?;
        // Breaks are inside, whatever the RUN certifies elsewhere.
        let inside = promises.iter().flatten().filter_map(|promise| match promise {
            Promise::Inside(certified) => Some(*certified),
            _ => None,
        });
        Ok((tally, Power::of(&tally, inside, args.n, alpha, &levels)?))
    });
    let tallies = tallies.collect::<Result<Vec<_>>>()?;
    let facts = json!({
        "mode": "adversarial", "adversarial": file.display().to_string(), "inputs": perturbed.len(), "n": args.n,
        "seed": args.n.map(|_| seed), "test_level": levels.test,
    });
    let mut report = Report::new(&args.run.run, manifest, args.false_alarm, &levels, &tallies, facts);
    lines.into_iter().for_each(|line| report.line(line));
    report.section(&table);
    report.write(args.format, args.out.as_deref())?;
    Ok(report.sound())
}

/// The perturbed inputs, on the model's scale.
fn read(args: &Args, file: &Path, reopened: &Reopened) -> Result<Vec<Perturbed>> {
    let Reopened { manifest, sampling, noise, .. } = reopened;
    let space = Space::of(noise.mode)?;
    let wrong = |message: String| Error::data("adversarial", format!("{}: {message}", file.display()));
    if file.is_dir() {
        return Err(wrong(
            "a folder; give .npz or .npy, for images that were rounded to 8 bits are other inputs".into(),
        ));
    }
    let input_scale = args.adversarial_scale.unwrap_or(manifest.input_scale);
    if !(input_scale > 0.0 && input_scale.is_finite()) {
        return Err(Error::argument(
            "adversarial-scale",
            format!("must be a finite number > 0, got {}", number(input_scale)),
        ));
    }
    let images = Dataset::open(file, &DataOptions { input_scale, ..DataOptions::default() })?;
    let indices = match &args.indices {
        Some(indices) => indices.clone(),
        None => images.indices()?.ok_or_else(|| {
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
        let Some(norm) = space.distance_above(&sampling.example(idx)?, &x) else {
            let at = space.stray(&x).map_or_else(String::new, |at| format!(": element {at} is {}", x[at]));
            let levels = (1.0 / noise.mode.step()).round();
            return Err(wrong(format!(
                "input {input} is not a point of the grid of the RUN's exact noise, the multiples of 1/{levels}{at}"
            )));
        };
        Ok(Perturbed { idx, x, norm })
    };
    indices.into_iter().enumerate().map(perturbed).collect()
}

/// What is certified of an example, at this distance from it, and for which of the RUN's k nothing is.
fn promises<'a>(certified: &[&'a Certified], ks: &[usize], norm: f64) -> Vec<Promise<'a>> {
    let of_k = |&k: &usize| -> Vec<Promise<'a>> {
        let of_k = certified.iter().filter(|certified| certified.of.k == k);
        let promise = |&of: &&'a Certified| if norm < of.radius { Promise::Inside(of) } else { Promise::Outside(of) };
        let found: Vec<Promise<'_>> = of_k.map(promise).collect();
        if found.is_empty() { vec![Promise::Uncertified { k }] } else { found }
    };
    ks.iter().flat_map(of_k).collect()
}

/// The verdicts.
const IN: &str = "in the top k";
const OUT: &str = "out of the top k";
const UNDECIDED: &str = "undecided";

/// A pilot's counts and a test's.
fn draw(evaluator: &Evaluator, x: &[f32], n: u64, key: u64) -> Result<(stats::Tally, stats::Tally)> {
    let pilot = (n / PILOT.0).max(PILOT.1);
    let pilot = evaluator.counts(&[x], pilot, Purpose::Predict, key)?.remove(0);
    let counts = evaluator.counts(&[x], n, Purpose::Estimate, key)?.remove(0);
    Ok((pilot, counts))
}

fn evaluate(pilot: &stats::Tally, counts: &stats::Tally, labels: &[usize], k: usize, level: f64) -> Result<Evaluated> {
    let rivals = membership::strongest_rivals(pilot, labels, k);
    let p_out = membership::p_out(counts, labels, &rivals, k)?;
    // That the one with the most rows of the pilot is in is enough.
    let strongest = labels.iter().copied().rev().max_by_key(|&label| pilot.labels()[label]).unwrap_or(labels[0]);
    let allowed = membership::strongest_rivals(pilot, &[strongest], k - 1);
    let p_in = membership::p_in(counts, strongest, &allowed)?;
    let verdict = match (p_in <= level, p_out <= level) {
        (true, false) => IN,
        (false, true) => OUT,
        _ => UNDECIDED,
    };
    Ok(Evaluated { counts: counts.clone(), p_in, p_out, verdict })
}

fn row(input: usize, idx: usize, norm: f64, promise: Promise<'_>, evaluated: Option<&Evaluated>, alpha: f64) -> String {
    let (k, about, radius, says) = match promise {
        Promise::Inside(Certified { labels, k, radius, of, .. }) => (
            of.k,
            of.about.to_string(),
            radius.to_string(),
            format!(
                "inside: the certificate promises {} in the top {k} (false with probability at most {alpha})",
                named(labels)
            ),
        ),
        Promise::Outside(Certified { radius, of, .. }) => {
            (of.k, of.about.to_string(), radius.to_string(), "outside: nothing promised".to_owned())
        }
        Promise::Uncertified { k } => {
            (k, "-".to_owned(), "-".to_owned(), "no certificate: nothing promised".to_owned())
        }
    };
    let seen = match (promise, evaluated) {
        (Promise::Inside(of) | Promise::Outside(of), Some(evaluated)) => {
            let (held, p_in, p_out) = (evaluated.verdict, evaluated.p_in, evaluated.p_out);
            let (p_in, p_out) = (report::probability(p_in), report::probability(p_out));
            format!("{} {held} (p in {p_in}, out {p_out})", named(&of.labels))
        }
        _ => "-".to_owned(),
    };
    format!("| {input} | {idx} | {k} | {about} | {norm} | {radius} | {says} | {seen} |\n")
}

/// Labels of which one is meant.
fn named(labels: &[usize]) -> String {
    format!("{} {}", if labels.len() == 1 { "label" } else { "one of the labels" }, listed(labels))
}

fn json_line(input: usize, idx: usize, norm: f64, promise: Promise<'_>, evaluated: Option<&Evaluated>) -> Value {
    let mut line = match promise {
        Promise::Inside(of) | Promise::Outside(of) => json!({
            "labels": of.labels, "k": of.of.k, "about": of.of.about.to_string(), "top": of.k, "radius": of.radius,
            "says": if matches!(promise, Promise::Inside(_)) { "inside" } else { "outside" },
        }),
        Promise::Uncertified { k } => json!({ "labels": [], "k": k, "radius": null, "says": "no certificate" }),
    };
    line["input"] = json!(input);
    line["idx"] = json!(idx);
    line["norm"] = json!(norm);
    if let Some(Evaluated { counts, p_in, p_out, verdict }) = evaluated {
        line["n"] = json!(counts.n());
        line["counts"] = json!(counts.labels());
        line["p_in"] = json!(p_in);
        line["p_out"] = json!(p_out);
        line["verdict"] = json!(verdict);
    }
    line
}
