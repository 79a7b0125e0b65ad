//! The `radius` command, through the program itself.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use smoothtopk::certificate::{certify, certify_with};
use smoothtopk::stats::{Bound, Counts, Validity};

const COUNTS: &str =
    "2 2 334 93642 2 5279 737 0 2 0 3\n0\t13453 50 0 113 36952 1 49328 0 103  7\n0 0 0 0 4 0 0 99996 0 0 6\n";

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_smoothtopk"))
}

fn radius(file: &Path, args: &[&str]) -> Output {
    program().arg("radius").arg("--counts").arg(file).args(args).output().expect("the program runs")
}

fn table(output: &Output) -> Vec<(usize, usize, f64, u8)> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout.clone()).expect("text");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("idx\tk\tradius\tcertified"));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [idx, k, radius, certified] = fields[..] else { panic!("{line}") };
            (idx.parse().unwrap(), k.parse().unwrap(), radius.parse().unwrap(), certified.parse().unwrap())
        })
        .collect()
}

/// A kill can cut a RUN's last label in half; a file from elsewhere may end without a newline.
#[test]
fn a_torn_last_line_of_a_run_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("counts.tsv");
    fs::write(&file, "90\t10\t0\n80\t20\t1").unwrap();
    let given = ["--sigma", "0.25", "--alpha", "0.001"];
    assert_eq!(table(&radius(&file, &given)).len(), 2);
    let manifest = r#"{"n": 100, "sigma": 0.25, "alpha": 0.001, "bound": "ranked", "radius_slack": 0.0}"#;
    fs::write(dir.path().join("manifest.json"), manifest).unwrap();
    assert_eq!(table(&radius(&file, &[])).len(), 1);
}

/// A line number would join with other examples of k1.tsv.
#[test]
fn idx_is_the_runs_own() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("counts.tsv");
    fs::write(&file, "90\t10\t0\n80\t20\t1\n").unwrap();
    let manifest = dir.path().join("manifest.json");
    let skipped = r#"{"n": 100, "sigma": 0.25, "alpha": 0.001, "bound": "ranked", "radius_slack": 0.0, "skip": 7, "examples": 2}"#;
    fs::write(&manifest, skipped).unwrap();
    let idx = |output: &Output| table(output).iter().map(|row| row.0).collect::<Vec<_>>();
    assert_eq!(idx(&radius(&file, &[])), [0, 7]);
    fs::write(&manifest, skipped.replace("\"examples\": 2", "\"examples\": 1")).unwrap();
    refused(&file, &[], 1, "line 2: an example past the 1 of the RUN");
    fs::write(&manifest, skipped.replace('7', "0")).unwrap();
    refused(&file, &[], 1, "\"skip\"");
    // Where rows end is said for each example: lines of another example are not taken.
    fs::write(&manifest, skipped.replace("\"skip\"", r#""rule": "radius:0.4", "classes": 2, "k": [1], "skip""#))
        .unwrap();
    let stops =
        "idx\trows\tdecision_k1\tallocation_k1\tearlier_k1\n0\t100\tcertified\tranked\t-\n7\t100\trefuted\tranked\t-\n";
    fs::write(dir.path().join("stops.tsv"), stops).unwrap();
    assert_eq!(idx(&radius(&file, &[])), [0, 7]);
    fs::write(dir.path().join("stops.tsv"), stops.replace("\n7", "\n14")).unwrap();
    refused(&file, &[], 1, "line 2: it is of example 7, and stops.tsv has example 14 there");
}

#[cfg(unix)]
#[test]
fn counts_behind_a_link_are_the_runs_and_other_counts_say_what_is_assumed() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    fs::create_dir(&run).unwrap();
    fs::write(run.join("counts.tsv"), "9900\t100\t0\n").unwrap();
    let manifest = r#"{"n": 10000, "sigma": 0.25, "alpha": 0.001, "bound": "ranked", "radius_slack": 0.125}"#;
    fs::write(run.join("manifest.json"), manifest).unwrap();
    let own = table(&radius(&run.join("counts.tsv"), &[]));
    let link = dir.path().join("link.txt");
    std::os::unix::fs::symlink("run/counts.tsv", &link).unwrap();
    assert_eq!(table(&radius(&link, &[])), own);
    refused(&link, &["--sigma", "0.5"], 2, "sigma 0.25");
    refused(&link, &["--radius-slack", "0"], 2, "0.125 off");

    let copy = dir.path().join("copy.tsv");
    fs::copy(run.join("counts.tsv"), &copy).unwrap();
    let given = ["--sigma", "0.25", "--alpha", "0.001"];
    let said = |more: &[&str]| String::from_utf8(radius(&copy, &[&given, more].concat()).stderr).unwrap();
    let note = said(&[]);
    assert!(note.lines().count() == 1 && note.contains("--validity") && note.contains("--radius-slack"), "{note}");
    assert!(!said(&["--radius-slack", "0.125"]).contains("radius-slack"));
    assert_eq!(said(&["--radius-slack", "0.125", "--validity", "fixed"]), "");
    assert_eq!(table(&radius(&copy, &[&given[..], &["--radius-slack", "0.125"]].concat())), own);
    refused(&copy, &[&given[..], &["--radius-slack", "-1"]].concat(), 2, "radius-slack");
}

