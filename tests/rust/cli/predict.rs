//! Predictions, and what they do not depend on.

use crate::common::smoothtopk;
use crate::{data, digits, model, ok};

#[test]
fn predict_gives_a_table_and_json() {
    let table = ok(&smoothtopk(digits("predict", &["--n", "500", "--max", "5", "--k", "1,2", "--quiet"])));
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("idx\tlabel\tk\tprediction\tp_value\tcounts"));
    assert_eq!(lines.count(), 10);
    let json = ok(&smoothtopk(digits("predict", &["--n", "500", "--max", "5", "--k", "1,2", "--quiet", "--json"])));
    let mut right = 0;
    for (line, row) in json.lines().zip(table.lines().skip(1)) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let counts: Vec<u64> =
            value["counts"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect();
        assert_eq!(counts.iter().sum::<u64>(), 500);
        let shown = match value["prediction"].as_array() {
            Some(labels) => labels.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            None => "abstain".to_owned(),
        };
        assert_eq!(row.split('\t').nth(3), Some(shown.as_str()));
        right += usize::from(value["k"] == 1 && value["prediction"][0] == value["label"]);
    }
    assert!(right >= 4, "{right} of 5 digits right");
}

#[test]
fn counts_are_the_same_whatever_the_batch_and_the_threads() {
    let run = |batch: &str, threads: &str| {
        let (model, data) = (model(), data());
        ok(&smoothtopk([
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
            "--json",
            "--batch",
            batch,
            "--threads",
            threads,
        ]))
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
