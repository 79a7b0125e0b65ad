use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;
use smoothtopk::ErrorKind;
use smoothtopk::noise::{Grid, Noise, Source};
use smoothtopk::record::{Asked, Record};

use super::manifest::tests::example as manifest_example;
use super::*;

const SEED: Source = Source::Philox { seed: u64::MAX };

fn manifest() -> Manifest {
    let noise = Noise::on_grid(0.25, Grid::for_range(1.0, 0.25).expect("grid"), u64::MAX).expect("noise");
    let perturbation = smoothtopk::counts::Perturbation::of(&noise, 4);
    Manifest { secret_sha256: secret_sha256(&SEED), perturbation, ..manifest_example() }
}

/// The record of the i-th example.
fn record(manifest: &Manifest, i: usize) -> Record {
    let counts = |purpose: &str, n: usize| {
        json!({
            "format": "smoothtopk-counts", "version": "1.0", "labels": [i, 2 * i, 0, n - 3 * i], "n": n,
            "perturbation": manifest.perturbation, "ending": {"kind": "fixed"}, "seen": true, "chose": false,
            "draws": [{
                "generator": "philox4x32-10", "secret_sha256": manifest.secret_sha256, "stream": 3 * i,
                "purpose": purpose,
                "samples": [[0, n]],
            }],
            "subject": {
                "model_sha256": "aa", "reading": null, "arithmetic": null, "provider": null, "input_sha256": null,
            },
        })
    };
    let certificate = |&k: &usize| {
        let radius = if i.is_multiple_of(3) { 0.0 } else { 0.1 * i as f64 };
        json!({
            "k": k, "label": i % 4, "decision": "complete", "radius": radius, "certified": radius > 0.0, "p_lower": 0.5,
            "p_upper": 0.1, "set_size": 1, "allocation": "ranked", "validity": "fixed", "alpha_left": 0.001,
            "radius_cost": 1e-5,
            "n": 1000, "counts": null,
        })
    };
    let guarantee = |&k: &usize| {
        json!({
            "k": k, "labels": (0..k).collect::<Vec<_>>(), "decision": "complete", "label_radii": vec![0.25; k],
            "set_radius": 0.1,
            "kept_radii": vec![None::<f64>; k], "first_radius": 0.5, "ranking_radius": 0.0, "validity": "fixed",
            "alpha_left": 0.001, "radius_cost": 1e-5, "n": 1000, "counts": null,
        })
    };
    let ks = &manifest.request.k;
    let (certificates, guarantees): (Vec<_>, Vec<_>) = match manifest.guarantee {
        true => (Vec::new(), ks.iter().map(guarantee).collect()),
        false => (ks.iter().map(certificate).collect(), Vec::new()),
    };
    let record = json!({
        "format": "smoothtopk-record", "version": "1.0", "program_version": "0.1.0", "index": 3 * i,
        "true_label": i % 4,
        "task": if manifest.guarantee { "certify_answer" } else { "certify" }, "status": "OK", "error": null,
        "request": manifest.request, "label": i % 4, "label_source": "given", "certificates": certificates,
        "guarantees": guarantees,
        "counts": counts("estimate", 1000), "selection": null, "samples_drawn": 1000, "early_stop": null,
        "seconds": i as f64 * 1e-6, "model": manifest.model,
    });
    serde_json::from_value(record).expect("a record")
}

/// Appends the rest of the ten examples.
fn complete(path: &Path, manifest: &Manifest) {
    let mut run = RunDir::open(path, manifest, &SEED).expect("opens");
    for i in run.done()..10 {
        run.append(&record(manifest, i)).expect("appends");
    }
    run.close().expect("closes");
}

fn files(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(path).expect("folder").map(|entry| entry.expect("entry"));
    entries.map(|e| (e.file_name().display().to_string(), std::fs::read(e.path()).expect("bytes"))).collect()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("RUN");
    (folder, path)
}

