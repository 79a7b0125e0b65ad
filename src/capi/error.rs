//! `stk_error`.

use std::ffi::{CString, c_char};

use super::ffi::c_string;
use super::status::{STK_STATUS_OK, stk_status};

/// What went wrong, about which field, and what to do. Freed by stk_error_free. Never changes, so it may be read from
/// any number of threads.
///
/// Every function that can fail takes a last parameter `err`, which may be NULL. On failure `*err` gets a new error
/// that the caller owns; on success `*err` is not touched.
pub struct stk_error {
    status: stk_status,
    message: CString,
    field: CString,
}

impl stk_error {
    pub(super) fn new(status: stk_status, field: &str, message: &str) -> Self {
        Self { status, message: c_string(message), field: c_string(field) }
    }
}

/// The status that the failed call returned.
///
/// @param error May be NULL: STK_STATUS_OK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_error_status(error: *const stk_error) -> stk_status {
    with_error(error, STK_STATUS_OK, |error| error.status)
}

/// What went wrong and what to do, in English, without the field.
///
/// @param error May be NULL: "".
/// @return UTF-8, never NULL; lives as long as the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_error_message(error: *const stk_error) -> *const c_char {
    with_error(error, c"".as_ptr(), |error| error.message.as_ptr())
}

/// The parameter or field that is to blame, such as "sigma".
///
/// @param error May be NULL: "".
/// @return UTF-8, never NULL; "" where no single field is to blame; lives as long as the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_error_field(error: *const stk_error) -> *const c_char {
    with_error(error, c"".as_ptr(), |error| error.field.as_ptr())
}

/// Frees an error.
///
/// @param error May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_error_free(error: *mut stk_error) {
    free_error(error);
}

/// An error that C owns, or NULL.
fn with_error<R>(error: *const stk_error, otherwise: R, body: impl FnOnce(&stk_error) -> R) -> R {
    if error.is_null() || !error.is_aligned() {
        return otherwise;
    }
    // SAFETY: a live error, by the header; only called by the accessors of errors.
    body(unsafe { &*error })
}

fn free_error(error: *mut stk_error) {
    if !error.is_null() && error.is_aligned() {
        // SAFETY: every error comes from `Box::into_raw`, and is freed once, by the header.
        drop(unsafe { Box::from_raw(error) });
    }
}
