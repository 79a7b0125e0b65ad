//! A run is written in the field's format, survives kills and Ctrl-C, and is refused under another manifest.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::{Rng, RngExt, SeedableRng};

use crate::common::{self, npz, root, smoothtopk};
use crate::{change_records, digits, files, model, ok, records, refused, text};

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
    for (key, value) in [
        ("noise", "\"gaussian:0.25\""),
        ("norm", "\"l2\""),
        ("n", "2000"),
        ("allocation", "\"ranked\""),
        ("rule", "\"fixed\""),
    ] {
        assert_eq!(manifest["request"][key].to_string(), value, "{key}");
    }
    assert_eq!((&manifest["format"], &manifest["model"]["provider"]), (&4.into(), &"cpu".into()));
    let all = records(&run);
    assert_eq!(all.len(), 12);
    for record in &all {
        assert_eq!((&record["request"], &record["model"]), (&manifest["request"], &manifest["model"]));
        assert_eq!(record["counts"]["draws"][0]["secret_sha256"], manifest["secret_sha256"]);
    }

    // The same counts give the same radii without the model.
    let table = ok(&smoothtopk(["radius", "--counts", run.join("counts.tsv").to_str().unwrap(), "--k", "1,2,3"]));
    assert_eq!(table, ok(&smoothtopk(["radius", "--counts", out])), "of all k, by any name of the RUN");
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
    let records = |run: &Path| fs::read_to_string(run.join("records.jsonl")).map_or(0, |text| text.lines().count());
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
        if kill % 2 == 1 {
            // However busy the machine is, these come while records are written.
            let before = seen.last().copied().unwrap_or(0);
            while records(&killed) <= before && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        std::thread::sleep(Duration::from_millis(random.random_range(0..100)));
        // Child::kill is SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        seen.push(records(&killed));
        if random.next_u32() % 3 == 0 {
            // As if the kill had come in the middle of a write.
            let path = killed.join("records.jsonl");
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
fn signals_keep_what_is_finished_and_say_so() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        // Where the tests run in the background, their children ignore it, as they should.
        if common::is_ignored(code - 128) {
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        let child = Command::new(env!("CARGO_BIN_EXE_smoothtopk"))
            .args(digits("certify", &["--n", "2000000", "--out", run.to_str().unwrap()]))
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        while !run.join("records.jsonl").exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(300));
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{signal}: {stderr}");
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
        ("guarantee", &["--n", "500", "--max", "3", "--guarantee"][..]),
        ("n", &["--n", "501", "--max", "3"]),
        ("alpha", &["--n", "500", "--max", "3", "--alpha", "0.01"]),
        ("allocation", &["--n", "500", "--max", "3", "--allocation", "simuem"]),
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
        assert!(stderr.contains(&format!("smoothtopk: {field}: ")), "{model}: {stderr}");
        assert_eq!(files(&run), before, "{model}");
    }
}

/// Every byte at which a kill can have ended the last two lines.
#[test]
fn records_cut_at_any_byte_are_resumed_to_the_same_run() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let arguments = digits("certify", &["--n", "60", "--max", "4", "--quiet", "--out", run.to_str().unwrap()]);
    ok(&smoothtopk(&arguments));
    let (whole, bytes) = (files(&run), fs::read(run.join("records.jsonl")).unwrap());
    let ends: Vec<usize> = (0..bytes.len()).filter(|&i| bytes[i] == b'\n').collect();
    // By the program a few of them, for each opens the model again; by the folder alone all (in its own tests).
    for cut in
        [ends[1], ends[1] + 1, ends[1] + 200, ends[2] - 1, ends[2], ends[2] + 1, bytes.len() - 2, bytes.len() - 1]
    {
        fs::write(run.join("records.jsonl"), &bytes[..cut]).unwrap();
        ok(&smoothtopk(&arguments));
        assert!(files(&run) == whole, "cut at {cut}");
    }
}

