//! Exact noise, and noise by a key.

use std::path::Path;

use crate::common::smoothtopk;
use crate::{data, digits, files, manifest, model, ok, refused, rows, text};

/// Without the seed that `digits` gives.
pub fn certify(out: &Path, more: &[&str]) -> std::process::Output {
    let mut arguments = digits("certify", &[more, &["--n", "500", "--quiet", "--out", out.to_str().unwrap()]].concat());
    let at = arguments.iter().position(|argument| argument == "--seed").unwrap();
    arguments.drain(at..at + 2);
    smoothtopk(arguments)
}

#[test]
fn exact_noise_pays_with_alpha_and_takes_nothing_off_the_radius() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    ok(&certify(&run, &["--noise-mode", "exact", "--seed", "7", "--max", "6"]));
    let exact = manifest(&run)["perturbation"].clone();
    assert_eq!((exact["radius_cost"].as_f64(), exact["step"].as_f64()), (Some(0.0), Some(1.0 / 16.0)));
    assert_eq!(exact["method"], "discrete-gaussian 1");
    assert!(exact["alpha_cost"].as_f64().unwrap() > 0.0);
    let radii: Vec<String> = rows(run.join("k1.tsv")).into_iter().map(|row| row[3].clone()).collect();
    assert!(radii.iter().any(|radius| radius.parse::<f64>().unwrap() > 0.3), "{radii:?}");
    let counts = run.join("counts.tsv");
    let table = ok(&smoothtopk(["radius", "--counts", counts.to_str().unwrap()]));
    assert_eq!(table.lines().skip(1).map(|line| line.split('\t').nth(2).unwrap()).collect::<Vec<_>>(), radii);
    // Less alpha than the noise costs is refused, whatever the bound.
    let paid = exact["alpha_cost"].as_f64().unwrap() * 500.0;
    let error = refused(&smoothtopk(["radius", "--counts", counts.to_str().unwrap(), "--alpha", &paid.to_string()]), 2);
    assert!(error.starts_with("smoothtopk: alpha: "), "{error}");
    // The pixels are multiples of 1/16, so of 1/32, and not of 1/255.
    ok(&certify(&dir.path().join("finer"), &["--noise-mode", "exact:32", "--seed", "7", "--max", "1"]));
    let error = refused(&certify(&dir.path().join("off"), &["--noise-mode", "exact:255", "--max", "6"]), 1);
    assert!(
        error.contains("example 0: element ") && error.contains("1/255") && error.contains("exact:LEVELS"),
        "{error}"
    );
    assert!(!dir.path().join("off").exists());
}

