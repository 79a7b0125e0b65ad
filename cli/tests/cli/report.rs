//! `smoothtopk report`, end to end: tables, curves and plot from runs on disk.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use smoothtopk::counts::Perturbation;
use smoothtopk::noise::{Grid, Noise};
use tempfile::TempDir;

use crate::proven;

const HEADER: &str = "idx\tlabel\tpredict\tradius\tcorrect\ttime\n";

/// Four examples: certified at 0.5 and at 1.25, certified for another label, and not certified; of another tool.
const K1: &str = "0\t3\t3\t0.5\t1\t0:00:01.000000\n1\t4\t4\t1.25\t1\t0:00:01.000000\n\
                  2\t5\t6\t2\t0\t0:00:01.000000\n3\t5\t-1\t0\t0\t0:00:01.000000\n";

/// The same of a RUN: true label, certified label and radius.
const FOUR: [Found; 4] = [(Some(3), 3, 0.5), (Some(4), 4, 1.25), (Some(5), 6, 2.0), (Some(5), 5, 0.0)];
type Found = (Option<usize>, usize, f64);

fn manifest(ks: &[usize], examples: usize, labels: &str) -> Value {
    let grid = Grid::for_range(1.0, 1.0).unwrap();
    json!({
        "format": 4, "model_file": "m|1.onnx", "data_file": "d.npz", "data_sha256": "b", "data_files": null,
        "guarantee": false, "label_source": labels,
        "alpha_total": null,
        "request": {
            "noise": "gaussian:1", "norm": "l2",
            "k": ks, "n": 1000, "n0": 100, "alpha": 0.001, "rule": "fixed", "allocation": "ranked",
            "randomized": false, "input_max": 1.0,
        },
        "timeout": null, "generator": "philox4x32-10", "secret_sha256": "c", "input_scale": 255.0, "resize": null,
        "skip": 1,
        "max": null,
        "reading": {
            "input": "x", "element_shape": [12], "constants": [], "output": "y", "scores": "argmax", "classes": 10,
            "mean": [],
            "std": [],
        },
        "model": {
            "model_sha256": "a", "provider": "cpu", "precision": "float32", "arithmetic": "float32", "fallback": null,
            "onnxruntime_version": "1.24.0",
        },
        "perturbation": Perturbation::of(&Noise::on_grid(1.0, grid, 7).unwrap(), 12),
        "examples": examples, "program_version": "0.1.0",
    })
}

/// A record of the i-th example, from n samples.
fn record(manifest: &Value, i: usize, (truth, label, radius): Found, n: u64, decision: &str) -> Value {
    let certificate = |k: &Value| {
        let k = k.as_u64().unwrap() as usize;
        let mut certificate = proven::certificate(manifest, i, label, k, radius, 1_000_000_000_000);
        certificate["decision"] = decision.into();
        certificate
    };
    let mut record = json!({
        "format": "smoothtopk-record", "version": "1.0", "program_version": "0.1.0", "index": i, "task": "certify",
        "status": "OK",
        "error": null, "request": manifest["request"], "label": label, "label_source": manifest["label_source"],
        "certificates": manifest["request"]["k"].as_array().unwrap().iter().map(certificate).collect::<Vec<_>>(),
        "counts": {
            "format": "smoothtopk-counts", "version": "1.0", "labels": [n, 0, 0, 0, 0, 0, 0, 0, 0, 0], "n": n,
            "perturbation": manifest["perturbation"], "ending": {"kind": "fixed"}, "seen": true, "chose": false,
            "draws": [{
                "generator": "philox4x32-10", "secret_sha256": "c", "stream": i, "purpose": "estimate",
                "samples": [[0, n]],
            }],
            "subject": {
                "model_sha256": null, "reading": null, "arithmetic": null, "provider": null, "input_sha256": null,
            },
        },
        "selection": null, "samples_drawn": n, "early_stop": null, "seconds": 1.0, "model": manifest["model"],
    });
    if let Some(truth) = truth {
        record["true_label"] = truth.into();
    }
    record
}

