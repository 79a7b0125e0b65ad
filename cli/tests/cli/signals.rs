//! Signals, standard error that nobody reads, exit codes, and numbers and counts as a shell has them.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::smoothtopk;
use crate::{digits, ok, refused};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smoothtopk"));
    command.env("SMOOTHTOPK_CACHE", "off").stdin(Stdio::null());
    command
}

/// The program as a shell starts it, after `before` and with `after` its arguments.
#[cfg(unix)]
fn by_shell(before: &str, arguments: &[String], after: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{before} exec \"$0\" \"$@\" {after}"), env!("CARGO_BIN_EXE_smoothtopk")]);
    command.args(arguments).env("SMOOTHTOPK_CACHE", "off").stdin(Stdio::null());
    command
}

#[cfg(target_os = "linux")]
#[test]
fn signals_that_nohup_and_shells_ignore_stay_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let arguments = digits("certify", &["--n", "2000000", "--quiet", "--out", run.to_str().unwrap()]);
    let mut child = by_shell("trap '' HUP INT;", &arguments, "").spawn().unwrap();
    while !run.join("records.jsonl").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(200));
    let send = |signal: &str| {
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success())
    };
    send("-HUP");
    send("-INT");
    std::thread::sleep(Duration::from_millis(300));
    send("-TERM");
    // Were one of the others seen, it would have been the second signal, and its code the other's.
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[cfg(target_os = "linux")]
#[test]
fn standard_error_that_is_closed_or_full_ends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for (name, stderr) in [("full", "2>/dev/full"), ("closed", "2>&-"), ("pipe", "2>&1 | true")] {
        let run = dir.path().join(name);
        let arguments = digits("certify", &["--n", "500", "--max", "40", "--out", run.to_str().unwrap()]);
        // Of a pipe, the shell gives the reader's code.
        let status = match name {
            "pipe" => {
                let (reader, writer) = std::io::pipe().unwrap();
                drop(reader);
                program().args(&arguments).stderr(writer).status()
            }
            _ => by_shell("", &arguments, stderr).status(),
        };
        assert_eq!(status.unwrap().code(), Some(0), "{name}");
        assert_eq!(crate::records(&run).len(), 40, "{name}");
        assert_eq!(by_shell("", &["frobnicate".to_owned()], "2>/dev/full").status().unwrap().code(), Some(2));
    }
}

#[test]
fn a_run_that_another_process_writes_may_be_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let arguments = digits("certify", &["--n", "100", "--max", "2", "--quiet", "--out", run.to_str().unwrap()]);
    ok(&smoothtopk(&arguments));
    let lock = fs::File::open(run.join(".lock")).unwrap();
    lock.lock().unwrap();
    let error = refused(&smoothtopk(&arguments), 75);
    assert!(error.contains("another process is writing"), "{error}");
    drop(lock);
    ok(&smoothtopk(&arguments));
    let help = ok(&smoothtopk(["--help"]));
    for code in ["  2  ", "  3  ", "  75  ", "129, 130, 143"] {
        assert!(help.contains(code), "{help}");
    }
}

#[test]
fn options_stand_under_their_headings_and_words_are_explained() {
    let help = ok(&smoothtopk(["verify", "--help"]));
    let at = |part: &str| help.find(part).unwrap_or_else(|| panic!("{part}: {help}"));
    for option in ["--attacks", "--false-alarm", "--out", "--run", "--seed"] {
        assert!(at(&format!("{option} <")) < at("Model options:"), "{option}: {help}");
    }
    assert!(at("Model options:") < at("--provider <"));
    assert!(ok(&smoothtopk(["--help"])).contains("smoothtopk help terms explains the words"));
}

#[test]
fn numbers_may_have_exponents_and_counts_come_from_a_pipe() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let out = run.to_str().unwrap();
    ok(&smoothtopk(digits("certify", &["--n", "1e3", "--n0", "1e2", "--max", "3", "--quiet", "--out", out])));
    assert_eq!(crate::manifest(&run)["request"]["n"], 1000);
    let error = refused(&smoothtopk(digits("certify", &["--n", "1.5", "--out", out])), 2);
    assert!(error.contains("is not a whole number, such as 1000 or 1e5"), "{error}");

    let counts = ["radius", "--counts", "-"];
    let mut child = program().args(counts).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(run.join("records.jsonl")).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(ok(&output), ok(&smoothtopk(["radius", "--counts", out])));
}
