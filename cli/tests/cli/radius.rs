//! The `radius` command, through the program itself.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use smoothtopk::certificate::Query;
use smoothtopk::counts::{Assumed, Counts};
use smoothtopk::perturbation::Gaussian;

use crate::common::smoothtopk;
use crate::ok;

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
    assert_eq!(lines.next(), Some("idx\tk\tradius\tcertified\tassumed"));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [idx, k, radius, certified, assumed] = fields[..] else { panic!("{line}") };
            // Of plain numbers alone, as all of these are.
            assert_eq!(assumed, "1");
            (idx.parse().unwrap(), k.parse().unwrap(), radius.parse().unwrap(), certified.parse().unwrap())
        })
        .collect()
}

/// A copied counts.tsv has no manifest beside it: it says what is assumed, and no number comes without it.
#[test]
fn plain_numbers_print_each_assumption() {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("counts.tsv");
    fs::write(&copy, "9900\t100\t0\n9000\t900\t0\n").unwrap();
    let said = |more: &[&str]| {
        let output = radius(&copy, &[&["--sigma", "0.25", "--alpha", "0.001"], more].concat());
        table(&output);
        String::from_utf8(output.stderr).unwrap()
    };
    let assumed = said(&[]);
    let lines: Vec<&str> = assumed.lines().collect();
    assert!(lines.iter().all(|line| line.starts_with("assumed: ")), "{assumed}");
    for part in ["gaussian:0.25", "10000, was fixed", "every sample has a label", "rounding the noise costs nothing"] {
        assert!(assumed.contains(part), "{part}: {assumed}");
    }
    // The second line has fewer samples, and says so.
    assert!(assumed.contains("their number, 9900, was fixed"), "{assumed}");
    let stated = said(&["--validity", "anytime", "--radius-cost", "0.125", "--n", "10100"]);
    for part in
        ["looks at the counts may have ended them", "takes 0.125 off every radius", "100 of the samples have no label"]
    {
        assert!(stated.contains(part), "{part}: {stated}");
    }
    let by_name = table(&radius(&copy, &["--noise", "gaussian:0.25", "--alpha", "0.001"]));
    assert_eq!(by_name, table(&radius(&copy, &["--sigma", "0.25", "--alpha", "0.001"])));
    let uniform = table(&radius(&copy, &["--noise", "uniform:0.25", "--alpha", "0.001"]));
    assert!(uniform[0].2 > 0.2 && uniform[0].2 < 0.25, "{uniform:?}");
    refused(&copy, &["--sigma", "0.25", "--alpha", "0.001", "--radius-cost", "-1"], 2, "radius_cost");
    refused(&copy, &["--sigma", "0.25", "--alpha", "0.001", "--label", "0"], 2, "label");
}

/// Counts that any language wrote, certified as one call of the library would.
#[test]
fn counts_as_json_are_certified_by_label() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("counts.json");
    let noise = Gaussian::new(0.25).unwrap();
    let counts = |labels: &[u64]| Counts::assuming(labels.to_vec(), None, Assumed::fixed(noise)).unwrap();
    let (first, second) = (counts(&[9000, 900, 100]), counts(&[8000, 1900, 100]));
    let radius_of =
        |counts: &Counts, k| counts.certify(&Query { k, alpha: 0.01, ..Query::of_label(0) }).unwrap().radius;
    let given = ["--label", "0", "--alpha", "0.01", "--k", "1,2"];
    let whole = serde_json::to_string_pretty(&first.form(false)).unwrap();
    for (text, all) in
        [(whole, vec![&first]), (format!("{}\n{}\n", first.to_json(), second.to_json()), vec![&first, &second])]
    {
        fs::write(&file, text).unwrap();
        let output = radius(&file, &given);
        let found: Vec<(usize, usize, f64)> = table(&output).iter().map(|row| (row.0, row.1, row.2)).collect();
        let expected = |(i, counts): (usize, &&Counts)| [1, 2].map(|k| (i, k, radius_of(counts, k)));
        assert_eq!(found, all.iter().enumerate().flat_map(expected).collect::<Vec<_>>());
        assert!(String::from_utf8_lossy(&output.stderr).contains("assumed: the samples are independent"));
    }
    refused(&file, &["--alpha", "0.01"], 2, "--label is required");
    refused(&file, &["--label", "0"], 2, "--alpha is required");
    refused(&file, &[&given[..], &["--sigma", "0.5"]].concat(), 2, "leave --sigma out");
    fs::write(&file, first.to_json().replace("\"seen\"", "\"later\":1,\"seen\"")).unwrap();
    refused(&file, &given, 1, "later");
    fs::write(&file, "{\"format\": 1").unwrap();
    refused(&file, &given, 1, "counts.json: ");
}

