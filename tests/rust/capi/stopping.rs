//! Timeouts and cancel tokens: the counts so far, and never an answer.

use std::ptr::null_mut;

use smoothtopk::capi::*;

use crate::abi::{Cancel, Counts, Failed, Job, Model, Outcome, Query, Request, call, give};

/// More rows than could be drawn in the life of a test.
const FOREVER: u64 = 1_000_000_000_000;

fn endless(timeout_ms: u64) -> Request {
    let request = Request::of(0.5, FOREVER, 3);
    call(|err| unsafe { stk_request_set_timeout_ms(request.0, timeout_ms, err) }).unwrap();
    request
}

fn cut_short(status: stk_status, (result, outcome): (Result<(), Failed>, Outcome), inputs: usize) -> Vec<u64> {
    assert_eq!(result.unwrap_err().status, status);
    assert_eq!(outcome.len(), inputs, "the counts so far are handed over");
    let rows = |input| {
        let summary = outcome.summary(input, 0);
        assert_eq!((summary.status, summary.radius, summary.certified, summary.abstain), (status, 0.0, 0, 1));
        assert!(outcome.labels(input, 0).is_empty());
        assert_eq!(outcome.counts(input).iter().sum::<u64>(), summary.n);
        assert!(summary.n < FOREVER);
        assert_eq!((summary.early_stop, summary.validity), (status, STK_VALIDITY_NONE));
        let refused = outcome.drawn(input).certify(&Query::of(0, 1)).unwrap_err();
        assert_eq!((refused.status, refused.field.as_str()), (STK_STATUS_INVALID_DATA, "counts"));
        summary.n
    };
    (0..inputs).map(rows).collect()
}

#[test]
fn a_timeout_ends_a_call_with_the_counts_so_far() {
    let model = Model::test("linear.onnx", 16, 2);
    let input = crate::capi::linear_input();
    let request = endless(100);
    let rows = cut_short(STK_STATUS_DEADLINE_EXCEEDED, model.predict(&request, &input), 1);
    assert!(rows[0] > 0);
    let two = [input.clone(), input.clone()].concat();
    cut_short(STK_STATUS_DEADLINE_EXCEEDED, model.certify(&request, &two, Some(&[1, -1])), 2);
    let (result, counts) =
        give(|out, err| unsafe { stk_model_sample(model.0, request.0, input.as_ptr(), 0, FOREVER, out, err) });
    let counts = Counts(counts);
    assert_eq!(result.unwrap_err().status, STK_STATUS_DEADLINE_EXCEEDED);
    assert_eq!(counts.labels().iter().sum::<u64>(), unsafe { stk_counts_n(counts.0) });
    // Which rows came back first may depend on what they were.
    let mut summary: stk_summary = unsafe { std::mem::zeroed() };
    let (out, size) = (&raw mut summary, size_of::<stk_summary>());
    let refused =
        call(|err| unsafe { stk_counts_predict(counts.0, 1, 0.001, null_mut(), out, size, err) }).unwrap_err();
    assert_eq!((refused.status, refused.field.as_str()), (STK_STATUS_INVALID_DATA, "counts"));
    // In time, a timeout changes nothing.
    let request = Request::of(0.5, 100, 3);
    call(|err| unsafe { stk_request_set_timeout_ms(request.0, 3_600_000, err) }).unwrap();
    model.predict(&request, &input).0.unwrap();
    call(|err| unsafe { stk_request_set_timeout_ms(request.0, u64::MAX, err) }).unwrap();
    model.predict(&request, &input).0.unwrap();
}

#[test]
fn a_timeout_ends_a_run_that_is_under_way() {
    // A single batch of this model takes many seconds, and there are 10^12 rows of them: that the call returns is the
    // test.
    let model = Model::test("slow.onnx", 4, 1);
    let rows = cut_short(STK_STATUS_DEADLINE_EXCEEDED, model.predict(&endless(50), &[200.0; 64]), 1);
    assert!(rows[0] < 1000);
}

#[test]
fn inputs_that_were_finished_keep_their_answers() {
    let model = Model::test("slow.onnx", 4, 1);
    let request = Request::of(0.5, 20, 3);
    call(|err| unsafe { stk_request_set_timeout_ms(request.0, 3000, err) }).unwrap();
    // The first input is quick, the second would take long.
    let inputs = [vec![0.5f32; 64], vec![200.0; 64]].concat();
    let (result, outcome) = model.predict(&request, &inputs);
    let failed = result.unwrap_err();
    assert_eq!(failed.status, STK_STATUS_DEADLINE_EXCEEDED);
    assert!(failed.message.starts_with("input 1: "), "{failed:?}");
    let (first, second) = (outcome.summary(0, 0), outcome.summary(1, 0));
    assert_eq!((first.status, first.n), (STK_STATUS_OK, 20));
    assert_eq!(outcome.labels(0, 0).len(), 1);
    assert_eq!(second.status, STK_STATUS_DEADLINE_EXCEEDED);
}

#[test]
fn a_token_cancels_all_calls_and_jobs_that_have_it() {
    let model = Model::test("linear.onnx", 16, 2);
    let token = Cancel::from(|out, err| unsafe { stk_cancel_new(out, err) }).unwrap();
    let request = endless(0);
    call(|err| unsafe { stk_request_set_cancel(request.0, token.0, err) }).unwrap();
    let input = crate::capi::linear_input();
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..3).map(|_| scope.spawn(|| model.predict(&request, &input))).collect();
        let job = Job::from(|out, err| unsafe {
            stk_model_submit_predict(model.0, request.0, input.as_ptr(), 1, None, null_mut(), out, err)
        })
        .unwrap();
        // Rows of the job come only once those of the calls before it are drawn: wait for any at all, then cancel.
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert!(!unsafe { stk_cancel_is_set(token.0) });
        unsafe { stk_cancel_set(token.0) };
        for call in waiting {
            cut_short(STK_STATUS_CANCELLED, call.join().unwrap(), 1);
        }
        let (result, outcome) = give(|out, err| unsafe { stk_job_result(job.0, out, err) });
        cut_short(STK_STATUS_CANCELLED, (result, Outcome(outcome)), 1);
    });
    // And what comes later.
    cut_short(STK_STATUS_CANCELLED, model.predict(&request, &input), 1);
    model.predict(&Request::of(0.5, 50, 1), &input).0.unwrap();
}
