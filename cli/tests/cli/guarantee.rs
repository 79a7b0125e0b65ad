//! `certify --guarantee`: what holds for the labels that are returned.

use std::path::Path;

use smoothtopk::certificate::{Inference, Returned, certify_each, certify_kept, certify_order, certify_set};
use smoothtopk::stats::Counts;

use crate::common::smoothtopk;
use crate::{digits, files, manifest, ok, refused, rows, text};

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
    assert_eq!((&run_manifest["labels"], &run_manifest["n0"]), (&"same".into(), &0.into()));
    let slack = run_manifest["radius_slack"].as_f64().unwrap();
    let counts = text(run.join("counts.tsv"));
    for k in [1, 2] {
        let answers = rows(run.join(format!("answer_k{k}.tsv")));
        assert_eq!(answers.len(), 15);
        for (answer, line) in answers.iter().zip(counts.lines()) {
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(fields[10], "-1", "no label is certified by these counts");
            let counts = Counts::complete(fields[..10].iter().map(|count| count.parse().unwrap()).collect()).unwrap();
            let returned = Returned::same_counts(&counts, k).unwrap();
            let labels: Vec<usize> = answer[2].split(',').map(|label| label.parse().unwrap()).collect();
            assert_eq!(labels, returned.labels());
            let (sigma, alpha, fixed) = (0.25, 0.001, &Inference::FIXED);
            let set = certify_set(&counts, &returned, sigma, alpha, fixed).unwrap().shrunk_by(slack).radius;
            let each = certify_each(&counts, &returned, sigma, alpha, fixed).unwrap().shrunk_by(slack);
            let order = |places| {
                certify_order(&counts, &returned, places, sigma, alpha, fixed).unwrap().shrunk_by(slack).radius
            };
            let kept = |e| certify_kept(&counts, &returned, e, sigma, alpha, fixed).unwrap().shrunk_by(slack).radius;
            assert_eq!(answer[3].parse(), Ok(set));
            assert_eq!(numbers(&answer[4]), (1..=k).map(kept).collect::<Vec<_>>());
            assert_eq!(numbers(&answer[5]), each.labels.iter().map(|label| label.radius).collect::<Vec<_>>());
            assert_eq!((answer[6].parse(), answer[7].parse()), (Ok(order(1)), Ok(order(k))));
        }
        let certified = answers.iter().filter(|answer| answer[6] != "0").count();
        assert!(certified >= 10, "k = {k}: the first label of {certified} of 15 easy digits");
    }
}

#[test]
fn a_run_of_guarantees_is_resumed_reported_and_not_taken_for_certificates() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let arguments = ["--k", "1,2", "--n", "1000", "--max", "8", "--alpha-total", "0.05"];
    ok(&certify(&run, &arguments));
    let whole = files(&run);
    // 8 examples: 4 statements and e = 1 at k = 1, 4 and e = 1, 2 at k = 2.
    assert_eq!(
        (manifest(&run)["statements"].as_u64(), manifest(&run)["labels"].as_str()),
        (Some(88), Some("selected"))
    );
    let half = text(run.join("answer_k2.tsv"));
    std::fs::write(run.join("answer_k2.tsv"), &half[..half.len() / 2]).unwrap();
    ok(&certify(&run, &arguments));
    assert_eq!(files(&run), whole);

    let out = dir.path().join("report");
    let report = ok(&smoothtopk(["report", run.to_str().unwrap(), "--out", out.to_str().unwrap()]));
    for part in ["holds guarantees for answers", "| run | 2 | the set |", "at least 1 of 2", "88 statements share"] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert!(text(out.join("answers.csv")).lines().count() > 8);
    assert!(text(out.join("certified_accuracy.svg")).contains("k = 2, whole set"));

    let counts = run.join("counts.tsv");
    let error = refused(&smoothtopk(["radius", "--counts", counts.to_str().unwrap()]), 2);
    assert!(error.starts_with("smoothtopk: counts: ") && error.contains("answer_k"), "{error}");
}

#[test]
fn a_rule_ends_the_rows_of_an_answer() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let arguments = ["--k", "1,2", "--n", "20000", "--max", "20", "--rule", "radius:0.1"];
    ok(&certify(&run, &arguments));
    let whole = files(&run);
    let stops = rows(run.join("stops.tsv"));
    assert_eq!(stops.len(), 20);
    for (i, k) in [1, 2].into_iter().enumerate() {
        for (stop, answer) in stops.iter().zip(rows(run.join(format!("answer_k{k}.tsv")))) {
            let (decision, set): (&str, f64) = (&stop[2 + 3 * i], answer[3].parse().unwrap());
            assert_eq!(decision == "certified", set >= 0.1, "{stop:?} {answer:?}");
            assert_eq!(stop[3 + 3 * i], "-");
        }
    }
    let drawn: u64 = stops.iter().map(|stop| stop[1].parse::<u64>().unwrap()).sum();
    assert!(drawn < 20 * 20_000, "{drawn}");
    assert!(stops.iter().filter(|stop| stop[2] == "certified").count() >= 10);
    // Cut off between two of its files, it is resumed to the same bytes.
    let half = text(run.join("stops.tsv"));
    std::fs::write(run.join("stops.tsv"), &half[..half.len() / 2]).unwrap();
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
