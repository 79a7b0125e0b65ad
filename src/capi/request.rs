//! `stk_request`.

use std::ffi::{c_char, c_void};
use std::time::Duration;

use super::cancel::stk_cancel;
use super::error::stk_error;
use super::ffi::{FfiResult, Handle, User, call, free, opaque};
use super::status::stk_status;
use crate::perturbation::Family;
use crate::smoothed::{CancelToken, Control, Generator, Request};

/// Called on the thread that waits in a blocking call, at most once per batch and once at the end.
///
/// @param user What was given with the callback.
/// @param samples_done Samples counted so far.
/// @param samples_total Samples to be counted in all; under a rule the most that may be counted.
pub type stk_progress_callback = Option<unsafe extern "C" fn(user: *mut c_void, samples_done: u64, samples_total: u64)>;

/// What is asked of a smoothed classifier: the noise, how much of it, and how sure the answer must be. Setters check
/// their value at once and need exclusive use; calls that take a const request may share it between threads, and keep
/// nothing of it when they return.
pub struct stk_request(Handle<Asked>);
opaque!(stk_request holds Asked);

/// What a request holds.
#[derive(Clone)]
pub(super) struct Asked {
    pub request: Request,
    pub stream: u64,
    pub timeout: Option<Duration>,
    pub cancel: Option<CancelToken>,
    progress: Option<(unsafe extern "C" fn(*mut c_void, u64, u64), User)>,
}

impl Asked {
    pub(super) fn control(&self) -> Control {
        Control { timeout: self.timeout, cancel: self.cancel.clone(), deadline: None }
    }

    /// What the host wants to be told while it waits.
    pub(super) fn progress(&self) -> Option<impl FnMut(u64, u64)> {
        self.progress.map(|(callback, user)| move |done, total| user.call_progress(callback, done, total))
    }
}

/// Sets one thing, where the request then passes its checks.
pub(super) fn set(asked: &mut Asked, change: impl FnOnce(&mut Request)) -> FfiResult {
    let mut request = asked.request.clone();
    change(&mut request);
    request.check()?;
    asked.request = request;
    Ok(())
}

/// Makes a request with the field's usual values: k = {1}, n = 100000 fixed, n0 = 100, alpha = 0.001, ranked bounds,
/// noise of Philox with a seed from the operating system for each call, stream 0, input_max 1, no timeout.
///
/// @param noise Not NULL. Drawn: "gaussian:SIGMA", with the standard deviation of the noise in the units of the input,
/// from 1e-100 to 1e100, such as "gaussian:0.25" (radii in l2); "uniform:LAMBDA", noise on [-lambda, lambda] (l1);
/// "ablate:KEEP", so many pixels kept at random, the others set to 0 (radii are numbers of pixels). Enumerated, all
/// rows classified, each once: "band:SIZE" and "block:SIZE", what is outside a window set to 0 (radii are sides of a
/// patch, in pixels); "split:SPLITS:levels=Q", for multiples of 1/Q in [0, 1] (l1). They leave nothing to chance:
/// setters of n, n0, alpha, the rule, the allocation and the seed refuse all but the usual values, and answers have
/// alpha 0 and STK_VALIDITY_EXACT. Settings follow, each ":KEY=VALUE": channels=first, last or none, where the shape of
/// inputs leaves it open; value=V, what hidden pixels are set to; wrap=no, windows that end at the edge.
/// @param out Not NULL. Gets the request; free it with stk_request_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_new(
    noise: *const c_char,
    out: *mut *mut stk_request,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args| {
        let out = args.out(out, "out")?;
        let request = Request::new(args.text(noise, "noise")?.parse::<Family>()?);
        request.check()?;
        out.give(Asked { request, stream: 0, timeout: None, cancel: None, progress: None });
        Ok(())
    })
}

/// Makes a copy of a request: settings, cancel token and progress callback. Safe from any number of threads.
///
/// @param request Not NULL.
/// @param out Not NULL. Gets the copy; free it with stk_request_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_clone(
    request: *const stk_request,
    out: *mut *mut stk_request,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, request| {
        let asked = request.shared()?;
        args.out(out, "out")?.give(asked.clone());
        Ok(())
    })
}

/// Frees a request.
///
/// @param request May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_free(request: *mut stk_request) {
    free!(request);
}

