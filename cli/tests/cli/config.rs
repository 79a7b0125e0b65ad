//! Options from a file, RUNs that are made again, and commands that only say what they would do.

use std::fs;
use std::path::Path;

use crate::common::smoothtopk;
use crate::{data, digits, files, manifest, model, ok, refused, text};

fn written(folder: &Path, text: &str) -> String {
    let path = folder.join("options.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_file_gives_options_and_the_command_line_wins() {
    let dir = tempfile::tempdir().unwrap();
    let options = format!(
        "model = {:?}\ndata = {:?}\ninput-scale = 16\nsigma = 0.5\nk = [1, 3]\nn = 100\nmax = 2\nguarantee = false\nseed = 7\nbatch = 20\n",
        model(),
        data()
    );
    let config = written(dir.path(), &options);
    let run = dir.path().join("run");
    let out = run.to_str().unwrap();
    ok(&smoothtopk(["certify", "-c", &config, "-o", out, "-q", "--noise", "gaussian:0.25", "--n=60"]));
    let made = manifest(&run);
    // --sigma of the file gives way to --noise, which excludes it.
    assert_eq!((&made["request"]["noise"], &made["request"]["n"]), (&"gaussian:0.25".into(), &60.into()));
    assert_eq!((&made["request"]["k"], &made["max"]), (&serde_json::json!([1, 3]), &2.into()));
    let typed = dir.path().join("typed");
    ok(&smoothtopk(digits("certify", &["-k", "1,3", "-n", "60", "--max", "2", "-q", "-o", typed.to_str().unwrap()])));
    let without = |run: &Path| {
        let mut made = manifest(run);
        made.as_object_mut().unwrap().remove("options");
        made
    };
    assert_eq!(without(&run), without(&typed));
    assert_eq!(text(run.join("counts.tsv")), text(typed.join("counts.tsv")));
}

#[test]
fn what_a_file_has_wrong_is_told() {
    let dir = tempfile::tempdir().unwrap();
    for (line, says) in [
        ("sigmaa = 0.25", "certify has no option \"sigmaa\"; did you mean \"sigma\"?"),
        ("input_scale = 16", "did you mean \"input-scale\"?"),
        ("qqq = 1", "has no option \"qqq\""),
        ("config = \"x\"", "has no option \"config\""),
        ("select = 1", "must be true or false"),
        ("n = [1, 2]", "must be one value"),
        ("n = true", "must be text or a number"),
        ("sigma = ", "line 1"),
    ] {
        let config = written(dir.path(), line);
        let error = refused(&smoothtopk(["certify", "--config", &config, "--out", "x"]), 2);
        assert!(error.contains(says) && error.contains("options.toml"), "{line}: {error}");
    }
    assert!(refused(&smoothtopk(["certify", "--config", "none.toml"]), 1).contains("none.toml"));
    let config = written(dir.path(), "sigma = -1\n");
    let error = refused(&smoothtopk(digits("plan", &[])[..1].iter().cloned().chain(["-c".to_owned(), config])), 2);
    assert!(error.contains("sigma: -1"), "{error}");
}

#[test]
fn a_manifest_makes_the_same_run_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let data = path("data.npz").to_str().unwrap().to_owned();
    fs::copy(crate::data(), &data).unwrap();
    let out = |name: &str| path(name).to_str().unwrap().to_owned();
    let base = ["certify", "-m", &model(), "-d", &data, "--input-scale", "16", "-s", "0.25", "-n", "200"];
    let more = ["--n0", "20", "--select", "--max", "3", "-k", "1,2", "--rule", "radius:0.2", "--batch", "32", "-o"];
    let made = smoothtopk(base.iter().chain(&more).map(ToString::to_string).chain([out("run")]));
    ok(&made);
    let told = String::from_utf8_lossy(&made.stderr).into_owned();
    // The times of plain lines are for logs.
    let at_the_end = |part: &str| told.lines().any(|line| line.starts_with("20") && line.contains(part));
    assert!(at_the_end("Z 3/3 examples, "), "{told}");
    let config = path("run").join("manifest.json").to_str().unwrap().to_owned();
    ok(&smoothtopk(["certify", "--config", &config, "-o", &out("again"), "--batch", "20", "-q"]));
    assert!(files(&path("run")) == files(&path("again")));
    // The seed is in its own file, and the next commands can be typed.
    assert!(!text(&config).contains(text(path("run/philox.seed")).trim()));
    let next: Vec<&str> = told.lines().skip_while(|line| !line.starts_with("next: ")).collect();
    assert_eq!(next.len(), 2, "{told}");
    let report = next[0].strip_prefix("next: smoothtopk ").unwrap();
    ok(&smoothtopk(report.split(' ')));
    let verify = next[1].trim().strip_prefix("smoothtopk ").unwrap().replace("--attacks 100", "--attacks 1 -n 100");
    let verified = smoothtopk(verify.split(' ').chain(["--batch", "32"]));
    assert!(path("run-verify/verify.md").exists(), "{}", String::from_utf8_lossy(&verified.stderr));
    // Without the file of the seed another one can be given.
    fs::rename(path("run/philox.seed"), path("seed")).unwrap();
    assert!(refused(&smoothtopk(["certify", "-c", &config, "-o", &out("seeded")]), 1).contains("give --seed"));
    ok(&smoothtopk(["certify", "-c", &config, "-o", &out("seeded"), "-q", "--seed", text(path("seed")).trim()]));
    assert!(files(&path("run")) == files(&path("seeded")));
    fs::rename(path("seed"), path("run/philox.seed")).unwrap();
    // Other data is another RUN.
    fs::copy(crate::common::root("demo/digits_test200.npz"), path("other.npz")).unwrap();
    crate::common::npz(Path::new(&data), &[3, 64], &crate::common::digit_pixels(3), Some(&[1, 2, 3]));
    let error = refused(&smoothtopk(["certify", "--config", &config, "-o", &out("third")]), 1);
    assert!(error.contains("data: ") && error.contains("restore it") && !path("third").exists(), "{error}");
    ok(&smoothtopk(["certify", "-c", &config, "-d", &out("other.npz"), "-o", &out("third"), "-q"]));
}

#[test]
fn a_dry_run_says_what_would_be_drawn_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let out = run.to_str().unwrap();
    let certify =
        |more: &[&str]| smoothtopk(digits("certify", &[&["-n", "300", "--max", "4", "-o", out], more].concat()));
    let told = ok(&certify(&["--dry-run"]));
    for part in
        ["would certify 4 of 4 examples", "10 labels", "gaussian:0.25", "300 of each example, 1200 of all", "time "]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!run.exists());
    ok(&certify(&["-q"]));
    let before = files(&run);
    let done = ok(&certify(&["--dry-run"]));
    assert!(done.contains("would certify 0 of 4 examples") && done.contains("4 are there already"), "{done}");
    let error = refused(&certify(&["--dry-run", "-k", "2"]), 2);
    assert!(error.contains("was made with [1]"), "{error}");
    assert_eq!(files(&run), before);
    let whole = ["certify", "-m", &model(), "-d", &data(), "--input-scale", "16", "--noise", "block:2", "-o"];
    let told = smoothtopk(whole.into_iter().chain([out, "--dry-run"]));
    assert_eq!(told.status.code(), Some(2), "the folder holds another RUN");
}
