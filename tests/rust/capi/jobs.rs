//! Jobs: polled, waited for, cancelled, freed; their callback is called exactly once.

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

use smoothtopk::capi::*;

use crate::abi::{Cancel, Failed, Job, Model, Outcome, Request, call, give};

unsafe extern "C" fn count(user: *mut c_void, _: *mut stk_job) {
    // SAFETY: a counter that outlives the job.
    unsafe { &*user.cast::<AtomicUsize>() }.fetch_add(1, Ordering::SeqCst);
}

fn submit(model: &Model, request: &Request, inputs: &[f32], calls: &AtomicUsize) -> Result<Job, Failed> {
    let user = std::ptr::from_ref(calls).cast_mut().cast();
    Job::from(|out, err| unsafe {
        let inputs_count = inputs.len() / model.elements();
        stk_model_submit_predict(model.0, request.0, inputs.as_ptr(), inputs_count, Some(count), user, out, err)
    })
}

fn wait(job: &Job, timeout_ms: u64) -> bool {
    let mut done = false;
    call(|err| unsafe { stk_job_wait(job.0, timeout_ms, &mut done, err) }).unwrap();
    done
}

#[test]
fn a_job_gives_what_the_blocking_call_gives_once() {
    let model = Model::test("exact_order.onnx", 16, 2);
    let request = Request::of(0.25, 2000, 5);
    let inputs = vec![0.5f32; 48];
    let (_, expected) = model.certify(&request, &inputs, Some(&[2, -1]));
    let job = Job::from(|out, err| unsafe {
        let labels = [2i64, -1];
        let submit = stk_model_submit_certify;
        submit(model.0, request.0, inputs.as_ptr(), 2, labels.as_ptr(), None, null_mut(), out, err)
    })
    .unwrap();
    drop(request);
    assert_eq!(unsafe { stk_job_samples_total(job.0) }, 4100);
    assert!(wait(&job, u64::MAX) && unsafe { stk_job_is_done(job.0) });
    let outcome = Outcome::from(|out, err| unsafe { stk_job_result(job.0, out, err) }).unwrap();
    for input in 0..2 {
        assert_eq!(outcome.counts(input), expected.counts(input));
        assert_eq!(outcome.selection(input), expected.selection(input));
        let radius = |outcome: &Outcome| outcome.summary(input, 0).radius.to_bits();
        assert_eq!(radius(&outcome), radius(&expected));
    }
    assert_eq!(unsafe { stk_job_samples_done(job.0) }, 4100, "still told");
    let (again, out) = give(|out, err| unsafe { stk_job_result(job.0, out, err) });
    assert_eq!((again.unwrap_err().field.as_str(), out), ("job", null_mut()));
    drop((model, job));
    assert_eq!(outcome.len(), 2, "results outlive jobs and models");
}

