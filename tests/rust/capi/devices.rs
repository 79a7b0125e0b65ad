//! Devices, what happens without them, and the kept batch plan. No GPU is needed: a machine with one opens what is
//! refused here, and says `SKIPPED`.

use std::ffi::{CStr, CString, c_char, c_void};
use std::process::Command;
use std::ptr::{null, null_mut};

use smoothtopk::capi::*;

use crate::abi::{Failed, Model, Options, Request, call, test_model, text};

fn check_cuda() -> bool {
    call(|err| unsafe { stk_runtime_check_provider(c"cuda".as_ptr(), err) }).is_ok()
}

fn set_provider(options: &Options, provider: &CStr) {
    call(|err| unsafe { stk_model_options_set_provider(options.0, provider.as_ptr(), err) }).unwrap();
}

fn open(options: &Options) -> Result<Model, Failed> {
    Model::open(&test_model("linear.onnx"), Some(options))
}

#[test]
fn a_provider_that_is_missing_is_refused_or_falls_back_and_says_so() {
    if check_cuda() {
        eprintln!("SKIPPED: this machine has CUDA");
        return;
    }
    for provider in [c"cuda", c"tensorrt:1"] {
        let options = Options::new(8, 2);
        set_provider(&options, provider);
        call(|err| unsafe { stk_model_options_set_devices(options.0, [0u32, 1].as_ptr(), 2, err) }).unwrap();
        call(|err| unsafe { stk_model_options_set_cuda_tf32(options.0, true, err) }).unwrap();
        let failed = open(&options).map(drop).unwrap_err();
        assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_PROVIDER, "provider"), "{failed:?}");

        call(|err| unsafe { stk_model_options_set_allow_fallback(options.0, true, err) }).unwrap();
        let model = open(&options).unwrap();
        assert_eq!(unsafe { (text(stk_model_provider(model.0)), text(stk_model_arithmetic(model.0))) }, {
            ("cpu".to_owned(), "float32".to_owned())
        });
        assert_eq!(unsafe { (stk_model_batch(model.0), stk_model_threads(model.0)) }, (8, 2));
        let reason = text(unsafe { stk_model_fallback(model.0) });
        assert!(reason.contains("cannot be used"), "{reason}");
        let (done, outcome) = model.predict(&Request::of(0.5, 100, 1), &crate::capi::linear_input());
        done.unwrap();
        let record = outcome.json(0);
        assert_eq!(
            (record["model"]["provider"].as_str(), record["model"]["fallback"].as_str()),
            (Some("cpu"), Some(reason.as_str()))
        );
        assert_eq!(record["model"]["arithmetic"].as_str(), Some("float32"));
    }
}

#[test]
fn without_a_fallback_there_is_no_reason_for_one() {
    let options = Options::new(8, 1);
    call(|err| unsafe { stk_model_options_set_allow_fallback(options.0, true, err) }).unwrap();
    let model = open(&options).unwrap();
    unsafe {
        assert!(stk_model_fallback(model.0).is_null() && stk_model_fallback(null()).is_null());
        assert_eq!(text(stk_model_arithmetic(model.0)), "float32");
        assert_eq!(text(stk_model_arithmetic(null())), "");
    }
    let (done, outcome) = model.predict(&Request::of(0.5, 100, 1), &crate::capi::linear_input());
    done.unwrap();
    assert!(outcome.json(0)["fallback"].is_null());
}

#[test]
fn options_of_devices_are_refused_by_the_processor() {
    type Set = fn(*mut stk_model_options, *mut *mut stk_error) -> stk_status;
    let sets: [(&str, Set); 5] = [
        ("devices", |options, err| unsafe { stk_model_options_set_devices(options, [0u32].as_ptr(), 1, err) }),
        ("cuda", |options, err| unsafe { stk_model_options_set_cuda_tf32(options, true, err) }),
        ("tensorrt", |options, err| unsafe { stk_model_options_set_tensorrt(options, true, false, null(), err) }),
        ("tensorrt", |options, err| unsafe { stk_model_options_set_tensorrt(options, false, true, null(), err) }),
        ("tensorrt", |options, err| unsafe {
            stk_model_options_set_tensorrt(options, false, false, c"engines".as_ptr(), err)
        }),
    ];
    for (field, set) in sets {
        let options = Options::new(8, 1);
        // A fallback is for a provider that is missing, not for options that do not fit.
        call(|err| unsafe { stk_model_options_set_allow_fallback(options.0, true, err) }).unwrap();
        call(|err| set(options.0, err)).unwrap();
        let failed = open(&options).map(drop).unwrap_err();
        assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, field), "{failed:?}");
        let failed = call(|err| set(null_mut(), err)).unwrap_err();
        assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, "options"), "{failed:?}");
    }
}

