//! A call with all that it may carry: inputs of every type, kept or copied, its own deadline, single inputs of a job.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use half::{bf16, f16};
use smoothtopk::capi::*;

use crate::abi::{Counts, Failed, Job, Model, Outcome, Request, call, give};

fn of<T>(model: &Model, task: stk_task, dtype: stk_dtype, inputs: &[T]) -> stk_call {
    // SAFETY: all bytes zero is a call.
    let empty: stk_call = unsafe { std::mem::zeroed() };
    let count = (inputs.len() / model.elements()) as u64;
    let struct_size = size_of::<stk_call>() as u64;
    stk_call { struct_size, task, dtype, inputs: inputs.as_ptr().cast(), count, ..empty }
}

fn run(model: &Model, request: &Request, call: &stk_call) -> (Result<(), Failed>, Outcome) {
    let (result, out) = give(|out, err| unsafe { stk_model_run(model.0, request.0, call, out, err) });
    (result, Outcome(out))
}

fn submit(model: &Model, request: &Request, call: &stk_call) -> Result<Job, Failed> {
    Job::from(|out, err| unsafe { stk_model_submit(model.0, request.0, call, out, err) })
}

fn result(job: &Job) -> (Result<(), Failed>, Outcome) {
    let (result, out) = give(|out, err| unsafe { stk_job_result(job.0, out, err) });
    (result, Outcome(out))
}

/// What may not differ between two outcomes.
fn found(outcome: &Outcome, input: usize) -> (Vec<u64>, u64, i64) {
    let summary = outcome.summary(input, 0);
    (outcome.counts(input), summary.radius.to_bits(), summary.label)
}

unsafe extern "C" fn count(user: *mut c_void) {
    // SAFETY: a counter that outlives the call.
    unsafe { &*user.cast::<AtomicUsize>() }.fetch_add(1, Ordering::SeqCst);
}

fn counter(counter: &AtomicUsize) -> *mut c_void {
    std::ptr::from_ref(counter).cast_mut().cast()
}

#[test]
fn every_type_and_task_says_what_float32_says() {
    let model = Model::test("exact_order.onnx", 16, 2);
    let request = Request::of(0.25, 500, 7);
    // Values that all types have; one label is likelier than the others.
    let x: Vec<f32> = (0..24).map(|i| if i % 6 == 2 { 1.0 } else { 0.0 }).collect();
    let inputs = [x.clone(), x].concat();
    let (u8s, f64s): (Vec<u8>, Vec<f64>) = inputs.iter().map(|&x| (x as u8, f64::from(x))).unzip();
    let (f16s, bf16s): (Vec<f16>, Vec<bf16>) = inputs.iter().map(|&x| (f16::from_f32(x), bf16::from_f32(x))).unzip();
    for task in [STK_TASK_PREDICT, STK_TASK_CERTIFY, STK_TASK_CERTIFY_ANSWER] {
        let (done, expected) = match task {
            STK_TASK_PREDICT => model.predict(&request, &inputs),
            STK_TASK_CERTIFY => model.certify(&request, &inputs, None),
            _ => model.certify_answer(&request, &inputs),
        };
        done.unwrap();
        for call in [
            of(&model, task, STK_DTYPE_FLOAT32, &inputs),
            of(&model, task, STK_DTYPE_UINT8, &u8s),
            of(&model, task, STK_DTYPE_FLOAT16, &f16s),
            of(&model, task, STK_DTYPE_BFLOAT16, &bf16s),
            of(&model, task, STK_DTYPE_FLOAT64, &f64s),
        ] {
            let (done, outcome) = run(&model, &request, &call);
            done.unwrap();
            let released = AtomicUsize::new(0);
            let kept = stk_call { release: Some(count), release_user: counter(&released), ..call };
            let job = submit(&model, &request, &kept).unwrap();
            let (done, later) = result(&job);
            done.unwrap();
            drop(job);
            assert_eq!(released.load(Ordering::SeqCst), 1);
            for input in 0..2 {
                assert_eq!(found(&outcome, input), found(&expected, input), "{call:?}");
                assert_eq!(found(&later, input), found(&expected, input), "{call:?}");
            }
        }
    }
}