#[test]
fn a_run_holds_what_was_appended() {
    let (_folder, path) = folder();
    complete(&path, &manifest());
    let files = files(&path);
    let names = [".lock", "counts.tsv", "k1.tsv", "k3.tsv", "manifest.json", "philox.seed", "records.jsonl"];
    assert_eq!(files.keys().collect::<Vec<_>>(), names);
    let line = |name: &str, i: usize| String::from_utf8_lossy(&files[name]).lines().nth(i).map(str::to_owned).unwrap();
    assert_eq!(line("counts.tsv", 2), "2\t4\t0\t994\t2");
    assert_eq!(line("k1.tsv", 0), "idx\tlabel\tpredict\tradius\tcorrect\ttime");
    assert_eq!(line("k1.tsv", 3), "6\t2\t2\t0.2\t1\t0:00:00.000002");
    assert_eq!(line("k3.tsv", 4), "9\t3\t-1\t0\t0\t0:00:00.000003");
    for name in ["manifest.json", "records.jsonl"] {
        assert!(!String::from_utf8_lossy(&files[name]).contains(&u64::MAX.to_string()), "{name} holds the seed");
    }
    let run = ReadRun::open(&path).expect("reads");
    assert_eq!((run.manifest, run.name.as_str(), run.examples.len()), (Some(manifest()), "RUN", 10));
    assert_eq!(run.examples[5].row(1).radius.to_bits(), (0.1f64 * 5.0).to_bits());
    assert_eq!(manifest().source(&path).expect("the seed"), SEED);
}

#[test]
fn guarantees_have_a_view_of_their_own() {
    let (_folder, path) = folder();
    complete(&path, &Manifest { guarantee: true, ..manifest() });
    let text = std::fs::read_to_string(path.join("answer_k3.tsv")).expect("text");
    assert_eq!(text.lines().next(), Some("idx\tlabel\tlabels\tset\tkept\teach\tfirst\tranking\ttime"));
    let line = "6\t2\t0,1,2\t0.1\tinf,inf,inf\t0.25,0.25,0.25\t0.5\t0\t0:00:00.000002";
    assert_eq!(text.lines().nth(3), Some(line));
    let counts = std::fs::read_to_string(path.join("counts.tsv")).expect("text");
    assert_eq!(counts.lines().nth(2), Some("2\t4\t0\t994\t-1"), "no label was fixed before these samples");
}

#[test]
fn a_kill_at_any_byte_loses_at_most_the_line_being_written() {
    let (_folder, path) = folder();
    complete(&path, &manifest());
    let whole = files(&path);
    let records = &whole[RECORDS];
    let ends: Vec<usize> = (0..records.len()).filter(|&i| records[i] == b'\n').collect();
    // Every byte of the last two lines, and the first ones.
    for cut in (0..9).chain(ends[7]..=records.len()) {
        std::fs::write(path.join(RECORDS), &records[..cut]).expect("cut");
        let whole_lines = ends.iter().filter(|&&end| end < cut).count();
        let end = records[..cut].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end as u64 + 1);
        assert_eq!(records::whole_lines(&path, &manifest()).expect("scans"), (whole_lines, end), "cut at {cut}");
        // Each writes to the disk: around the ends of lines, and some between.
        if cut % 97 != 0 && !ends.iter().any(|end| end.abs_diff(cut) < 3) {
            continue;
        }
        let run = RunDir::open(&path, &manifest(), &SEED).expect("resumes");
        assert_eq!(run.done(), whole_lines, "cut at {cut}");
        assert!(cut == records.len() || !path.join("k1.tsv").exists(), "a view is out of date");
        drop(run);
        complete(&path, &manifest());
        assert!(files(&path) == whole, "cut at {cut}");
    }
}

#[test]
fn views_are_written_again_where_one_is_missing() {
    let (_folder, path) = folder();
    complete(&path, &manifest());
    let whole = files(&path);
    std::fs::remove_file(path.join("k3.tsv")).expect("removed");
    complete(&path, &manifest());
    assert!(files(&path) == whole);
}

