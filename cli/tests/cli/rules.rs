//! Rows that a rule ends: what a RUN keeps of them, and that they are resumed, re-certified and refused as they should be.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::smoothtopk;
use crate::{digits, files, manifest, noise, ok, refused, rows, text};

fn certify(out: &Path, more: &[&str]) -> std::process::Output {
    smoothtopk(digits("certify", &[more, &["--quiet", "--out", out.to_str().unwrap()]].concat()))
}

/// The radii of a RUN by its files, and by `radius` with `more`.
fn radii(run: &Path, ks: &[usize], more: &[&str]) -> (Vec<String>, Vec<String>) {
    let kept = ks.iter().map(|k| rows(run.join(format!("k{k}.tsv")))).collect::<Vec<_>>();
    let kept = (0..kept[0].len()).flat_map(|i| kept.iter().map(move |rows| rows[i][3].clone())).collect();
    let list = ks.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let counts = run.join("counts.tsv");
    let base = ["radius", "--counts", counts.to_str().unwrap(), "--k", &list];
    let table = ok(&smoothtopk([&base[..], more].concat()));
    (kept, table.lines().skip(1).map(|line| line.split('\t').nth(2).unwrap().to_owned()).collect())
}

/// The Markdown that `report` writes.
fn report(run: &Path, dir: &Path) -> String {
    let out = dir.join("report");
    ok(&smoothtopk(["report", run.to_str().unwrap(), "--out", out.to_str().unwrap()]));
    text(out.join("report.md"))
}

#[test]
fn a_radius_is_decided_by_as_many_rows_as_it_takes() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    ok(&certify(&run, &["--k", "1,3", "--n", "20000", "--max", "40", "--rule", "radius:0.4"]));
    let stops = rows(run.join("stops.tsv"));
    assert_eq!(stops.len(), 40);
    let counts = text(run.join("counts.tsv"));
    for (stop, counts) in stops.iter().zip(counts.lines()) {
        let sum: u64 = counts.split('\t').take(10).map(|count| count.parse::<u64>().unwrap()).sum();
        let drawn: u64 = stop[1].parse().unwrap();
        // Every row of this model has a label.
        assert!(sum == drawn && drawn <= 20_000, "{stop:?} {counts}");
    }
    for (k, column) in [(1, 2), (3, 5)] {
        for (row, stop) in rows(run.join(format!("k{k}.tsv"))).iter().zip(&stops) {
            let radius: f64 = row[3].parse().unwrap();
            match stop[column].as_str() {
                "certified" => assert!(radius >= 0.4, "{row:?} {stop:?}"),
                "refuted" => assert!(radius < 0.4, "{row:?} {stop:?}"),
                // What is left of 20,000 rows can then no longer certify it.
                "undecided" => assert!((10_000..=20_000).contains(&stop[1].parse::<u64>().unwrap()), "{stop:?}"),
                other => panic!("{other}"),
            }
        }
    }
    let early = stops.iter().filter(|stop| stop[1].parse::<u64>().unwrap() < 2000).count();
    assert!(early >= 20, "{early} of 40 easy digits are decided early");
    let (kept, again) = radii(&run, &[1, 3], &[]);
    assert_eq!(kept, again);
    let run_manifest = manifest(&run);
    assert_eq!((run_manifest["rule"].as_str(), run_manifest["format"].as_u64()), (Some("radius:0.4"), Some(2)));
}

#[test]
fn each_k_keeps_the_counts_of_the_look_that_decided_it() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let more = ["--k", "1,2,3", "--n", "20000", "--max", "10", "--rule", "tolerance:0.1sigma", "--quiet", "--out"];
    let mut arguments = digits("certify", &[&more[..], &[run.to_str().unwrap()]].concat());
    let at = arguments.iter().position(|argument| argument == "--sigma").unwrap();
    arguments[at + 1] = "0.5".to_owned();
    ok(&smoothtopk(arguments));
    let stops = rows(run.join("stops.tsv"));
    let earlier: Vec<&String> = stops.iter().flat_map(|stop| [&stop[4], &stop[7], &stop[10]]).collect();
    assert!(earlier.iter().any(|counts| *counts != "-"), "no k was decided before the others, with a larger radius");
    let (kept, again) = radii(&run, &[1, 2, 3], &[]);
    assert_eq!(kept, again);
}

