//! `stk_cancel`.

use super::error::stk_error;
use super::ffi::{Handle, call, free, get, opaque};
use super::status::stk_status;
use crate::smoothed::CancelToken;

/// A token that cancels, from any thread, all work that was started with it (stk_request_set_cancel). Once set it stays
/// set: work that is started with it later is cancelled at once.
pub struct stk_cancel(Handle<CancelToken>);
opaque!(stk_cancel holds CancelToken);

/// Makes a token that is not set.
///
/// @param out Not NULL. Gets the token; free it with stk_cancel_free.
/// @param err May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_cancel_new(out: *mut *mut stk_cancel, err: *mut *mut stk_error) -> stk_status {
    call!(err, |args| {
        args.out(out, "out")?.give(CancelToken::new());
        Ok(())
    })
}

/// Cancels all work that has this token, within about a millisecond or a batch. Completion callbacks of jobs may be
/// called on this thread. Safe from any thread, but not from a signal handler.
///
/// @param cancel May be NULL: nothing happens.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_cancel_set(cancel: *const stk_cancel) {
    get!(cancel, (), CancelToken::set);
}

/// Whether the token was set. Safe from any thread.
///
/// @param cancel May be NULL: false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_cancel_is_set(cancel: *const stk_cancel) -> bool {
    get!(cancel, false, CancelToken::is_set)
}

/// Frees a token. Requests and work that have it keep a reference of their own.
///
/// @param cancel May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_cancel_free(cancel: *mut stk_cancel) {
    free!(cancel);
}