#[cfg(unix)]
#[test]
fn a_link_to_the_counts_of_a_run_is_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let arguments = crate::digits("certify", &["--n", "200", "--max", "2", "--skip", "1", "--quiet", "--out"]);
    crate::ok(&smoothtopk([&arguments[..], &[run.to_str().unwrap().to_owned()]].concat()));
    let own = radius(&run, &[]).stdout;
    assert!(String::from_utf8_lossy(&own).lines().skip(1).all(|line| line.ends_with("\t0")), "nothing is assumed");
    let link = dir.path().join("link.txt");
    for name in ["counts.tsv", "records.jsonl"] {
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(run.join(name), &link).unwrap();
        assert_eq!(radius(&link, &[]).stdout, own, "{name}");
        for (option, value) in
            [("--sigma", "0.25"), ("--n", "200"), ("--radius-cost", "0"), ("--noise", "gaussian:0.25")]
        {
            refused(&link, &[option, value], 2, "leave --");
        }
        refused(&link, &["--label", "3"], 2, "leave --label out");
    }
    // Records alone, elsewhere, are as good.
    let copy = dir.path().join("copy.jsonl");
    fs::copy(run.join("records.jsonl"), &copy).unwrap();
    assert_eq!(radius(&copy, &[]).stdout, own);
}

/// The library's own certificates of `COUNTS`.
fn expected(ks: &[usize], n: u64, allocation: &str) -> Vec<(usize, usize, f64, u8)> {
    let mut rows = Vec::new();
    for (idx, line) in COUNTS.lines().enumerate() {
        let (counts, label) = counts_of(line, n, Assumed::fixed(Gaussian::new(0.25).unwrap()));
        for &k in ks {
            let query = Query { k, allocation: allocation.parse().unwrap(), ..Query::of_label(label) };
            let certificate = counts.certify(&query).unwrap();
            rows.push((idx, k, certificate.radius, u8::from(certificate.certified())));
        }
    }
    rows
}

fn counts_of(line: &str, n: u64, assumed: Assumed) -> (Counts, usize) {
    let mut labels: Vec<u64> = line.split_whitespace().map(|x| x.parse().unwrap()).collect();
    let label = labels.pop().unwrap() as usize;
    (Counts::assuming(labels, Some(n), assumed).unwrap(), label)
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
    assert_eq!(given(&["--k", "1,2,3", "--allocation", "simuem"]), expected(&[1, 2, 3], 100_000, "simuem"));
    assert_eq!(given(&[]), expected(&[1], 100_000, "ranked"));
    assert_eq!(given(&["--n", "120000"]), expected(&[1], 120_000, "ranked"));
    let rows = given(&["--k", "9"]);
    assert!(rows[0].3 == 1 && rows[2].2 == 0.0 && rows[2].3 == 0, "{rows:?}");
}

