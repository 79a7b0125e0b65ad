//! `tests/golden/cases.txt`, which every language's suite runs: here through the Rust API and through the C ABI.
//!
//! `UPDATE_GOLDEN=1 cargo test --test runtime golden` keeps the requests of the file and writes what the Rust API
//! answers. The radii and p-values of that API are themselves checked against tables of another program's
//! (`tests/rust/stats/golden.rs`).
// Unsafe blocks here are calls of the ABI that keep to the header, or break it in a way that it answers.
#![allow(clippy::undocumented_unsafe_blocks)]

mod file;
mod through_c;
mod through_rust;

use std::collections::HashMap;
use std::path::PathBuf;

use file::{Answer, Case};

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cases.txt")
}

fn cases() -> (String, Vec<Case>) {
    file::read(&std::fs::read_to_string(path()).unwrap())
}

fn check(answer: impl Fn(&Case) -> Answer) {
    let (_, cases) = cases();
    assert!(cases.len() >= 30);
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let found = answer(case);
            (found != case.expect).then(|| format!("{}: expected {:?}\n  found {found:?}", case.name, case.expect))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} cases differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn the_rust_api_answers_as_recorded() {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let (head, mut cases) = cases();
        for case in &mut cases {
            case.expect = through_rust::answer(case);
        }
        std::fs::write(path(), file::write(&head, &cases)).unwrap();
    }
    check(through_rust::answer);
}

#[test]
fn the_c_abi_answers_as_recorded() {
    check(through_c::answer);
}

#[test]
fn radii_of_counts_agree_with_the_table_of_another_program() {
    // counts (the label's first, rivals descending), n, k, alpha, bound -> radius / sigma, to 30 digits.
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/certify.tsv");
    let table = std::fs::read_to_string(path).unwrap();
    let key = |own: u64, mut rivals: Vec<u64>, n: u64, k: usize, alpha: f64, bound: &str| {
        rivals.sort_unstable_by(|a, b| b.cmp(a));
        (own, rivals, n, k, alpha.to_bits(), bound.to_owned())
    };
    let exact: HashMap<_, f64> = table
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("counts"))
        .map(|line| {
            let row: Vec<&str> = line.split('\t').collect();
            let runs = row[0].split(',').map(|run| run.split_once('x').unwrap());
            let counts: Vec<u64> =
                runs.flat_map(|(count, times)| vec![count.parse().unwrap(); times.parse().unwrap()]).collect();
            let (n, k, alpha) = (row[1].parse().unwrap(), row[2].parse().unwrap(), row[3].parse().unwrap());
            (key(counts[0], counts[1..].to_vec(), n, k, alpha, row[4]), row[5].parse().unwrap())
        })
        .collect();
    let mut found = 0;
    let (_, cases) = cases();
    let plain = |case: &&Case| case.allocation.is_none() && case.validity.is_none() && case.noise.is_none();
    for case in cases.iter().filter(plain).filter(|case| case.task == "counts_certify" && case.expect.status == "OK") {
        let label = case.label.unwrap() as usize;
        let mut rivals = case.counts.clone();
        let own = rivals.remove(label);
        let n = case.n.unwrap_or_else(|| case.counts.iter().sum());
        let bound = case.bound.as_deref().unwrap_or("ranked");
        for (&k, &radius) in case.k().iter().zip(&case.expect.radius) {
            let sigma = case.sigma.unwrap();
            let key = key(own, rivals.clone(), n, k, case.alpha.unwrap_or(0.001), bound);
            let Some(exact) = exact.get(&key).filter(|_| case.radius_cost.is_none()) else { continue };
            let exact = exact.max(0.0) * sigma;
            assert!(radius <= exact && exact - radius <= 1e-9 * sigma, "{} k {k}: {radius}, not {exact}", case.name);
            found += 1;
        }
    }
    assert!(found >= 9, "only {found} radii are in both");
}

#[test]
fn every_kind_of_case_is_there() {
    let (_, cases) = cases();
    let count = |wanted: &dyn Fn(&Case) -> bool| cases.iter().filter(|case| wanted(case)).count();
    for task in ["certify", "predict", "certify_answer", "counts_certify", "counts_predict", "counts_guarantee"] {
        assert!(count(&|case| case.task == task && case.expect.status == "OK") >= 3, "{task}");
    }
    for bound in ["ranked", "simuem", "binocp"] {
        assert!(count(&|case| case.bound.as_deref() == Some(bound) && case.expect.status == "OK") >= 2, "{bound}");
    }
    for rule in ["radius", "steps", "tolerance", "predict"] {
        assert!(count(&|case| case.rule.as_deref().is_some_and(|text| text.starts_with(rule))) >= 2, "{rule}");
    }
    for decision in ["certified", "refuted", "reached", "settled", "undecided"] {
        assert!(count(&|case| case.expect.decision.iter().any(|found| found == decision)) >= 1, "{decision}");
    }
    for allocation in ["auto", "ranked:", "pooled:"] {
        let wanted = |case: &Case| case.allocation.as_deref().is_some_and(|text| text.starts_with(allocation));
        assert!(count(&|case| wanted(case) && case.expect.status == "OK") >= 1, "{allocation}");
    }
    assert!(count(&|case| case.randomized && case.expect.status == "OK") >= 2);
    assert!(count(&|case| case.levels.is_some() && case.expect.status == "OK") >= 3);
    assert!(count(&|case| case.chacha12.is_some() && case.expect.status == "OK") >= 2);
    assert!(count(&|case| !case.pilot.is_empty() && case.expect.status == "OK") >= 1);
    assert!(count(&|case| case.expect.kept_radii.iter().flatten().any(|radius| radius.is_infinite())) >= 1);
    for noise in ["uniform", "ablate", "band", "block", "split"] {
        let wanted = |case: &Case| case.noise.as_deref().is_some_and(|text| text.starts_with(noise));
        assert!(count(&|case| wanted(case) && case.expect.radius.iter().any(|&radius| radius > 0.0)) >= 2, "{noise}");
    }
    let fields = [
        "sigma",
        "k",
        "n",
        "n0",
        "alpha",
        "input_max",
        "label",
        "input",
        "rule",
        "randomized",
        "allocation",
        "levels",
        "pilot",
    ];
    for field in fields {
        assert!(count(&|case| case.expect.field == field) >= 1, "{field}");
    }
    assert!(count(&|case| case.expect.abstain.contains(&1)) >= 2);
    assert!(count(&|case| case.expect.radius.contains(&0.0)) >= 2);
    assert!(count(&|case| case.counts.iter().map(|&count| u128::from(count)).sum::<u128>() == 1_000_000_000_000) >= 2);
}