/// The library's own certificates of `COUNTS`.
fn expected(ks: &[usize], n: u64, alpha: f64, bound: Bound, slack: f64) -> Vec<(usize, usize, f64, u8)> {
    let mut rows = Vec::new();
    for (idx, line) in COUNTS.lines().enumerate() {
        let mut labels: Vec<u64> = line.split_whitespace().map(|x| x.parse().unwrap()).collect();
        let label = labels.pop().unwrap() as usize;
        let counts = Counts::new(labels, n).unwrap();
        for &k in ks {
            let certificate = certify(&counts, label, k, 0.25, alpha, bound).unwrap().shrunk_by(slack);
            rows.push((idx, k, certificate.radius, u8::from(certificate.certified())));
        }
    }
    rows
}

/// Runs and expects one line on stderr with `message`, nothing on stdout, and the exit code.
fn refused(file: &Path, args: &[&str], code: i32, message: &str) {
    let output = radius(file, args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    let told = stderr.split("\n\n").next().unwrap_or_default();
    assert!(told.contains(message) && told.lines().count() == 1, "wanted \"{message}\", got: {stderr}");
    assert!(output.stdout.is_empty());
}

#[test]
fn plain_counts_give_the_librarys_radii_to_the_last_digit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("saved.txt");
    fs::write(&file, COUNTS).unwrap();
    let common = ["--sigma", "0.25", "--alpha", "0.001"];
    let given = |more: &[&str]| table(&radius(&file, &[&common, more].concat()));
    assert_eq!(given(&["--k", "1,2,3", "--bound", "simuem"]), expected(&[1, 2, 3], 100_000, 0.001, Bound::SimuEm, 0.0));
    assert_eq!(given(&[]), expected(&[1], 100_000, 0.001, Bound::Ranked, 0.0));
    assert_eq!(given(&["--n", "120000"]), expected(&[1], 120_000, 0.001, Bound::Ranked, 0.0));
    let rows = given(&["--k", "9"]);
    assert!(rows[0].3 == 1 && rows[2].2 == 0.0 && rows[2].3 == 0, "{rows:?}");
}

#[test]
fn counts_of_a_run_are_read_with_its_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counts.tsv");
    fs::write(&file, COUNTS).unwrap();
    let manifest = folder.path().join("manifest.json");
    let good = r#"{"n": 110000, "sigma": 0.25, "alpha": 0.01, "bound": "binocp", "radius_slack": 1.5e-4, "seed": 7}"#;
    fs::write(&manifest, good).unwrap();
    assert_eq!(table(&radius(&file, &[])), expected(&[1], 110_000, 0.01, Bound::BinoCp, 1.5e-4));
    let other = ["--alpha", "0.1", "--bound", "ranked", "--k", "2", "--sigma", "0.25", "--n", "110000"];
    assert_eq!(table(&radius(&file, &other)), expected(&[2], 110_000, 0.1, Bound::Ranked, 1.5e-4));
    refused(&file, &["--sigma", "0.5"], 2, "sigma 0.25");
    refused(&file, &["--n", "100000"], 2, "n = 110000");
    for (key, broken) in [
        ("\"n\"", good.replace("110000", "-3")),
        ("\"sigma\"", good.replace("0.25", "\"x\"")),
        ("\"bound\"", good.replace("binocp", "best")),
        ("\"radius_slack\"", good.replace("1.5e-4", "-1")),
        ("manifest.json", good.replace('}', "")),
    ] {
        fs::write(&manifest, broken).unwrap();
        refused(&file, &[], 1, key);
    }
    fs::remove_file(&manifest).unwrap();
    refused(&file, &["--alpha", "0.1"], 2, "--sigma is required");
    for (more, code, says) in [
        ("\"format\": 99", 1, "format"),
        ("\"guarantee\": true", 2, "answer_k"),
        ("\"rule\": \"radius:0.5\", \"classes\": 10, \"k\": [1]", 1, "stops.tsv"),
    ] {
        fs::write(&manifest, good.replace("\"seed\": 7", more)).unwrap();
        refused(&file, &[], code, says);
    }
}

