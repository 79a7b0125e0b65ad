//! Predictions, and what they do not depend on.

use std::process::Output;

use crate::common::smoothtopk;
use crate::{data, digits, model, ok, refused, root};

#[test]
fn predict_gives_a_table_and_json() {
    let table = ok(&smoothtopk(digits("predict", &["--n", "500", "--max", "5", "--k", "1,2", "--quiet"])));
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("idx\tlabel\tk\tprediction\tp_value\tcounts\tsamples\tdecision"));
    assert_eq!(lines.count(), 10);
    let json =
        ok(&smoothtopk(digits("predict", &["--n", "500", "--max", "5", "--k", "1,2", "--quiet", "--format", "json"])));
    let mut right = 0;
    let mut rows = table.lines().skip(1);
    for line in json.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let counts: u64 = record["counts"]["labels"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!((counts, &record["request"]["k"]), (500, &serde_json::json!([1, 2])));
        assert!(record["counts"]["draws"][0]["secret"].is_null());
        for prediction in record["predictions"].as_array().unwrap() {
            let labels = prediction["labels"].as_array().unwrap();
            let shown = match prediction["abstain"].as_bool().unwrap() {
                false => labels.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
                true => "abstain".to_owned(),
            };
            assert_eq!(rows.next().unwrap().split('\t').nth(3), Some(shown.as_str()));
        }
        right += usize::from(record["predictions"][0]["labels"][0] == record["true_label"]);
        // Counts that predicted labels certify none, and say so.
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("record.json");
        std::fs::write(&file, line).unwrap();
        let error = refused(&smoothtopk(["radius", "--counts", file.to_str().unwrap()]), 1);
        assert!(error.contains("predicted labels"), "{error}");
    }
    assert!(right >= 4, "{right} of 5 digits right");
}

/// As certify does, and from the n on that plan knows.
#[test]
fn an_n_that_can_only_abstain_is_warned_of() {
    let warned = |n: &str, rule: &str| {
        let output = smoothtopk(digits("predict", &["--n", n, "--rule", rule, "--max", "1", "--k", "1,2", "--quiet"]));
        ok(&output);
        String::from_utf8(output.stderr).unwrap()
    };
    let few = warned("10", "fixed");
    for k in [1, 2] {
        let says =
            format!("warning: with n = 10 and alpha = 0.001 every example abstains at k = {k}: n must be at least ");
        let least = few.lines().find_map(|line| line.strip_prefix(&says)).unwrap_or_else(|| panic!("{few}"));
        assert!(!warned(least, "fixed").contains(&format!("k = {k}")));
        let fewer = (least.parse::<u64>().unwrap() - 1).to_string();
        assert!(warned(&fewer, "fixed").contains(&format!("k = {k}: n must be at least {least}")));
    }
    assert!(warned("12", "predict").contains("at k = 1: n must be at least 13"));
}

#[test]
fn counts_are_the_same_whatever_the_batch_and_the_threads() {
    let run = |batch: &str, threads: &str| {
        let (model, data) = (model(), data());
        let lines = ok(&smoothtopk([
            "predict",
            "--model",
            &model,
            "--data",
            &data,
            "--input-scale",
            "16",
            "--sigma",
            "0.25",
            "--seed",
            "7",
            "--n",
            "300",
            "--max",
            "8",
            "--quiet",
            "--format",
            "json",
            "--batch",
            batch,
            "--threads",
            threads,
        ]));
        let counts = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["counts"].clone();
        lines.lines().map(counts).collect::<Vec<_>>()
    };
    let alone = run("1", "1");
    for (batch, threads) in [("2", "1"), ("64", "2"), ("100", "3"), ("1000", "2")] {
        assert_eq!(run(batch, threads), alone, "batch {batch}, {threads} threads");
    }
}