#[test]
fn pilot_samples_choose_how_alpha_is_spent_and_the_run_remembers() {
    let dir = tempfile::tempdir().unwrap();
    for (rule, decision) in [("fixed", "complete"), ("tolerance:0.05sigma", "reached")] {
        let run = dir.path().join(rule.split(':').next().unwrap());
        ok(&certify(&run, &["--k", "1,2", "--n", "2000", "--max", "12", "--bound", "auto", "--rule", rule]));
        let stops = rows(run.join("stops.tsv"));
        assert!(stops.iter().all(|stop| stop[2] == decision && stop[3] != "-"), "{stops:?}");
        assert_eq!(manifest(&run)["n0"], 100);
        let (kept, again) = radii(&run, &[1, 2], &[]);
        assert_eq!(kept, again, "{rule}");
        // Another allocation is as sound, if it is not chosen by these counts.
        let (_, pooled) = radii(&run, &[2], &["--bound", "pooled:0.75"]);
        assert!(pooled.iter().any(|radius| radius != "0"));
        // None was chosen for k = 3.
        let counts = run.join("counts.tsv");
        let output = smoothtopk(["radius", "--counts", counts.to_str().unwrap(), "--k", "3"]);
        let error = refused(&output, 2);
        assert!(error.starts_with("smoothtopk: k: ") && error.contains("--bound"), "{error}");
    }
}

#[test]
fn randomized_bounds_are_made_again_from_the_run() {
    for source in [["--seed", "4"], ["--generator", "chacha12"]] {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        let common = [&["--k", "1,2", "--skip", "7", "--randomized"][..], &source].concat();
        ok(&noise::certify(&run, &common));
        assert_eq!(manifest(&run)["randomized"], true);
        let (kept, again) = radii(&run, &[1, 2], &[]);
        assert_eq!(kept, again, "{source:?}");
        let (_, fixed) = radii(&run, &[1, 2], &["--validity", "fixed"]);
        let number = |text: &String| text.parse::<f64>().unwrap();
        assert!(kept.iter().zip(&fixed).all(|(kept, fixed)| number(kept) >= number(fixed)) && kept != fixed);
        assert!(report(&run, dir.path()).contains("| ranked, randomized |"));
        // A RUN is shown to others without its key.
        let _ = std::fs::remove_file(run.join("chacha12.key"));
        assert_eq!(radii(&run, &[1, 2], &[]).1, kept);
        let counts = run.join("counts.tsv");
        let third = ["radius", "--counts", counts.to_str().unwrap(), "--k", "3"];
        let plain = ok(&smoothtopk([&third[..], &["--validity", "fixed"]].concat()));
        assert_eq!(ok(&smoothtopk(third)), plain, "the RUN has no uniform for k = 3");
    }
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    // Nine rows certify nothing by plain bounds, and something by a lucky uniform.
    for (more, warned) in [(&[][..], true), (&["--randomized"], false)] {
        let more = [&["--n", "9", "--bound", "binocp", "--max", "1"][..], more].concat();
        let output = certify(&dir.path().join(format!("few{warned}")), &more);
        ok(&output);
        assert_eq!(String::from_utf8_lossy(&output.stderr).contains("no example will be certified"), warned);
    }
    for (more, field) in [(&["--rule", "radius:0.2"][..], "randomized"), (&["--guarantee"], "randomized")] {
        let more = [&["--n", "500", "--randomized"][..], more].concat();
        let error = refused(&certify(&run, &more), 2);
        assert!(error.starts_with(&format!("smoothtopk: {field}: ")), "{error}");
        assert!(!run.exists());
    }
}

