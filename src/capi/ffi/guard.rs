//! The guard that every export runs under.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::args::Args;
use super::failure::{Failure, FfiResult};
use super::handles::{Handles, Passed, poison};
use super::opaque::Opaque;
use crate::capi::error::stk_error;
use crate::capi::status::{STK_STATUS_OK, STK_STATUS_PANIC, stk_status};

/// Pointers of which the C caller has promised that they keep to the header.
pub(in crate::capi) struct Trusted<P>(P);

impl<P> Trusted<P> {
    /// # Safety
    /// The pointers, and every other that the body hands to its [`Args`], keep to the header.
    pub(in crate::capi) unsafe fn new(pointers: P) -> Self {
        Self(pointers)
    }
}

/// Runs the body of an export that returns a status; the names behind `args` are the handles among its parameters.
macro_rules! call {
    ($err:expr, |$args:pat_param $(, $handle:ident)*| $body:expr) => {{
        let pointers = ($err, ($($crate::capi::ffi::Passed($handle, stringify!($handle)),)*));
        // SAFETY: the caller of the export keeps to the header, see the head of `capi`.
        let trusted = unsafe { $crate::capi::ffi::Trusted::new(pointers) };
        trusted.call(|$args, ($($handle,)*)| $body)
    }};
}
pub(in crate::capi) use call;

/// Runs the body of an export that returns a value; `otherwise` where the handle is NULL or poisoned, or the body
/// panics.
macro_rules! get {
    ($handle:expr, $otherwise:expr, $body:expr) => {{
        let handle: *const _ = $handle;
        // SAFETY: the caller of the export keeps to the header, see the head of `capi`.
        let trusted = unsafe { $crate::capi::ffi::Trusted::new(handle) };
        trusted.get($otherwise, $body)
    }};
}
pub(in crate::capi) use get;

/// Frees a handle, poisoned or not. `last` gets what it holds.
macro_rules! free {
    ($handle:expr) => {
        $crate::capi::ffi::free!($handle, drop)
    };
    ($handle:expr, $last:expr) => {{
        let handle: *mut _ = $handle;
        // SAFETY: the caller of the export keeps to the header, see the head of `capi`.
        let trusted = unsafe { $crate::capi::ffi::Trusted::new(handle) };
        trusted.free($last);
    }};
}
pub(in crate::capi) use free;

impl<H: Handles> Trusted<(*mut *mut stk_error, H)> {
    pub(in crate::capi) fn call(self, body: impl for<'a> FnOnce(&'a Args, H::Args<'a>) -> FfiResult) -> stk_status {
        let (err, handles) = self.0;
        let slots = H::Slots::default();
        let failure = match catch_unwind(AssertUnwindSafe(|| body(&Args(()), handles.args(&slots)))) {
            Ok(Ok(())) => return STK_STATUS_OK,
            Ok(Err(failure)) => failure,
            Err(panic) => {
                poison(slots.as_ref());
                let message = format!("a defect of smoothtopk: it panicked: {}", panic_message(panic.as_ref()));
                Failure { status: STK_STATUS_PANIC, field: String::new(), message }
            }
        };
        let status = failure.status;
        if !err.is_null() && err.is_aligned() {
            let error = Box::new(stk_error::new(status, &failure.field, &failure.message));
            // SAFETY: `err` can be written, by the header.
            unsafe { err.write(Box::into_raw(error)) };
        }
        status
    }
}

impl<C: Opaque> Trusted<*const C> {
    pub(in crate::capi) fn get<R>(self, otherwise: R, body: impl FnOnce(&C::Inner) -> R) -> R {
        let slots = Default::default();
        let (handle,) = (Passed(self.0, ""),).args(&slots);
        match catch_unwind(AssertUnwindSafe(|| handle.shared().ok().map(body))) {
            Ok(Some(value)) => value,
            Ok(None) => otherwise,
            Err(_) => {
                poison(&slots);
                otherwise
            }
        }
    }
}

impl<C: Opaque> Trusted<*mut C> {
    pub(in crate::capi) fn free(self, last: impl FnOnce(C::Inner)) {
        let handle = self.0;
        if handle.is_null() || !handle.is_aligned() {
            return;
        }
        // A panic while something is torn down leaks the rest of it and harms nobody.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: every handle comes from `Box::into_raw`, and is freed once, by the header.
            let handle = unsafe { Box::from_raw(handle) };
            last(handle.unwrap().value);
        }));
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