fn run_folder(folder: &TempDir, name: &str, manifest: &Value, found: &[Found]) {
    let records = found.iter().enumerate().map(|(i, &found)| record(manifest, i, found, 1000, "complete")).collect();
    run_of(folder, name, &manifest.to_string(), records);
}

fn run_of(folder: &TempDir, name: &str, manifest: &str, records: Vec<Value>) {
    let path = folder.path().join(name);
    std::fs::create_dir_all(&path).expect("folder");
    std::fs::write(path.join("manifest.json"), manifest).expect("manifest");
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    std::fs::write(path.join("records.jsonl"), lines).expect("records");
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("folder")
}

fn report(folder: &TempDir, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_smoothtopk"))
        .current_dir(folder.path())
        .arg("report")
        .args(args)
        .output()
        .expect("the program starts")
}

fn files(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(path).expect("folder").map(|entry| entry.expect("entry"));
    entries.map(|e| (e.file_name().display().to_string(), std::fs::read(e.path()).expect("bytes"))).collect()
}

fn text(files: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(files[name].clone()).expect("text")
}

/// Runs that must fail: one line on stderr, nothing on stdout.
fn refused(folder: &TempDir, args: &[&str], code: i32) -> String {
    let output = report(folder, args);
    let error = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(output.stdout.is_empty());
    assert_eq!(error.split("\n\n").next().unwrap_or_default().lines().count(), 1, "{error}");
    error
}