#[test]
fn a_curve_at_steps_is_the_one_of_all_rows() {
    let dir = tempfile::tempdir().unwrap();
    let [steps, all] = ["steps", "all"].map(|name| dir.path().join(name));
    let common = ["--n", "10000", "--max", "40"];
    ok(&certify(&steps, &[&common[..], &["--rule", "steps:0.125"]].concat()));
    ok(&certify(&all, &common));
    let stops = rows(steps.join("stops.tsv"));
    assert!(stops.iter().filter(|stop| ["reached", "refuted"].contains(&&*stop[2])).count() >= 36, "{stops:?}");
    let (few, _) = radii(&steps, &[1], &[]);
    let (many, _) = radii(&all, &[1], &[]);
    let step = |radius: &String| (radius.parse::<f64>().unwrap() / 0.125).floor();
    let same = few.iter().zip(&many).filter(|(few, many)| step(few) == step(many)).count();
    assert!(same >= 36, "{same} of 40");
    // The radii follow from the counts by the bounds of the rule; bounds at all numbers of rows are another statement, and fixed ones none.
    let counts = steps.join("counts.tsv").to_string_lossy().into_owned();
    let of = |more: &[&str]| smoothtopk([&["radius", "--counts", &counts][..], more].concat());
    let column = |text: &str| -> Vec<f64> {
        text.lines().skip(1).map(|line| line.split('\t').nth(2).unwrap().parse().unwrap()).collect()
    };
    let own = column(&ok(&of(&[])));
    assert_eq!(own, few.iter().map(|radius| radius.parse().unwrap()).collect::<Vec<f64>>());
    assert_eq!(own, column(&ok(&of(&["--validity", "anytime:10000"]))));
    assert_ne!(own, column(&ok(&of(&["--validity", "anytime"]))));
    for void in ["fixed", "anytime:9999"] {
        assert!(refused(&of(&["--validity", void]), 2).contains("void"), "{void}");
    }
    for unknown in ["randomized:0.5", "anytime:0"] {
        assert!(refused(&of(&["--validity", unknown]), 2).contains("must be fixed"), "{unknown}");
    }
    assert_eq!(ok(&of(&["--validity", "anytime:10001"])), ok(&of(&["--validity", "anytime:99999"])));
    let report = report(&steps, dir.path());
    assert!(report.contains("its numbers are for multiples of 0.125, and lower bounds between them"), "{report}");
}

#[test]
fn what_would_be_unsound_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    ok(&certify(&run, &["--n", "2000", "--max", "3", "--rule", "radius:0.2"]));
    let counts = run.join("counts.tsv").to_string_lossy().into_owned();
    let error = refused(&smoothtopk(["radius", "--counts", &counts, "--validity", "fixed"]), 2);
    assert!(error.starts_with("smoothtopk: validity: ") && error.contains("radius:0.2"), "{error}");
    ok(&smoothtopk(["radius", "--counts", &counts, "--validity", "anytime"]));
    for (more, field) in [
        (&["--timeout", "1"][..], "timeout"),
        (&["--rule", "predict"], "rule"),
        (&["--rule", "radius:-1"], "rule"),
        (&["--rule", "until-dawn"], "rule"),
        (&["--bound", "auto", "--n0", "0"], "n0"),
        // Labels of these digits are 0, 5 and 7: 5 cannot be a rival of itself.
        (&["--bound", "pooled:0.5:5", "--k", "2"], "allocation"),
        (&["--guarantee", "--rule", "steps:0.2"], "rule"),
        (&["--guarantee", "--rule", "radius:0.2", "--n0", "0"], "n0"),
        (&["--guarantee", "--bound", "ranked"], "bound"),
        (&["--alpha-total", "0"], "alpha-total"),
        (&["--noise", "exact:7"], "data"),
    ] {
        let fresh = dir.path().join("fresh");
        let code = if field == "data" { 1 } else { 2 };
        let error = refused(&certify(&fresh, &[&["--n", "2000", "--max", "3"], more].concat()), code);
        assert!(error.contains(field), "{more:?}: {error}");
        assert!(!fresh.exists(), "{more:?} made a run");
    }
    // A run is not gone on with under another rule.
    let before = files(&run);
    let error = refused(&certify(&run, &["--n", "2000", "--max", "3", "--rule", "radius:0.3"]), 2);
    assert!(error.starts_with("smoothtopk: rule: "), "{error}");
    assert_eq!(files(&run), before);
}