#[test]
fn allocations_and_bounds_for_any_number_of_samples_are_the_librarys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("saved.txt");
    fs::write(&file, COUNTS).unwrap();
    let radii = |more: &[&str]| -> Vec<f64> {
        let rows = table(&radius(&file, &[&["--sigma", "0.25", "--alpha", "0.001", "--k", "3"], more].concat()));
        rows.into_iter().map(|(_, _, radius, _)| radius).collect()
    };
    let library = |allocation: &str, assumed: Assumed| -> Vec<f64> {
        let certified = |line: &str| {
            let (counts, label) = counts_of(line, 100_000, assumed);
            let query = Query { k: 3, allocation: allocation.parse().unwrap(), ..Query::of_label(label) };
            counts.certify(&query).unwrap().radius
        };
        COUNTS.lines().map(certified).collect()
    };
    let noise = Gaussian::new(0.25).unwrap();
    for allocation in ["ranked", "ranked:0.75", "pooled:0.5", "pooled:0.25:5", "binocp"] {
        assert_eq!(radii(&["--allocation", allocation]), library(allocation, Assumed::fixed(noise)), "{allocation}");
        let anytime = radii(&["--allocation", allocation, "--validity", "anytime"]);
        assert_eq!(anytime, library(allocation, Assumed::looks(noise, None)), "{allocation}");
    }
    // Label 3 is the first row's own: it cannot be named as its rival.
    refused(
        &file,
        &["--sigma", "0.25", "--alpha", "0.001", "--k", "2", "--allocation", "pooled:0.5:3"],
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
        ("9000000000000 1 0\n", "line 1: n: 9000000000001"),
        ("0 0 0\n", "line 1: n: no"),
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
    refused(folder.path(), &args, 1, "manifest.json");
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
    let output = radius(&file, &["--sigma", "0.25", "--alpha", "0.001", "--allocation", "best"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("ranked:SHARE, simuem, binocp"));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counts.txt");
    fs::write(&file, COUNTS.repeat(20_000)).unwrap();
    let mut child = program()
        .args(["radius", "--sigma", "0.25", "--alpha", "0.001", "--counts"])
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Reads one line of a megabyte and closes the pipe.
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    let quiet = String::from_utf8_lossy(&output.stderr).lines().all(|line| line.starts_with("assumed: "));
    assert!(first.starts_with("idx") && output.status.success() && quiet, "{output:?}");
}

/// Saved counts of every family, with what plain numbers leave open.
#[test]
fn counts_of_every_family_are_certified_in_its_own_unit() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("counts.txt");
    std::fs::write(&file, "26 4 2 0\n31 1 0 0\n").unwrap();
    let radius = |more: &[&str]| smoothtopk([&["radius", "--counts", file.to_str().unwrap()], more].concat());
    let radii = |more: &[&str]| -> Vec<String> {
        let table = ok(&radius(more));
        table.lines().skip(1).map(|line| line.split('\t').nth(2).unwrap().to_owned()).collect()
    };
    // (26 - D > 4 + D) and (31 - D > 1 + D), D = m + 3.
    assert_eq!(radii(&["--noise", "band:4", "--width", "32"]), ["7", "11"]);
    assert_eq!(radii(&["--noise", "block:2:wrap=no", "--width", "9", "--height", "5"]), ["2", "2"]);
    assert_eq!(radii(&["--noise", "split:32", "--levels", "4"]), ["2.5", "3.5"]);
    assert_eq!(radii(&["--noise", "ablate:2", "--pixels", "40", "--alpha", "0.01"]), ["2", "6"]);
    assert_eq!(radii(&["--noise", "uniform:0.5", "--alpha", "0.01"]).len(), 2);
    // Four rows without a label.
    assert_eq!(radii(&["--noise", "band:4", "--width", "36", "--n", "36"]), ["5", "9"]);
    let table = ok(&radius(&["--noise", "split:32:levels=4", "--norms", "--elements", "4"]));
    assert_eq!(table.lines().nth(1).unwrap(), "0\t1\t2.5\t1\t1\t2.5\t1.25\t0.625");
    for (more, field) in [
        (&["--noise", "band:4", "--width", "33"][..], "n"),
        (&["--noise", "band:4"], "noise"),
        (&["--noise", "band:4", "--width", "32", "--alpha", "0.01"], "alpha"),
        (&["--noise", "band:4", "--width", "32", "--validity", "anytime"], "validity"),
        (&["--noise", "band:4", "--levels", "32"], "levels"),
        (&["--noise", "ablate:2", "--pixels", "40"], "alpha"),
    ] {
        let output = radius(more);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(field), "{more:?}: {error}");
    }
}