#[test]
fn allocations_and_bounds_for_any_number_of_rows_are_the_librarys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("saved.txt");
    fs::write(&file, COUNTS).unwrap();
    let radii = |more: &[&str]| -> Vec<f64> {
        let rows = table(&radius(&file, &[&["--sigma", "0.25", "--alpha", "0.001", "--k", "3"], more].concat()));
        rows.into_iter().map(|(_, _, radius, _)| radius).collect()
    };
    let library = |allocation: &str, validity| -> Vec<f64> {
        let certified = |line: &str| {
            let mut labels: Vec<u64> = line.split_whitespace().map(|x| x.parse().unwrap()).collect();
            let label = labels.pop().unwrap() as usize;
            let counts = Counts::new(labels, 100_000).unwrap();
            certify_with(&counts, label, 3, 0.25, 0.001, &allocation.parse().unwrap(), validity).unwrap().radius
        };
        COUNTS.lines().map(certified).collect()
    };
    for allocation in ["ranked", "ranked:0.75", "pooled:0.5", "pooled:0.25:5", "binocp"] {
        assert_eq!(radii(&["--bound", allocation]), library(allocation, Validity::Fixed), "{allocation}");
        let anytime = radii(&["--bound", allocation, "--validity", "anytime"]);
        assert_eq!(anytime, library(allocation, Validity::Anytime), "{allocation}");
    }
    // Label 3 is the first row's own: it cannot be named as its rival.
    refused(
        &file,
        &["--sigma", "0.25", "--alpha", "0.001", "--k", "2", "--bound", "pooled:0.5:3"],
        1,
        "line 1: allocation",
    );
    refused(&file, &["--sigma", "0.25", "--alpha", "0.001", "--validity", "randomized:0.5"], 2, "validity");
}

#[test]
fn malformed_files_name_the_line_and_the_column() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counts.txt");
    let args = ["--sigma", "0.25", "--alpha", "0.001"];
    for (text, message) in [
        ("", "no example"),
        ("\n\n", "no example"),
        ("5 5\n", "line 1: 2 columns"),
        ("5 5 0\n5 5 5 0\n", "line 2: 4 columns"),
        ("5 5 0\n\n5 5 0\n", "line 3: an example after a blank line"),
        ("5 5 0\n5 -5 0\n", "line 2: column 2: \"-5\" is not a count"),
        ("5 5.0 0\n", "line 1: column 2: \"5.0\""),
        ("5 18446744073709551616 0\n", "line 1: column 2"),
        ("18446744073709551615 1 0\n", "line 1: counts: the counts add to more than"),
        ("9000000000000 1 0\n", "line 1: n: 9000000000001 rows are more than"),
        ("0 0 0\n", "line 1: n: no row was drawn"),
        ("5 5 2\n", "line 1: column 3: \"2\" is not one of the 2 labels 0 to 1"),
        ("5 5 -1\n", "line 1: column 3: \"-1\""),
        ("5 5 cat\n", "line 1: column 3: \"cat\""),
    ] {
        fs::write(&file, text).unwrap();
        refused(&file, &args, 1, message);
    }
    fs::write(&file, b"5 5 0\n5 \xff\xfe 0\n").unwrap();
    refused(&file, &args, 1, "line 2: this is not text");
    fs::write(&file, "5 5 0\n").unwrap();
    refused(&file, &[&args[..], &["--n", "9"]].concat(), 1, "line 1: n: the counts add to 10");
    refused(folder.path(), &args, 1, "directory");
    refused(&folder.path().join("none.txt"), &args, 1, "none.txt");
}

#[test]
fn usage_errors_exit_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counts.txt");
    fs::write(&file, COUNTS).unwrap();
    refused(&file, &["--alpha", "0.001"], 2, "--sigma is required");
    refused(&file, &["--sigma", "0.25"], 2, "--alpha is required");
    refused(&file, &["--sigma", "0", "--alpha", "0.001"], 2, "sigma");
    refused(&file, &["--sigma", "NaN", "--alpha", "0.001"], 2, "sigma");
    refused(&file, &["--sigma", "0.25", "--alpha", "0.7"], 2, "alpha");
    refused(&file, &["--sigma", "0.25", "--alpha", "0.001", "--k", "1,10"], 2, "k = 10");
    refused(&file, &["--sigma", "0.25", "--alpha", "0.001", "--k", "0"], 2, "k");
    let output = radius(&file, &["--sigma", "0.25", "--alpha", "0.001", "--bound", "best"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("ranked:SHARE, simuem, binocp"));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counts.txt");
    fs::write(&file, COUNTS.repeat(20_000)).unwrap();
    let mut child = program()
        .args([
            "radius",
            "--sigma",
            "0.25",
            "--alpha",
            "0.001",
            "--validity",
            "fixed",
            "--radius-slack",
            "0",
            "--counts",
        ])
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Reads one line of a megabyte and closes the pipe.
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(first.starts_with("idx") && output.status.success() && output.stderr.is_empty(), "{output:?}");
}
