//! A run is written in the field's format, survives kills and Ctrl-C, and is refused under another manifest.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::{Rng, RngExt, SeedableRng};

use crate::common::{self, npz, root, smoothtopk};
use crate::{digits, files, model, ok};

#[test]
fn certify_writes_a_run_in_the_fields_format() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let out = run.to_str().unwrap();
    ok(&smoothtopk(digits("certify", &["--k", "1,2,3", "--n", "2000", "--max", "12", "--out", out])));
    let counts = fs::read_to_string(run.join("counts.tsv")).unwrap();
    assert_eq!(counts.lines().count(), 12);
    for line in counts.lines() {
        let numbers: Vec<u64> = line.split('\t').map(|number| number.parse().unwrap()).collect();
        assert_eq!(numbers.len(), 11);
        assert_eq!(numbers[..10].iter().sum::<u64>(), 2000);
    }
    for k in [1, 2, 3] {
        let text = fs::read_to_string(run.join(format!("k{k}.tsv"))).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("idx\tlabel\tpredict\tradius\tcorrect\ttime"));
        let rows: Vec<Vec<&str>> = lines.map(|line| line.split('\t').collect()).collect();
        assert_eq!(rows.len(), 12);
        for (idx, row) in rows.iter().enumerate() {
            assert_eq!(row[0], idx.to_string());
            let radius: f64 = row[3].parse().unwrap();
            let certified = row[2] != "-1";
            assert_eq!(certified, radius > 0.0);
            assert!(!certified || row[2] == row[1], "the label given is the label certified");
            assert_eq!(row[4], if certified { "1" } else { "0" });
            let time: Vec<&str> = row[5].split([':', '.']).collect();
            assert_eq!((time.len(), time[1].len(), time[2].len(), time[3].len()), (4, 2, 2, 6), "{}", row[5]);
        }
        assert!(rows.iter().filter(|row| row[4] == "1").count() >= 6, "most digits are certified at k = {k}");
    }
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(run.join("manifest.json")).unwrap()).unwrap();
    for (key, value) in
        [("sigma", "0.25"), ("n", "2000"), ("seed", "7"), ("bound", "\"ranked\""), ("provider", "\"cpu\"")]
    {
        assert_eq!(manifest[key].to_string(), value, "{key}");
    }

    // The same counts give the same radii without the model.
    let table = ok(&smoothtopk(["radius", "--counts", run.join("counts.tsv").to_str().unwrap(), "--k", "1,2,3"]));
    let radii: Vec<(String, String)> = table
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|row| row[1] == "2")
        .map(|row| (row[0].to_owned(), row[2].to_owned()))
        .collect();
    let k2 = fs::read_to_string(run.join("k2.tsv")).unwrap();
    let expected: Vec<(String, String)> = k2
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .map(|row| (row[0].to_owned(), row[3].to_owned()))
        .collect();
    assert_eq!(radii, expected);
}

#[test]
fn the_label_is_chosen_from_rows_of_its_own_where_none_is_given() {
    let dir = tempfile::tempdir().unwrap();
    let invalid = dir.path().join("invalid.npz");
    npz(&invalid, &[5, 64], &common::digit_pixels(5), None);
    let run = dir.path().join("run");
    let (model, data) = (model(), invalid.to_string_lossy().into_owned());
    ok(&smoothtopk([
        "certify",
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
        "--batch",
        "32",
        "--n",
        "1000",
        "--n0",
        "50",
        "--out",
        run.to_str().unwrap(),
    ]));
    let k1 = fs::read_to_string(run.join("k1.tsv")).unwrap();
    let counts = fs::read_to_string(run.join("counts.tsv")).unwrap();
    for (row, counts) in k1.lines().skip(1).zip(counts.lines()) {
        let row: Vec<&str> = row.split('\t').collect();
        assert_eq!((row[1], row[4]), ("-1", "0"), "no label is known, so none is correct");
        let label = counts.rsplit('\t').next().unwrap();
        assert!(row[2] == label || row[2] == "-1");
    }
    assert!(k1.lines().skip(1).any(|row| row.split('\t').nth(2) != Some("-1")));
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    assert!(manifest.contains("\"selected\""), "{manifest}");
}

#[test]
fn ten_kills_lose_and_repeat_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = |out: &Path, batch: &str| {
        let mut arguments = digits(
            "certify",
            &["--k", "1,3", "--n", "6000", "--max", "100", "--quiet", "--out", out.to_str().unwrap()],
        );
        let at = arguments.iter().position(|argument| argument == "--batch").unwrap();
        arguments[at + 1] = batch.to_owned();
        arguments
    };
    let whole = dir.path().join("whole");
    ok(&smoothtopk(arguments(&whole, "32")));

    let killed = dir.path().join("killed");
    let mut random = rand::rngs::SmallRng::seed_from_u64(1);
    let mut seen = Vec::new();
    for kill in 0..10 {
        let batch = ["32", "7", "64"][kill % 3];
        let mut child = Command::new(env!("CARGO_BIN_EXE_smoothtopk"))
            .args(arguments(&killed, batch))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(random.random_range(5..350)));
        // Child::kill is SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        seen.push(fs::read_to_string(killed.join("counts.tsv")).map_or(0, |text| text.lines().count()));
        if random.next_u32() % 3 == 0 {
            // As if the kill had come in the middle of a write.
            let path = killed.join("counts.tsv");
            if let Ok(text) = fs::read(&path)
                && text.len() > 5
            {
                fs::write(&path, &text[..text.len() - 5]).unwrap();
            }
        }
    }
    ok(&smoothtopk(arguments(&killed, "32")));
    assert!(seen.iter().any(|&done| done > 0), "no kill came while examples were being written: {seen:?}");
    assert!(files(&whole) == files(&killed), "after kills at {seen:?} examples the files differ");
    // Once more: nothing is left to do.
    let again = smoothtopk(arguments(&killed, "32"));
    assert!(again.status.success());
    assert!(files(&whole) == files(&killed));
}

