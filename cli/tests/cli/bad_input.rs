//! Bad input gets one clear line and leaves earlier results as they were.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{self, npz, smoothtopk};
use crate::{digits, model};

/// Exit code, and what the one line on stderr must say.
#[test]
fn bad_input_gets_one_clear_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
    let pixels = common::digit_pixels(2);
    let truncated = path("truncated.onnx");
    let bytes = fs::read(model()).unwrap();
    fs::write(&truncated, &bytes[..bytes.len() / 2]).unwrap();
    let mut with_nan = pixels.clone();
    with_nan[70] = f32::NAN;
    npz(Path::new(&path("nan.npz")), &[2, 64], &with_nan, Some(&[1, 2]));
    npz(Path::new(&path("shape.npz")), &[2, 63], &pixels[..126], None);
    npz(Path::new(&path("labels.npz")), &[2, 64], &pixels, Some(&[1, 10]));
    npz(Path::new(&path("few_labels.npz")), &[2, 64], &pixels, Some(&[1]));
    fs::write(path("not.npz"), "no zip").unwrap();
    fs::write(path("counts.txt"), "1 2 3 1\n1 x 3 1\n").unwrap();
    fs::create_dir(path("other")).unwrap();
    fs::write(path("other/precious.txt"), "mine").unwrap();

    let certify = |changes: &[(&str, &str)]| {
        let mut arguments = digits("certify", &["--n", "100", "--max", "2", "--k", "1", "--quiet"]);
        arguments.extend(["--out".to_owned(), path("run")]);
        for (name, value) in changes {
            match arguments.iter().position(|argument| argument == name) {
                Some(at) => arguments[at + 1] = (*value).to_owned(),
                None => arguments.extend([(*name).to_owned(), (*value).to_owned()]),
            }
        }
        arguments
    };
    let strings = |arguments: &[&str]| arguments.iter().map(ToString::to_string).collect::<Vec<_>>();
    let cases: Vec<(Vec<String>, i32, &[&str])> = vec![
        (certify(&[("--model", &path("none.onnx"))]), 1, &["none.onnx"]),
        (certify(&[("--model", &truncated)]), 1, &["truncated.onnx"]),
        (certify(&[("--data", &path("none.npz"))]), 1, &["none.npz"]),
        (certify(&[("--data", &path("not.npz"))]), 1, &["not.npz"]),
        (certify(&[("--data", &path("nan.npz"))]), 1, &["example 1", "NaN"]),
        (certify(&[("--data", &path("shape.npz"))]), 1, &["[63]", "[1, 8, 8]"]),
        (certify(&[("--data", &path("labels.npz"))]), 1, &["example 1", "10"]),
        (certify(&[("--data", &path("few_labels.npz"))]), 1, &["labels"]),
        (certify(&[("--sigma", "0")]), 2, &["sigma", "must be positive"]),
        (certify(&[("--sigma", "-1")]), 2, &["sigma"]),
        (certify(&[("--sigma", "nan")]), 2, &["sigma"]),
        (certify(&[("--sigma", "abc")]), 2, &["sigma", "For more information, try '--help'"]),
        (strings(&["plan", "--sigma=-1e-300"]), 2, &["sigma: -1e-300 is not a standard deviation"]),
        (
            certify(&[("--timeout", "1e300"), ("--rule", "radius:1")]),
            2,
            &["timeout", "1e300\" is more than 1e9 seconds", "no time limit"],
        ),
        (certify(&[("--timeout", "inf")]), 2, &["timeout", "is more than"]),
        (certify(&[("--timeout", "nan")]), 2, &["timeout", "is not a number of seconds above 0"]),
        (certify(&[("--alpha", "0")]), 2, &["alpha", "to 0.5"]),
        (certify(&[("--alpha", "1")]), 2, &["alpha", "to 0.5"]),
        (certify(&[("--alpha", "0.9")]), 2, &["alpha", "to 0.5"]),
        (certify(&[("--alpha", "1e-100")]), 2, &["alpha"]),
        (certify(&[("--n", "2000000000000")]), 2, &["n"]),
        (certify(&[("--sigma", "1e-110")]), 2, &["sigma"]),
        (certify(&[("--k", "1,1")]), 2, &["k", "twice"]),
        (certify(&[("--threads", "30000")]), 2, &["threads"]),
        (certify(&[("--n", "0")]), 2, &["n"]),
        (certify(&[("--k", "10")]), 2, &["k", "10"]),
        (certify(&[("--k", "0")]), 2, &["k"]),
        (certify(&[("--allocation", "best")]), 2, &["allocation", "ranked"]),
        (certify(&[("--noise-mode", "fine")]), 2, &["noise-mode", "exact:LEVELS"]),
        (strings(&["plan", "--noise", "normal:1"]), 2, &["noise", "uniform:LAMBDA"]),
        (strings(&["plan", "--noise", "gaussian:1", "--sigma", "1"]), 2, &["--noise", "--sigma"]),
        (certify(&[("--batch", "0")]), 2, &["batch"]),
        (certify(&[("--threads", "0")]), 2, &["threads"]),
        (certify(&[("--input-scale", "0")]), 2, &["input-scale"]),
        (certify(&[("--provider", "gpu:0")]), 2, &["provider", "openvino"]),
        // A name is ONNX Runtime's to know.
        (certify(&[("--provider", "gpu")]), 1, &["provider", "'gpu'", "OpenVINO"]),
        (certify(&[("--provider-option", "threads")]), 2, &["provider-option", "KEY=VALUE"]),
        (certify(&[("--provider", "cuda")]), 1, &["cuda"]),
        (certify(&[("--out", &path("other"))]), 2, &["other"]),
        (certify(&[("--out", &path("counts.txt"))]), 2, &["out: ", "counts.txt is a file: a folder is needed"]),
        (
            strings(&["radius", "--counts", &path("counts.txt"), "--sigma", "0.25", "--alpha", "0.001"]),
            1,
            &["line 2", "x"],
        ),
        (strings(&["radius", "--counts", &path("no.txt"), "--sigma", "0.25", "--alpha", "0.001"]), 1, &["no.txt"]),
        (strings(&["report", &path("no-run"), "--out", &path("report")]), 1, &["no-run"]),
        (strings(&["inspect", &truncated]), 1, &["truncated.onnx"]),
        (strings(&["plan", "--sigma", "0", "--k", "1"]), 2, &["sigma"]),
        (strings(&["plan", "--sigma", "0.25", "--alpha", "1"]), 2, &["alpha", "to 0.5"]),
        (strings(&["frobnicate"]), 2, &["frobnicate", "Usage: smoothtopk"]),
        (strings(&["certify"]), 2, &["--model", "Usage: smoothtopk certify", "For more information, try '--help'"]),
    ];
    for (arguments, code, says) in cases {
        let output = smoothtopk(&arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(
            stderr.starts_with("smoothtopk: ") && common::told(&stderr).lines().count() == 1,
            "{arguments:?}: {stderr}"
        );
        for word in says {
            assert!(stderr.to_lowercase().contains(&word.to_lowercase()), "{arguments:?} must say {word:?}: {stderr}");
        }
        assert!(!PathBuf::from(path("run")).exists(), "{arguments:?} wrote a run");
    }
    assert_eq!(fs::read_to_string(path("other/precious.txt")).unwrap(), "mine");
}

