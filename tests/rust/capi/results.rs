//! What results hold: summaries of every size, counts, labels, JSON; ranges that add.

use std::ffi::c_void;
use std::ptr::null_mut;

use smoothtopk::capi::*;

use crate::abi::{Counts, Model, Query, Request, call, empty_summary};

#[test]
fn a_summary_is_cut_at_a_field_or_filled_with_zeros() {
    let counts = Counts::new(&[5, 90, 5], 0).unwrap();
    let query = Query::of(1, 1);
    let whole = counts.certify(&query).unwrap();
    let size = size_of::<stk_summary>();
    // SAFETY: a summary has no padding.
    let whole_bytes = unsafe { std::slice::from_raw_parts((&raw const whole).cast::<u8>(), size) }.to_vec();
    assert_eq!(whole.struct_size, size as u64);
    for out_size in 8..=200 {
        let mut bytes = [0xAAu64; 26];
        call(|err| unsafe {
            let out = bytes.as_mut_ptr().cast();
            stk_counts_certify(counts.0, &query.raw(), out, out_size, err)
        })
        .unwrap();
        let bytes: Vec<u8> = bytes.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let filled = u64::from_ne_bytes(bytes[..8].try_into().unwrap()) as usize;
        // 20 words, six halves, three bytes and five.
        let expected = match out_size {
            0..160 => out_size / 8 * 8,
            160..184 => out_size / 4 * 4,
            184..187 => out_size,
            187..192 => 187,
            _ => 192,
        };
        assert_eq!(filled, expected, "of {out_size}");
        assert_eq!(bytes[8..filled], whole_bytes[8..filled], "of {out_size}");
        assert!(bytes[filled..out_size].iter().all(|&byte| byte == 0), "zeros up to {out_size}");
        let untouched = &bytes[out_size..];
        let beyond: Vec<u8> = [0xAAu64; 26].iter().flat_map(|word| word.to_ne_bytes()).skip(out_size).collect();
        assert_eq!(untouched, beyond, "nothing behind {out_size}");
    }
    for out_size in [0, 7, usize::MAX] {
        let mut summary = empty_summary();
        let failed = call(|err| unsafe { stk_counts_certify(counts.0, &query.raw(), &mut summary, out_size, err) });
        assert_eq!(failed.unwrap_err().field, "out_size");
    }
}

#[test]
fn results_hold_every_input_and_k_and_outlive_their_model() {
    let model = Model::test("linear.onnx", 16, 2);
    let request = Request::of(0.5, 500, 9);
    call(|err| unsafe { stk_request_set_k(request.0, [2usize, 1].as_ptr(), 2, err) }).unwrap();
    call(|err| unsafe { stk_request_set_stream(request.0, 40, err) }).unwrap();
    let inputs: Vec<f32> =
        (0..3).flat_map(|i| crate::capi::linear_input().into_iter().map(move |x| x + i as f32 / 16.0)).collect();
    let (result, outcome) = model.certify(&request, &inputs, Some(&[STK_NO_LABEL, 1, 0]));
    result.unwrap();
    let (predicted, prediction) = model.predict(&request, &inputs);
    predicted.unwrap();
    drop((model, request));
    assert_eq!((outcome.len(), unsafe { stk_result_k_len(outcome.0) }), (3, 2));
    for input in 0..3 {
        assert_eq!(outcome.counts(input).iter().sum::<u64>(), 500);
        assert_eq!(prediction.counts(input).iter().sum::<u64>(), 500);
        assert_ne!(outcome.counts(input), prediction.counts(input), "samples of its own");
        assert_eq!(outcome.selection(input).iter().sum::<u64>(), if input == 0 { 100 } else { 0 });
        for (k_index, k) in [2, 1].into_iter().enumerate() {
            let summary = outcome.summary(input, k_index);
            assert_eq!((summary.k, summary.stream, summary.n), (k, 40 + input as u64, 500));
            assert_eq!(summary.n0, if input == 0 { 100 } else { 0 });
            assert_eq!(outcome.labels(input, k_index), [summary.label]);
            assert!(summary.radius_cost > 0.0 && summary.seconds > 0.0 && summary.grid > 0.0);
            let found = prediction.summary(input, k_index);
            assert_eq!((found.radius, found.p_lower, found.p_upper), (0.0, 0.0, 1.0));
            assert_eq!(prediction.labels(input, k_index).len() as u64, k);
            assert_eq!(prediction.labels(input, k_index)[0], found.label);
        }
    }
    assert_eq!((outcome.summary(1, 0).label, outcome.summary(2, 0).label), (1, 0));
    let mut summary = empty_summary();
    let size = size_of::<stk_summary>();
    let failed = |input, k_index, out: &mut stk_summary| {
        call(|err| unsafe { stk_result_summary(outcome.0, input, k_index, out, size, err) }).unwrap_err().field
    };
    assert_eq!(failed(3, 0, &mut summary), "input");
    assert_eq!(failed(0, 2, &mut summary), "k_index");
    assert_eq!(summary, empty_summary());
}

