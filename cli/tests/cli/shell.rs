//! Completions, manual pages and words.

use std::process::Command;

use crate::common::smoothtopk;
use crate::ok;

/// What bash completes for the last of some words.
fn completed(script: &str, words: &[&str]) -> Vec<String> {
    let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
    let program = format!(
        "source {script}; COMP_WORDS=({}); COMP_CWORD={}; _smoothtopk smoothtopk '{last}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        words.len() - 1
    );
    let output = Command::new("bash").args(["--norc", "-c", &program]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("smoothtopk");
    std::fs::write(&script, ok(&smoothtopk(["completions", "bash"]))).unwrap();
    let script = script.to_str().unwrap();
    assert_eq!(completed(script, &["smoothtopk", "cert"]), ["certify"]);
    assert_eq!(completed(script, &["smoothtopk", "certify", "--dry"]), ["--dry-run"]);
    assert_eq!(completed(script, &["smoothtopk", "radius", "--format", "j"]), ["json"]);
    for shell in ["zsh", "fish"] {
        let text = ok(&smoothtopk(["completions", shell]));
        assert!(text.contains("dry-run") && text.contains("certify"), "{shell}");
        // Where the shell is there, it reads its script.
        let path = dir.path().join(shell);
        std::fs::write(&path, text).unwrap();
        match Command::new(shell).arg("-n").arg(&path).status() {
            Ok(status) => assert!(status.success(), "{shell} does not read its script"),
            Err(_) => eprintln!("SKIPPED: {shell} is not installed, its completions were not read by it"),
        }
    }
    assert_eq!(smoothtopk(["completions", "tcsh"]).status.code(), Some(2));
}

#[test]
fn every_command_has_a_manual_page() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("man1");
    ok(&smoothtopk(["man", folder.to_str().unwrap()]));
    for name in ["", "-certify", "-predict", "-radius", "-report", "-verify", "-inspect", "-plan", "-doctor"] {
        let page = std::fs::read_to_string(folder.join(format!("smoothtopk{name}.1"))).unwrap();
        assert!(page.contains(".TH") && page.contains(".SH OPTIONS"), "{name}");
        assert!(name.is_empty() || page.contains("Exit codes:"), "{name}");
    }
    let in_the_way = dir.path().join("file");
    std::fs::write(&in_the_way, "").unwrap();
    assert_eq!(smoothtopk(["man", in_the_way.to_str().unwrap()]).status.code(), Some(1));
}

#[test]
fn the_words_are_explained() {
    let words = ok(&smoothtopk(["help", "terms"]));
    assert_eq!(ok(&smoothtopk(["terms"])).trim(), words.trim());
    for word in ["  alpha\n", "  certified radius\n", "  RUN\n"] {
        assert!(words.contains(word), "{word}: {words}");
    }
}
