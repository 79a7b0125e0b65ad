//! The command line end to end, as a user runs it: certify, predict, resuming after kills, and bad input.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use common::{npz, shared, smoothtopk};
use rand::{Rng, RngExt, SeedableRng};

fn root(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).to_string_lossy().into_owned()
}

fn model() -> String {
    root("demo/digits_mlp_sigma0.25.onnx")
}

fn data() -> String {
    root("demo/digits_test200.npz")
}

fn digits(command: &str, more: &[&str]) -> Vec<String> {
    let (model, data) = (model(), data());
    let base = [
        command,
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
    ];
    base.iter().chain(more).map(ToString::to_string).collect()
}

fn ok(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "exit {:?}: {stderr}", output.status.code());
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The files of a RUN, without the last column (time) of the k files.
fn files(run: &Path) -> BTreeMap<String, String> {
    fs::read_dir(run)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "tsv" || ext == "json"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let mut text = fs::read_to_string(&path).unwrap();
            if name.starts_with('k') {
                text = text.lines().map(|line| line.rsplit_once('\t').unwrap().0.to_owned() + "\n").collect();
            }
            (name, text)
        })
        .collect()
}

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
    let unlabelled = dir.path().join("unlabelled.npz");
    npz(&unlabelled, &[5, 64], &common::digit_pixels(5), None);
    let run = dir.path().join("run");
    let (model, data) = (model(), unlabelled.to_string_lossy().into_owned());
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
fn ctrl_c_keeps_what_is_finished_and_says_so() {
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
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("of 200 examples are kept"), "{stderr}");
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

/// Exit code, and what the one line on stderr must say.
#[test]
fn bad_input_gets_one_clear_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let pixels = common::digit_pixels(2);
    let truncated = path("truncated.onnx");
    let bytes = fs::read(model()).unwrap();
    fs::write(&truncated, &bytes[..bytes.len() / 2]).unwrap();
    let mut with_nan = pixels.clone();
    with_nan[70] = f32::NAN;
    npz(Path::new(&path("nan.npz")), &[2, 64], &with_nan, Some(&[1, 2]));
    npz(Path::new(&path("shape.npz")), &[2, 63], &pixels[..126], None);
    npz(Path::new(&path("labels.npz")), &[2, 64], &pixels, Some(&[1, 10]));
    npz(Path::new(&path("few_labels.npz")), &[2, 64], &pixels, Some(&[1]));
    fs::write(path("not.npz"), "no zip").unwrap();
    fs::write(path("counts.txt"), "1 2 3 1\n1 x 3 1\n").unwrap();
    fs::create_dir(path("other")).unwrap();
    fs::write(path("other/precious.txt"), "mine").unwrap();

    let certify = |changes: &[(&str, &str)]| {
        let mut arguments = digits("certify", &["--n", "100", "--max", "2", "--k", "1", "--quiet"]);
        arguments.extend(["--out".to_owned(), path("run")]);
        for (name, value) in changes {
            match arguments.iter().position(|argument| argument == name) {
                Some(at) => arguments[at + 1] = (*value).to_owned(),
                None => arguments.extend([(*name).to_owned(), (*value).to_owned()]),
            }
        }
        arguments
    };
    let strings = |arguments: &[&str]| arguments.iter().map(ToString::to_string).collect::<Vec<_>>();
    let cases: Vec<(Vec<String>, i32, &[&str])> = vec![
        (certify(&[("--model", &path("none.onnx"))]), 1, &["none.onnx"]),
        (certify(&[("--model", &truncated)]), 1, &["truncated.onnx"]),
        (certify(&[("--data", &path("none.npz"))]), 1, &["none.npz"]),
        (certify(&[("--data", &path("not.npz"))]), 1, &["not.npz"]),
        (certify(&[("--data", &path("nan.npz"))]), 1, &["example 1", "NaN"]),
        (certify(&[("--data", &path("shape.npz"))]), 1, &["[63]", "[1, 8, 8]"]),
        (certify(&[("--data", &path("labels.npz"))]), 1, &["example 1", "10"]),
        (certify(&[("--data", &path("few_labels.npz"))]), 1, &["labels"]),
        (certify(&[("--sigma", "0")]), 2, &["sigma", "> 0"]),
        (certify(&[("--sigma", "-1")]), 2, &["sigma"]),
        (certify(&[("--sigma", "nan")]), 2, &["sigma"]),
        (certify(&[("--sigma", "abc")]), 2, &["sigma"]),
        (certify(&[("--alpha", "0")]), 2, &["alpha"]),
        (certify(&[("--alpha", "1")]), 2, &["alpha"]),
        (certify(&[("--n", "0")]), 2, &["n"]),
        (certify(&[("--k", "10")]), 2, &["k", "10"]),
        (certify(&[("--k", "0")]), 2, &["k"]),
        (certify(&[("--bound", "best")]), 2, &["bound", "ranked"]),
        (certify(&[("--batch", "0")]), 2, &["batch"]),
        (certify(&[("--threads", "0")]), 2, &["threads"]),
        (certify(&[("--input-scale", "0")]), 2, &["input-scale"]),
        (certify(&[("--provider", "gpu")]), 2, &["provider"]),
        (certify(&[("--provider", "cuda")]), 1, &["cuda"]),
        (certify(&[("--out", &path("other"))]), 2, &["other"]),
        (
            strings(&["radius", "--counts", &path("counts.txt"), "--sigma", "0.25", "--alpha", "0.001"]),
            1,
            &["line 2", "x"],
        ),
        (strings(&["radius", "--counts", &path("no.txt"), "--sigma", "0.25", "--alpha", "0.001"]), 1, &["no.txt"]),
        (strings(&["report", &path("no-run"), "--out", &path("report")]), 1, &["no-run"]),
        (strings(&["inspect", &truncated]), 1, &["truncated.onnx"]),
        (strings(&["plan", "--sigma", "0", "--k", "1"]), 2, &["sigma"]),
        (strings(&["frobnicate"]), 2, &["frobnicate"]),
        (strings(&["certify"]), 2, &["--model"]),
    ];
    for (arguments, code, says) in cases {
        let output = smoothtopk(&arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(
            stderr.starts_with("smoothtopk: ") && stderr.trim_end().lines().count() == 1,
            "{arguments:?}: {stderr}"
        );
        for word in says {
            assert!(stderr.to_lowercase().contains(&word.to_lowercase()), "{arguments:?} must say {word:?}: {stderr}");
        }
        assert!(!PathBuf::from(path("run")).join("k1.tsv").exists(), "{arguments:?} wrote a run");
    }
    assert_eq!(fs::read_to_string(path("other/precious.txt")).unwrap(), "mine");
}

