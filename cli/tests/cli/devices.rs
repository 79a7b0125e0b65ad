//! Devices from the command line: what a machine without them refuses, and what records say of a fallback.

use crate::common::smoothtopk;
use crate::{digits, ok, refused};

#[test]
fn a_fallback_is_asked_for_and_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let run = |out: &str, more: &[&str]| {
        let path = folder.path().join(out);
        let common = ["--n", "200", "--n0", "20", "--max", "2", "--quiet", "--out"];
        smoothtopk(digits("certify", &[&common[..], &[path.to_str().unwrap()], more].concat()))
    };
    let refusal = run("refused", &["--provider", "cuda"]);
    if refusal.status.success() {
        eprintln!("SKIPPED: this machine has CUDA");
        return;
    }
    assert!(String::from_utf8_lossy(&refusal.stderr).contains("cuda:0 cannot be used"));
    assert!(!folder.path().join("refused").exists());
    let fallen = run("run", &["--provider", "cuda", "--device", "0,1", "--tf32", "--allow-fallback"]);
    ok(&fallen);
    assert!(String::from_utf8_lossy(&fallen.stderr).contains("on the processor instead of cuda"));
    let manifest = |out: &str| crate::manifest(&folder.path().join(out))["model"].clone();
    let fields = manifest("run");
    assert_eq!((fields["provider"].as_str(), fields["arithmetic"].as_str()), (Some("cpu"), Some("float32")));
    assert!(fields["fallback"].as_str().unwrap().contains("cannot be used"), "{fields}");
    // The processor's own run gives the same, and may go on with it.
    ok(&run("run", &[]));
    ok(&run("own", &[]));
    assert!(manifest("own")["fallback"].is_null());
    let table = |out: &str| crate::files(&folder.path().join(out)).remove("k1.tsv").unwrap();
    assert_eq!(table("run"), table("own"));
}

#[test]
fn options_of_devices_are_refused_by_the_processor() {
    let model = crate::model();
    for (field, more) in [
        ("devices", &["--device", "0"][..]),
        ("cuda", &["--tf32"]),
        ("tensorrt", &["--trt-fp16"]),
        ("tensorrt", &["--trt-bf16", "--allow-fallback"]),
        ("tensorrt", &["--trt-cache", "engines"]),
    ] {
        let error = refused(&smoothtopk([&["inspect", &model], more].concat()), 2);
        assert!(error.starts_with(&format!("smoothtopk: {field}: ")), "{error}");
    }
}
