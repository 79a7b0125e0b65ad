//! `stk_status`.

use std::ffi::{CStr, c_char};

use crate::ErrorKind;

/// How a call ended: STK_STATUS_OK, or one of the other STK_STATUS_ constants. A value is never reused for another
/// meaning; later versions may add values, so treat an unknown one as a failure.
pub type stk_status = i32;

/// The call did what it says.
pub const STK_STATUS_OK: stk_status = 0;
/// An argument is outside its range, or arguments contradict each other. Also: NULL for a pointer that must not be.
pub const STK_STATUS_INVALID_ARGUMENT: stk_status = 1;
/// Data (an input, counts) is malformed or does not fit.
pub const STK_STATUS_INVALID_DATA: stk_status = 2;
/// A file or a named thing does not exist.
pub const STK_STATUS_NOT_FOUND: stk_status = 3;
/// Reading or writing failed.
pub const STK_STATUS_IO: stk_status = 4;
/// The model cannot be loaded, or is not a classifier that can be smoothed.
pub const STK_STATUS_MODEL: stk_status = 5;
/// ONNX Runtime could not be loaded.
pub const STK_STATUS_RUNTIME: stk_status = 6;
/// The execution provider asked for cannot be used.
pub const STK_STATUS_PROVIDER: stk_status = 7;
/// A run of the model failed.
pub const STK_STATUS_RUN: stk_status = 8;
/// The caller cancelled.
pub const STK_STATUS_CANCELLED: stk_status = 9;
/// The timeout passed.
pub const STK_STATUS_DEADLINE_EXCEEDED: stk_status = 10;
/// A defect of this library.
pub const STK_STATUS_INTERNAL: stk_status = 11;
/// A defect of this library: the call panicked. The handles that were passed to it can only be freed from now on.
pub const STK_STATUS_PANIC: stk_status = 12;
/// A handle was used by a call that panicked: it can only be freed.
pub const STK_STATUS_POISONED: stk_status = 13;
/// As many jobs, or bytes of inputs, are under way as stk_model_options_set_max_jobs and
/// stk_model_options_set_max_input_bytes allow: nothing was started; ask again when some have ended.
pub const STK_STATUS_BUSY: stk_status = 14;
/// This process was forked after the model was opened, and has none of its threads.
pub const STK_STATUS_FORKED: stk_status = 15;

/// The label of an input for which none was given, or none was found.
pub const STK_NO_LABEL: i64 = -1;

/// The name of a status without its prefix, such as "INVALID_ARGUMENT"; "UNKNOWN" for any other value.
///
/// @return A static string, never NULL. Safe from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn stk_status_name(status: stk_status) -> *const c_char {
    name(status).as_ptr()
}

pub(super) fn name(status: stk_status) -> &'static CStr {
    match status {
        STK_STATUS_OK => c"OK",
        STK_STATUS_INVALID_ARGUMENT => c"INVALID_ARGUMENT",
        STK_STATUS_INVALID_DATA => c"INVALID_DATA",
        STK_STATUS_NOT_FOUND => c"NOT_FOUND",
        STK_STATUS_IO => c"IO",
        STK_STATUS_MODEL => c"MODEL",
        STK_STATUS_RUNTIME => c"RUNTIME",
        STK_STATUS_PROVIDER => c"PROVIDER",
        STK_STATUS_RUN => c"RUN",
        STK_STATUS_CANCELLED => c"CANCELLED",
        STK_STATUS_DEADLINE_EXCEEDED => c"DEADLINE_EXCEEDED",
        STK_STATUS_INTERNAL => c"INTERNAL",
        STK_STATUS_PANIC => c"PANIC",
        STK_STATUS_POISONED => c"POISONED",
        STK_STATUS_BUSY => c"BUSY",
        STK_STATUS_FORKED => c"FORKED",
        _ => c"UNKNOWN",
    }
}

pub(super) fn of(kind: ErrorKind) -> stk_status {
    match kind {
        ErrorKind::InvalidArgument => STK_STATUS_INVALID_ARGUMENT,
        ErrorKind::InvalidData => STK_STATUS_INVALID_DATA,
        ErrorKind::NotFound => STK_STATUS_NOT_FOUND,
        ErrorKind::Io => STK_STATUS_IO,
        ErrorKind::Model => STK_STATUS_MODEL,
        ErrorKind::Runtime => STK_STATUS_RUNTIME,
        ErrorKind::Provider => STK_STATUS_PROVIDER,
        ErrorKind::Run => STK_STATUS_RUN,
        ErrorKind::Cancelled => STK_STATUS_CANCELLED,
        ErrorKind::DeadlineExceeded => STK_STATUS_DEADLINE_EXCEEDED,
        ErrorKind::Busy => STK_STATUS_BUSY,
        ErrorKind::Forked => STK_STATUS_FORKED,
        ErrorKind::Internal => STK_STATUS_INTERNAL,
    }
}
