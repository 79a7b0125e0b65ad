//! `stk_request`: when the samples are enough, and how alpha is split.

use std::ffi::c_char;

use super::error::stk_error;
use super::ffi::call;
use super::request::{set, stk_request};
use super::status::stk_status;
use crate::Error;
use crate::smoothed::AllocationChoice;

/// Sets when the samples of an input are enough. All but fixed rest on bounds that hold at all numbers of samples at
/// once (steps: at all up to n, with half of alpha for the n-th sample alone), so the answers are valid at alpha
/// however and whenever the samples end; n is then the most samples.
///
/// @param request Not NULL.
/// @param rule Not NULL. "fixed", the default: after n samples. For certify "radius:R": as soon as the label is
/// certified at the radius R (finite, above 0), or no number of samples could certify it, or none up to n; "steps:E":
/// as soon as the largest multiple of E (finite, at least 1e-6 sigma) that the label is certified at is decided; and
/// "tolerance:E" or "tolerance:Esigma": as soon as the samples up to n are expected to add no more than E (finite, 0 or
/// more; in units of the input or of sigma) to the radius. For predict "predict": as soon as the top-k set is settled.
/// certify_answer takes "fixed", and where n0 is at least 1 "radius:R" and "tolerance", which are then about the
/// set_radius; all its guarantees are valid whenever the samples end. All but fixed are refused, with the field
/// "randomized", where the bounds are randomized.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, the request is then unchanged. A rule of another task is refused
/// when the task is asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_rule(
    request: *mut stk_request,
    rule: *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, request| {
        let rule = args.text(rule, "rule")?.parse()?;
        set(request.exclusive()?, |request| request.rule = rule)
    })
}

/// Sets whether the exact bounds of a certificate are randomized (certify, with a fixed n): a little larger radii on
/// average, at the same alpha. Each k and stream has one uniform number, from the seed or key that its samples come
/// from; the summary holds it, so that a certificate can be made again.
///
/// @param request Not NULL.
/// @param on Off by default.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT where the request has a rule, the request is then unchanged.
/// Another task than certify is refused when it is asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_randomized(
    request: *mut stk_request,
    on: bool,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, request| set(request.exclusive()?, |request| request.randomized = on))
}

/// Sets how alpha is split between the bounds of a certificate (certify). An allocation that is given must not come
/// from the samples that it is applied to.
///
/// @param request Not NULL.
/// @param allocation Not NULL. "ranked", the default: alpha/(k + 1) for the label and for each of its k strongest
/// rivals; "ranked:S" with the share S of alpha for the label, between 0 and 1, and the rest for its rivals; "simuem"
/// of the paper: alpha/c for each of the c labels; "binocp" of the paper: alpha for the label, and every rival is
/// bounded by 1 minus the label's lower bound; "pooled:S" with S for the label and the rest for one bound of the sum of
/// rivals; "pooled:S:L,L,..", where the labels L, ascending and fewer than k, are left out of that sum; "auto": chosen
/// by the n0 samples that select, for the largest radius that is to be expected.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, the request is then unchanged. What does not fit the label, k or
/// the number of labels is refused when the task is asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_request_set_allocation(
    request: *mut stk_request,
    allocation: *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, request| {
        let parsed = args.text(allocation, "allocation")?.parse::<AllocationChoice>();
        let allocation = parsed.map_err(|error: Error| error.with_field("allocation"))?;
        set(request.exclusive()?, |request| request.allocation = allocation)
    })
}