#[test]
fn a_run_of_an_older_format_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let out = run.to_str().unwrap();
    fs::create_dir(&run).unwrap();
    fs::write(run.join("counts.tsv"), "9900\t100\t0\n").unwrap();
    let old =
        r#"{"format": 2, "program_version": "0.0.9", "n": 10000, "sigma": 0.25, "alpha": 0.001, "bound": "ranked"}"#;
    fs::write(run.join("manifest.json"), old).unwrap();
    let before = files(&run);
    let report = dir.path().join("report");
    for arguments in [
        digits("certify", &["--n", "60", "--max", "4", "--quiet", "--out", out]),
        ["radius", "--counts", run.join("counts.tsv").to_str().unwrap()].map(str::to_owned).to_vec(),
        ["report", out, "--out", report.to_str().unwrap()].map(str::to_owned).to_vec(),
    ] {
        let error = refused(&smoothtopk(&arguments), 1);
        let says = ["format 2", "reads format 4", "wrote the RUN (0.0.9)", "run again into a new folder"];
        assert!(says.iter().all(|part| error.contains(part)), "{error}");
        assert_eq!(files(&run), before);
    }
}

#[test]
fn a_damaged_record_is_refused_naming_line_and_field() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let out = run.to_str().unwrap();
    let arguments = digits("certify", &["--n", "60", "--max", "3", "--quiet", "--out", out]);
    ok(&smoothtopk(&arguments));
    let whole = fs::read(run.join("records.jsonl")).unwrap();
    for (field, value) in [("radius", serde_json::json!("far")), ("p_lower", serde_json::json!(null))] {
        change_records(&run, |i, record| {
            if i == 2 {
                record["certificates"][0][field] = value.clone();
            }
        });
        for command in [arguments.clone(), ["radius", "--counts", out].map(str::to_owned).to_vec()] {
            let error = refused(&smoothtopk(command), 1);
            assert!(error.contains("records.jsonl, line 3: ") && error.contains(field), "{error}");
        }
        fs::write(run.join("records.jsonl"), &whole).unwrap();
    }
    change_records(&run, |i, record| {
        if i == 1 {
            record["counts"]["perturbation"]["radius_cost"] = 0.0.into();
        }
    });
    let error = refused(&smoothtopk(["radius", "--counts", out]), 1);
    assert!(error.contains("records.jsonl, line 2: perturbation: ") && error.contains("damaged"), "{error}");
}

/// What is shown to others names neither the seed nor the key.
#[test]
fn records_and_manifest_hold_no_seed_and_no_key() {
    let dir = tempfile::tempdir().unwrap();
    let (seed, key) = ("7345613420119", "0123456789abcdef".repeat(4));
    for (name, secret, more) in [
        ("philox.seed", seed, ["--seed", seed].to_vec()),
        ("chacha12.key", &*key, ["--generator", "chacha12", "--key", &key].to_vec()),
    ] {
        let run = dir.path().join(name);
        let (model, data) = (model(), crate::data());
        let base = ["certify", "--model", &model, "--data", &data, "--sigma", "0.25", "--n", "60", "--max", "2"];
        let common =
            [&base[..], &["--input-scale", "16", "--batch", "20", "--quiet", "--out"], &[run.to_str().unwrap()]];
        ok(&smoothtopk([&common.concat()[..], &more].concat()));
        assert_eq!(text(run.join(name)).trim(), secret);
        for (file, text) in files(&run) {
            assert!(!text.contains(secret), "{file} holds the secret");
        }
        // Without the file the RUN is read; it is resumed where the secret is given.
        fs::remove_file(run.join(name)).unwrap();
        ok(&smoothtopk(["radius", "--counts", run.to_str().unwrap()]));
        let cut = fs::read(run.join("records.jsonl")).unwrap();
        fs::write(run.join("records.jsonl"), &cut[..cut.len() - 3]).unwrap();
        ok(&smoothtopk([&common.concat()[..], &more].concat()));
        assert_eq!(records(&run).len(), 2);
    }
}
