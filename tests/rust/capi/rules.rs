//! Stopping rules: what was decided, sound answers at deadlines, and records from which every certificate follows.

use std::ptr::null_mut;

use smoothtopk::capi::*;

use crate::abi::{Counts, Failed, Job, Model, Outcome, Request, c, call, give};

/// More rows than could be drawn in the life of a test.
const FOREVER: u64 = 1_000_000_000_000;

fn ruled(rule: &str, n: u64, seed: u64) -> Request {
    let request = Request::of(0.5, n, seed);
    call(|err| unsafe { stk_request_set_rule(request.0, c(rule).as_ptr(), err) }).unwrap();
    request
}

fn set_k(request: &Request, k: &[usize]) {
    call(|err| unsafe { stk_request_set_k(request.0, k.as_ptr(), k.len(), err) }).unwrap();
}

/// A rule that no number of rows ends, with a timeout.
fn endless(timeout_ms: u64) -> Request {
    let request = ruled("tolerance:0", FOREVER, 3);
    call(|err| unsafe { stk_request_set_timeout_ms(request.0, timeout_ms, err) }).unwrap();
    request
}

/// What certifies the label of one k of a record again: its allocation and validity at what the noise left of alpha.
fn again(json: &serde_json::Value, counts: &Counts, k_index: usize) -> f64 {
    let (certificate, float) = (&json["certificates"][k_index], |value: &serde_json::Value| value.as_f64().unwrap());
    let whole = |value: &serde_json::Value| value.as_u64().unwrap() as usize;
    let found = counts.certify_with(
        whole(&json["label"]),
        whole(&certificate["k"]),
        float(&json["sigma"]),
        float(&json["alpha_left"]),
        certificate["allocation"].as_str(),
        json["validity"].as_str(),
        float(&json["radius_slack"]),
    );
    found.unwrap().radius
}

