use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;
use smoothtopk::certificate::Query;
use smoothtopk::counts::Counts;
use smoothtopk::noise::{Grid, Noise, Source};
use smoothtopk::record::{Asked, LabelSource, Record};
use smoothtopk::{Error, ErrorKind};

use super::manifest::tests::example as manifest_example;
use super::*;

const SEED: Source = Source::Philox { seed: u64::MAX };

fn manifest() -> Manifest {
    let noise = Noise::on_grid(0.25, Grid::for_range(1.0, 0.25).expect("grid"), u64::MAX).expect("noise");
    let perturbation = smoothtopk::counts::Perturbation::of(&noise, 4);
    Manifest { secret_sha256: secret_sha256(&SEED), perturbation, ..manifest_example() }
}

fn guarantees() -> Manifest {
    Manifest { guarantee: true, label_source: LabelSource::SameCounts, ..manifest() }
}

/// The record of the i-th example. Its label, 3, has fewer samples from one to the next, and in the last none.
fn record(manifest: &Manifest, i: usize) -> Record {
    let n = 1000;
    let of_label = if i < 9 { n - 3 * i } else { 0 };
    let form = json!({
        "format": "smoothtopk-counts", "version": "1.0", "labels": [i, n - of_label - i, 0, of_label], "n": n,
        "perturbation": manifest.perturbation, "ending": {"kind": "fixed"}, "seen": true, "chose": false,
        "draws": [{
            "generator": "philox4x32-10", "secret_sha256": manifest.secret_sha256, "stream": 3 * i,
            "purpose": if manifest.guarantee { "answer" } else { "estimate" },
            "samples": [[0, n]],
        }],
        "subject": {
            "model_sha256": "aa", "reading": null, "arithmetic": null, "provider": null, "input_sha256": null,
        },
    });
    let counts = Counts::from_json(&form.to_string()).expect("counts");
    let certificate = |&k: &usize| {
        let found = counts.certify(&Query { k, ..Query::of_label(3) }).expect("a certificate");
        json!({
            "k": k, "label": 3, "decision": "complete", "radius": found.radius, "certified": found.certified(),
            "p_lower": found.p_lower.p, "p_upper": found.p_upper.p, "set_size": found.set_size, "allocation": "ranked",
            "validity": "fixed", "alpha_left": found.basis.alpha_left, "radius_cost": found.basis.radius_cost,
            "n": n, "counts": null,
        })
    };
    let guarantee = |&k: &usize| {
        let found = counts.guarantee(None, k, 0.001).expect("a guarantee");
        let (basis, kept) = (found.basis(), found.kept.iter().map(|kept| kept.as_ref().map(|kept| kept.radius)));
        json!({
            "k": k, "labels": found.labels(), "decision": "complete",
            "label_radii": found.each.labels.iter().map(|label| label.radius).collect::<Vec<_>>(),
            "set_radius": found.set.radius, "kept_radii": kept.collect::<Vec<_>>(), "first_radius": found.first.radius,
            "ranking_radius": found.ranking.radius, "validity": "fixed", "alpha_left": basis.alpha_left,
            "radius_cost": basis.radius_cost, "n": n, "counts": null,
        })
    };
    let ks = &manifest.request.k;
    let (certificates, guarantees): (Vec<_>, Vec<_>) = match manifest.guarantee {
        true => (Vec::new(), ks.iter().map(guarantee).collect()),
        false => (ks.iter().map(certificate).collect(), Vec::new()),
    };
    let record = json!({
        "format": "smoothtopk-record", "version": "1.0", "program_version": "0.1.0", "index": 3 * i, "true_label": 3,
        "task": if manifest.guarantee { "certify_answer" } else { "certify" }, "status": "OK", "error": null,
        "request": manifest.request, "label": 3, "label_source": manifest.label_source, "certificates": certificates,
        "guarantees": guarantees, "counts": form, "selection": null, "samples_drawn": n, "early_stop": null,
        "seconds": i as f64 * 1e-6, "model": manifest.model,
    });
    serde_json::from_value(record).expect("a record")
}

