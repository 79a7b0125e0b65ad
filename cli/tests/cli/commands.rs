//! The commands `inspect` and `doctor`.

use std::process::{Command, Output};

use smoothtopk::model::{Model, ModelOptions};

use crate::common::root;

fn smoothtopk(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smoothtopk"));
    command.args(arguments).envs(environment.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn path(name: &str) -> String {
    root(&format!("tests/models/{name}"))
}

#[test]
fn inspect_shows_what_is_used_and_why() {
    let output = smoothtopk(&["inspect", &path("sklearn_names_zipmap.onnx")], &[]);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for part in ["output_probability", "setosa, versicolor, virginica", "batch     dynamic", "classes   3", "why "] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(text(&output.stderr), "", "nothing but the report is printed");

    let output = smoothtopk(&["inspect", "--format", "json", &path("image_nhwc.onnx")], &[]);
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&shown["accepted"], &shown["signature"]["layout"]), (&true.into(), &"nhwc".into()));
    let model = Model::open(path("image_nhwc.onnx"), &ModelOptions::default()).unwrap();
    assert_eq!(shown["sha256"], model.sha256());
    assert_eq!(shown["signature"]["elements"], model.signature().elements);
}

#[test]
fn inspect_shows_a_refused_model_and_the_remedy() {
    let output = smoothtopk(&["inspect", &path("two_outputs.onnx")], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("output    coarse float32[batch,3]"));
    let error = text(&output.stderr);
    assert!(error.contains("--output NAME") && error.lines().count() == 1, "{error}");

    let output = smoothtopk(&["inspect", "--format", "json", &path("two_outputs.onnx")], &[]);
    assert_eq!(output.status.code(), Some(1));
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&shown["accepted"], &shown["interface"]["outputs"][1]["name"]), (&false.into(), &"fine".into()));

    let output = smoothtopk(&["inspect", &path("two_outputs.onnx"), "--output", "fine"], &[]);
    assert!(output.status.success());
}

#[test]
fn bad_input_is_one_line_and_the_right_exit_code() {
    for (arguments, code) in [
        (vec!["inspect", "no_such_model.onnx"], 1),
        (vec!["inspect", &path("cases.json")], 1),
        (vec!["inspect", &path("linear.onnx"), "--provider", "gpu:0"], 2),
        (vec!["inspect", &path("linear.onnx"), "--provider", "gpu"], 1),
        (vec!["inspect", &path("linear.onnx"), "--std", "0"], 2),
        (vec!["inspect", &path("linear.onnx"), "--constant", "x"], 2),
        (vec!["inspect", &path("linear.onnx"), "--onnxruntime", "no_such_folder"], 1),
    ] {
        let output = smoothtopk(&arguments, &[]);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
        assert_eq!(text(&output.stderr).lines().count(), 1, "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn doctor_tells_what_was_found() {
    let output = smoothtopk(&["doctor"], &[]);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{shown}{}", text(&output.stderr));
    for part in ["SMOOTHTOPK_ONNXRUNTIME", ", used", "cpu: works", "cuda:0: ", "tensorrt:0: ", "usable threads"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn doctor_tells_where_it_looked_when_nothing_was_found() {
    let output = smoothtopk(&["doctor"], &[("SMOOTHTOPK_ONNXRUNTIME", "/no/such/folder")]);
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output.stdout);
    assert!(shown.contains("SMOOTHTOPK_ONNXRUNTIME: /no/such/folder: not there"), "{shown}");
    assert!(text(&output.stderr).contains("/no/such/folder"), "{}", text(&output.stderr));
}