#[test]
fn kept_inputs_are_released_once_and_must_not_change_before() {
    let model = Model::test("linear.onnx", 16, 1);
    let request = Request::of(0.5, 1_000_000_000_000, 1);
    let released = AtomicUsize::new(0);
    let kept = |inputs: &[f32]| stk_call {
        release: Some(count),
        release_user: counter(&released),
        ..of(&model, STK_TASK_PREDICT, STK_DTYPE_FLOAT32, inputs)
    };
    // A call that is refused releases nothing.
    assert_eq!(submit(&model, &request, &kept(&[f32::NAN; 16])).err().map(|e| e.status), Some(STK_STATUS_INVALID_DATA));
    assert_eq!(released.load(Ordering::SeqCst), 0);
    // Whatever ends it, one that was accepted does: also inputs whose turn never came.
    let inputs = vec![0.25f32; 16 * 8];
    for end in ["cancel", "free"] {
        let before = released.load(Ordering::SeqCst);
        let job = submit(&model, &request, &kept(&inputs)).unwrap();
        if end == "cancel" {
            unsafe { stk_job_cancel(job.0) };
        }
        drop(job);
        assert_eq!(released.load(Ordering::SeqCst), before + 1, "{end}");
    }
    // Behind a job that takes the only worker: the change is seen before a row is drawn.
    let slow = Model::test("slow.onnx", 16, 1);
    let (busy, mut waiting) = (vec![1000f32; 64], vec![0f32; 64]);
    let request = Request::of(0.25, 16, 7);
    call(|err| unsafe { stk_request_set_input_max(request.0, 1000.0, err) }).unwrap();
    let first = submit(&slow, &request, &of(&slow, STK_TASK_PREDICT, STK_DTYPE_FLOAT32, &busy)).unwrap();
    let call = stk_call {
        release: Some(count),
        release_user: counter(&released),
        ..of(&slow, STK_TASK_PREDICT, STK_DTYPE_FLOAT32, &waiting)
    };
    let second = submit(&slow, &request, &call).unwrap();
    // SAFETY: through the pointer that the call has; the worker is busy for seconds.
    unsafe { waiting.as_mut_ptr().write_volatile(1.0) };
    unsafe { stk_job_cancel(first.0) };
    let (failed, _) = result(&second);
    let failed = failed.unwrap_err();
    assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_DATA, "inputs"), "{failed:?}");
    assert!(failed.message.contains("changed"), "{failed:?}");
}

unsafe extern "C" fn note(user: *mut c_void, job: *mut stk_job) {
    // SAFETY: a place that outlives the job.
    let seen = unsafe { &*user.cast::<[AtomicPtr<stk_job>; 2]>() };
    // What the submitting call wrote is there, though it may not have returned.
    let written = seen[0].load(Ordering::SeqCst);
    // SAFETY: the job has ended and was not freed.
    assert!(unsafe { stk_job_is_done(job) } && written == job);
    seen[1].store(job, Ordering::SeqCst);
}

#[test]
fn a_callback_is_given_the_job_that_the_caller_has() {
    let model = Model::test("linear.onnx", 16, 2);
    let token = crate::abi::Cancel::from(|out, err| unsafe { stk_cancel_new(out, err) }).unwrap();
    let request = Request::of(0.5, 50, 1);
    for i in 0..200 {
        if i == 100 {
            // From here on the jobs have ended before they are given out.
            call(|err| unsafe { stk_request_set_cancel(request.0, token.0, err) }).unwrap();
            unsafe { stk_cancel_set(token.0) };
        }
        let seen: [AtomicPtr<stk_job>; 2] = Default::default();
        let input = crate::capi::linear_input();
        let call = stk_call {
            done: Some(note),
            done_user: std::ptr::from_ref(&seen).cast_mut().cast(),
            ..of(&model, STK_TASK_PREDICT, STK_DTYPE_FLOAT32, &input)
        };
        let status = unsafe { stk_model_submit(model.0, request.0, &call, seen[0].as_ptr(), null_mut()) };
        assert_eq!(status, STK_STATUS_OK);
        let job = Job(seen[0].load(Ordering::SeqCst));
        let _ = result(&job);
        let pointer = job.0;
        drop(job);
        assert_eq!(seen[1].load(Ordering::SeqCst), pointer);
    }
}

#[test]
fn a_call_has_limits_of_its_own_beside_those_of_its_request() {
    let model = Model::test("linear.onnx", 16, 2);
    let input = crate::capi::linear_input();
    let endless = Request::of(0.5, 1_000_000_000_000, 1);
    let plain = of(&model, STK_TASK_PREDICT, STK_DTYPE_FLOAT32, &input);
    let now = stk_clock_ns();
    assert!(now > 0 && stk_clock_ns() >= now);
    for (timeout_ms, deadline_ns, why) in [
        (30, 0, "the timeout of 30 ms passed"),
        (0, now + 30_000_000, "the deadline passed"),
        (0, 1, "the deadline passed"),
        (60_000, now + 30_000_000, "the deadline passed"),
        (30, u64::MAX, "the timeout of 30 ms passed"),
    ] {
        let (failed, outcome) = run(&model, &endless, &stk_call { timeout_ms, deadline_ns, ..plain });
        let failed = failed.unwrap_err();
        assert_eq!((failed.status, failed.message.as_str()), (STK_STATUS_DEADLINE_EXCEEDED, why));
        assert_eq!(outcome.len(), 1);
    }
    call(|err| unsafe { stk_request_set_timeout_ms(endless.0, 20, err) }).unwrap();
    let (failed, _) = run(&model, &endless, &stk_call { timeout_ms: 60_000, ..plain });
    assert_eq!(failed.unwrap_err().message, "the timeout of 20 ms passed");
    // A copy has all settings, and changes alone.
    let copy = Request::from(|out, err| unsafe { stk_request_clone(endless.0, out, err) }).unwrap();
    call(|err| unsafe { stk_request_set_n(endless.0, 100, err) }).unwrap();
    drop(endless);
    assert_eq!(run(&model, &copy, &plain).0.unwrap_err().message, "the timeout of 20 ms passed");
}