/// Appends the rest of the ten examples.
fn complete(path: &Path, manifest: &Manifest) {
    let mut run = RunDir::open(path, manifest, &SEED).expect("opens");
    for i in (0..10).filter(|i| !run.done().contains(&(3 * i))).collect::<Vec<_>>() {
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
    assert_eq!(line("counts.tsv", 2), "2\t4\t0\t994\t3");
    assert_eq!(line("k1.tsv", 0), "idx\tlabel\tpredict\tradius\tcorrect\ttime");
    let radius = |i: usize, k: usize| record(&manifest(), i).certificates[k].radius;
    assert!(radius(2, 0) > 0.1);
    assert_eq!(line("k1.tsv", 3), format!("6\t3\t3\t{}\t1\t0:00:00.000002", radius(2, 0)));
    assert_eq!(line("k3.tsv", 10), "27\t3\t-1\t0\t0\t0:00:00.000009");
    for name in ["manifest.json", "records.jsonl"] {
        assert!(!String::from_utf8_lossy(&files[name]).contains(&u64::MAX.to_string()), "{name} holds the seed");
    }
    let run = ReadRun::open(&path, Proof::Needed).expect("reads");
    assert_eq!((run.manifest, run.name.as_str(), run.examples.len()), (Some(manifest()), "RUN", 10));
    assert_eq!(run.examples[5].row(1).radius.to_bits(), radius(5, 1).to_bits());
    assert_eq!(manifest().source(&path).expect("the seed"), SEED);
}

#[test]
fn guarantees_have_a_view_of_their_own() {
    let (_folder, path) = folder();
    complete(&path, &guarantees());
    let text = std::fs::read_to_string(path.join("answer_k3.tsv")).expect("text");
    assert_eq!(text.lines().next(), Some("idx\tlabel\tlabels\tset\tkept\teach\tfirst\tranking\ttime"));
    let found = &record(&guarantees(), 2).guarantees[1];
    let each = found.label_radii.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    // One label is outside: two of three stay whatever happens.
    let start = format!("6\t3\t3,1,0\t{}\tinf,inf,{}\t{each}\t", found.set_radius, found.set_radius);
    assert!(text.lines().nth(3).is_some_and(|line| line.starts_with(&start)), "{start}: {text}");
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
        let (places, found) = records::find(&path, &manifest()).expect("scans");
        assert_eq!((places.len(), found), (whole_lines, end), "cut at {cut}");
        // Each writes to the disk: around the ends of lines, and some between.
        if cut % 97 != 0 && !ends.iter().any(|end| end.abs_diff(cut) < 3) {
            continue;
        }
        let run = RunDir::open(&path, &manifest(), &SEED).expect("resumes");
        assert_eq!(run.done().len(), whole_lines, "cut at {cut}");
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
    assert_eq!(RunDir::open(&path, &manifest(), &SEED).expect("resumes").done().len(), 10);
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
    for (text, says) in [
        (changed("\"radius\":0.0", "\"radius\":\"x\""), "(at \"radius\")"),
        (changed("\"radius\":0.0", "\"radius\":0.5"), "radius: of k = 1 is 0.5, and certified is false"),
        (
            changed("\"radius\":0.0,\"certified\":false", "\"radius\":9.9,\"certified\":true"),
            "radius: of k = 1 is 9.9, and its counts give 0",
        ),
        (changed("\"label\":3,\"decision\"", "\"label\":1,\"decision\""), "label: of k = 1 is 1, and 3 was fixed"),
        (changed("\"p_lower\":0.0", "\"p_lower\":0.5"), "p_lower: of k = 1 is 0.5"),
        (changed("\"index\":27", "\"index\":26"), "index: is 26, which is none of the 10 examples"),
        (changed("\"index\":27", "\"index\":24"), "index: is 24 again, as in line 9"),
        (changed("\"index\":27", "\"index\":30"), "index: is 30, which is none of the 10 examples"),
        (changed("\"alpha\":0.001", "\"alpha\":0.01"), "request: is not the RUN's"),
        (changed("\"n\":1000,\"perturbation\"", "\"n\":999,\"perturbation\""), "n: is 999, and the draws have 1000"),
        (changed("\"radius_cost\":", "\"radius_cost\":2,\"radius_cost\":"), "radius_cost"),
        (changed("\"step\":", "\"step\":3"), "perturbation: the costs"),
        (changed("\"seen\":", "\"later\":1,\"seen\":"), "later"),
        (changed("\"k\":3,\"label\"", "\"k\":2,\"label\""), "certificates: must be those for k = [1, 3]"),
        (changed("\"stream\":27", "\"stream\":24"), "draws: are of the stream 24"),
        (changed("}", ""), "line 10"),
        (whole.clone() + &whole[..whole.find('\n').expect("a line") + 1], "line 11: index: is 0 again, as in line 1"),
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
        let error = ReadRun::open(&path, Proof::Needed).expect_err(says);
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
    run.append(&record(&manifest(), 1)).expect("the second");
    let none = Record { index: Some(30), ..record(&manifest(), 9) };
    for record in [record(&manifest(), 1), none, Record { index: None, ..record(&manifest(), 2) }] {
        assert_eq!(run.append(&record).expect_err("no example, or again").kind(), ErrorKind::Internal);
    }
    assert_eq!(std::fs::read_to_string(path.join(RECORDS)).expect("records").lines().count(), 1);
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
    let run = ReadRun::open(&other, Proof::Needed).expect("reads");
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
        let error = ReadRun::open(&other, Proof::Needed).expect_err(says);
        assert!(error.kind() == ErrorKind::InvalidData && error.message().contains(says), "{error}");
    }
    std::fs::write(&other, "idx,label\n").expect("file");
    assert!(ReadRun::open(&other, Proof::Needed).expect_err("columns").message().contains("no column `idx`"));
    assert_eq!(ReadRun::open(&path, Proof::Needed).expect_err("nothing").kind(), ErrorKind::NotFound);
    std::fs::create_dir_all(&path).expect("folder");
    assert!(ReadRun::open(&path, Proof::Needed).expect_err("empty").message().contains("not a RUN"));
    std::fs::write(path.join(MANIFEST), manifest().to_json().expect("text")).expect("manifest");
    assert!(ReadRun::open(&path, Proof::Needed).expect("no example yet").examples.is_empty());
    // One that is being written: half a line at its end is left out.
    complete(&path, &manifest());
    let whole = std::fs::read(path.join(RECORDS)).expect("records");
    std::fs::write(path.join(RECORDS), &whole[..whole.len() - 5]).expect("cut");
    assert_eq!(ReadRun::open(&path, Proof::Needed).expect("reads").examples.len(), 9);
}

#[test]
fn what_failed_is_named_and_comes_last_when_it_is_mended() {
    let (_folder, path) = folder();
    let mut run = RunDir::open(&path, &manifest(), &SEED).expect("opens");
    for i in (0..10).filter(|i| *i != 4) {
        run.append(&record(&manifest(), i)).expect("appends");
    }
    run.fail(12, "cat/a\tb.png", &Error::data("data", "cut\nshort")).expect("notes it");
    run.close().expect("closes");
    let read = ReadRun::open(&path, Proof::Needed).expect("reads");
    assert_eq!((read.examples.len(), &read.failed[..]), (9, &["cat/a b.png: data: cut short".to_owned()][..]));
    let mut run = RunDir::open(&path, &manifest(), &SEED).expect("resumes");
    assert!(!run.done().contains(&12) && !path.join("k1.tsv").exists());
    run.append(&record(&manifest(), 4)).expect("appends");
    run.close().expect("closes");
    let read = ReadRun::open(&path, Proof::Needed).expect("reads");
    assert_eq!(
        read.examples.iter().map(|example| example.idx).collect::<Vec<_>>(),
        (0..10).map(|i| 3 * i).collect::<Vec<_>>()
    );
    assert!(read.failed.is_empty());
    let whole = |name: &str| std::fs::read_to_string(path.join(name)).expect("text");
    let last: serde_json::Value = serde_json::from_str(whole(RECORDS).lines().last().expect("a line")).expect("JSON");
    assert_eq!(last["index"], 12);
    assert!(whole("k1.tsv").lines().nth(5).is_some_and(|line| line.starts_with("12\t")), "views are in order");
}

#[test]
fn altered_guarantees_are_refused() {
    let (_folder, path) = folder();
    complete(&path, &guarantees());
    let whole = std::fs::read_to_string(path.join(RECORDS)).expect("text");
    for field in ["set_radius", "first_radius", "ranking_radius", "label_radii", "kept_radii", "labels"] {
        let alter = |line: &str| -> String {
            let mut record: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let found = &mut record["guarantees"][1][field];
            *found = match field {
                "labels" => json!([0, 1, 2]),
                "label_radii" => json!([0.9, 0.0, 0.0]),
                "kept_radii" => json!([null, null, null]),
                _ => json!(0.9),
            };
            format!("{record}\n")
        };
        std::fs::write(path.join(RECORDS), whole.lines().map(alter).collect::<String>()).expect("write");
        let error = ReadRun::open(&path, Proof::Needed).expect_err(field);
        assert!(error.message().contains(&format!("line 1: {field}: of k = 3")), "{error}");
    }
}

#[test]
fn a_run_that_is_held_is_told_from_other_errors() {
    let (_folder, path) = folder();
    let _run = RunDir::open(&path, &manifest(), &SEED).expect("opens");
    assert_eq!(RunDir::open(&path, &manifest(), &SEED).expect_err("held").field(), Some(LOCKED));
}
