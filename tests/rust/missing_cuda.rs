//! A CUDA build of ONNX Runtime on a machine that lacks CUDA's libraries: refused, with every name that is missing and
//! the places where it was looked for. A process loads one ONNX Runtime, so this is a program of its own; `make
//! test-gpu-build` runs it with the build in place.

use std::path::{Path, PathBuf};

use smoothtopk::ErrorKind;
use smoothtopk::model::{Model, ModelOptions, Provider, TensorRtOptions};

const MODEL: &str = "tests/models/linear.onnx";

fn cuda_build() -> Option<PathBuf> {
    let folder = std::env::var_os("SMOOTHTOPK_ONNXRUNTIME_CUDA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED: SMOOTHTOPK_ONNXRUNTIME_CUDA names no CUDA build of ONNX Runtime (make test-gpu-build)");
    }
    folder
}

fn loads(name: &str) -> bool {
    // SAFETY: a system library, or none.
    unsafe { libloading::Library::new(name) }.is_ok()
}

#[test]
fn every_missing_library_is_named_with_where_it_was_looked_for() {
    let Some(folder) = cuda_build() else { return };
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join(MODEL);
    let options = |provider: &str| ModelOptions {
        runtime: Some(folder.clone()),
        provider: provider.parse().unwrap(),
        ..ModelOptions::default()
    };
    for (provider, library, needed) in [
        (
            "cuda:0",
            "libonnxruntime_providers_cuda.so",
            &["libcublasLt.so.13", "libcublas.so.13", "libcudart.so.13"][..],
        ),
        ("tensorrt:0", "libonnxruntime_providers_tensorrt.so", &["libnvinfer.so.10", "libnvonnxparser.so.10"]),
    ] {
        let missing = needed.iter().filter(|name| !loads(name)).collect::<Vec<_>>();
        if missing.is_empty() {
            eprintln!("SKIPPED: {provider}: this machine lacks none of {needed:?}");
            continue;
        }
        let error = Model::open(&model, &options(provider)).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Provider, Some("provider")), "{error}");
        let message = error.message();
        for name in missing {
            assert!(message.contains(name), "{name} is not in: {message}");
        }
        for present in ["libc.so.6", "libstdc++.so.6", "libm.so.6"] {
            assert!(!message.contains(present), "{present} is there: {message}");
        }
        assert!(message.contains(folder.join(library).to_str().unwrap()), "{message}");
        assert!(message.contains("looked for"), "{message}");

        // Only when asked for does the processor take its place, and then it says so.
        let asked = ModelOptions {
            allow_fallback: true,
            tensorrt: match provider {
                "tensorrt:0" => TensorRtOptions { fp16: true, ..TensorRtOptions::default() },
                _ => TensorRtOptions::default(),
            },
            ..options(provider)
        };
        let fallen = Model::open(&model, &asked).unwrap();
        assert_eq!(fallen.provider(), &Provider::Cpu);
        assert!(fallen.fallback().is_some_and(|why| why.contains("missing")), "{:?}", fallen.fallback());
        assert_eq!(fallen.arithmetic(), "float32");
    }
    let plain = Model::open(&model, &options("cpu")).unwrap();
    assert_eq!(plain.fallback(), None);
}