fn counts_of(json: &serde_json::Value) -> Counts {
    let labels: Vec<u64> = json["counts"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect();
    Counts::new(&labels, json["rows"].as_u64().unwrap()).unwrap()
}

#[test]
fn a_record_of_a_rule_is_enough_to_certify_again() {
    let model = Model::test("linear.onnx", 16, 2);
    let input = crate::capi::linear_input();
    let (mut last, mut earlier) = (0, 0);
    let rules = [("tolerance:0.2sigma", "anytime"), ("steps:0.2", "anytime:20000")];
    for (seed, (rule, validity)) in (0..40).flat_map(|seed| rules.map(|rule| (seed, rule))) {
        let request = ruled(rule, 20_000, seed);
        set_k(&request, &[1, 2]);
        call(|err| unsafe { stk_request_set_allocation(request.0, c"auto".as_ptr(), err) }).unwrap();
        let (result, outcome) = model.certify(&request, &input, None);
        result.unwrap();
        let json = outcome.json(0);
        assert_eq!((json["rule"].as_str(), json["validity"].as_str()), (Some(rule), Some(validity)));
        assert_eq!(json["bound"], "auto");
        for k_index in 0..2 {
            let (summary, certificate) = (outcome.summary(0, k_index), &json["certificates"][k_index]);
            assert_eq!(certificate["radius"].as_f64().unwrap().to_bits(), summary.radius.to_bits());
            assert_eq!(certificate["allocation"], outcome.allocation(0, k_index));
            assert_eq!(outcome.validity(0, k_index), validity);
            assert_eq!(certificate["rows"].as_u64(), Some(summary.n_certified));
            assert_eq!(certificate["decision"], crate::abi::text(stk_decision_name(summary.decision)));
            assert_eq!(json["samples_drawn"].as_u64(), Some(summary.samples_drawn));
            assert!(summary.n_certified <= summary.n && summary.n <= summary.samples_drawn);
            // An earlier look saw the first of the very samples that the last one saw.
            let counts = if summary.n_certified == summary.n {
                last += 1;
                counts_of(&json)
            } else {
                earlier += 1;
                let rows = summary.n_certified;
                Counts::from(|out, err| unsafe {
                    stk_model_sample(model.0, request.0, input.as_ptr(), 0, rows, out, err)
                })
                .unwrap()
            };
            assert_eq!(again(&json, &counts, k_index).to_bits(), summary.radius.to_bits(), "seed {seed}");
        }
    }
    assert!(last >= 20 && earlier >= 3, "{last} of last looks, {earlier} of earlier ones");
}

#[test]
fn a_late_rule_answers_with_its_last_look() {
    let model = Model::test("linear.onnx", 16, 2);
    let two = [crate::capi::linear_input(), crate::capi::linear_input()].concat();
    let request = endless(1000);
    let late = |(result, outcome): (Result<(), Failed>, Outcome)| {
        result.unwrap();
        for input in 0..2 {
            let summary = outcome.summary(input, 0);
            assert_eq!((summary.status, summary.decision), (STK_STATUS_OK, STK_DECISION_UNDECIDED));
            assert_eq!(summary.cut, STK_STATUS_DEADLINE_EXCEEDED);
            assert!(summary.n > 0 && summary.n_certified <= summary.n && summary.n <= summary.samples_drawn);
            let json = outcome.json(input);
            assert_eq!((json["status"].as_str(), json["cut"].as_str()), (Some("OK"), Some("DEADLINE_EXCEEDED")));
            if summary.n_certified == summary.n {
                assert_eq!(again(&json, &counts_of(&json), 0).to_bits(), summary.radius.to_bits());
            }
        }
    };
    late(model.certify(&request, &two, None));
    let job = Job::from(|out, err| unsafe {
        stk_model_submit_certify(model.0, request.0, two.as_ptr(), 2, std::ptr::null(), None, null_mut(), out, err)
    })
    .unwrap();
    let (result, outcome) = give(|out, err| unsafe { stk_job_result(job.0, out, err) });
    late((result, Outcome(outcome)));
}

#[test]
fn an_input_without_a_look_has_no_answer() {
    let model = Model::test("linear.onnx", 16, 2);
    let request = endless(1000);
    // The rows that select never end, so the label's rows never begin: no answer. Beside a label that is given: an answer.
    call(|err| unsafe { stk_request_set_n0(request.0, FOREVER, err) }).unwrap();
    let two = [crate::capi::linear_input(), crate::capi::linear_input()].concat();
    let (result, outcome) = model.certify(&request, &two, Some(&[1, STK_NO_LABEL]));
    let failed = result.unwrap_err();
    assert_eq!(failed.status, STK_STATUS_DEADLINE_EXCEEDED);
    assert!(failed.message.starts_with("input 1: "), "{failed:?}");
    let (given, selected) = (outcome.summary(0, 0), outcome.summary(1, 0));
    assert_eq!((given.status, given.decision), (STK_STATUS_OK, STK_DECISION_UNDECIDED));
    assert_eq!((selected.status, selected.cut), (STK_STATUS_DEADLINE_EXCEEDED, STK_STATUS_DEADLINE_EXCEEDED));
    assert_eq!((selected.decision, selected.radius, selected.n_certified), (STK_DECISION_NONE, 0.0, 0));
    assert_eq!(outcome.allocation(1, 0), "");
}

#[test]
fn a_cancelled_rule_has_no_answer() {
    let model = Model::test("linear.onnx", 16, 2);
    let job = Job::from(|out, err| unsafe {
        let request = endless(0);
        let x = crate::capi::linear_input();
        stk_model_submit_certify(model.0, request.0, x.as_ptr(), 1, &1, None, null_mut(), out, err)
    })
    .unwrap();
    while unsafe { stk_job_samples_done(job.0) } < 500 {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    unsafe { stk_job_cancel(job.0) };
    let (result, outcome) = give(|out, err| unsafe { stk_job_result(job.0, out, err) });
    let outcome = Outcome(outcome);
    assert_eq!(result.unwrap_err().status, STK_STATUS_CANCELLED);
    let summary = outcome.summary(0, 0);
    assert_eq!((summary.status, summary.decision, summary.radius), (STK_STATUS_CANCELLED, STK_DECISION_NONE, 0.0));
    assert!(summary.n >= 500 && outcome.labels(0, 0).is_empty());
    // A set that can be settled is, with few rows of so many.
    let request = ruled("predict", FOREVER, 3);
    let (result, outcome) = model.predict(&request, &crate::capi::linear_input());
    result.unwrap();
    let summary = outcome.summary(0, 0);
    assert_eq!((summary.decision, summary.abstain, summary.cut), (STK_DECISION_SETTLED, 0, STK_STATUS_OK));
    assert!(summary.n < 100_000);
}

#[test]
fn the_bound_that_was_chosen_is_told() {
    let model = Model::test("linear.onnx", 16, 2);
    let request = Request::of(0.5, 2000, 5);
    let bound_of = |outcome: &Outcome| (outcome.summary(0, 0).bound, outcome.allocation(0, 0));
    let certify = |label| {
        let (result, outcome) = model.certify(&request, &crate::capi::linear_input(), Some(&[label]));
        result.unwrap();
        outcome
    };
    call(|err| unsafe { stk_request_set_allocation(request.0, c"ranked:0.75".as_ptr(), err) }).unwrap();
    assert_eq!(bound_of(&certify(1)), (STK_BOUND_ALLOCATION, "ranked:0.75".into()));
    // The later call counts.
    call(|err| unsafe { stk_request_set_bound(request.0, STK_BOUND_SIMUEM, err) }).unwrap();
    assert_eq!(bound_of(&certify(1)), (STK_BOUND_SIMUEM, "simuem".into()));
    call(|err| unsafe { stk_request_set_bound(request.0, STK_BOUND_AUTO, err) }).unwrap();
    let outcome = certify(1);
    assert_eq!(outcome.selection(0).iter().sum::<u64>(), 100, "the pilot of a label that is given");
    assert_ne!(outcome.summary(0, 0).bound, STK_BOUND_AUTO);
    assert_ne!(outcome.allocation(0, 0), "auto");
    let (_, outcome) = model.predict(&request, &crate::capi::linear_input());
    assert_eq!(outcome.allocation(0, 0), "");
}