#[test]
fn kills_lose_and_repeat_nothing_of_a_run_with_a_rule() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = |out: &Path, batch: &str| {
        let more = [
            "--k",
            "1,3",
            "--n",
            "6000",
            "--max",
            "100",
            "--rule",
            "tolerance:0.05sigma",
            "--bound",
            "auto",
            "--quiet",
        ];
        let mut arguments = digits("certify", &[&more[..], &["--out", out.to_str().unwrap()]].concat());
        let at = arguments.iter().position(|argument| argument == "--batch").unwrap();
        arguments[at + 1] = batch.to_owned();
        arguments
    };
    let whole = dir.path().join("whole");
    ok(&smoothtopk(arguments(&whole, "32")));
    let killed = dir.path().join("killed");
    let mut seen = Vec::new();
    let lines = || std::fs::read_to_string(killed.join("stops.tsv")).map_or(0, |text| text.lines().count());
    for (kill, until) in [1, 10, 30, 50, 70].into_iter().enumerate() {
        let mut child = Command::new(env!("CARGO_BIN_EXE_smoothtopk"))
            .args(arguments(&killed, ["32", "7", "64"][kill % 3]))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while lines() < until && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Child::kill is SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        seen.push(lines());
        let bytes = std::fs::read(killed.join("stops.tsv")).unwrap();
        if kill % 2 == 1 {
            // As if the kill had come in the middle of a write.
            std::fs::write(killed.join("stops.tsv"), &bytes[..bytes.len() - 9]).unwrap();
        }
    }
    ok(&smoothtopk(arguments(&killed, "32")));
    assert!(seen.iter().any(|&lines| (2..101).contains(&lines)), "no kill came between examples: {seen:?}");
    assert!(files(&whole) == files(&killed), "after kills at {seen:?} lines the files differ");
}

#[test]
fn a_late_example_keeps_the_answer_of_its_last_look() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    // Never reached: only the time ends these rows.
    let endless = ["--n", "1000000000", "--rule", "tolerance:0", "--timeout", "0.3", "--max", "2"];
    ok(&certify(&run, &endless));
    let stops = rows(run.join("stops.tsv"));
    assert!(stops.iter().all(|stop| stop[2] == "undecided" && stop[1] != "1000000000"), "{stops:?}");
    let (kept, again) = radii(&run, &[1], &[]);
    assert_eq!(kept, again);
    assert!(kept.iter().all(|radius| radius.parse::<f64>().unwrap() > 0.3), "{kept:?}");
    // The pilot alone takes longer: no label, no allocation, no radius.
    let late = dir.path().join("late");
    ok(&certify(&late, &[&endless[..], &["--select", "--n0", "1000000000"]].concat()));
    let stops = rows(late.join("stops.tsv"));
    assert!(stops.iter().all(|stop| stop[2] == "undecided" && stop[3] == "-"), "{stops:?}");
    for more in [&[][..], &["--bound", "binocp"]] {
        let (kept, again) = radii(&late, &[1], more);
        assert_eq!((kept, again), (vec!["0".to_owned(); 2], vec!["0".to_owned(); 2]));
    }
}

#[test]
fn an_alpha_is_shared_by_all_statements_of_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    ok(&certify(&run, &["--k", "1,3", "--n", "500", "--max", "10", "--alpha-total", "0.02"]));
    let shared = manifest(&run);
    assert_eq!((shared["alpha_total"].as_f64(), shared["statements"].as_u64()), (Some(0.02), Some(20)));
    let alpha = shared["alpha"].as_f64().unwrap();
    assert!(alpha * 20.0 <= 0.02 && alpha > 0.000_999);
    let (kept, again) = radii(&run, &[1, 3], &[]);
    assert_eq!(kept, again);
    let counts = run.join("counts.tsv");
    let output = smoothtopk(["radius", "--counts", counts.to_str().unwrap(), "--k", "2"]);
    ok(&output);
    assert!(String::from_utf8_lossy(&output.stderr).contains("not among those that share"));
    let report =
        ok(&smoothtopk(["report", run.to_str().unwrap(), "--out", dir.path().join("report").to_str().unwrap()]));
    let both =
        ["20 statements share an alpha of 0.02", "probability at least 0.98 all", "0.02 of them at most are expected"];
    assert!(both.iter().all(|part| report.contains(part)), "{report}");
    let both = certify(&dir.path().join("both"), &["--alpha", "0.1", "--alpha-total", "0.1"]);
    assert!(refused(&both, 2).contains("--alpha-total"));
}