#[test]
fn devices_and_folders_are_checked_when_they_are_set() {
    let options = Options::new(8, 1);
    let refused = |set: &dyn Fn(*mut *mut stk_error) -> stk_status, field: &str| {
        let failed = call(set).unwrap_err();
        assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, field), "{failed:?}");
    };
    refused(&|err| unsafe { stk_model_options_set_devices(options.0, [1u32, 0, 1].as_ptr(), 3, err) }, "devices");
    refused(&|err| unsafe { stk_model_options_set_devices(options.0, null(), 1, err) }, "devices");
    refused(
        &|err| unsafe { stk_model_options_set_tensorrt(options.0, false, false, c"".as_ptr(), err) },
        "cache_folder",
    );
    refused(&|err| unsafe { stk_model_options_set_plan_cache(null_mut(), true, err) }, "options");
    refused(&|err| unsafe { stk_model_options_set_allow_fallback(null_mut(), true, err) }, "options");
    // What was refused left nothing behind, and 0 devices are the provider's own.
    call(|err| unsafe { stk_model_options_set_devices(options.0, null(), 0, err) }).unwrap();
    open(&options).unwrap();
}

/// Set for the child process of the test below: "on" or "off".
const CHILD: &str = "SMOOTHTOPK_TEST_PLAN_CACHE";

unsafe extern "C" fn print(_: *mut c_void, _: stk_log_level, message: *const c_char) {
    println!("log {}", text(message));
}

#[test]
fn a_measured_plan_is_kept_only_where_that_is_on() {
    if let Some(on) = std::env::var_os(CHILD) {
        call(|err| unsafe { stk_log_set_callback(STK_LOG_LEVEL_INFO, Some(print), null_mut(), err) }).unwrap();
        let options = Options::new(0, 1);
        if on == "off" {
            call(|err| unsafe { stk_model_options_set_plan_cache(options.0, false, err) }).unwrap();
        }
        let model = open(&options).unwrap();
        println!("batch {}", unsafe { stk_model_batch(model.0) });
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let plans = folder.path().join("plans");
    // A process of its own, for its environment: whether it said that a plan is not kept, and its batch.
    let child = |on: &str| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "capi::devices::a_measured_plan_is_kept_only_where_that_is_on", "--nocapture"])
            .env("SMOOTHTOPK_CACHE", folder.path())
            .env(CHILD, on)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let batch = said.lines().find_map(|line| line.strip_prefix("batch ")?.parse::<usize>().ok());
        (said.contains("the batch plan is not kept"), batch.expect("a batch"))
    };
    assert!(!child("off").0 && !plans.exists());
    // A machine too busy to tell plans apart keeps none, and says so.
    let (busy, measured) = child("on");
    let kept: Vec<_> = std::fs::read_dir(&plans).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), usize::from(!busy));
    let Some(file) = kept.first() else {
        eprintln!("SKIPPED that a kept plan is used: this machine was too busy to keep one");
        return;
    };
    assert_eq!(child("on"), (false, measured));
    // Another batch in the file is the model's.
    let mut plan: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    plan["batch"] = 3.into();
    std::fs::write(file, plan.to_string()).unwrap();
    assert_eq!(child("on"), (false, 3));
    // Measured batches are powers of two.
    assert_ne!(child("off").1, 3);
}

#[test]
fn a_memory_limit_below_one_row_is_refused_where_the_plan_is_measured() {
    let options = Options::new(0, 1);
    call(|err| unsafe { stk_model_options_set_memory_limit(options.0, 1, err) }).unwrap();
    let failed = open(&options).map(drop).unwrap_err();
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, "memory_limit"), "{failed:?}");
    let path = CString::new(test_model("linear.onnx")).unwrap();
    let mut out = null_mut();
    call(|err| unsafe { stk_model_open(path.as_ptr(), options.0, &mut out, err) }).unwrap_err();
    assert!(out.is_null());
}
