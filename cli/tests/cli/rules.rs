//! Samples that a rule ends: what a RUN keeps of them, and that they are resumed, certified again and refused as they
//! should be.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::smoothtopk;
use crate::{digits, files, manifest, noise, ok, records, refused, rows, text};

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

/// What was decided for the i-th k of each record.
fn decisions(run: &Path, i: usize) -> Vec<String> {
    let decision = |record: &serde_json::Value| record["certificates"][i]["decision"].as_str().unwrap().to_owned();
    records(run).iter().map(decision).collect()
}

/// The samples that each record rests on.
fn samples(run: &Path) -> Vec<u64> {
    records(run).iter().map(|record| record["counts"]["n"].as_u64().unwrap()).collect()
}

/// The Markdown that `report` writes.
fn report(run: &Path, dir: &Path) -> String {
    let out = dir.join("report");
    ok(&smoothtopk(["report", run.to_str().unwrap(), "--out", out.to_str().unwrap()]));
    text(out.join("report.md"))
}

#[test]
fn a_radius_is_decided_by_as_many_samples_as_it_takes() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    ok(&certify(&run, &["--k", "1,3", "--n", "20000", "--max", "40", "--rule", "radius:0.4"]));
    let drawn = samples(&run);
    assert_eq!(drawn.len(), 40);
    for (drawn, counts) in drawn.iter().zip(text(run.join("counts.tsv")).lines()) {
        let sum: u64 = counts.split('\t').take(10).map(|count| count.parse::<u64>().unwrap()).sum();
        // Every sample of this model has a label.
        assert!(sum == *drawn && sum <= 20_000, "{drawn} {counts}");
    }
    for (i, k) in [1, 3].into_iter().enumerate() {
        for ((row, decision), drawn) in rows(run.join(format!("k{k}.tsv"))).iter().zip(decisions(&run, i)).zip(&drawn) {
            let radius: f64 = row[3].parse().unwrap();
            match decision.as_str() {
                "certified" => assert!(radius >= 0.4, "{row:?}"),
                "refuted" => assert!(radius < 0.4, "{row:?}"),
                // What is left of 20,000 samples can then no longer certify it.
                "undecided" => assert!((10_000..=20_000).contains(drawn), "{row:?} {drawn}"),
                other => panic!("{other}"),
            }
        }
    }
    let early = drawn.iter().filter(|drawn| **drawn < 2000).count();
    assert!(early >= 20, "{early} of 40 easy digits are decided early");
    let (kept, again) = radii(&run, &[1, 3], &[]);
    assert_eq!(kept, again);
    let run_manifest = manifest(&run);
    assert_eq!(run_manifest["request"]["rule"], "radius:0.4");
    // A RUN that makes refutations counts them among its statements.
    let report = report(&run, dir.path());
    assert!(report.contains("160 statements, 80 of them refutations"), "{report}");
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
    let earlier = |record: &serde_json::Value| (0..3).any(|i| record["certificates"][i]["counts"].is_object());
    assert!(records(&run).iter().any(earlier), "no k was decided before the others, with a larger radius");
    let (kept, again) = radii(&run, &[1, 2, 3], &[]);
    assert_eq!(kept, again);
}

#[test]
fn pilot_samples_choose_how_alpha_is_spent_and_the_run_remembers() {
    let dir = tempfile::tempdir().unwrap();
    for (rule, decision) in [("fixed", "complete"), ("tolerance:0.05sigma", "reached")] {
        let run = dir.path().join(rule.split(':').next().unwrap());
        ok(&certify(&run, &["--k", "1,2", "--n", "2000", "--max", "12", "--allocation", "auto", "--rule", rule]));
        assert!(decisions(&run, 0).iter().all(|found| found == decision));
        assert_eq!(manifest(&run)["request"]["n0"], 100);
        let (kept, again) = radii(&run, &[1, 2], &[]);
        assert_eq!(kept, again, "{rule}");
        // Another allocation is as sound, if it is not chosen by these counts.
        let (_, pooled) = radii(&run, &[2], &["--allocation", "pooled:0.75"]);
        assert!(pooled.iter().any(|radius| radius != "0"));
        // None was chosen for k = 3.
        let counts = run.join("counts.tsv");
        let output = smoothtopk(["radius", "--counts", counts.to_str().unwrap(), "--k", "3"]);
        let error = refused(&output, 2);
        assert!(error.starts_with("smoothtopk: k: ") && error.contains("--allocation"), "{error}");
    }
}

