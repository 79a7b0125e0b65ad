//! Exact noise, and the cipher that draws it.

use std::ptr::null;

use smoothtopk::capi::*;

use crate::abi::{Counts, Model, Outcome, Query, Request, call};

/// An input of `linear.onnx` on the grid of eighths.
fn input() -> Vec<f32> {
    crate::capi::linear_input()
}

fn certify(model: &Model, request: &Request) -> Outcome {
    let (result, outcome) = model.certify(request, &input(), None);
    result.unwrap();
    outcome
}

#[test]
fn exact_noise_is_paid_for_out_of_alpha() {
    let model = Model::test("linear.onnx", 16, 2);
    let request = Request::of(0.5, 2000, 3);
    call(|err| unsafe { stk_request_set_noise_exact(request.0, 8, err) }).unwrap();
    call(|err| unsafe { stk_request_set_rule(request.0, c"tolerance:0.05".as_ptr(), err) }).unwrap();
    let outcome = certify(&model, &request);
    let summary = outcome.summary(0, 0);
    assert_eq!((summary.levels, summary.grid, summary.radius_cost), (8, 0.125, 0.0));
    assert_eq!((summary.alpha, summary.generator), (0.001, STK_GENERATOR_PHILOX));
    assert!(summary.alpha_left < 0.001 && summary.alpha_left > 0.000_999);
    let again = outcome.drawn(0).certify(&Query::of(summary.label as u64, 1)).unwrap();
    assert_eq!((again.validity, again.alpha_left), (STK_VALIDITY_ANYTIME, summary.alpha_left));
    assert!(summary.certified == 1 && summary.n_certified == summary.n);
    assert_eq!(again.radius.to_bits(), summary.radius.to_bits());
    // An input that is off the grid is refused; back on the default's, it is not.
    let mut off = input();
    off[3] = 0.01;
    let (result, outcome) = model.certify(&request, &off, None);
    let failed = result.unwrap_err();
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_DATA, "input"));
    assert!(outcome.0.is_null());
    call(|err| unsafe { stk_request_set_noise_exact(request.0, 0, err) }).unwrap();
    model.certify(&request, &off, None).0.unwrap();
    let summary = certify(&model, &request).summary(0, 0);
    assert_eq!((summary.levels, summary.alpha_left), (0, summary.alpha));
    assert!(summary.radius_cost > 0.0);
}

fn key_of(outcome: &Outcome) -> [u8; 32] {
    let json: serde_json::Value = serde_json::from_str(&outcome.drawn(0).json_with_secret()).unwrap();
    assert_eq!(json["draws"][0]["generator"], "chacha12");
    let hex = json["draws"][0]["secret"].as_str().unwrap().to_owned();
    assert!(!outcome.drawn(0).json().contains(&hex) && !outcome.json(0).to_string().contains(&hex));
    assert_eq!(hex.len(), 64);
    std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
}

#[test]
fn a_key_draws_the_same_noise_again() {
    let model = Model::test("linear.onnx", 16, 2);
    let request = Request::of(0.5, 2000, 3);
    let philox = certify(&model, &request);
    let set_key = |key: *const u8| call(|err| unsafe { stk_request_set_chacha12(request.0, key, err) }).unwrap();
    set_key(null());
    let (first, second) = (certify(&model, &request), certify(&model, &request));
    let key = key_of(&first);
    assert_ne!(key, key_of(&second), "a key of its own for each call");
    assert_ne!(first.counts(0), second.counts(0));
    assert_eq!(first.summary(0, 0).generator, STK_GENERATOR_CHACHA12);
    set_key(key.as_ptr());
    let again = certify(&model, &request);
    assert_eq!((again.counts(0), again.selection(0), key_of(&again)), (first.counts(0), first.selection(0), key));
    // A range of its samples too.
    let x = input();
    let sampled = Counts::sample(&model, &request, &x, 0, 2000).unwrap();
    assert_eq!(sampled.labels(), first.counts(0));
    // A seed goes back to Philox.
    call(|err| unsafe { stk_request_set_seed(request.0, 3, err) }).unwrap();
    let back = certify(&model, &request);
    assert_eq!(back.counts(0), philox.counts(0));
    assert_eq!(back.summary(0, 0).generator, STK_GENERATOR_PHILOX);
}

#[test]
fn a_budget_of_alpha_that_the_noise_eats_is_refused() {
    let model = Model::test("linear.onnx", 16, 2);
    for levels in [0, 8] {
        let request = Request::of(0.5, 2000, 3);
        call(|err| unsafe { stk_request_set_noise_exact(request.0, levels, err) }).unwrap();
        let sampled = Counts::sample(&model, &request, &input(), 0, 2000).unwrap();
        let at = |alpha| sampled.certify(&Query::of(1, 1).alpha(alpha));
        assert_eq!(at(0.001).unwrap().alpha_left < 0.001, levels > 0);
        let small = at(1e-19);
        assert_eq!(
            small.as_ref().err().map(|failed| failed.field.as_str()),
            (levels > 0).then_some("alpha"),
            "{small:?}"
        );
    }
}
