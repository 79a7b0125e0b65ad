//! `certify --base-k`: sets of true labels of a multi-label model.

use std::fs::File;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use smoothtopk::record::Record;
use smoothtopk::stats::Allocation;

use crate::common::{digit_pixels, member, npz_array, root, smoothtopk};
use crate::{change_records, files, manifest, model, ok, records, refused, rows, text};

const EXAMPLES: usize = 8;

/// The true label of each digit, and the one after it, as which nothing votes.
fn sets() -> Vec<Vec<i64>> {
    let (_, labels) = npz_array::<i64>(root("demo/digits_test200.npz"), "labels");
    let set = |&label: &i64| if label % 2 == 0 { vec![label, (label + 1) % 10] } else { vec![label] };
    let mut sets: Vec<Vec<i64>> = labels.iter().take(EXAMPLES).map(set).collect();
    sets.iter_mut().for_each(|set| set.sort_unstable());
    sets
}

fn write(path: &Path, arrays: &[(&str, &[u64], Vec<i64>)]) {
    let mut out = zip::ZipWriter::new(File::create(path).unwrap());
    member(&mut out, "images", &[EXAMPLES as u64, 1, 8, 8], &digit_pixels(EXAMPLES));
    arrays.iter().for_each(|(name, shape, values)| member(&mut out, name, shape, values));
    out.finish().unwrap();
}

/// The labels as a matrix of 0 and 1.
fn matrix(sets: &[Vec<i64>]) -> Vec<i64> {
    sets.iter().flat_map(|set| (0..10).map(|label| i64::from(set.contains(&label)))).collect()
}

fn run(command: &str, data: &Path, more: &[&str]) -> Output {
    let model = model();
    let base = [command, "--model", &model, "--data", data.to_str().unwrap(), "--input-scale", "16", "--sigma", "0.25"];
    smoothtopk([&base[..], &["--seed", "7", "--batch", "32", "--quiet", "--n", "1000"], more].concat())
}

#[test]
fn sets_of_labels_are_certified_kept_resumed_and_reported() {
    let dir = tempfile::tempdir().unwrap();
    let [data, csr, out, other] = ["m.npz", "c.npz", "run", "other"].map(|name| dir.path().join(name));
    write(&data, &[("labels", &[EXAMPLES as u64, 10], matrix(&sets()))]);
    let more = ["--base-k", "2", "--k", "1,3", "--out", out.to_str().unwrap()];
    ok(&run("certify", &data, &more));
    assert_eq!(manifest(&out)["reading"]["base_k"], 2);
    // The radii are the library's from the counts that are kept.
    for (i, k) in [1, 3].into_iter().enumerate() {
        let view = rows(out.join(format!("labels_k{k}.tsv")));
        for ((line, set), view) in text(out.join("records.jsonl")).lines().zip(sets()).zip(&view) {
            let record = Record::from_json(line).unwrap();
            let set: Vec<usize> = set.iter().map(|&label| label as usize).collect();
            let found = record.counts_of(i).unwrap().certify_label_set(&set, k, 0.001, &Allocation::default()).unwrap();
            assert_eq!((&record.label_sets[i].labels, &view[1]), (&set, &joined(&set)));
            assert_eq!(
                (record.label_sets[i].radii().collect(), &view[2]),
                (found.radii.clone(), &joined(&found.radii))
            );
            assert_eq!(found.radii.len(), set.len().min(k));
            assert!(record.counts_of(i).unwrap().is_seen(), "a statement was made from them");
        }
    }
    let certified = records(&out).into_iter().filter(|record| record["label_sets"][1]["radii"][0].as_f64() > Some(0.0));
    assert!(certified.count() >= 6, "the digit itself is among the top three");
    // Resumed, and from the other form of the same labels: the same RUN.
    let whole = files(&out);
    let half = text(out.join("records.jsonl"));
    std::fs::write(out.join("records.jsonl"), &half[..half.len() / 2]).unwrap();
    ok(&run("certify", &data, &more));
    assert_eq!(files(&out), whole);
    let starts = (0..=EXAMPLES).map(|i| sets()[..i].iter().map(|set| set.len() as i64).sum()).collect();
    let flat: Vec<i64> = sets().concat();
    let lengths = [EXAMPLES as u64 + 1, flat.len() as u64];
    write(&csr, &[("labels_indptr", &lengths[..1], starts), ("labels_indices", &lengths[1..], flat)]);
    ok(&run("certify", &csr, &["--base-k", "2", "--k", "1,3", "--out", other.to_str().unwrap()]));
    let found = |run: &Path| records(run).iter().map(|record| record["label_sets"].clone()).collect::<Vec<Value>>();
    assert_eq!(found(&other), found(&out));
    reported(&out);
    // A record that says more than its counts prove.
    change_records(&out, |_, record| record["label_sets"][1]["radii"][0] = 2.5.into());
    let said = refused(&smoothtopk(["report", out.to_str().unwrap(), "--out", "never"]), 1);
    assert!(said.contains("altered"), "{said}");
}