#[test]
fn randomized_bounds_are_made_again_from_the_run() {
    for source in [["--seed", "4"], ["--generator", "chacha12"]] {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        let common = [&["--k", "1,2", "--skip", "7", "--randomized"][..], &source].concat();
        ok(&noise::certify(&run, &common));
        assert_eq!(manifest(&run)["request"]["randomized"], true);
        let (kept, again) = radii(&run, &[1, 2], &[]);
        assert_eq!(kept, again, "{source:?}");
        assert!(report(&run, dir.path()).contains("| ranked, randomized |"));
        // A RUN is shown to others without its seed or key.
        for secret in ["philox.seed", "chacha12.key"] {
            let _ = std::fs::remove_file(run.join(secret));
        }
        assert_eq!(radii(&run, &[1, 2], &[]).1, kept);
        // There is no uniform for k = 3: plain bounds.
        let third = ok(&smoothtopk(["radius", "--counts", run.to_str().unwrap(), "--k", "3"]));
        assert_eq!(third.lines().count(), 1 + kept.len() / 2);
    }
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    // Nine samples certify nothing by plain bounds, and something by a lucky uniform.
    for (more, warned) in [(&[][..], true), (&["--randomized"], false)] {
        let more = [&["--n", "9", "--allocation", "binocp", "--max", "1"][..], more].concat();
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
fn a_curve_at_steps_is_the_one_of_all_samples() {
    let dir = tempfile::tempdir().unwrap();
    let [steps, all] = ["steps", "all"].map(|name| dir.path().join(name));
    let common = ["--n", "10000", "--max", "40"];
    ok(&certify(&steps, &[&common[..], &["--rule", "steps:0.125"]].concat()));
    ok(&certify(&all, &common));
    let decided = decisions(&steps, 0);
    let reached = decided.iter().filter(|decision| ["reached", "refuted"].contains(&decision.as_str())).count();
    assert!(reached >= 36, "{decided:?}");
    let (few, _) = radii(&steps, &[1], &[]);
    let (many, _) = radii(&all, &[1], &[]);
    let step = |radius: &String| (radius.parse::<f64>().unwrap() / 0.125).floor();
    let same = few.iter().zip(&many).filter(|(few, many)| step(few) == step(many)).count();
    assert!(same >= 36, "{same} of 40");
    // The radii follow from the records, by the bounds of the rule: no others are taken.
    let (kept, again) = radii(&steps, &[1], &[]);
    assert_eq!(kept, again);
    let of = |more: &[&str]| smoothtopk([&["radius", "--counts", steps.to_str().unwrap()][..], more].concat());
    for bounds in ["fixed", "anytime", "anytime:10000"] {
        assert!(refused(&of(&["--validity", bounds]), 2).contains("leave --validity out"), "{bounds}");
    }
    for unknown in ["randomized:0.5", "anytime:0"] {
        assert!(refused(&of(&["--validity", unknown]), 2).contains("must be fixed"), "{unknown}");
    }
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
    assert!(error.starts_with("smoothtopk: validity: "), "{error}");
    for (more, field) in [
        (&["--timeout", "1"][..], "timeout"),
        (&["--rule", "predict"], "rule"),
        (&["--rule", "radius:-1"], "rule"),
        (&["--rule", "until-dawn"], "rule"),
        (&["--allocation", "auto", "--n0", "0"], "n0"),
        // Labels of these digits are 0, 5 and 7: 5 cannot be a rival of itself.
        (&["--allocation", "pooled:0.5:5", "--k", "2"], "allocation"),
        (&["--guarantee", "--rule", "steps:0.2"], "rule"),
        (&["--guarantee", "--rule", "radius:0.2", "--n0", "0"], "n0"),
        (&["--guarantee", "--allocation", "ranked"], "allocation"),
        (&["--alpha-total", "0"], "alpha-total"),
        (&["--noise-mode", "exact:7"], "data"),
        (&["--noise", "uniform:0.5"], "--sigma"),
    ] {
        let fresh = dir.path().join("fresh");
        let code = if field == "data" { 1 } else { 2 };
        let error = refused(&certify(&fresh, &[&["--n", "2000", "--max", "3"], more].concat()), code);
        assert!(error.contains(field), "{more:?}: {error}");
        assert!(!fresh.exists(), "{more:?} made a run");
    }
    // A run is not resumed under another rule.
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
            "--allocation",
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
    let lines = || std::fs::read_to_string(killed.join("records.jsonl")).map_or(0, |text| text.lines().count());
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
        let bytes = std::fs::read(killed.join("records.jsonl")).unwrap();
        if kill % 2 == 1 && bytes.len() > 9 {
            // As if the kill had come in the middle of a write.
            std::fs::write(killed.join("records.jsonl"), &bytes[..bytes.len() - 9]).unwrap();
        }
    }
    ok(&smoothtopk(arguments(&killed, "32")));
    assert!(seen.iter().any(|&lines| (1..100).contains(&lines)), "no kill came between examples: {seen:?}");
    assert!(files(&whole) == files(&killed), "after kills at {seen:?} lines the files differ");
}

#[test]
fn a_late_example_keeps_the_answer_of_its_last_look() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    // Never reached: only the time ends these rows.
    let endless = ["--n", "1000000000", "--rule", "tolerance:0", "--timeout", "0.3", "--max", "2"];
    ok(&certify(&run, &endless));
    assert!(decisions(&run, 0).iter().all(|decision| decision == "undecided"));
    assert!(samples(&run).iter().all(|&drawn| drawn < 1_000_000_000));
    assert!(records(&run).iter().all(|record| record["early_stop"] == "DEADLINE_EXCEEDED"));
    let (kept, again) = radii(&run, &[1], &[]);
    assert_eq!(kept, again);
    assert!(kept.iter().all(|radius| radius.parse::<f64>().unwrap() > 0.3), "{kept:?}");
    // The pilot alone takes longer: no label, no allocation, no radius.
    let late = dir.path().join("late");
    ok(&certify(&late, &[&endless[..], &["--select", "--n0", "1000000000"]].concat()));
    for record in records(&late) {
        assert_eq!(
            (&record["status"], &record["counts"]["ending"]["kind"]),
            (&"DEADLINE_EXCEEDED".into(), &"cut_short".into())
        );
        assert!(record["certificates"].is_null());
    }
    for more in [&[][..], &["--allocation", "binocp"]] {
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
    assert_eq!(shared["alpha_total"], 0.02);
    let alpha = shared["request"]["alpha"].as_f64().unwrap();
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
        ["20 statements share an alpha of 0.02", "probability at least 0.98 all", "at most 0.02 of them are expected"];
    assert!(both.iter().all(|part| report.contains(part)), "{report}");
    let both = certify(&dir.path().join("both"), &["--alpha", "0.1", "--alpha-total", "0.1"]);
    assert!(refused(&both, 2).contains("--alpha-total"));
}
