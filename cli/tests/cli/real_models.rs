//! Real models on real data, where the shared inputs are.

use std::fs;

use crate::common::{shared, smoothtopk};
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
