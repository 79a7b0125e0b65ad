//! `certify --guarantee`: what holds for the labels that are returned.

use std::path::Path;

use smoothtopk::record::Record;

use crate::common::smoothtopk;
use crate::{digits, files, manifest, ok, records, refused, rows, text};

fn certify(out: &Path, more: &[&str]) -> std::process::Output {
    smoothtopk(digits("certify", &[more, &["--guarantee", "--quiet", "--out", out.to_str().unwrap()]].concat()))
}

fn numbers(field: &str) -> Vec<f64> {
    field.split(',').map(|number| number.parse().unwrap()).collect()
}

#[test]
fn the_radii_are_the_librarys_from_the_counts_that_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    ok(&certify(&run, &["--k", "1,2", "--n", "3000", "--n0", "0", "--max", "15"]));
    let run_manifest = manifest(&run);
    let (source, n0) = (&run_manifest["label_source"], &run_manifest["request"]["n0"]);
    assert_eq!((source, n0), (&"same_counts".into(), &0.into()));
    let kept = text(run.join("records.jsonl"));
    for (i, k) in [1, 2].into_iter().enumerate() {
        let answers = rows(run.join(format!("answer_k{k}.tsv")));
        assert_eq!(answers.len(), 15);
        for (answer, line) in answers.iter().zip(kept.lines()) {
            let record = Record::from_json(line).unwrap();
            let found = record.counts_of(i).unwrap().guarantee(None, k, 0.001).unwrap();
            let labels: Vec<usize> = answer[2].split(',').map(|label| label.parse().unwrap()).collect();
            assert_eq!(labels, found.labels());
            assert_eq!(answer[3].parse(), Ok(found.set.radius));
            let kept: Vec<f64> = found.kept.iter().map(|kept| kept.as_ref().unwrap().radius).collect();
            assert_eq!(numbers(&answer[4]), kept);
            assert_eq!(numbers(&answer[5]), found.each.labels.iter().map(|label| label.radius).collect::<Vec<_>>());
            assert_eq!((answer[6].parse(), answer[7].parse()), (Ok(found.first.radius), Ok(found.ranking.radius)));
        }
        let certified = answers.iter().filter(|answer| answer[6] != "0").count();
        assert!(certified >= 10, "k = {k}: the first label of {certified} of 15 easy digits");
    }
    let counts = text(run.join("counts.tsv"));
    assert!(counts.lines().all(|line| line.ends_with("\t-1")), "no label is certified by these counts");
}

#[test]
fn a_run_of_guarantees_is_resumed_reported_and_not_taken_for_certificates() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let arguments = ["--k", "1,2", "--n", "1000", "--max", "8", "--alpha-total", "0.05"];
    ok(&certify(&run, &arguments));
    let whole = files(&run);
    // 8 examples: 4 statements and e = 1 at k = 1, 4 and e = 1, 2 at k = 2.
    assert_eq!(manifest(&run)["label_source"], "selected");
    let half = text(run.join("records.jsonl"));
    std::fs::write(run.join("records.jsonl"), &half[..half.len() / 2]).unwrap();
    ok(&certify(&run, &arguments));
    assert_eq!(files(&run), whole);

    let out = dir.path().join("report");
    let report = ok(&smoothtopk(["report", run.to_str().unwrap(), "--out", out.to_str().unwrap()]));
    for part in [
        "holds guarantees for answers",
        "| run | 2 | the set |",
        "at least 1 of 2",
        "88 statements share an alpha of 0.05",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert!(text(out.join("answers.csv")).lines().count() > 8);
    assert!(text(out.join("certified_accuracy.svg")).contains("k = 2, whole set"));

    let counts = run.join("counts.tsv");
    let error = refused(&smoothtopk(["radius", "--counts", counts.to_str().unwrap()]), 2);
    assert!(error.starts_with("smoothtopk: counts: ") && error.contains("answer_k"), "{error}");
}

#[test]
fn a_rule_ends_the_samples_of_an_answer() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let arguments = ["--k", "1,2", "--n", "20000", "--max", "20", "--rule", "radius:0.1"];
    ok(&certify(&run, &arguments));
    let whole = files(&run);
    let all = records(&run);
    assert_eq!(all.len(), 20);
    for record in &all {
        for found in record["guarantees"].as_array().unwrap() {
            let certified = found["decision"] == "certified";
            assert_eq!(certified, found["set_radius"].as_f64().unwrap() >= 0.1, "{found}");
        }
    }
    let drawn: u64 = all.iter().map(|record| record["counts"]["n"].as_u64().unwrap()).sum();
    assert!(drawn < 20 * 20_000, "{drawn}");
    assert!(all.iter().filter(|record| record["guarantees"][0]["decision"] == "certified").count() >= 10);
    // Cut off, it is resumed to the same bytes.
    let half = text(run.join("records.jsonl"));
    std::fs::write(run.join("records.jsonl"), &half[..half.len() / 2]).unwrap();
    ok(&certify(&run, &arguments));
    assert_eq!(files(&run), whole);
    let out = dir.path().join("report");
    let report = ok(&smoothtopk(["report", run.to_str().unwrap(), "--out", out.to_str().unwrap()]));
    assert!(report.contains("| run | 2 | the set |") && report.contains("radius:0.1"), "{report}");
    assert!(text(out.join("stops.csv")).lines().count() >= 2);
    // Examples that the time was too short for have no labels, and nothing is guaranteed.
    let late = dir.path().join("late");
    let arguments = ["--k", "1,2", "--n", "1000000000", "--max", "2", "--rule", "tolerance:0", "--n0", "1000000000"];
    ok(&certify(&late, &[&arguments[..], &["--timeout", "0.2"]].concat()));
    let answers = rows(late.join("answer_k2.tsv"));
    assert_eq!(answers.len(), 2);
    for answer in answers {
        assert_eq!(answer[2..8], ["-", "0", "0,0", "0,0", "0", "0"].map(str::to_owned));
    }
    ok(&smoothtopk(["report", late.to_str().unwrap(), "--out", out.to_str().unwrap()]));
}