#[test]
fn the_bare_program_shows_its_commands() {
    let output = smoothtopk([""; 0]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{stderr}");
    for part in ["certify", "verify", "plan", "doctor", "--help"] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
}

/// sigma 0.25 on pixels from 0 to 255 certifies next to nothing, and says nothing that is wrong.
#[test]
fn pixels_without_an_input_scale_are_warned_of() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("data.npz");
    let warned = |pixels: &[f32], more: &[&str]| {
        npz(&file, &[1, 64], pixels, Some(&[1]));
        let (model, data) = (model(), file.to_string_lossy().into_owned());
        let base = ["predict", "--model", &model, "--data", &data, "--sigma", "0.25", "--n", "50", "--batch", "50"];
        let output = smoothtopk([&base[..], more].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stderr).matches("--input-scale 255").count()
    };
    let pixels = common::digit_pixels(1);
    let scaled: Vec<f32> = pixels.iter().map(|pixel| pixel / 4.0 + 0.1).collect();
    let centred: Vec<f32> = pixels.iter().map(|pixel| pixel - 8.0).collect();
    assert_eq!(warned(&pixels, &[]), 1);
    for scale in ["1", "16"] {
        assert_eq!(warned(&pixels, &["--input-scale", scale]), 0, "{scale}");
    }
    // Whatever these are, they are no bytes.
    assert_eq!((warned(&scaled, &[]), warned(&centred, &[])), (0, 0));
}