#[test]
fn a_refused_submission_makes_no_job_and_no_call() {
    let model = Model::test("linear.onnx", 8, 1);
    let calls = AtomicUsize::new(0);
    let result = submit(&model, &Request::of(0.5, 10, 1), &[f32::NAN; 16], &calls);
    assert_eq!(result.err().map(|failed| failed.status), Some(STK_STATUS_INVALID_DATA));
    drop(model);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn a_job_is_cancelled_by_itself_by_its_timeout_or_with_its_model() {
    let model = Model::test("linear.onnx", 16, 2);
    let (input, request) = (crate::capi::linear_input(), Request::of(0.5, 1_000_000_000_000, 1));
    let calls: Vec<AtomicUsize> = (0..3).map(|_| AtomicUsize::new(0)).collect();
    let cancelled = submit(&model, &request, &input, &calls[0]).unwrap();
    assert!(!wait(&cancelled, 20));
    unsafe { stk_job_cancel(cancelled.0) };
    assert!(wait(&cancelled, u64::MAX));
    call(|err| unsafe { stk_request_set_timeout_ms(request.0, 30, err) }).unwrap();
    let late = submit(&model, &request, &input, &calls[1]).unwrap();
    assert!(wait(&late, u64::MAX));
    call(|err| unsafe { stk_request_set_timeout_ms(request.0, 0, err) }).unwrap();
    let orphan = submit(&model, &request, &input, &calls[2]).unwrap();
    drop(model);
    assert!(unsafe { stk_job_is_done(orphan.0) });
    for (job, status) in
        [(&cancelled, STK_STATUS_CANCELLED), (&late, STK_STATUS_DEADLINE_EXCEEDED), (&orphan, STK_STATUS_CANCELLED)]
    {
        let (result, outcome) = give(|out, err| unsafe { stk_job_result(job.0, out, err) });
        let outcome = Outcome(outcome);
        assert_eq!(result.unwrap_err().status, status);
        assert_eq!(outcome.summary(0, 0).status, status);
    }
    drop((cancelled, late, orphan));
    assert!(calls.iter().all(|calls| calls.load(Ordering::SeqCst) == 1));
}

#[test]
fn callbacks_come_exactly_once_under_random_cancellation() {
    let model = Model::test("linear.onnx", 16, 2);
    let token = Cancel::from(|out, err| unsafe { stk_cancel_new(out, err) }).unwrap();
    let input = crate::capi::linear_input();
    let inputs = [input.clone(), input.clone(), input].concat();
    // A fixed, full-period sequence: what is done to which job is the same in every run, when it strikes is not.
    let mut state = 12345u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) % below
    };
    let calls: Vec<AtomicUsize> = (0..300).map(|_| AtomicUsize::new(0)).collect();
    let mut open = Vec::new();
    for (i, calls) in calls.iter().enumerate() {
        let request = Request::of(0.5, [1, 100, 3000, 1_000_000_000][random(4) as usize], i as u64);
        call(|err| unsafe { stk_request_set_timeout_ms(request.0, random(8), err) }).unwrap();
        if random(3) == 0 && i > 250 {
            call(|err| unsafe { stk_request_set_cancel(request.0, token.0, err) }).unwrap();
        }
        open.push(submit(&model, &request, &inputs, calls).unwrap());
        if i == 280 {
            unsafe { stk_cancel_set(token.0) };
        }
        match random(4) {
            0 => unsafe { stk_job_cancel(open[random(open.len() as u64) as usize].0) },
            1 => drop(open.swap_remove(random(open.len() as u64) as usize)),
            2 => {
                wait(&open[open.len() - 1], 1);
            }
            _ => {}
        }
    }
    std::thread::scope(|scope| {
        for half in open.chunks_mut(40) {
            scope.spawn(move || half.iter_mut().for_each(|job| unsafe { stk_job_cancel(job.0) }));
        }
    });
    drop(open);
    let wrong = calls.iter().filter(|calls| calls.load(Ordering::SeqCst) != 1).count();
    assert_eq!(wrong, 0, "free waits until the callback has returned");
    drop(model);
}

unsafe extern "C" fn look(user: *mut c_void, job: *mut stk_job) {
    // SAFETY: a counter that outlives the job, which the test frees after the callback.
    let (seen, done) = unsafe { (&*user.cast::<AtomicUsize>(), stk_job_is_done(job)) };
    seen.fetch_add(usize::from(done), Ordering::SeqCst);
}

#[test]
fn a_callback_may_look_at_its_job() {
    let model = Model::test("linear.onnx", 16, 2);
    let request = Request::of(0.5, 5000, 1);
    for _ in 0..20 {
        let seen = AtomicUsize::new(0);
        let pointer = std::ptr::from_ref(&seen).cast_mut().cast();
        let input = crate::capi::linear_input();
        let job = Job::from(|out, err| unsafe {
            stk_model_submit_predict(model.0, request.0, input.as_ptr(), 1, Some(look), pointer, out, err)
        })
        .unwrap();
        drop(job);
        assert_eq!(seen.load(Ordering::SeqCst), 1);
    }
}