#[test]
fn a_start_that_was_killed_before_its_manifest_starts_again() {
    let (_folder, path) = folder();
    std::fs::create_dir_all(&path).expect("folder");
    for (name, text) in [(".lock", ""), ("philox.seed", "7\n"), (".manifest.json.tmp", "{ half")] {
        std::fs::write(path.join(name), text).expect("file");
    }
    complete(&path, &manifest());
    assert_eq!(RunDir::open(&path, &manifest(), &SEED).expect("resumes").done(), 10);
    assert_eq!(manifest().source(&path).expect("the seed of the second start"), SEED);
    std::fs::write(path.join("philox.seed"), "7\n").expect("another seed");
    let error = manifest().source(&path).expect_err("another seed");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("seed")));
}

#[test]
fn another_manifest_is_refused_and_changes_nothing() {
    let (_folder, path) = folder();
    complete(&path, &manifest());
    let before = files(&path);
    let other = Manifest { request: Asked { alpha: 0.5, ..manifest().request }, ..manifest() };
    let error = RunDir::open(&path, &other, &SEED).expect_err("alpha");
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidArgument, Some("alpha")));
    assert!(error.message().contains("0.001") && error.message().contains("0.5"), "{error}");
    assert_eq!(files(&path), before);
}

#[test]
fn a_folder_that_is_no_run_or_an_old_one_stays_untouched() {
    for (name, text, says) in [
        ("thesis.tex", "years of work", "thesis.tex"),
        ("manifest.json", "{\"format\": 2, \"program_version\": \"0.1.0\"}", "run again into a new folder"),
    ] {
        let (_folder, path) = folder();
        std::fs::create_dir_all(&path).expect("folder");
        std::fs::write(path.join(name), text).expect("file");
        let before = files(&path);
        let error = RunDir::open(&path, &manifest(), &SEED).expect_err("foreign");
        assert!(error.message().contains(says), "{error}");
        assert_eq!(files(&path), before);
    }
}

#[test]
fn damage_is_refused_naming_line_and_field() {
    let (_folder, path) = folder();
    complete(&path, &manifest());
    let whole = std::fs::read_to_string(path.join(RECORDS)).expect("text");
    let lines: Vec<&str> = whole.lines().collect();
    let changed = |from: &str, to: &str| {
        let last = lines[9].replacen(from, to, 1);
        assert_ne!(last, lines[9], "{from}");
        lines[..9].iter().map(|line| format!("{line}\n")).collect::<String>() + &last + "\n"
    };
    let missing: String = lines[..3].iter().chain(&lines[4..]).map(|line| format!("{line}\n")).collect();
    for (text, says) in [
        (changed("\"radius\":0.0", "\"radius\":\"x\""), "(at \"radius\")"),
        (changed("\"radius\":0.0", "\"radius\":0.5"), "radius: of k = 1 is 0.5, and certified is false"),
        (changed("\"index\":27", "\"index\":26"), "index: is 26, and 27 follows here"),
        (changed("\"alpha\":0.001", "\"alpha\":0.01"), "request: is not the RUN's"),
        (changed("\"n\":1000,\"perturbation\"", "\"n\":999,\"perturbation\""), "n: is 999, and the draws have 1000"),
        (changed("\"radius_cost\":", "\"radius_cost\":2,\"radius_cost\":"), "radius_cost"),
        (changed("\"step\":", "\"step\":3"), "perturbation: the costs"),
        (changed("\"seen\":", "\"later\":1,\"seen\":"), "later"),
        (changed("\"k\":3,\"label\"", "\"k\":2,\"label\""), "certificates: must be those for k = [1, 3]"),
        (changed("}", ""), "line 10"),
        (whole.clone() + &whole[..whole.find('\n').expect("a line") + 1], "line 11: index: is 0, past the 10 examples"),
        (missing, "index: is 27, and 24 follows here"),
    ] {
        std::fs::write(path.join(RECORDS), &text).expect("write");
        let before = files(&path);
        let error = RunDir::open(&path, &manifest(), &SEED).expect_err(says);
        let line = text.lines().count();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(
            error.message().contains(says) && error.message().contains(&format!("line {line}: ")),
            "{says}: {error}"
        );
        assert_eq!(files(&path), before);
        // What is not resumed is not reported either, and that names the first damaged line.
        let error = ReadRun::open(&path).expect_err(says);
        assert!(error.message().contains("records.jsonl, line "), "{error}");
    }
}

