//! Values out of range, text that is no text, pointers that are misaligned, lengths that overflow: all refused, naming
//! the parameter, with nothing changed.

use std::ptr::null_mut;

use smoothtopk::capi::*;

use crate::abi::{Cancel, Counts, Failed, Job, Model, Options, Query, Request, c, call, gaussian, text};

fn invalid(field: &str, result: Result<(), Failed>) {
    let failed = result.expect_err(field);
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, field), "{failed:?}");
}

#[test]
fn every_status_has_its_name() {
    let names: Vec<String> = (-1..=16).map(|status| text(stk_status_name(status))).collect();
    let expected = [
        "UNKNOWN",
        "OK",
        "INVALID_ARGUMENT",
        "INVALID_DATA",
        "NOT_FOUND",
        "IO",
        "MODEL",
        "RUNTIME",
        "PROVIDER",
        "RUN",
        "CANCELLED",
        "DEADLINE_EXCEEDED",
        "INTERNAL",
        "PANIC",
        "POISONED",
        "BUSY",
        "FORKED",
        "UNKNOWN",
    ];
    assert_eq!(names, expected);
    assert_eq!(stk_abi_version(), 1);
    assert_eq!(text(stk_version()), env!("CARGO_PKG_VERSION"));
    let info = text(stk_build_info());
    assert!(info.contains("rustc") && info.contains(&text(stk_version())) && !info.contains('\n'), "{info}");
}

#[test]
fn request_setters_refuse_what_is_out_of_range_and_keep_what_was() {
    let request = Request::of(0.5, 100, 1);
    let r = request.0;
    unsafe {
        for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY, 0.9e-100, 1.1e100] {
            let noise = gaussian(sigma);
            invalid("sigma", call(|err| stk_request_set_noise(r, noise.as_ptr(), err)));
            let mut out = null_mut();
            invalid("sigma", call(|err| stk_request_new(noise.as_ptr(), &mut out, err)));
            assert!(out.is_null());
        }
        for noise in [c"", c"0.5", c"gaussian", c"gaussian:", c"gaussian:x", c"Gaussian:0.5", c"laplace:1"] {
            invalid("noise", call(|err| stk_request_set_noise(r, noise.as_ptr(), err)));
        }
        invalid("k", call(|err| stk_request_set_k(r, [1usize, 0].as_ptr(), 2, err)));
        invalid("k", call(|err| stk_request_set_k(r, [1usize].as_ptr(), 0, err)));
        for n in [0, 1_000_000_000_001, u64::MAX] {
            invalid("n", call(|err| stk_request_set_n(r, n, err)));
        }
        invalid("n0", call(|err| stk_request_set_n0(r, 1_000_000_000_001, err)));
        for alpha in [0.0, -0.5, 0.500_000_1, 1e-101, f64::NAN] {
            invalid("alpha", call(|err| stk_request_set_alpha(r, alpha, err)));
        }
        for input_max in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            invalid("input_max", call(|err| stk_request_set_input_max(r, input_max, err)));
        }
        let texts =
            ["", "Fixed", "radius", "radius:", "radius:0", "radius:-1", "radius:inf", "tolerance:-1", "predict:1"];
        for text in texts {
            invalid("rule", call(|err| stk_request_set_rule(r, c(text).as_ptr(), err)));
        }
        let texts =
            ["", "Auto", "ranked:", "ranked:0", "ranked:1", "pooled", "pooled:0.5:", "pooled:0.5:x", "simuem:0.5"];
        for text in texts {
            invalid("allocation", call(|err| stk_request_set_allocation(r, c(text).as_ptr(), err)));
        }
        for levels in [(1 << 20) + 1, u32::MAX] {
            invalid("levels", call(|err| stk_request_set_noise_exact(r, levels, err)));
        }
        // sigma is 0.5: half a step, or more than 3500.
        for levels in [1, 1 << 20] {
            invalid("sigma", call(|err| stk_request_set_noise_exact(r, levels, err)));
        }
    }
    let model = Model::test("linear.onnx", 8, 1);
    let (result, outcome) = model.predict(&request, &crate::capi::linear_input());
    result.unwrap();
    let summary = outcome.summary(0, 0);
    assert_eq!((summary.noise_scale, summary.k, summary.n, summary.alpha), (0.5, 1, 100, 0.001));
    assert_eq!((summary.decision, summary.levels), (STK_DECISION_COMPLETE, 0));
}