#[test]
fn a_request_that_can_only_abstain_is_warned_of() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let output = smoothtopk(digits("certify", &["--n", "5", "--max", "1", "--out", run.to_str().unwrap()]));
    ok(&output);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("warning: ") && stderr.contains("n must be at least"), "{stderr}");
}

#[test]
fn a_set_is_settled_by_as_many_rows_as_it_takes() {
    let table = ok(&smoothtopk(digits("predict", &["--rule", "predict", "--n", "3000", "--max", "20", "--quiet"])));
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 20);
    for row in &rows {
        let (drawn, settled): (u64, bool) = (row[6].parse().unwrap(), row[7] == "settled");
        assert_eq!(settled, row[3] != "abstain", "{row:?}");
        assert!(settled && drawn <= 3000 || row[7] == "undecided" && drawn == 3000, "{row:?}");
    }
    let early = rows.iter().filter(|row| row[6].parse::<u64>().unwrap() < 100).count();
    assert!(early >= 15, "{early} of 20 easy digits are settled early");

    let output = smoothtopk(digits(
        "predict",
        &["--rule", "predict", "--n", "3000", "--max", "2", "--k", "1,9", "--format", "json"],
    ));
    for line in ok(&output).lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let counts: u64 = record["counts"]["labels"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!(
            (record["counts"]["n"].as_u64(), record["request"]["rule"].as_str()),
            (Some(counts), Some("predict"))
        );
        for found in record["predictions"].as_array().unwrap() {
            assert_eq!(found["decision"] == "settled", found["abstain"] == false, "{found}");
        }
    }
    assert!(String::from_utf8_lossy(&output.stderr).contains("k = 9: 2 of 2 examples abstain"));
}

#[test]
fn a_late_prediction_abstains_unless_it_is_settled() {
    let more = ["--rule", "predict", "--n", "1000000000", "--max", "2", "--k", "1,9", "--timeout", "0.3", "--quiet"];
    let table = ok(&smoothtopk(digits("predict", &more)));
    for line in table.lines().skip(1) {
        let row: Vec<&str> = line.split('\t').collect();
        // Eight labels that never come cannot be told apart, the first can.
        let expected = if row[2] == "1" { "settled" } else { "undecided" };
        assert_eq!((row[7], row[3] == "abstain"), (expected, row[2] == "9"), "{line}");
    }
    let output = smoothtopk(digits("predict", &["--timeout", "1", "--max", "2"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("smoothtopk: timeout: "));
}

#[test]
fn rows_without_a_label_are_told_of_and_a_label_outside_the_classes_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = |command: &str, model: &str, elements: usize, more: &[&str]| {
        let data = folder.path().join(format!("{elements}.npz"));
        crate::common::npz(&data, &[2, elements as u64], &vec![0.5; 2 * elements], Some(&[1, 1]));
        let mut all = vec![command.to_owned(), "--model".into(), root(&format!("tests/models/{model}"))];
        all.extend(["--data", data.to_str().unwrap(), "--sigma", "0.25", "--n", "200", "--quiet"].map(str::to_owned));
        all.extend(more.iter().map(|&argument| argument.to_owned()));
        all
    };
    let said = |output: &Output| {
        ok(output);
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let runs = ["a", "b"].map(|name| folder.path().join(name));
    let out = |i: usize| ["--out", runs[i].to_str().unwrap()];
    for (command, more) in [("predict", [&[][..], &[]]), ("certify", [&out(0)[..], &out(1)])] {
        let failing = said(&smoothtopk(arguments(command, "nan_scores.onnx", 24, more[0])));
        assert!(failing.contains("of 400 samples are invalid"), "{failing}");
        let sound = said(&smoothtopk(arguments(command, "exact_order.onnx", 24, more[1])));
        assert!(!sound.contains("invalid"), "{sound}");
    }
    let error = refused(&smoothtopk(arguments("predict", "label_int64.onnx", 16, &["--classes", "2"])), 1);
    assert!(error.contains("label 2 outside 0..2"), "{error}");
}
