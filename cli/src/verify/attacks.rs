//! `verify --attacks`: every certificate of a RUN under attack.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;
use smoothtopk::sampler::BaseClassifier;
use smoothtopk::{Error, Result};

use super::args::Args;
use super::attack::Attacker;
use super::ball::Ball;
use super::candidate::Target;
use super::confirm::{self, Examined, FINALISTS, Test};
use super::directions::{Image, Pool};
use super::evaluate::Evaluator;
use super::power::Power;
use super::reopen::Reopened;
use super::report::{self, Report};
use super::save::{self, NamedArray};
use super::space::Space;
use super::statement::{Certified, Statements, listed};
use super::verdict::{Levels, Tally};
use crate::progress::Progress;
use crate::run_dir::atomic;

/// Rows of a test, where none are given.
const TEST_ROWS: u64 = 10_000;
/// The perturbations of a RUN that is broken everywhere would fill disks and memory.
const MAX_SAVED: usize = 1000;
const MAX_SAVED_BYTES: usize = 256 << 20;

/// One certificate and what its attack found.
struct Attacked {
    certified: Certified,
    evaluations: u64,
    /// None where no f32 input but the example itself is inside the radius.
    examined: Option<Examined>,
}

impl Attacked {
    fn broken(&self) -> bool {
        self.examined.as_ref().is_some_and(|examined| examined.broken)
    }
}

/// True when no more certificates are broken than alpha allows.
pub fn run(args: &Args, reopened: &Reopened, seed: u64) -> Result<bool> {
    let Reopened { manifest, sampling, noise, .. } = reopened;
    let alpha = manifest.request.alpha;
    let stated = every(args.skip, &reopened.stated);
    let chosen = of(&stated, &reopened.certified);
    if chosen.is_empty() {
        let run = args.run.run.display();
        return Err(match reopened.certified.is_empty() {
            true => Error::data("run", format!("{run} holds no certificate to attack")),
            false => Error::data("skip", format!("of every {}-th example of {run} none is certified", args.skip)),
        });
    }
    let tests = chosen.len() * FINALISTS;
    let levels = Levels::new(args.false_alarm, tests, stated.len());
    let n = args.n.unwrap_or(TEST_ROWS);
    let labels = reopened.labels();
    let elements = sampling.model.elements();
    let pool = Pool::new(sampling.data.len(), elements, |idx| labels.get(&idx).copied(), |idx| sampling.example(idx));
    let space = Space::of(noise.mode)?;
    let mut evaluator = Evaluator::new(sampling.opened.classifier.clone(), sampling.plan()?, noise, seed)?;
    let test = Test { rows: args.rows, n, level: levels.of_test(evaluator.noise(), n, elements)? };
    let signature = sampling.model.signature();
    let mut attacker = Attacker {
        evaluator: &mut evaluator,
        pool: &pool,
        image: Image::new(signature.layout, &signature.element_shape),
        attacks: args.attacks.unwrap_or(1),
        rows: args.rows,
    };
    let progress = Progress::new(chosen.len(), args.run.quiet);
    let mut all = Vec::with_capacity(chosen.len());
    let mut to_save = (MAX_SAVED_BYTES / (elements * size_of::<f64>())).clamp(1, MAX_SAVED);
    for (ordinal, certified) in chosen.into_iter().enumerate() {
        let x = sampling.example(certified.idx)?;
        let target = Target {
            ball: Ball { centre: &x, radius: certified.radius, space },
            labels: &certified.labels,
            k: certified.k,
        };
        // 2^32 keys each: no two rows of the attack share noise but those compared in a round.
        let keys = (ordinal as u64) << 32;
        let found = attacker.search(&target, keys)?;
        let mut examined = confirm::confirm(attacker.evaluator, &target, &found, &test, keys)?;
        match &mut examined {
            Some(examined) if examined.broken && to_save > 0 => to_save -= 1,
            // Of a large model's many certificates, the points themselves would not fit into memory.
            Some(examined) => examined.point.x = Vec::new(),
            None => {}
        }
        progress.samples(found.evaluations * args.rows);
        progress.example_done(&[]);
        all.push(Attacked { certified, evaluations: found.evaluations, examined });
    }
    progress.finish();

    let at = Levels { test: test.level, ..levels };
    let tallies = stated.iter().map(|stated| {
        let certificates = stated.among(all.iter().map(|attacked| &attacked.certified));
        let breaks = all.iter().filter(|attacked| attacked.broken()).map(|attacked| &attacked.certified);
        let examples = stated.examples.len() as u64;
        let tally = Tally::new(stated.kind, examples, certificates, stated.among(breaks), alpha)?;
        let looked_at = all.iter().filter(|attacked| attacked.examined.is_some()).map(|attacked| &attacked.certified);
        Ok((tally, Power::of(&tally, looked_at, Some(test.n), alpha, &at)?))
    });
    let tallies = tallies.collect::<Result<Vec<_>>>()?;
    let facts = json!({
        "mode": "attacks", "attacks": args.attacks, "rows": args.rows, "n": test.n, "skip": args.skip, "seed": seed,
        "tests_at_most": tests, "test_level": test.level,
    });
    let mut report = Report::new(&args.run.run, manifest, args.false_alarm, &at, &tallies, facts);
    all.iter().for_each(|attacked| report.line(json_line(attacked, sampling.model.classes())));
    report.section(&table(&all));
    // What is saved is written before the report that speaks of it.
    if let Some(out) = &args.out {
        save_breaks(out, &all, reopened)?;
    }
    report.write(args.format, args.out.as_deref())?;
    Ok(report.sound())
}

