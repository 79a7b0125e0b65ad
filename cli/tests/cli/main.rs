//! The command line end to end, as a user runs it.

mod bad_input;
mod certify;
mod commands;
mod common;
mod config;
mod devices;
mod folders;
mod formats;
mod guarantee;
mod label_sets;
mod noise;
mod plan;
mod predict;
mod proven;
mod radius;
mod real_models;
mod report;
mod rules;
mod shards;
mod shell;
mod signals;
mod verify;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;

use common::root;

fn model() -> String {
    root("demo/digits_mlp_sigma0.25.onnx")
}

fn data() -> String {
    root("demo/digits_test200.npz")
}

fn digits(command: &str, more: &[&str]) -> Vec<String> {
    let (model, data) = (model(), data());
    let base = [
        command,
        "--model",
        &model,
        "--data",
        &data,
        "--input-scale",
        "16",
        "--sigma",
        "0.25",
        "--seed",
        "7",
        "--batch",
        "32",
    ];
    base.iter().chain(more).map(ToString::to_string).collect()
}

fn ok(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "exit {:?}: {stderr}", output.status.code());
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The records of a RUN.
fn records(run: &Path) -> Vec<serde_json::Value> {
    text(run.join("records.jsonl")).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Writes the records of a RUN again, each changed.
fn change_records(run: &Path, change: impl Fn(usize, &mut serde_json::Value)) {
    let mut records = records(run);
    records.iter_mut().enumerate().for_each(|(i, record)| change(i, record));
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    fs::write(run.join("records.jsonl"), lines).unwrap();
}

/// The files of a RUN, without times.
fn files(run: &Path) -> BTreeMap<String, String> {
    fs::read_dir(run)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ["tsv", "json", "jsonl"].iter().any(|known| ext == *known)))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let mut text = fs::read_to_string(&path).unwrap();
            if ["k", "answer", "labels"].iter().any(|view| name.starts_with(view)) {
                text = text.lines().map(|line| line.rsplit_once('\t').unwrap().0.to_owned() + "\n").collect();
            }
            if name == "records.jsonl" {
                let without = |line: &str| {
                    let (before, after) = line.split_once("\"seconds\":").unwrap();
                    format!("{before}{}\n", &after[after.find(',').unwrap()..])
                };
                text = text.lines().map(without).collect();
            }
            (name, text)
        })
        .collect()
}

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

/// The fields of a TSV's lines after its header.
fn rows(path: impl AsRef<Path>) -> Vec<Vec<String>> {
    text(path).lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn manifest(run: &Path) -> serde_json::Value {
    serde_json::from_str(&text(run.join("manifest.json"))).unwrap()
}

/// What a command that must be refused says, in one line and perhaps its usage below.
fn refused(output: &Output, code: i32) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!(common::told(&stderr).lines().count(), 1, "{stderr}");
    stderr
}
