//! A host that brings its own ONNX Runtime: nothing else is loaded. A process uses one ONNX Runtime, so this is a
//! program of its own, with one test.
// Unsafe blocks here are calls of the ABI that keep to the header, or break it in a way that it answers.
#![allow(clippy::undocumented_unsafe_blocks)]

#[path = "common/abi.rs"]
mod abi;

use std::ffi::{c_char, c_void};
use std::ptr::null_mut;
use std::sync::Mutex;

use smoothtopk::capi::*;

use abi::{Model, Request, call, text};

static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Asks the library, as a host may that writes the version beside each message.
unsafe extern "C" fn on_log(_: *mut c_void, _: stk_log_level, message: *const c_char) {
    let mut version = std::ptr::null();
    call(|err| unsafe { stk_runtime_version(&mut version, err) }).unwrap();
    SAID.lock().unwrap().push(text(message));
}

#[test]
fn the_hosts_own_runtime_is_used_and_nothing_is_loaded() {
    // Found as the library would find it, but loaded by the host.
    let places = ["SMOOTHTOPK_ONNXRUNTIME", "ORT_DYLIB_PATH"].iter().filter_map(std::env::var_os);
    let setup = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".deps/onnxruntime");
    let is_library = |path: &std::path::Path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libonnxruntime.so"))
    };
    let find = |place: std::path::PathBuf| match place.read_dir() {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).find(|path| is_library(path)),
        Err(_) => Some(place),
    };
    let path = places.map(Into::into).chain([setup]).find_map(find).expect("run `make setup`");
    // SAFETY: ONNX Runtime, with its own symbol.
    let base: *const c_void = unsafe {
        let library = libloading::Library::new(&path).unwrap();
        let base = library.get::<unsafe extern "C" fn() -> *const c_void>(b"OrtGetApiBase\0").unwrap()();
        std::mem::forget(library);
        base
    };
    // A path that is none: whoever tried to load would fail.
    // SAFETY: no other thread reads the environment.
    unsafe { std::env::set_var("SMOOTHTOPK_ONNXRUNTIME", "/no/such/file") };

    call(|err| unsafe { stk_log_set_callback(STK_LOG_LEVEL_INFO, Some(on_log), null_mut(), err) }).unwrap();
    call(|err| unsafe { stk_runtime_use_api_base(base, err) }).unwrap();
    call(|err| unsafe { stk_log_set_callback(STK_LOG_LEVEL_OFF, None, null_mut(), err) }).unwrap();
    assert!(SAID.lock().unwrap().iter().any(|said| said.ends_with("of the host")), "it logged: {SAID:?}");
    call(|err| unsafe { stk_runtime_use_api_base(base, err) }).unwrap();
    let (mut found, mut version) = (std::ptr::null(), std::ptr::null());
    call(|err| unsafe { stk_runtime_path(&mut found, err) }).unwrap();
    call(|err| unsafe { stk_runtime_version(&mut version, err) }).unwrap();
    assert_eq!(text(found), "");
    assert!(text(version).starts_with("1."));
    // The file of the one in use is no other one.
    let given = abi::c(path.to_str().unwrap());
    call(|err| unsafe { stk_runtime_load(given.as_ptr(), err) }).unwrap();
    let failed = call(|err| unsafe { stk_runtime_load(c"/no/such/file".as_ptr(), err) }).unwrap_err();
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_RUNTIME, "runtime"));
    assert!(failed.message.contains("the host's, /"), "{failed:?}");
    call(|err| unsafe { stk_runtime_load(std::ptr::null(), err) }).unwrap();
    call(|err| unsafe { stk_runtime_check_provider(c"cpu".as_ptr(), err) }).unwrap();
    let failed = call(|err| unsafe { stk_runtime_check_provider(c"cuda".as_ptr(), err) });
    assert!(failed.is_ok() || failed.is_err_and(|failed| failed.status == STK_STATUS_PROVIDER));

    let model = Model::test("linear.onnx", 8, 2);
    let (result, outcome) = model.certify(&Request::of(0.5, 500, 1), &[0.25; 16], None);
    result.unwrap();
    assert_eq!(outcome.counts(0).iter().sum::<u64>(), 500);
}
