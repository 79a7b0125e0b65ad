//! Exact noise, and the cipher that draws it.

use std::ptr::null;

use smoothtopk::capi::*;

use crate::abi::{Counts, Model, Outcome, Request, call};

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
    assert_eq!((summary.levels, summary.grid, summary.radius_slack), (8, 0.125, 0.0));
    assert_eq!((summary.alpha, summary.generator, summary.seed), (0.001, STK_GENERATOR_PHILOX, 3));
    assert!(summary.alpha_left < 0.001 && summary.alpha_left > 0.000_999);
    let counts = Counts::new(&outcome.counts(0), summary.n).unwrap();
    let label = summary.label as usize;
    let again = counts.certify_with(label, 1, 0.5, summary.alpha_left, None, Some("anytime"), 0.0).unwrap();
    assert!(summary.certified == 1 && summary.n_certified == summary.n);
    assert_eq!(again.radius.to_bits(), summary.radius.to_bits());
    let json = outcome.json(0);
    assert_eq!((json["levels"].as_u64(), json["noise"].as_str()), (Some(8), Some("philox4x32-10 discrete-gaussian 1")));
    assert_eq!(json["alpha_left"].as_f64().unwrap().to_bits(), summary.alpha_left.to_bits());
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
    assert!(summary.radius_slack > 0.0);
}

fn key_of(outcome: &Outcome) -> [u8; 32] {
    let json = outcome.json(0);
    assert_eq!((json["generator"].as_str(), json["seed"].is_null()), (Some("chacha12"), true));
    let hex = json["chacha12_key"].as_str().unwrap().to_owned();
    assert_eq!(hex.len(), 64);
    std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
}

#[test]
fn a_key_draws_the_same_noise_again() {
    let model = Model::test("linear.onnx", 16, 2);
    let request = Request::of(0.5, 2000, 3);
    let philox = certify(&model, &request);
    assert!(philox.json(0)["chacha12_key"].is_null());
    let set_key = |key: *const u8| call(|err| unsafe { stk_request_set_chacha12(request.0, key, err) }).unwrap();
    set_key(null());
    let (first, second) = (certify(&model, &request), certify(&model, &request));
    let key = key_of(&first);
    assert_ne!(key, key_of(&second), "a key of its own for each call");
    assert_ne!(first.counts(0), second.counts(0));
    let summary = first.summary(0, 0);
    assert_eq!((summary.generator, summary.seed), (STK_GENERATOR_CHACHA12, 0));
    set_key(key.as_ptr());
    let again = certify(&model, &request);
    assert_eq!((again.counts(0), again.selection(0), key_of(&again)), (first.counts(0), first.selection(0), key));
    // A range of its samples too.
    let x = input();
    let sampled =
        Counts::from(|out, err| unsafe { stk_model_sample(model.0, request.0, x.as_ptr(), 0, 2000, out, err) })
            .unwrap();
    assert_eq!(sampled.labels(), first.counts(0));
    // A seed goes back to Philox.
    call(|err| unsafe { stk_request_set_seed(request.0, 3, err) }).unwrap();
    let back = certify(&model, &request);
    assert_eq!(back.counts(0), philox.counts(0));
    assert_eq!(back.summary(0, 0).generator, STK_GENERATOR_PHILOX);
}

#[test]
fn sampled_counts_certify_as_a_call_does() {
    let model = Model::test("linear.onnx", 16, 2);
    for levels in [0, 8] {
        let request = Request::of(0.5, 2000, 3);
        call(|err| unsafe { stk_request_set_noise_exact(request.0, levels, err) }).unwrap();
        let (_, outcome) = model.certify(&request, &input(), Some(&[1]));
        let (summary, x) = (outcome.summary(0, 0), input());
        let sampled =
            Counts::from(|out, err| unsafe { stk_model_sample(model.0, request.0, x.as_ptr(), 0, 2000, out, err) })
                .unwrap();
        let cost = |rows| {
            let (mut left, mut slack) = (f64::NAN, f64::NAN);
            call(|err| unsafe { stk_model_noise_cost(model.0, request.0, rows, &mut left, &mut slack, err) })?;
            Ok::<_, crate::abi::Failed>((left, slack))
        };
        let (left, slack) = cost(2000).unwrap();
        assert_eq!((left, slack), (summary.alpha_left, summary.radius_slack));
        let again = sampled.certify(1, 1, 0.5, left, STK_BOUND_RANKED, slack).unwrap();
        assert_eq!(again.radius.to_bits(), summary.radius.to_bits());
        for rows in [0, 1_000_000_000_001] {
            assert_eq!(cost(rows).unwrap_err().field, "rows");
        }
        // More rows cost more, up to what cannot be paid.
        assert_eq!(cost(1_000_000).unwrap().0 < left, levels > 0);
        call(|err| unsafe { stk_request_set_alpha(request.0, 1e-12, err) }).unwrap();
        assert_eq!(cost(1_000_000_000_000).is_err(), levels > 0);
    }
}