#[test]
fn cifar10_resnet20_is_certified() {
    let (Some(model), Some(data)) =
        (shared("models/cifar10_resnet20_sigma0.25.onnx"), shared("data/cifar10_test500.npz"))
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    ok(&smoothtopk([
        "certify",
        "--model",
        &model,
        "--data",
        &data,
        "--input-scale",
        "255",
        "--sigma",
        "0.25",
        "--k",
        "1,3,5",
        "--n",
        "1000",
        "--seed",
        "7",
        "--skip",
        "50",
        "--quiet",
        "--out",
        run.to_str().unwrap(),
    ]));
    // Ten examples of a model trained with this noise: the published accuracies at k = 1, 3, 5 are far above half.
    let certified = |k: usize| {
        let text = fs::read_to_string(run.join(format!("k{k}.tsv"))).unwrap();
        assert_eq!(text.lines().count(), 11);
        text.lines().skip(1).filter(|line| line.split('\t').nth(4) == Some("1")).count()
    };
    let (one, three, five) = (certified(1), certified(3), certified(5));
    assert!(one >= 4 && three >= one && five >= three && five >= 8, "{one} {three} {five} of 10");
}

#[test]
fn imagenet_photographs_get_thousand_label_certificates() {
    let (Some(model), Some(data)) = (shared("models/efficientnet_lite0.onnx"), shared("data/imagenet_photos.npz"))
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    ok(&smoothtopk([
        "certify",
        "--model",
        &model,
        "--data",
        &data,
        "--input-scale",
        "255",
        "--sigma",
        "0.25",
        "--k",
        "5",
        "--n",
        "200",
        "--alpha",
        "0.001",
        "--seed",
        "7",
        "--batch",
        "2",
        "--quiet",
        "--out",
        run.to_str().unwrap(),
    ]));
    let counts = fs::read_to_string(run.join("counts.tsv")).unwrap();
    for line in counts.lines() {
        let numbers: Vec<u64> = line.split('\t').map(|number| number.parse().unwrap()).collect();
        assert_eq!((numbers.len(), numbers[..1000].iter().sum::<u64>()), (1001, 200));
    }
    assert_eq!(fs::read_to_string(run.join("k5.tsv")).unwrap().lines().count(), 4);
}
