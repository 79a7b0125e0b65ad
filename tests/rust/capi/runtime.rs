//! Which ONNX Runtime is used, and which providers it has.

use std::ffi::CString;

use smoothtopk::capi::*;

use crate::abi::{Failed, Model, Options, call, test_model, text};

fn check(provider: &str) -> Result<(), Failed> {
    let provider = CString::new(provider).unwrap();
    call(|err| unsafe { stk_runtime_check_provider(provider.as_ptr(), err) })
}

fn runtime_path() -> String {
    let mut path = std::ptr::null();
    call(|err| unsafe { stk_runtime_path(&mut path, err) }).unwrap();
    text(path)
}

#[test]
fn the_runtime_is_loaded_once_and_stays() {
    let path = runtime_path();
    assert!(std::path::Path::new(&path).is_file());
    let mut version = std::ptr::null();
    call(|err| unsafe { stk_runtime_version(&mut version, err) }).unwrap();
    assert!(text(version).starts_with("1."));
    let same = CString::new(path.clone()).unwrap();
    call(|err| unsafe { stk_runtime_load(same.as_ptr(), err) }).unwrap();
    call(|err| unsafe { stk_runtime_load(std::ptr::null(), err) }).unwrap();
    let failed = call(|err| unsafe { stk_runtime_load(c"/no/such/onnxruntime.so".as_ptr(), err) }).unwrap_err();
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_RUNTIME, "runtime"));
    // The host's own may be the one that is loaded: it stays what it was.
    // SAFETY: ONNX Runtime, with its own symbol.
    let base = unsafe {
        let library = libloading::Library::new(&path).unwrap();
        library.get::<unsafe extern "C" fn() -> *const std::ffi::c_void>(b"OrtGetApiBase\0").unwrap()()
    };
    call(|err| unsafe { stk_runtime_use_api_base(base, err) }).unwrap();
    assert_eq!(runtime_path(), path);
    // Another one cannot take its place; of that nothing but the address is looked at.
    static OTHER: [usize; 2] = [0; 2];
    let failed = call(|err| unsafe { stk_runtime_use_api_base(OTHER.as_ptr().cast(), err) }).unwrap_err();
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_RUNTIME, "runtime"));
    assert!(failed.message.contains(&path), "{failed:?}");
    assert_eq!(runtime_path(), path);
}

#[test]
fn providers_that_are_missing_say_what_is_missing() {
    check("cpu").unwrap();
    check("CPUExecutionProvider").unwrap();
    let failed = check("NoSuchExecutionProvider").unwrap_err();
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_PROVIDER, "provider"));
    assert!(failed.message.contains("NoSuchExecutionProvider"), "{failed:?}");
    for (wrong, nearest) in [("gpu", "cuda"), ("CUDAExecutionProvidr", "CUDAExecutionProvider")] {
        let failed = check(wrong).unwrap_err();
        assert!(
            failed.message.starts_with(&format!("{wrong} cannot be used: perhaps {nearest} is meant; ")),
            "{failed:?}"
        );
    }
    assert_eq!(check("cuda:x").unwrap_err().status, STK_STATUS_INVALID_ARGUMENT);
    for provider in ["cuda", "CUDAExecutionProvider", "tensorrt:0", "TensorrtExecutionProvider"] {
        // Where there is a GPU, fine.
        if let Err(failed) = check(provider) {
            assert_eq!(failed.status, STK_STATUS_PROVIDER, "{failed:?}");
            assert!(failed.message.len() > 20, "{failed:?}");
        }
    }
}

#[test]
fn options_that_the_provider_does_not_take_are_refused() {
    let path = test_model("linear.onnx");
    let opened = |set: &dyn Fn(*mut stk_model_options)| {
        let options = Options::new(8, 1);
        set(options.0);
        Model::open(&path, Some(&options)).map(drop)
    };
    let set_option = |options, provider: &std::ffi::CStr| {
        call(|err| unsafe { stk_model_options_set_provider(options, provider.as_ptr(), err) }).unwrap();
        call(|err| unsafe {
            stk_model_options_set_provider_option(options, c"no_such_option".as_ptr(), c"1".as_ptr(), err)
        })
        .unwrap();
    };
    let failed = opened(&|options| set_option(options, c"cpu")).unwrap_err();
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, "provider_option"));
    let failed = opened(&|options| set_option(options, c"cuda")).unwrap_err();
    assert_eq!(failed.status, STK_STATUS_PROVIDER, "{failed:?}");
    // A file that is no plug-in.
    let library = CString::new(path.clone()).unwrap();
    let plug_in = |options| {
        call(|err| unsafe { stk_model_options_set_provider_library(options, library.as_ptr(), err) }).unwrap();
    };
    let failed = opened(&plug_in).unwrap_err();
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, "provider_library"));
    let failed = opened(&|options| {
        plug_in(options);
        call(|err| unsafe { stk_model_options_set_provider(options, c"example_ep".as_ptr(), err) }).unwrap();
    })
    .unwrap_err();
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_PROVIDER, "provider"), "{failed:?}");
}

#[test]
fn a_memory_limit_holds_for_the_batch() {
    let path = test_model("linear.onnx");
    let open = |batch, limit| {
        let options = Options::new(batch, 2);
        call(|err| unsafe { stk_model_options_set_memory_limit(options.0, limit, err) }).unwrap();
        Model::open(&path, Some(&options))
    };
    // 16 floats in, 3 out, two threads: 152 bytes a row.
    assert!(open(100, 15_200).is_ok());
    let failed = open(100, 15_199).err().unwrap();
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, "memory_limit"), "{failed:?}");
    let measured = open(0, 10_000).unwrap();
    assert!((1..=65).contains(&unsafe { stk_model_batch(measured.0) }));
    assert!(open(0, 100).is_err(), "not even one row");
}