#[test]
fn messages_name_what_was_given_and_what_there_is() {
    let request = Request::of(0.5, 100, 1);
    let r = request.0;
    let said = |result: Result<(), Failed>, parts: &[&str]| {
        let message = result.unwrap_err().message;
        assert!(parts.iter().all(|part| message.contains(part)), "{message:?} says not {parts:?}");
    };
    for (text, parts) in [
        ("77", &["\"77\"", "ranked", "pooled:SHARE", "auto"][..]),
        ("simuem:1", &["\"simuem:1\" is none of", "auto"]),
        ("ranked:1", &["share of alpha"]),
    ] {
        said(call(|err| unsafe { stk_request_set_allocation(r, c(text).as_ptr(), err) }), parts);
    }
    said(call(|err| unsafe { stk_request_set_alpha(r, 1e-100, err) }), &["1e-100 is too small", "1e-90"]);
    let counts = Counts::new(&[3, 1, 2], 0).unwrap();
    said(counts.certify(&Query::of(0, 1).alpha(1e-100)).map(drop), &["1e-100 is too small", "5e-101"]);
    said(counts.certify(&Query::of(3, 1)).map(drop), &["there is no label 3: the 3 labels are 0 to 2"]);
    said(Model::open("", None).map(drop), &["the empty path"]);
    let model = Model::test("linear.onnx", 16, 1);
    let endless = Request::of(0.5, 1_000_000_000_000, 1);
    let input = crate::capi::linear_input();
    let job = Job::from(|out, err| unsafe {
        stk_model_submit_predict(model.0, endless.0, input.as_ptr(), 1, None, null_mut(), out, err)
    })
    .unwrap();
    drop(model);
    let (failed, out) = crate::abi::give(|out, err| unsafe { stk_job_result(job.0, out, err) });
    drop(crate::abi::Outcome(out));
    said(failed, &["the model was freed"]);
}

