//! The pointer that a host gets back with its callback.

use std::ffi::{CStr, c_char, c_void};

/// A callback's user pointer.
#[derive(Clone, Copy)]
pub(in crate::capi) struct User(*mut c_void);

// SAFETY: it is never followed, only given back to the host, which is told from which threads.
unsafe impl Send for User {}
// SAFETY: as above.
unsafe impl Sync for User {}

impl User {
    pub(in crate::capi) fn new(user: *mut c_void) -> Self {
        Self(user)
    }

    /// `job` is the handle that the host got, as a pointer that is given back to it.
    pub(in crate::capi) fn call_done<J>(self, callback: unsafe extern "C" fn(*mut c_void, *mut J), job: Self) {
        // SAFETY: the host's function, with the pointers that it wants.
        unsafe { callback(self.0, job.0.cast()) };
    }

    pub(in crate::capi) fn call_release(self, callback: unsafe extern "C" fn(*mut c_void)) {
        // SAFETY: as above.
        unsafe { callback(self.0) };
    }

    /// The function of the host's that classifies a batch, and whether it did.
    pub(in crate::capi) fn call_classify<B>(
        self,
        classify: unsafe extern "C" fn(*mut c_void, *const B) -> bool,
        batch: &B,
    ) -> bool {
        // SAFETY: as above; the batch, and what it points to, lives during the call.
        unsafe { classify(self.0, batch) }
    }

    pub(in crate::capi) fn call_progress(
        self,
        callback: unsafe extern "C" fn(*mut c_void, u64, u64),
        done: u64,
        total: u64,
    ) {
        // SAFETY: as above.
        unsafe { callback(self.0, done, total) };
    }

    pub(in crate::capi) fn call_log(
        self,
        callback: unsafe extern "C" fn(*mut c_void, i32, *const c_char),
        level: i32,
        message: &CStr,
    ) {
        // SAFETY: as above; the message lives during the call.
        unsafe { callback(self.0, level, message.as_ptr()) };
    }
}