/// Sets the k of top-k. Each k gets a statement of its own at alpha, from the same samples.
///
/// @param request Not NULL.
/// @param k `len` values, all different, each at least 1 and, when a model is asked, less than its number of
/// labels. Not NULL. Copied.
/// @param len At least 1.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, the request is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_k(
    request: *mut stk_request,
    k: *const usize,
    len: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, request| {
        let values = args.array(k, len, "k")?.to_vec();
        set(request.exclusive()?, |request| request.k = values)
    })
}

/// Sets the samples that answer; under a rule (stk_request_set_rule) the most of them.
///
/// @param request Not NULL.
/// @param n From 1 to 10^12.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, the request is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_n(request: *mut stk_request, n: u64, err: *mut *mut stk_error) -> stk_status {
    call!(err, |_, request| set(request.exclusive()?, |request| request.n = n))
}

/// Sets the samples that select: a label where certify is given none, how alpha is split where that is auto, the labels
/// that certify_answer returns. They are drawn beside the n that certify.
///
/// @param request Not NULL.
/// @param n0 At most 10^12; at least 1 where a label or an allocation is to be selected. 0 in certify_answer: the
/// labels are selected by the very samples that certify them, which is paid for out of alpha.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, the request is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_n0(
    request: *mut stk_request,
    n0: u64,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, request| set(request.exclusive()?, |request| request.n0 = n0))
}

/// Sets the probability that a statement is false.
///
/// @param request Not NULL.
/// @param alpha From 1e-90 to 0.5.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, the request is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_alpha(
    request: *mut stk_request,
    alpha: f64,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, request| set(request.exclusive()?, |request| request.alpha = alpha))
}

/// Sets the generator Philox4x32-10, which is the default, with this seed. Whoever knows the seed knows the noise.
///
/// @param request Not NULL.
/// @param seed Any value.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_seed(
    request: *mut stk_request,
    seed: u64,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, request| set(request.exclusive()?, |request| request.generator =
        Generator::Philox { seed: Some(seed) }))
}

/// Sets the stream of the first input, which names an input's noise under a seed or key; input i of a call gets stream
/// + i. Inputs that share a seed must have streams of their own, or they get the same noise.
///
/// @param request Not NULL.
/// @param stream Any value; stream + count - 1 must not overflow in a call.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_stream(
    request: *mut stk_request,
    stream: u64,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, request| {
        request.exclusive()?.stream = stream;
        Ok(())
    })
}

/// Sets the largest |x| that the noise grid is to carry exactly; of no effect with exact noise. It is part of the
/// smoothed classifier: use one value for all inputs of a data set. Certificates hold for larger inputs too: float32
/// then rounds the sums with the noise, and what it gives is a function of the exact sums. But pixels from 0 to 255,
/// where sigma is meant for 0 to 1, are a mistake all the same.
///
/// @param request Not NULL.
/// @param input_max Finite, 0 or more, and such that float32 has a grid for it with the noise.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, the request is then unchanged.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_input_max(
    request: *mut stk_request,
    input_max: f64,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, request| set(request.exclusive()?, |request| request.input_max = input_max))
}

/// Sets how long a call may take, on the monotonic clock, from the call on. Work that is late stops within about a
/// batch. With a fixed number of samples it then has no answer; under a rule it has that of its last look, which is
/// sound, if it got to one.
///
/// @param request Not NULL.
/// @param milliseconds 0: no limit.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_timeout_ms(
    request: *mut stk_request,
    milliseconds: u64,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, request| {
        let timeout = (milliseconds > 0).then(|| Duration::from_millis(milliseconds));
        request.exclusive()?.timeout = timeout;
        Ok(())
    })
}

/// Sets the token that cancels the calls of this request. The request keeps a reference of its own.
///
/// @param request Not NULL.
/// @param cancel May be NULL: none.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_cancel(
    request: *mut stk_request,
    cancel: *const stk_cancel,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, cancel, request| {
        let cancel = cancel.shared_or_null()?.cloned();
        request.exclusive()?.cancel = cancel;
        Ok(())
    })
}

/// Sets a callback that blocking calls make while they wait. Jobs are polled instead.
///
/// @param request Not NULL.
/// @param callback May be NULL: none. Must not unwind.
/// @param user Passed to it; may be NULL.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_progress(
    request: *mut stk_request,
    callback: stk_progress_callback,
    user: *mut c_void,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, request| {
        request.exclusive()?.progress = callback.map(|callback| (callback, User::new(user)));
        Ok(())
    })
}