#[test]
fn only_one_process_writes_a_run() {
    let (_folder, path) = folder();
    let run = RunDir::open(&path, &manifest(), &SEED).expect("opens");
    let error = RunDir::open(&path, &manifest(), &SEED).expect_err("locked");
    assert!(error.message().contains("another process"), "{error}");
    drop(run);
    RunDir::open(&path, &manifest(), &SEED).expect("free again");
}

#[test]
fn the_record_of_another_example_is_not_written() {
    let (_folder, path) = folder();
    let mut run = RunDir::open(&path, &manifest(), &SEED).expect("opens");
    assert_eq!(run.append(&record(&manifest(), 1)).expect_err("the second").kind(), ErrorKind::Internal);
    assert_eq!(std::fs::read(path.join(RECORDS)).expect("records"), b"");
}

#[test]
fn runs_of_other_tools_and_unfinished_ones_are_read() {
    let (folder, path) = folder();
    let other = folder.path().join("cohen.tsv");
    std::fs::write(
        &other,
        "idx\tlabel\tpredict\tradius\tcorrect\ttime\n0\t3\t3\t0.55\t1\t0:00:10\n20\t8\t-1\t0.0\t0\t0:00:09\n40\t1\t2\t0.5\t0\t0:00:09",
    )
    .expect("file");
    let run = ReadRun::open(&other).expect("reads");
    assert_eq!((run.name.as_str(), run.manifest), ("cohen", None));
    // Many a tool ends its last line without a newline.
    assert_eq!(run.rows.iter().map(|row| row.predict).collect::<Vec<_>>(), [Some(3), None, Some(2)]);
    let text = std::fs::read_to_string(&other).expect("text");
    for (from, to, says) in [
        ("\t2\t0.5\t0\t0:00:09", "", "cohen.tsv, line 4: has no radius"),
        ("\n40", "\n0", "cohen.tsv, line 4: holds example 0 again, as line 2 does"),
        ("0.0\t0", "0.0\t1", "cohen.tsv, line 3: has 1 for correct, and no predicted label"),
    ] {
        std::fs::write(&other, text.replacen(from, to, 1)).expect("file");
        let error = ReadRun::open(&other).expect_err(says);
        assert!(error.kind() == ErrorKind::InvalidData && error.message().contains(says), "{error}");
    }
    std::fs::write(&other, "idx,label\n").expect("file");
    assert!(ReadRun::open(&other).expect_err("columns").message().contains("no column `idx`"));
    assert_eq!(ReadRun::open(&path).expect_err("nothing").kind(), ErrorKind::NotFound);
    std::fs::create_dir_all(&path).expect("folder");
    assert!(ReadRun::open(&path).expect_err("empty").message().contains("not a RUN"));
    std::fs::write(path.join(MANIFEST), manifest().to_json().expect("text")).expect("manifest");
    assert!(ReadRun::open(&path).expect("no example yet").examples.is_empty());
    // One that is being written: half a line at its end is left out.
    complete(&path, &manifest());
    let whole = std::fs::read(path.join(RECORDS)).expect("records");
    std::fs::write(path.join(RECORDS), &whole[..whole.len() - 5]).expect("cut");
    assert_eq!(ReadRun::open(&path).expect("reads").examples.len(), 9);
}