#[test]
fn option_setters_refuse_what_is_out_of_range() {
    let options = Options::new(8, 1);
    let o = options.0;
    unsafe {
        for provider in ["", "cpu:0", "cuda:x", "tensorrt:1:2", "two words"] {
            invalid("provider", call(|err| stk_model_options_set_provider(o, c(provider).as_ptr(), err)));
        }
        invalid("key", call(|err| stk_model_options_set_provider_option(o, c"".as_ptr(), c"1".as_ptr(), err)));
        let absent = call(|err| stk_model_options_set_provider_library(o, c"no/such/library.so".as_ptr(), err));
        assert_eq!(absent.unwrap_err().status, STK_STATUS_NOT_FOUND);
        let absent = call(|err| stk_model_options_add_custom_ops(o, c"no/such/library.so".as_ptr(), err));
        assert_eq!(absent.unwrap_err().status, STK_STATUS_NOT_FOUND);
        invalid("threads", call(|err| stk_model_options_set_threads(o, 1025, err)));
        invalid("batch", call(|err| stk_model_options_set_batch(o, usize::MAX, err)));
        invalid("name", call(|err| stk_model_options_set_input(o, c"".as_ptr(), err)));
        invalid("name", call(|err| stk_model_options_set_output(o, c"".as_ptr(), err)));
        for dims in [&[0usize][..], &[usize::MAX, 2], &[1 << 40, 1 << 30]] {
            invalid("dims", call(|err| stk_model_options_set_input_shape(o, dims.as_ptr(), dims.len(), err)));
        }
        invalid("dims", call(|err| stk_model_options_set_input_shape(o, [1usize].as_ptr(), 0, err)));
        for classes in [0, 1, usize::MAX] {
            invalid("classes", call(|err| stk_model_options_set_classes(o, classes, err)));
        }
        invalid("threshold", call(|err| stk_model_options_set_threshold(o, f64::NAN, err)));
        let (nan, zero) = ([f32::NAN], [0f32]);
        invalid("mean", call(|err| stk_model_options_set_normalization(o, nan.as_ptr(), 1, zero.as_ptr(), 0, err)));
        invalid("std_dev", call(|err| stk_model_options_set_normalization(o, zero.as_ptr(), 0, zero.as_ptr(), 1, err)));
        invalid("values", call(|err| stk_model_options_set_constant(o, c"a".as_ptr(), [1.0].as_ptr(), 0, err)));
    }
    // None of it stuck.
    assert!(Model::open(&crate::abi::test_model("linear.onnx"), Some(&options)).is_ok());
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let (options, bad) = (Options::new(8, 1), [0xC3u8, 0x28, 0]);
    let bad = bad.as_ptr().cast();
    let mut model = null_mut();
    unsafe {
        invalid("path", call(|err| stk_model_open(bad, options.0, &mut model, err)));
        invalid("provider", call(|err| stk_model_options_set_provider(options.0, bad, err)));
        invalid("key", call(|err| stk_model_options_set_provider_option(options.0, bad, c"1".as_ptr(), err)));
        invalid("value", call(|err| stk_model_options_set_provider_option(options.0, c"a".as_ptr(), bad, err)));
        invalid("name", call(|err| stk_model_options_set_input(options.0, bad, err)));
        let request = Request::new(0.5);
        invalid("rule", call(|err| stk_request_set_rule(request.0, bad, err)));
        invalid("allocation", call(|err| stk_request_set_allocation(request.0, bad, err)));
        let mut budget = null_mut();
        invalid("schedule", call(|err| stk_budget_new(0.1, bad, &mut budget, err)));
        invalid("text", call(|err| stk_budget_open(bad, &mut budget, err)));
        invalid("path", call(|err| stk_runtime_load(bad, err)));
        invalid("provider", call(|err| stk_runtime_check_provider(bad, err)));
    }
}

#[test]
fn misaligned_pointers_and_impossible_lengths_are_refused() {
    let model = Model::test("linear.onnx", 8, 1);
    let request = Request::of(0.5, 10, 1);
    let mut counts = null_mut();
    let mut result = null_mut();
    let words = [1u64; 4];
    // SAFETY: within the array; only the address is looked at.
    let odd = unsafe { words.as_ptr().cast::<u8>().add(1) };
    unsafe {
        let noise = c"gaussian:0.5".as_ptr();
        let mut assume = |labels, len, out| {
            let out = if out { odd.cast_mut().cast() } else { &raw mut counts };
            call(|err| stk_counts_assume(labels, len, 0, noise, 0.0, std::ptr::null(), out, err))
        };
        invalid("labels", assume(odd.cast(), 2, false));
        invalid("labels", assume(words.as_ptr(), usize::MAX / 4, false));
        invalid("out", assume(words.as_ptr(), 2, true));
        let (held, mut summary) = (Counts::new(&[5, 90, 5], 0).unwrap(), crate::abi::empty_summary());
        let size = size_of::<stk_summary>();
        invalid("query", call(|err| stk_counts_certify(held.0, odd.cast(), &mut summary, size, err)));
        invalid("inputs", call(|err| stk_model_predict(model.0, request.0, odd.cast(), 1, &mut result, err)));
        let x = words.as_ptr().cast::<f32>();
        for count in [usize::MAX, usize::MAX / 16, isize::MAX as usize / 32] {
            let failed = call(|err| stk_model_predict(model.0, request.0, x, count, &mut result, err)).unwrap_err();
            assert!(["inputs", "count"].contains(&failed.field.as_str()), "{failed:?}");
        }
        invalid("count", call(|err| stk_model_predict(model.0, request.0, x, 0, &mut result, err)));
        invalid("samples", call(|err| stk_model_sample(model.0, request.0, x, u64::MAX, 2, &mut counts, err)));
        invalid("samples", call(|err| stk_model_sample(model.0, request.0, x, 5, 0, &mut counts, err)));
    }
    assert!(counts.is_null() && result.is_null());
}

