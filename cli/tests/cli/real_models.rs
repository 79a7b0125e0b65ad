//! Real models on real data, where the shared inputs are.

use std::fs;

use crate::common::{self, shared, smoothtopk};
use crate::ok;

#[test]
fn cifar10_resnet20_is_certified() {
    let (Some(model), Some(data)) =
        (shared("models/cifar10_resnet20_sigma0.25.onnx"), shared("data/cifar10_test500.npz"))
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    ok(&smoothtopk([
        "certify",
        "--model",
        &model,
        "--data",
        &data,
        "--input-scale",
        "255",
        "--sigma",
        "0.25",
        "--k",
        "1,3,5",
        "--n",
        "1000",
        "--seed",
        "7",
        "--skip",
        "50",
        "--quiet",
        "--out",
        run.to_str().unwrap(),
    ]));
    // Ten examples of a model trained with this noise: the published accuracies at k = 1, 3, 5 are far above half.
    let certified = |k: usize| {
        let text = fs::read_to_string(run.join(format!("k{k}.tsv"))).unwrap();
        assert_eq!(text.lines().count(), 11);
        text.lines().skip(1).filter(|line| line.split('\t').nth(4) == Some("1")).count()
    };
    let (one, three, five) = (certified(1), certified(3), certified(5));
    assert!(one >= 4 && three >= one && five >= three && five >= 8, "{one} {three} {five} of 10");
}

#[test]
fn imagenet_photographs_get_thousand_label_certificates() {
    let (Some(model), Some(data)) = (shared("models/efficientnet_lite0.onnx"), shared("data/imagenet_photos.npz"))
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    ok(&smoothtopk([
        "certify",
        "--model",
        &model,
        "--data",
        &data,
        "--input-scale",
        "255",
        "--sigma",
        "0.25",
        "--k",
        "5",
        "--n",
        "200",
        "--alpha",
        "0.001",
        "--seed",
        "7",
        "--batch",
        "2",
        "--quiet",
        "--out",
        run.to_str().unwrap(),
    ]));
    let counts = fs::read_to_string(run.join("counts.tsv")).unwrap();
    for line in counts.lines() {
        let numbers: Vec<u64> = line.split('\t').map(|number| number.parse().unwrap()).collect();
        assert_eq!((numbers.len(), numbers[..1000].iter().sum::<u64>()), (1001, 200));
    }
    assert_eq!(fs::read_to_string(run.join("k5.tsv")).unwrap().lines().count(), 4);
}

/// A model of bytes, in bytes and on a scale from 0 to 1: the same certificates up to scale, and no warning.
#[test]
fn a_model_of_bytes_takes_noise_on_either_scale() {
    let (Some(model), Some(data)) = (shared("cases/u8model.onnx"), shared("cases/u8full.npz")) else { return };
    let dir = tempfile::tempdir().unwrap();
    let certify = |name: &str, more: &[&str]| {
        let run = dir.path().join(name);
        let out = run.to_str().unwrap();
        let base = ["certify", "--model", &model, "--data", &data, "--n", "2000", "--seed", "1", "--select", "--quiet"];
        let output = smoothtopk([&base[..], &["--out", out], more].concat());
        ok(&output);
        let text = fs::read_to_string(run.join("k1.tsv")).unwrap();
        let radii = text.lines().skip(1).map(|line| line.split('\t').nth(3).unwrap().parse::<f64>().unwrap());
        (radii.collect::<Vec<_>>(), String::from_utf8(output.stderr).unwrap(), run)
    };
    let (bytes, said, _) = certify("bytes", &["--sigma", "64"]);
    assert!(!said.contains("warning"), "{said}");
    let (ones, said, run) = certify("ones", &["--sigma", "0.2509804", "--input-scale", "255"]);
    assert!(!said.contains("warning"), "{said}");
    assert_eq!((bytes.len(), ones.len()), (6, 6));
    assert!(bytes.iter().any(|&radius| radius > 40.0), "{bytes:?}");
    // Noise on another grid rounds a few samples in a thousand otherwise.
    for (wide, narrow) in bytes.iter().zip(&ones) {
        assert!((wide / 255.0 - narrow).abs() <= 0.002, "{bytes:?} and {ones:?}");
    }
    // The RUN says how, and verify reads the model as it was read.
    let manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    assert!(manifest.contains("0.00392156"), "{manifest}");
    let (out, report) = (run.to_str().unwrap(), dir.path().join("verify"));
    let verify = ["verify", "--run", out, "--model", &model, "--data", &data, "--attacks", "2", "--n", "300"];
    ok(&smoothtopk([&verify[..], &["--quiet", "--out", report.to_str().unwrap()]].concat()));
    // Noise that rounding removes is warned of, and the warning's advice is right.
    let (_, said, _) = certify("fine", &["--sigma", "0.25"]);
    assert!(said.contains("the model takes bytes") && said.contains("--input-scale 255"), "{said}");
}

#[test]
fn a_model_that_contradicts_itself_is_not_certified() {
    let (Some(model), Some(data)) = (shared("cases/svc_bc_False.onnx"), shared("cases/bc.npz")) else { return };
    let dir = tempfile::tempdir().unwrap();
    let certify = |name: &str, more: &[&str]| {
        let run = dir.path().join(name);
        let base = ["certify", "--model", &model, "--data", &data, "--sigma", "0.1", "--n", "2000", "--seed", "1"];
        let rest = ["--select", "--quiet", "--out", run.to_str().unwrap()];
        (smoothtopk([&base[..], &rest, more].concat()), run)
    };
    let (output, run) = certify("refused", &[]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(common::told(&stderr).contains("--output label --classes 2") && !run.exists(), "{stderr}");
    // The choice that the message names gives the accuracy of the model itself, 0.975.
    let (output, run) = certify("labels", &["--output", "label", "--classes", "2"]);
    ok(&output);
    let text = fs::read_to_string(run.join("k1.tsv")).unwrap();
    let correct = text.lines().skip(1).filter(|line| line.split('\t').nth(4) == Some("1")).count();
    assert!(correct >= 36, "{correct} of 40");
}
