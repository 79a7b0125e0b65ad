//! The log callback.

use std::ffi::{c_char, c_void};

use super::error::stk_error;
use super::ffi::{User, c_string, call};
use super::status::stk_status;
use crate::Error;
use crate::log::{self, Level};

/// How much is logged: one of the STK_LOG_LEVEL_ constants; each includes those before it.
pub type stk_log_level = i32;

/// Nothing. The default.
pub const STK_LOG_LEVEL_OFF: stk_log_level = 0;
/// What failed; not what the caller cancelled, nor what its timeout ended.
pub const STK_LOG_LEVEL_ERROR: stk_log_level = 1;
/// What may be wrong; ONNX Runtime's warnings too.
pub const STK_LOG_LEVEL_WARN: stk_log_level = 2;
/// What was opened and how.
pub const STK_LOG_LEVEL_INFO: stk_log_level = 3;
/// Where time goes, and what was cancelled or late.
pub const STK_LOG_LEVEL_DEBUG: stk_log_level = 4;

/// Gets log messages, from any thread, but never two at once: a message that is logged while the callback runs, on this
/// or another thread, is dropped; a warning says afterwards how many messages that were. It may call the library, and
/// may wait for threads that do. It must not unwind and must not set the callback. A message about work names its job
/// (a number that counts the calls of this process), its model (the first digits of its SHA-256) and its stream.
///
/// @param user What was given with the callback.
/// @param level One of the STK_LOG_LEVEL_ constants.
/// @param message UTF-8, one line: line ends and other control characters are escaped; lives during the call.
pub type stk_log_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, level: stk_log_level, message: *const c_char)>;

/// Sets the process's log callback. When this returns, the callback that was set before is not running and will not be
/// called: hold no lock that it takes.
///
/// @param level One of the STK_LOG_LEVEL_ constants: more detailed messages are not made.
/// @param callback May be NULL: nothing is logged.
/// @param user Passed to it; may be NULL.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for an unknown level, or when called from the callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_log_set_callback(
    level: stk_log_level,
    callback: stk_log_callback,
    user: *mut c_void,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_| {
        let level = match level {
            STK_LOG_LEVEL_OFF => None,
            STK_LOG_LEVEL_ERROR => Some(Level::Error),
            STK_LOG_LEVEL_WARN => Some(Level::Warn),
            STK_LOG_LEVEL_INFO => Some(Level::Info),
            STK_LOG_LEVEL_DEBUG => Some(Level::Debug),
            _ => {
                let message = format!("{level} is none of the STK_LOG_LEVEL_ constants");
                return Err(Error::argument("level", message).into());
            }
        };
        let user = User::new(user);
        let sink = callback.map(|callback| -> log::Sink {
            Box::new(move |level, message| user.call_log(callback, to_level(level), &c_string(message)))
        });
        Ok(log::set_sink(level.zip(sink))?)
    })
}

fn to_level(level: Level) -> stk_log_level {
    match level {
        Level::Error => STK_LOG_LEVEL_ERROR,
        Level::Warn => STK_LOG_LEVEL_WARN,
        Level::Info => STK_LOG_LEVEL_INFO,
        Level::Debug => STK_LOG_LEVEL_DEBUG,
    }
}