#[test]
fn one_handle_cannot_be_both_changed_and_read() {
    let counts = Counts::new(&[5, 90, 5], 0).unwrap();
    invalid("other", call(|err| unsafe { stk_counts_add(counts.0, counts.0, err) }));
    assert_eq!(counts.labels(), [5, 90, 5]);
}

#[test]
fn streams_that_overflow_and_labels_that_are_none_are_refused() {
    let model = Model::test("linear.onnx", 8, 1);
    let request = Request::of(0.5, 10, 1);
    let two = [crate::capi::linear_input(), crate::capi::linear_input()].concat();
    call(|err| unsafe { stk_request_set_stream(request.0, u64::MAX, err) }).unwrap();
    invalid("stream", model.predict(&request, &two).0);
    model.predict(&request, &two[..16]).0.unwrap();
    call(|err| unsafe { stk_request_set_stream(request.0, 0, err) }).unwrap();
    for label in [3, -2, i64::MAX, i64::MIN] {
        invalid("label", model.certify(&request, &two, Some(&[0, label])).0);
    }
    let (result, outcome) = model.certify(&request, &[&two[..16], &[f32::NAN; 16]].concat(), None);
    let failed = result.unwrap_err();
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_DATA, "input"));
    assert!(failed.message.starts_with("input 1: "), "{failed:?}");
    assert!(outcome.0.is_null());
}

#[test]
fn a_request_keeps_its_own_reference_of_a_token() {
    let model = Model::test("linear.onnx", 8, 1);
    // More rows than are drawn before the token is looked at.
    let request = Request::of(0.5, 1_000_000_000_000, 1);
    let token = Cancel::from(|out, err| unsafe { stk_cancel_new(out, err) }).unwrap();
    call(|err| unsafe { stk_request_set_cancel(request.0, token.0, err) }).unwrap();
    unsafe { stk_cancel_set(token.0) };
    assert!(unsafe { stk_cancel_is_set(token.0) });
    drop(token);
    let (result, outcome) = model.predict(&request, &crate::capi::linear_input());
    assert_eq!(result.unwrap_err().status, STK_STATUS_CANCELLED);
    assert_eq!(outcome.summary(0, 0).status, STK_STATUS_CANCELLED);
    call(|err| unsafe { stk_request_set_cancel(request.0, std::ptr::null(), err) }).unwrap();
    call(|err| unsafe { stk_request_set_n(request.0, 10, err) }).unwrap();
    model.predict(&request, &crate::capi::linear_input()).0.unwrap();
}

#[test]
fn numbers_far_out_are_refused_in_a_few_words() {
    let certify = |sigma: f64, cost| {
        let noise = format!("gaussian:{sigma:?}");
        Counts::assume(&[5, 90, 5], 0, &noise, cost, None)?.certify(&Query::of(1, 1)).map(drop)
    };
    for sigma in [1e-100, 1e100] {
        certify(sigma, 0.0).unwrap();
    }
    for sigma in [0.9e-100, 1.1e100] {
        invalid("sigma", certify(sigma, 0.0));
    }
    let options = Options::new(8, 1);
    let std = [-1e38_f32];
    let normalize =
        |err| unsafe { stk_model_options_set_normalization(options.0, std.as_ptr(), 0, std.as_ptr(), std.len(), err) };
    for (field, failed) in [("radius_cost", certify(0.5, -1e300)), ("std_dev", call(normalize))] {
        assert!(failed.as_ref().is_err_and(|failed| failed.message.len() < 60), "{failed:?}");
        invalid(field, failed);
    }
}
