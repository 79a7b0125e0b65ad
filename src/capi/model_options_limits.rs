//! `stk_model_options`: the most that may be under way at once.

use super::error::stk_error;
use super::ffi::call;
use super::model_options::stk_model_options;
use super::status::stk_status;

/// Sets the most jobs that may be under way at once, one for each input of each call, blocking or not. A call that
/// would make them more is refused at once with STK_STATUS_BUSY, whole; one whose inputs alone are more, with
/// STK_STATUS_INVALID_ARGUMENT. A job is under way until it has ended, whether or not its result was taken.
///
/// @param options Not NULL.
/// @param jobs 0, the default: any number.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_max_jobs(
    options: *mut stk_model_options,
    jobs: u64,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, options| {
        options.exclusive()?.limits.jobs = (jobs > 0).then_some(jobs);
        Ok(())
    })
}

/// Sets the most bytes of inputs that may be under way at once, 4 an element. A call that would make them more is
/// refused as by stk_model_options_set_max_jobs.
///
/// @param options Not NULL.
/// @param bytes 0, the default: any number.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_max_input_bytes(
    options: *mut stk_model_options,
    bytes: u64,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, options| {
        options.exclusive()?.limits.input_bytes = (bytes > 0).then_some(bytes);
        Ok(())
    })
}