#[test]
fn counts_of_disjoint_ranges_add_to_the_whole() {
    let model = Model::test("exact_order.onnx", 16, 2);
    let request = Request::of(0.25, 1000, 5);
    call(|err| unsafe { stk_request_set_stream(request.0, 3, err) }).unwrap();
    let input = vec![0.5f32; 24];
    let sample = |first, rows| Counts::sample(&model, &request, &input, first, rows).unwrap();
    let (_, whole) = model.certify(&request, &input, Some(&[0]));
    let sum = sample(0, 137);
    for (first, rows) in [(137, 1), (138, 862)] {
        let part = sample(first, rows);
        assert_eq!(unsafe { stk_counts_n(part.0) }, rows);
        call(|err| unsafe { stk_counts_add(sum.0, part.0, err) }).unwrap();
    }
    assert_eq!(sum.labels(), whole.counts(0));
    let other = Counts::new(&[1, 2], 0).unwrap();
    let failed = call(|err| unsafe { stk_counts_add(sum.0, other.0, err) }).unwrap_err();
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_DATA, "counts"));
    assert_eq!(sum.labels(), whole.counts(0), "unchanged");
}

#[test]
fn a_model_tells_what_it_is() {
    let model = Model::test("exact_order_image.onnx", 16, 2);
    let shape = crate::abi::array(|data, len, err| unsafe { stk_model_shape(model.0, data, len, err) });
    assert_eq!(shape, [3, 2, 4]);
    unsafe {
        assert_eq!((stk_model_elements(model.0), stk_model_classes(model.0)), (24, 6));
        assert_eq!((stk_model_batch(model.0), stk_model_threads(model.0)), (16, 2));
        assert_eq!(crate::abi::text(stk_model_provider(model.0)), "cpu");
        let json: serde_json::Value =
            serde_json::from_str(&crate::abi::text(stk_model_signature_json(model.0))).unwrap();
        assert_eq!((json["classes"].as_u64(), json["output"].as_str()), (Some(6), Some("scores")));
        assert!(json["why"].as_str().is_some_and(|why| !why.is_empty()));
    }
    let bytes = std::fs::read(crate::abi::test_model("exact_order_image.onnx")).unwrap();
    let options = crate::abi::Options::new(16, 2);
    let memory = Model::from(|out, err| unsafe {
        stk_model_open_memory(bytes.as_ptr().cast(), bytes.len(), options.0, out, err)
    })
    .unwrap();
    let hash = |model: &Model| crate::abi::text(unsafe { stk_model_sha256(model.0) });
    assert_eq!(hash(&memory), hash(&model));
}

unsafe extern "C" fn record(user: *mut c_void, done: u64, total: u64) {
    // SAFETY: the test's own vector, used on this thread alone.
    unsafe { &mut *user.cast::<Vec<(u64, u64)>>() }.push((done, total));
}

#[test]
fn progress_is_told_on_the_waiting_thread_and_ends_at_all_rows() {
    let model = Model::test("exact_order.onnx", 16, 2);
    let request = Request::of(0.25, 150_000, 5);
    let mut told: Vec<(u64, u64)> = Vec::new();
    let user = (&raw mut told).cast();
    call(|err| unsafe { stk_request_set_progress(request.0, Some(record), user, err) }).unwrap();
    model.certify(&request, &[0.5; 48], None).0.unwrap();
    assert!(!told.is_empty() && told.iter().all(|&(done, total)| done <= total && total == 300_200), "{told:?}");
    assert!(told.is_sorted_by(|a, b| a.0 < b.0), "each call tells of new rows: {told:?}");
    assert_eq!(told.last(), Some(&(300_200, 300_200)));
    call(|err| unsafe { stk_request_set_progress(request.0, None, null_mut(), err) }).unwrap();
    let before = told.len();
    call(|err| unsafe { stk_request_set_n(request.0, 10, err) }).unwrap();
    model.predict(&request, &[0.5; 24]).0.unwrap();
    assert_eq!(told.len(), before);
}