/// The statements of every `skip`-th example of the RUN, whether it is certified or not.
fn every(skip: usize, stated: &[Statements]) -> Vec<Statements> {
    let examples: BTreeSet<usize> = stated.iter().flat_map(|stated| &stated.examples).copied().collect();
    let chosen: BTreeSet<usize> = examples.into_iter().step_by(skip).collect();
    let of = |Statements { kind, examples }: &Statements| Statements { kind: *kind, examples: examples & &chosen };
    stated.iter().map(of).collect()
}

/// What is certified by these statements.
fn of(stated: &[Statements], certified: &[Certified]) -> Vec<Certified> {
    let is_of = |certified: &&Certified| {
        stated.iter().any(|stated| stated.kind == certified.of && stated.examples.contains(&certified.idx))
    };
    certified.iter().filter(is_of).cloned().collect()
}

fn json_line(attacked: &Attacked, classes: usize) -> serde_json::Value {
    let Attacked { certified: Certified { idx, labels, k, radius, of }, evaluations, examined } = attacked;
    let mut line = json!({
        "idx": idx, "labels": labels, "k": of.k, "about": of.about.to_string(), "top": k, "radius": radius,
        "evaluations": evaluations,
        "verdict": if attacked.broken() { "broken" } else { "not broken" },
    });
    if let Some(Examined { point, kind, rivals, counts, p_value, .. }) = examined {
        line["norm"] = json!(point.norm);
        line["attack"] = json!(kind.name());
        line["rivals"] = json!(rivals);
        line["n"] = json!(counts.n());
        line["p_value"] = json!(p_value);
        // Of many labels only those that the test looks at.
        line["counts"] = if classes <= 100 { json!(counts.labels()) } else { json!(null) };
        let of = |labels: &[usize]| labels.iter().map(|&label| counts.labels()[label]).collect::<Vec<_>>();
        line["label_counts"] = json!(of(labels));
        line["rival_counts"] = json!(of(rivals));
    }
    line
}

/// The breaks, or the points that came nearest to one.
fn table(all: &[Attacked]) -> String {
    const NEAREST: usize = 10;
    let mut shown: Vec<(&Attacked, &Examined)> =
        all.iter().filter_map(|attacked| Some((attacked, attacked.examined.as_ref()?))).collect();
    let broken = shown.iter().filter(|(attacked, _)| attacked.broken()).count();
    shown.sort_by(|(_, a), (_, b)| a.p_value.unwrap_or(2.0).total_cmp(&b.p_value.unwrap_or(2.0)));
    shown.truncate(broken.max(NEAREST));
    let mut text = String::from(if broken > 0 { "## Breaks\n\n" } else { "## Nearest to a break\n\n" });
    text += "| example | k | about | labels | in the top | radius | norm | attack | rows | of the labels | of k rivals | p | verdict |\n";
    text += "| ---: | ---: | --- | --- | ---: | ---: | ---: | --- | ---: | --- | --- | ---: | --- |\n";
    for (attacked, examined) in shown {
        let Certified { idx, labels, k: top, radius, of } = &attacked.certified;
        let rows = |labels: &[usize]| {
            let rows = labels.iter().map(|&label| format!("{label}: {}", examined.counts.labels()[label]));
            rows.collect::<Vec<_>>().join(", ")
        };
        text += &format!(
            "| {idx} | {} | {} | {} | {top} | {radius:.6} | {:.6} | {} | {} | {} | {} | {} | {} |\n",
            of.k,
            of.about,
            listed(labels),
            examined.point.norm,
            examined.kind.name(),
            examined.counts.n(),
            rows(labels),
            rows(&examined.rivals),
            examined.p_value.map_or_else(|| "not tested".to_owned(), report::probability),
            if examined.broken { "broken" } else { "not broken" },
        );
    }
    text
}

/// Writes breaks.npz, in the form that `verify --adversarial` reads: the data's own units in f64, from which the
/// division by the input scale gives the f32 input again. Removes one of an earlier report where there is no break.
fn save_breaks(out: &Path, all: &[Attacked], reopened: &Reopened) -> Result<()> {
    let path = out.join("breaks.npz");
    let broken: Vec<(&Certified, &Examined)> = all
        .iter()
        .filter_map(|attacked| Some((&attacked.certified, attacked.examined.as_ref()?)))
        .filter(|(_, examined)| examined.broken && !examined.point.x.is_empty())
        .collect();
    if broken.is_empty() {
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&path, &error)),
            _ => Ok(()),
        };
    }
    let scale = reopened.manifest.input_scale;
    let mut shape = vec![broken.len()];
    shape.extend(&reopened.sampling.model.signature().element_shape);
    let images: Vec<f64> =
        broken.iter().flat_map(|(_, examined)| &examined.point.x).map(|&x| f64::from(x) * scale).collect();
    let mut originals = Vec::with_capacity(images.len());
    for (certified, _) in &broken {
        originals.extend(reopened.sampling.example(certified.idx)?.into_iter().map(|x| f64::from(x) * scale));
    }
    let column = |of: fn(&Certified) -> usize| broken.iter().map(|(certified, _)| of(certified)).collect::<Vec<_>>();
    let arrays = [
        NamedArray::f64("images", &shape, &images),
        NamedArray::f64("originals", &shape, &originals),
        NamedArray::i64("indices", &column(|certified| certified.idx)),
        NamedArray::i64("labels", &column(|certified| certified.labels[0])),
        NamedArray::i64("k", &column(|certified| certified.of.k)),
        NamedArray::i64("top", &column(|certified| certified.k)),
    ];
    atomic::make_folder(out)?;
    atomic::write(&path, &save::npz(&arrays)?)
}