#[test]
fn a_call_that_contradicts_itself_is_refused_by_field() {
    let model = Model::test("linear.onnx", 16, 1);
    let request = Request::of(0.5, 10, 1);
    let (input, label) = (crate::capi::linear_input(), 0i64);
    let plain = of(&model, STK_TASK_PREDICT, STK_DTYPE_FLOAT32, &input);
    unsafe extern "C" fn done(_: *mut c_void, _: *mut stk_job) {}
    unsafe extern "C" fn release(_: *mut c_void) {}
    for (call, field) in [
        (stk_call { struct_size: 0, ..plain }, "struct_size"),
        (stk_call { task: 0, ..plain }, "task"),
        (stk_call { dtype: 5, ..plain }, "dtype"),
        (stk_call { inputs: null(), ..plain }, "inputs"),
        (stk_call { inputs: plain.inputs.wrapping_byte_add(1), ..plain }, "inputs"),
        (stk_call { count: 0, ..plain }, "count"),
        (stk_call { count: u64::MAX, ..plain }, "count"),
        (stk_call { labels: &label, ..plain }, "labels"),
        (stk_call { done: Some(done), ..plain }, "done"),
        (stk_call { release: Some(release), ..plain }, "release"),
    ] {
        let (failed, outcome) = run(&model, &request, &call);
        let failed = failed.expect_err(field);
        assert_eq!((failed.status, failed.field.as_str()), (STK_STATUS_INVALID_ARGUMENT, field), "{failed:?}");
        assert!(outcome.0.is_null());
        if field != "done" && field != "release" {
            assert_eq!(submit(&model, &request, &call).err().map(|failed| failed.field), Some(field.to_owned()));
        }
    }
}

#[test]
fn single_inputs_are_read_while_others_run() {
    let model = Model::test("slow.onnx", 16, 2);
    let request = Request::of(0.25, 16, 7);
    call(|err| unsafe { stk_request_set_input_max(request.0, 1000.0, err) }).unwrap();
    // The rows of the second take seconds.
    let inputs = [vec![0.5f32; 64], vec![1000f32; 64]].concat();
    let job = submit(&model, &request, &of(&model, STK_TASK_PREDICT, STK_DTYPE_FLOAT32, &inputs)).unwrap();
    let item = |input| give(|out, err| unsafe { stk_job_item_result(job.0, input, out, err) });
    let counts = |input| Counts::from(|out, err| unsafe { stk_job_item_counts(job.0, input, out, err) });
    assert_eq!(unsafe { stk_job_len(job.0) }, 2);
    while !unsafe { stk_job_item_is_done(job.0, 0) } {
        std::thread::yield_now();
    }
    let (done, first) = item(0);
    let first = Outcome(first);
    done.unwrap();
    assert_eq!((first.len(), first.summary(0, 0).n), (1, 16));
    assert_eq!(unsafe { stk_counts_n(counts(0).unwrap().0) }, 16);
    assert!(!unsafe { stk_job_item_is_done(job.0, 1) || stk_job_is_done(job.0) || stk_job_item_is_done(job.0, 2) });
    let mut none = null_mut();
    call(|err| unsafe { stk_job_item_result(job.0, 1, &mut none, err) }).unwrap();
    assert!(none.is_null(), "it has not ended");
    let so_far = counts(1).unwrap();
    let mut summary = crate::abi::empty_summary();
    let size = size_of::<stk_summary>();
    let asked = |err| unsafe { stk_counts_predict(so_far.0, 1, 0.001, null_mut(), &mut summary, size, err) };
    assert_eq!(call(asked).unwrap_err().status, STK_STATUS_INVALID_DATA, "counts so far prove nothing");
    for refused in [item(2).0, counts(2).map(drop)] {
        assert_eq!(refused.unwrap_err().field, "input");
    }
    unsafe { stk_job_cancel(job.0) };
    let (failed, all) = result(&job);
    assert_eq!(failed.unwrap_err().status, STK_STATUS_CANCELLED);
    assert_eq!(found(&all, 0), found(&first, 0));
    for refused in [item(0).0, counts(0).map(drop)] {
        assert_eq!(refused.unwrap_err().field, "job", "taken");
    }
    assert_eq!(unsafe { stk_job_len(job.0) }, 0);
}