#[test]
fn tables_hold_the_certified_accuracy() {
    let folder = folder();
    run_folder(&folder, "a", &manifest(&[1, 3], 4, "selected"), &FOUR);
    let output = report(&folder, &["a", "--out", "out", "--radii", "0,0.5,0.51,2"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let stdout = String::from_utf8(output.stdout).expect("text");
    assert!(stdout.starts_with("| run | k | examples | abstain | ACR | median | 0 | 0.5 | 0.51 | 2 |\n"), "{stdout}");
    for k in [1, 3] {
        let line = format!("| a | {k} | 4 | 0.250 | 0.438 | 0.000 | 0.500 | 0.500 | 0.250 | 0.000 |");
        assert!(stdout.contains(&line), "{stdout}");
    }
    assert!(
        stdout.contains("| a | m\\|1.onnx | d.npz | gaussian:1 | fixed | philox4x32-10 | selected by n0 samples | 100 | 1000 | 0.001 | ranked | cpu | float32 |"),
        "{stdout}"
    );
    let files = files(&folder.path().join("out"));
    let names: Vec<&String> = files.keys().collect();
    assert_eq!(
        names,
        [
            "certified_accuracy.png",
            "certified_accuracy.svg",
            "curves.csv",
            "examples.csv",
            "report.csv",
            "report.html",
            "report.md"
        ]
    );
    let page = text(&files, "report.html");
    assert!(page.starts_with("<!doctype html>") && page.contains("Content-Security-Policy"), "{page}");
    assert!(text(&files, "report.md").ends_with(&stdout));
    let csv = text(&files, "report.csv");
    assert_eq!(
        csv.lines().nth(2),
        Some(
            "a,m|1.onnx,d.npz,gaussian:1,fixed,philox4x32-10,selected by n0 samples,100,1000,0.001,ranked,cpu,float32,1,4,4,1,0.25,0.4375,0,l2,0.5,0.5"
        )
    );
    assert_eq!(csv.lines().count(), 1 + 2 * 4);
    assert_eq!(
        text(&files, "examples.csv").lines().nth(2),
        Some("a,0,,3,3,3,0.5,1,complete,1000,l2,0.5,0.5,0.1443375672974064")
    );
    let curves = text(&files, "curves.csv");
    assert!(curves.starts_with("run,k,radius,certified_accuracy\na,1,0,0.5\n"), "{curves}");
    assert!(curves.contains("\na,1,1.25,0.25\n") && !curves.contains(",1.26,0.25"), "{curves}");
}

#[test]
fn the_plot_is_the_same_everywhere_and_shows_its_curves_and_words() {
    let folder = folder();
    run_folder(&folder, "a", &manifest(&[1], 4, "selected"), &FOUR);
    for out in ["one", "two"] {
        assert!(report(&folder, &["a", "--out", out]).status.success());
    }
    let plots = files(&folder.path().join("one"));
    assert_eq!(plots, files(&folder.path().join("two")));
    let svg = text(&plots, "certified_accuracy.svg");
    for words in ["l2 radius", "certified top-k accuracy", "k = 1", "gaussian:1, n 1000"] {
        assert!(svg.contains(words), "{words}");
    }
    let png = image::load_from_memory(&plots["certified_accuracy.png"]).expect("decodes").into_rgb8();
    assert_eq!(png.dimensions(), (1200, 800));
    let has = |x: std::ops::Range<u32>, y: std::ops::Range<u32>, colour: [u8; 3]| {
        y.clone().any(|y| x.clone().any(|x| png.get_pixel(x, y).0 == colour))
    };
    // The curve in the plot's area; letters, which need the built-in font, in the title and in the legend.
    assert!(has(92..900, 76..716, [0x00, 0x72, 0xb2]));
    assert!(has(92..400, 20..60, [0x22; 3]));
    assert!(has(928..1200, 76..96, [0x22; 3]));
}

#[test]
fn several_runs_stand_side_by_side_and_say_what_they_lack() {
    let folder = folder();
    run_folder(&folder, "a", &manifest(&[1], 4, "selected"), &FOUR);
    // Killed: half a line at the end, fewer examples than the run is to have.
    run_folder(&folder, "b", &manifest(&[1], 9, "selected"), &FOUR);
    let kept = folder.path().join("b/records.jsonl");
    let text = std::fs::read_to_string(&kept).expect("records");
    std::fs::write(&kept, format!("{text}{}", &text[..300])).expect("records");
    run_folder(&folder, "none", &manifest(&[1], 9, "selected"), &[]);
    std::fs::remove_file(folder.path().join("none/records.jsonl")).expect("removed");
    run_folder(&folder, "picked", &manifest(&[1], 2, "selected"), &[(None, 3, 0.5), (None, 3, 0.0)]);
    std::fs::write(folder.path().join("other.tsv"), format!("{HEADER}{K1}")).expect("rows");
    std::fs::create_dir(folder.path().join("sub")).expect("folder");
    std::fs::copy(folder.path().join("other.tsv"), folder.path().join("sub/other.tsv")).expect("rows");
    let args = ["a", "b", "none", "picked", "other.tsv", "sub/other.tsv", "--out", "out", "--radii", "0"];
    let output = report(&folder, &args);
    let stdout = String::from_utf8(output.stdout).expect("text");
    for line in [
        "| a | 1 | 4 | 0.250 | 0.438 | 0.000 | 0.500 |",
        "| b | 1 | 4 of 9 | 0.250 | 0.438 | 0.000 | 0.500 |",
        "| none | 1 | 0 of 9 | - | - | - | - |",
        "| picked | 1 | 2 | 0.500 | 0.250 | 0.000 | 0.500 |",
        "| other.tsv | - | 4 | 0.250 | 0.438 | 0.000 | 0.500 |",
        "| sub/other.tsv | - | 4 | 0.250 | 0.438 | 0.000 | 0.500 |",
        "**b is not finished**: 4 of 9 examples so far.",
        "**picked has no true labels**: its numbers are the share certified, whether right or wrong.",
    ] {
        assert!(stdout.contains(line), "{line}\n{stdout}");
    }
    assert!(!stdout.contains("**a is"), "{stdout}");
}

#[test]
fn samples_that_a_rule_ended_are_summed_up() {
    let folder = folder();
    let mut ruled = manifest(&[1], 4, "selected");
    ruled["request"]["rule"] = "radius:0.4".into();
    let ended = [(70, "certified"), (90, "certified"), (240, "certified"), (1000, "undecided")];
    let records = FOUR.iter().zip(ended).enumerate();
    let records = records.map(|(i, (found, (n, decision)))| record(&ruled, i, *found, n, decision)).collect();
    run_of(&folder, "a", &ruled.to_string(), records);
    run_folder(&folder, "b", &manifest(&[1], 4, "selected"), &FOUR);
    let output = report(&folder, &["a", "b", "--out", "out"]);
    let stdout = String::from_utf8(output.stdout).expect("text");
    for line in [
        "| a | 1 | radius:0.4 | 1000 | 350 | 90 | 1000 | 3 | 0 | 0 | 1 |\n",
        "**a**: 8 statements, 4 of them refutations (whether the rule could be met at all) are each at alpha = 0.001: at most \
         0.008 of them are expected to be false. With probability at least 0.992 all of them are true.",
        "**b**: 4 statements are each at alpha = 0.001: at most 0.004 of them are expected to be false. With probability at least \
         0.996 all of them are true.",
    ] {
        assert!(stdout.contains(line), "{line}\n{stdout}");
    }
    assert!(!stdout.contains("| b | 1 | fixed"), "{stdout}");
    let out = files(&folder.path().join("out"));
    assert_eq!(text(&out, "stops.csv").lines().nth(1), Some("a,1,radius:0.4,1000,350,90,1000,3,0,0,1"));
    let svg = text(&out, "certified_accuracy.svg");
    assert!(svg.contains("gaussian:1, n 1000 at most<") && svg.contains("rule radius:0.4<"));
}

/// Written without a word on a panic: what ends a pipeline early is no error, and a full disk is one in one line.
#[cfg(target_os = "linux")]
#[test]
fn standard_output_that_is_closed_or_full_is_no_panic() {
    let folder = folder();
    run_folder(&folder, "a", &manifest(&[1], 4, "selected"), &FOUR);
    let to = |stdout: std::process::Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smoothtopk"));
        command.current_dir(folder.path()).args(["report", "a", "--out", "out"]).stdout(stdout);
        let output = command.output().expect("the program starts");
        (output.status.code(), String::from_utf8(output.stderr).expect("text"))
    };
    let (reader, writer) = std::io::pipe().expect("pipe");
    drop(reader);
    assert_eq!(to(writer.into()), (Some(0), String::new()));
    let full = std::fs::File::options().write(true).open("/dev/full").expect("opens");
    let (code, error) = to(full.into());
    assert!(code == Some(1) && error.contains("standard output") && error.lines().count() == 1, "{error}");
}

#[test]
fn errors_are_one_line_and_leave_an_earlier_report_as_it_was() {
    let folder = folder();
    run_folder(&folder, "a", &manifest(&[1], 4, "selected"), &FOUR);
    assert!(report(&folder, &["a", "--out", "out"]).status.success());
    let before = files(&folder.path().join("out"));

    assert!(refused(&folder, &["a", "missing", "--out", "out"], 1).contains("missing"));
    assert!(refused(&folder, &["a", "--out", "out", "--radii", "0,nan"], 2).contains("radii"));
    assert!(refused(&folder, &["a", "--out", "out", "--radii=-0.5"], 2).contains("-0.5"));
    let of = manifest(&[1], 4, "selected");
    let mut far = record(&of, 1, FOUR[1], 1000, "complete");
    far["certificates"][0]["radius"] = "far".into();
    run_of(&folder, "bad", &of.to_string(), vec![record(&of, 0, FOUR[0], 1000, "complete"), far]);
    let error = refused(&folder, &["bad", "--out", "out"], 1);
    assert!(error.contains("records.jsonl, line 2: ") && error.contains("\"radius\""), "{error}");
    run_of(&folder, "cut", "{\"format\": 4, \"sigma\"", Vec::new());
    assert!(refused(&folder, &["cut", "--out", "out"], 1).contains("manifest.json"));
    run_of(&folder, "future", "{\"format\": 99}", Vec::new());
    assert!(refused(&folder, &["future", "--out", "out"], 1).contains("format 99"));
    std::fs::write(folder.path().join("binary.tsv"), [0xff, 0xfe, 0x00]).expect("file");
    assert!(refused(&folder, &["binary.tsv", "--out", "out"], 1).contains("not text"));
    assert!(
        refused(&folder, &["a", "--out", "a/records.jsonl"], 2)
            .contains("out: a/records.jsonl is a file: a folder is needed")
    );

    assert_eq!(files(&folder.path().join("out")), before);
}
