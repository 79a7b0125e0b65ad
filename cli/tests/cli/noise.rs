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