#[test]
fn a_key_is_kept_apart_from_the_run_that_it_made() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let arguments = ["--generator", "chacha12", "--k", "1,2", "--max", "5"];
    ok(&certify(&run, &arguments));
    let key = text(run.join("chacha12.key")).trim().to_owned();
    assert!(key.len() == 64 && key.chars().all(|digit| digit.is_ascii_hexdigit()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(run.join("chacha12.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let of_run = manifest(&run);
    assert_eq!(of_run["generator"], "chacha12");
    assert!(!text(run.join("manifest.json")).contains(&key));

    // Cut, it is resumed by its own key.
    let whole = files(&run);
    let cut = text(run.join("records.jsonl"));
    std::fs::write(run.join("records.jsonl"), &cut[..cut.len() - 4]).unwrap();
    ok(&certify(&run, &arguments));
    assert_eq!(files(&run), whole);
    // The same key makes the same run, by hand or from a file.
    let at = format!("@{}", run.join("chacha12.key").display());
    for given in [&key, &at] {
        let again = dir.path().join(format!("again{}", given.len()));
        ok(&certify(&again, &[&arguments[..], &["--key", given]].concat()));
        assert_eq!(files(&again), whole);
    }
    // Another key, or none, is not the run's.
    let other = "0".repeat(64);
    let error = refused(&certify(&run, &[&arguments[..], &["--key", &other]].concat()), 2);
    assert!(error.starts_with("smoothtopk: secret_sha256: ") && !error.contains(&other), "{error}");
    std::fs::remove_file(run.join("chacha12.key")).unwrap();
    let error = refused(&certify(&run, &arguments), 1);
    assert!(error.starts_with("smoothtopk: key: ") && error.contains("restore"), "{error}");

    for (more, field) in [
        (&["--key", "0123"][..], "seed"),
        (&["--generator", "chacha12", "--key", "0123"], "64 hexadecimal"),
        (&["--generator", "chacha12", "--seed", "3"], "--key"),
    ] {
        let error = refused(&certify(&dir.path().join("none"), more), 2);
        assert!(error.contains(field) && !error.contains("0123"), "{error}");
    }
}

/// Fresh noise of either generator has the distribution of the RUN's own; points off the grid of exact noise are no
/// inputs to it.
#[test]
fn verify_attacks_runs_of_every_kind() {
    let dir = tempfile::tempdir().unwrap();
    let verify = |run: &Path| {
        let (run, model, data, out) = (run.to_str().unwrap(), model(), data(), dir.path().join("attack"));
        let base = ["verify", "--run", run, "--model", &model, "--data", &data, "--batch", "32", "--quiet"];
        smoothtopk(
            [&base[..], &["--attacks", "5", "--n", "2000", "--seed", "3", "--out", out.to_str().unwrap()]].concat(),
        )
    };
    let keyed = dir.path().join("keyed");
    ok(&certify(&keyed, &["--generator", "chacha12", "--rule", "radius:0.2", "--max", "3"]));
    ok(&verify(&keyed));
    let (exact, answers) = (dir.path().join("exact"), dir.path().join("answers"));
    ok(&certify(&exact, &["--noise-mode", "exact", "--max", "3"]));
    ok(&certify(&answers, &["--guarantee", "--max", "3"]));
    for run in [exact, answers] {
        assert!(ok(&verify(&run)).contains("No more breaks than alpha"));
    }
}

/// Runs the digits under another noise, without the sigma and the seed that `digits` gives.
fn digits_under(noise: &str, command: &str, more: &[&str]) -> std::process::Output {
    let mut arguments = digits(command, &[more, &["--noise", noise, "--quiet", "--max", "4"]].concat());
    for option in ["--sigma", "--seed"] {
        let at = arguments.iter().position(|argument| argument == option).unwrap();
        arguments.drain(at..at + 2);
    }
    smoothtopk(arguments)
}

#[test]
fn all_rows_of_a_window_certify_patches_without_alpha() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let out = ["--k", "1,3", "--select", "--out", run.to_str().unwrap()];
    ok(&digits_under("band:1", "certify", &out));
    let of_run = manifest(&run);
    assert_eq!(of_run["perturbation"]["noise"], "band:1:height=8:width=8:channels=first");
    assert_eq!(of_run["label_source"], "same_counts");
    let request = &of_run["request"];
    assert_eq!(
        (&request["n"], &request["n0"], &request["alpha"], &request["norm"]),
        (&8.into(), &0.into(), &0.0.into(), &"patch".into())
    );
    let radii: Vec<String> = rows(run.join("k3.tsv")).into_iter().map(|row| row[3].clone()).collect();
    assert!(radii.iter().any(|radius| radius != "0") && radii.iter().all(|radius| !radius.contains('.')), "{radii:?}");
    // Resumed, and certified again from what is kept.
    ok(&digits_under("band:1", "certify", &out));
    let table = ok(&smoothtopk(["radius", "--counts", run.to_str().unwrap(), "--k", "3"]));
    assert_eq!(table.lines().skip(1).map(|line| line.split('\t').nth(2).unwrap()).collect::<Vec<_>>(), radii);
    let report = dir.path().join("report");
    ok(&smoothtopk(["report", run.to_str().unwrap(), "--out", report.to_str().unwrap()]));
    let report = text(report.join("report.md"));
    assert!(report.contains("8 statements, without chance"), "{report}");
    let error = refused(&smoothtopk(["radius", "--counts", run.to_str().unwrap(), "--alpha", "0.01"]), 2);
    assert!(error.starts_with("smoothtopk: alpha: "), "{error}");
    for (more, field) in [
        (["--n", "50"], "n"),
        (["--n0", "50"], "n0"),
        (["--alpha", "0.01"], "alpha"),
        (["--alpha-total", "0.01"], "alpha"),
        (["--rule", "radius:1"], "rule"),
        (["--allocation", "simuem"], "allocation"),
        (["--seed", "7"], "seed"),
        (["--noise-mode", "exact"], "mode"),
    ] {
        let out = dir.path().join("none");
        let error =
            refused(&digits_under("band:4", "certify", &[&more[..], &["--out", out.to_str().unwrap()]].concat()), 2);
        assert!(error.starts_with(&format!("smoothtopk: {field}: ")), "{more:?}: {error}");
        assert!(!out.exists());
    }
    let predicted = ok(&digits_under("block:3:wrap=no", "predict", &["--k", "1,3"]));
    assert_eq!(predicted.lines().count(), 9);
}

#[test]
fn ablation_and_splits_certify_in_their_units() {
    let dir = tempfile::tempdir().unwrap();
    for (noise, norm, more) in [
        ("ablate:24", "l0", &["--n", "500", "--seed", "3", "--select"][..]),
        ("split:64:levels=16", "l1", &["--guarantee"]),
    ] {
        let run = dir.path().join(norm);
        ok(&digits_under(noise, "certify", &[more, &["--k", "1,3", "--out", run.to_str().unwrap()]].concat()));
        assert_eq!(manifest(&run)["request"]["norm"], norm);
        assert_eq!(manifest(&run)["perturbation"]["radius_cost"], 0.0);
    }
    let table = ok(&smoothtopk(["plan", "--noise", "ablate:24:pixels=64", "--n", "1000", "--radius", "1"]));
    assert!(
        table.starts_with("k\tallocation\tsmallest_n\tlargest_radius_at_n=1000\t")
            && table.contains("nothing is rounded"),
        "{table}"
    );
    let table = ok(&smoothtopk(["plan", "--noise", "band:4:width=32", "--k", "1,3"]));
    assert_eq!(table, "k\trows\tlargest_radius\n1\t32\t12\n3\t32\t20\n");
    for (arguments, field) in [
        (&["plan", "--noise", "band:4"][..], "noise"),
        (&["plan", "--noise", "band:4:width=32", "--alpha", "0.01"], "alpha"),
    ] {
        let error = refused(&smoothtopk(arguments), 2);
        assert!(error.starts_with(&format!("smoothtopk: {field}: ")), "{error}");
    }
}
