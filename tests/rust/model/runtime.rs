//! ONNX Runtime itself: found, loaded once, honest about what it has.

use smoothtopk::ErrorKind;
use smoothtopk::model::{Model, ModelOptions, ProbeOutcome, Provider, Runtime};

use super::models;

#[test]
fn the_runtime_is_found_and_tells_where() {
    let runtime = Runtime::load(None).unwrap();
    assert!(runtime.path().is_file(), "{}", runtime.path().display());
    assert!(runtime.version().starts_with("1."), "{}", runtime.version());
    assert!(!runtime.build_info().is_empty());
    let places = Runtime::search(None);
    let used = places.iter().filter(|place| matches!(place.outcome, ProbeOutcome::Used(_))).collect::<Vec<_>>();
    assert_eq!(used.len(), 1, "{places:?}");
    assert_eq!(used[0].source, runtime.source());
}

#[test]
fn a_second_runtime_is_refused() {
    let runtime = Runtime::load(None).unwrap();
    assert!(Runtime::load(Some(runtime.path())).is_ok());
    assert!(Runtime::load(runtime.path().parent()).is_ok(), "the folder that holds it");
    let options = ModelOptions { runtime: Some("/no/such/libonnxruntime.so".into()), ..ModelOptions::default() };
    let error = Model::open(models().join("linear.onnx"), &options).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Runtime, Some("runtime")), "{error}");
}

#[test]
fn providers_are_tried() {
    let providers = Runtime::load(None).unwrap().providers();
    let names = providers.iter().map(|status| status.provider.to_string()).collect::<Vec<_>>();
    assert_eq!(names, ["cpu", "cuda:0", "tensorrt:0"]);
    assert_eq!((providers[0].provider.clone(), providers[0].built_in), (Provider::Cpu, true));
    assert_eq!(providers[0].error, None);
    for status in &providers[1..] {
        assert!(status.error.is_none() || status.library.is_some(), "{status:?}");
        assert!(status.error.as_deref() != Some(""), "{status:?}");
    }
}