#[test]
fn ctrl_c_and_sigterm_keep_what_is_finished_and_say_so() {
    for signal in ["-INT", "-TERM"] {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        let child = Command::new(env!("CARGO_BIN_EXE_smoothtopk"))
            .args(digits("certify", &["--n", "2000000", "--out", run.to_str().unwrap()]))
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        while !run.join("counts.tsv").exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(300));
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{signal}: {stderr}");
        assert!(stderr.contains("of 200 examples are kept"), "{signal}: {stderr}");
    }
}

#[test]
fn a_run_with_another_manifest_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let out = run.to_str().unwrap();
    ok(&smoothtopk(digits("certify", &["--n", "500", "--max", "3", "--out", out])));
    let before = files(&run);
    for (field, more) in [
        ("n", &["--n", "501", "--max", "3"][..]),
        ("alpha", &["--n", "500", "--max", "3", "--alpha", "0.01"]),
        ("bound", &["--n", "500", "--max", "3", "--bound", "simuem"]),
        ("max", &["--n", "500", "--max", "4"]),
        ("k", &["--n", "500", "--max", "3", "--k", "2"]),
    ] {
        let output = smoothtopk(digits("certify", &[more, &["--out", out]].concat()));
        assert_eq!(output.status.code(), Some(2), "{field}");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(&format!("smoothtopk: {field}: ")), "{field}: {stderr}");
        assert_eq!(files(&run), before, "{field}");
    }
}

#[test]
fn a_run_is_not_gone_on_with_by_a_model_that_is_read_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data.npz");
    npz(&data, &[3, 16], &[0.5; 48], Some(&[0, 1, 0]));
    let models = |name: &str| root(&format!("tests/models/{name}"));
    let certify = |model: &str, out: &Path, more: &[&str]| {
        let (model, data, out) = (models(model), data.to_str().unwrap(), out.to_str().unwrap());
        let base = ["certify", "--model", &model, "--data", data, "--sigma", "0.25", "--n", "100", "--seed", "1"];
        smoothtopk([&base[..], &["--batch", "4", "--quiet", "--out", out], more].concat())
    };
    for (model, field, first, second) in [
        ("binary_logit.onnx", "scores", &["--threshold", "0"][..], &["--threshold", "40"][..]),
        ("two_outputs.onnx", "output", &["--output", "coarse"], &["--output", "fine"]),
        ("linear2.onnx", "input_max", &["--input-max", "1"], &["--input-max", "64"]),
    ] {
        let run = dir.path().join(model);
        ok(&certify(model, &run, first));
        let before = files(&run);
        let output = certify(model, &run, second);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{model}: {stderr}");
        // Another output has another number of labels, another range another grid: these are told first.
        let told = ["classes", "grid", field].iter().any(|field| stderr.contains(&format!("smoothtopk: {field}: ")));
        assert!(told, "{model}: {stderr}");
        assert_eq!(files(&run), before, "{model}");
    }
}

#[test]
fn a_run_of_format_1_is_gone_on_with_and_read() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let arguments = digits("certify", &["--n", "500", "--max", "4", "--quiet", "--out", run.to_str().unwrap()]);
    ok(&smoothtopk(&arguments));
    let whole = files(&run);
    let mut manifest: serde_json::Value = serde_json::from_str(&whole["manifest.json"]).unwrap();
    let fields = manifest.as_object_mut().unwrap();
    fields.insert("format".into(), 1.into());
    for later in [
        "rule",
        "timeout",
        "guarantee",
        "alpha_total",
        "statements",
        "alpha_noise",
        "generator",
        "key_sha256",
        "levels",
    ] {
        fields.remove(later).unwrap();
    }
    let old = manifest.to_string();
    fs::write(run.join("manifest.json"), &old).unwrap();
    let rows = fs::read(run.join("k1.tsv")).unwrap();
    fs::write(run.join("k1.tsv"), &rows[..rows.len() - 40]).unwrap();
    ok(&smoothtopk(&arguments));
    let mut resumed = files(&run);
    assert_eq!(resumed.insert("manifest.json".into(), whole["manifest.json"].clone()), Some(old));
    assert!(resumed == whole);
    ok(&smoothtopk(["radius", "--counts", run.join("counts.tsv").to_str().unwrap()]));
    ok(&smoothtopk(["report", run.to_str().unwrap(), "--out", dir.path().join("report").to_str().unwrap()]));
}
