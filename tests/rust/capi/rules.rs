//! Stopping rules: what was decided, sound answers at deadlines, and records from which every certificate follows.

use std::ptr::null_mut;

use smoothtopk::capi::*;

use crate::abi::{Failed, Job, Model, Outcome, Query, Request, c, call, give};

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

/// The certificate of one k again, from the counts that it rests on.
fn again(outcome: &Outcome, input: usize, k_index: usize) -> stk_summary {
    let summary = outcome.summary(input, k_index);
    let query = Query::of(summary.label as u64, summary.k).allocation(&outcome.allocation(input, k_index));
    outcome.drawn_of_k(input, k_index).certify(&query).unwrap()
}

#[test]
fn counts_of_a_rule_certify_again_by_themselves() {
    let model = Model::test("linear.onnx", 16, 2);
    let (mut last, mut earlier) = (0, 0);
    let rules = [("tolerance:0.2sigma", STK_VALIDITY_ANYTIME, 0), ("steps:0.2", STK_VALIDITY_ANYTIME_TO, 20_000)];
    for (seed, (rule, validity, validity_last)) in (0..40).flat_map(|seed| rules.map(|rule| (seed, rule))) {
        let request = ruled(rule, 20_000, seed);
        set_k(&request, &[1, 2]);
        call(|err| unsafe { stk_request_set_allocation(request.0, c"auto".as_ptr(), err) }).unwrap();
        let (result, outcome) = model.certify(&request, &crate::capi::linear_input(), None);
        result.unwrap();
        for k_index in 0..2 {
            let summary = outcome.summary(0, k_index);
            let again = again(&outcome, 0, k_index);
            assert_eq!(again.radius.to_bits(), summary.radius.to_bits(), "seed {seed}");
            assert_eq!((summary.validity, summary.validity_last), (validity, validity_last));
            assert_eq!((again.validity, again.validity_last), (validity, validity_last));
            assert_eq!((again.radius_cost, again.alpha_left), (summary.radius_cost, summary.alpha_left));
            assert_eq!(again.n, summary.n_certified);
            assert!(summary.n_certified <= summary.n && summary.n <= summary.samples_drawn);
            *(if summary.n_certified == summary.n { &mut last } else { &mut earlier }) += 1;
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
            assert_eq!(summary.early_stop, STK_STATUS_DEADLINE_EXCEEDED);
            assert!(summary.n > 0 && summary.n_certified <= summary.n && summary.n <= summary.samples_drawn);
            assert_eq!(again(&outcome, input, 0).radius.to_bits(), summary.radius.to_bits());
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
    // The rows that select never end, so the label's rows never begin: no answer. Beside a label that is given: an
    // answer.
    call(|err| unsafe { stk_request_set_n0(request.0, FOREVER, err) }).unwrap();
    let two = [crate::capi::linear_input(), crate::capi::linear_input()].concat();
    let (result, outcome) = model.certify(&request, &two, Some(&[1, STK_NO_LABEL]));
    let failed = result.unwrap_err();
    assert_eq!(failed.status, STK_STATUS_DEADLINE_EXCEEDED);
    assert!(failed.message.starts_with("input 1: "), "{failed:?}");
    let (given, selected) = (outcome.summary(0, 0), outcome.summary(1, 0));
    assert_eq!((given.status, given.decision), (STK_STATUS_OK, STK_DECISION_UNDECIDED));
    assert_eq!((selected.status, selected.early_stop), (STK_STATUS_DEADLINE_EXCEEDED, STK_STATUS_DEADLINE_EXCEEDED));
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
    assert_eq!((summary.decision, summary.abstain, summary.early_stop), (STK_DECISION_SETTLED, 0, STK_STATUS_OK));
    assert!(summary.n < 100_000);
}

#[test]
fn the_allocation_that_was_chosen_is_told() {
    let model = Model::test("linear.onnx", 16, 2);
    let request = Request::of(0.5, 2000, 5);
    let certify = |allocation: &str| {
        call(|err| unsafe { stk_request_set_allocation(request.0, c(allocation).as_ptr(), err) }).unwrap();
        let (result, outcome) = model.certify(&request, &crate::capi::linear_input(), Some(&[1]));
        result.unwrap();
        outcome
    };
    for allocation in ["ranked:0.75", "simuem"] {
        assert_eq!(certify(allocation).allocation(0, 0), allocation);
    }
    let outcome = certify("auto");
    assert_eq!(outcome.selection(0).iter().sum::<u64>(), 100, "the pilot of a label that is given");
    assert_ne!(outcome.allocation(0, 0), "auto");
    let (_, outcome) = model.predict(&request, &crate::capi::linear_input());
    assert_eq!(outcome.allocation(0, 0), "");
}