fn joined<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// The numbers of a report are those of its records.
fn reported(run: &Path) {
    let folder = run.with_extension("report");
    let report = ["report", run.to_str().unwrap(), "--radii", "0.1", "--format", "json", "--out"];
    let lines: Vec<Value> =
        serde_json::from_str(&ok(&smoothtopk([&report[..], &[folder.to_str().unwrap()]].concat()))).unwrap();
    let mut expected = [[0.0; 3]; 2];
    for record in records(run) {
        for (i, k) in [1.0, 3.0].into_iter().enumerate() {
            let found = &record["label_sets"][i];
            let labels = found["labels"].as_array().unwrap().len() as f64;
            let radii = found["radii"].as_array().unwrap();
            let kept = radii.iter().filter(|radius| radius.as_f64() >= Some(0.1)).count() as f64;
            for (sum, value) in expected[i].iter_mut().zip([kept / k, kept / labels, 2.0 * kept / (k + labels)]) {
                *sum += value / EXAMPLES as f64;
            }
        }
    }
    let values: Vec<f64> = lines.iter().map(|line| line["values"][0].as_f64().unwrap()).collect();
    let expected: Vec<f64> = expected.concat();
    assert!(values.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12), "{values:?} {expected:?}");
    assert!(values.iter().all(|&value| value > 0.1 && value <= 1.0), "{values:?}");
    let curves = text(folder.join("curves.csv"));
    assert!(curves.starts_with("run,k,radius,precision,recall,f1\nrun,1,0,"), "{curves}");
    assert!(text(folder.join("report.md")).contains("| run | 3 | recall |"));
}

#[test]
fn what_is_for_one_label_is_refused_with_its_field() {
    let dir = tempfile::tempdir().unwrap();
    let [data, empty, odd, out] = ["m.npz", "e.npz", "o.npz", "run"].map(|name| dir.path().join(name));
    let shape = [EXAMPLES as u64, 10];
    write(&data, &[("labels", &shape, matrix(&sets()))]);
    write(&empty, &[("labels", &shape, vec![0; 10 * EXAMPLES])]);
    write(&odd, &[("labels", &shape, vec![2; 10 * EXAMPLES])]);
    let certify =
        |data: &Path, more: &[&str]| run("certify", data, &[more, &["--out", out.to_str().unwrap()]].concat());
    for (more, part) in [
        (&["--guarantee"][..], "guarantee"),
        (&["--select"], "select"),
        (&["--rule", "steps:0.25"], "rule"),
        (&["--randomized"], "randomized"),
        (&["--allocation", "auto"], "allocation"),
        (&["--allocation", "binocp"], "allocation"),
        (&["--sample-shard", "1/2"], "sample-shard"),
        (&["--base-k", "11"], "base"),
    ] {
        let base_k = if more[0] == "--base-k" { &[][..] } else { &["--base-k", "2"] };
        let said = refused(&certify(&data, &[base_k, more].concat()), 2);
        assert!(said.contains(part), "{more:?}: {said}");
    }
    assert!(refused(&certify(&data, &[]), 1).contains("--base-k"));
    assert!(refused(&certify(&empty, &["--base-k", "2"]), 1).contains("no true label"));
    assert!(refused(&certify(&odd, &["--base-k", "2"]), 1).contains("0 and 1"));
    assert!(!out.exists(), "nothing was made");
    ok(&certify(&data, &["--base-k", "2", "--max", "2"]));
    let counts = out.to_str().unwrap();
    assert!(refused(&smoothtopk(["radius", "--counts", counts]), 2).contains("sets of labels"));
    let (model, data_path) = (model(), data.to_str().unwrap());
    let verify =
        ["verify", "--run", counts, "--model", &model, "--data", data_path, "--attacks", "1", "--out", "never"];
    let said = refused(&smoothtopk(verify), 2);
    assert!(said.contains("multi-label"), "{said}");
    assert!(refused(&run("predict", &data, &["--base-k", "2"]), 2).contains("a set of labels"));
}
