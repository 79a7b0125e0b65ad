//! Where results go.

use std::ptr;

use super::opaque::{Handle, Opaque};

/// Where a result goes, on success.
pub(in crate::capi) struct Out<T>(pub(super) *mut T);

impl<T> Out<T> {
    pub(in crate::capi) fn set(self, value: T) {
        // SAFETY: not NULL, aligned, and can be written during the call; no old value is dropped.
        unsafe { self.0.write(value) };
    }
}

impl<C: Opaque> Out<*mut C> {
    /// Hands no handle to the caller.
    pub(in crate::capi) fn give_none(self) {
        self.set(ptr::null_mut());
    }

    /// Hands a new handle to the caller.
    pub(in crate::capi) fn give(self, value: C::Inner) {
        self.give_shown(value);
    }

    /// The same, and shows the handle.
    pub(in crate::capi) fn give_shown(self, value: C::Inner) -> *mut C {
        let handle = Box::into_raw(Box::new(C::wrap(Handle::new(value))));
        self.set(handle);
        handle
    }
}

/// Where an array of results goes.
pub(in crate::capi) struct OutArray<T>(pub(super) *mut T, pub(super) usize);

impl<T: Copy> OutArray<T> {
    /// Writes as many values as there is room for.
    pub(in crate::capi) fn set(self, values: &[T]) {
        // SAFETY: there is room for that many, and Rust's own values do not overlap with the caller's memory.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), self.0, values.len().min(self.1)) };
    }
}

/// Where a struct goes whose size may differ from this library's.
pub(in crate::capi) struct OutSized<T>(pub(super) *mut T, pub(super) usize);

impl<T: Copy> OutSized<T> {
    /// The bytes there is room for.
    pub(in crate::capi) fn size(&self) -> usize {
        self.1
    }

    /// Writes the first `filled` bytes of `value`, and zeros behind them.
    pub(in crate::capi) fn set(self, value: &T, filled: usize) {
        let filled = filled.min(self.1).min(size_of::<T>());
        // SAFETY: `size` bytes can be written; `filled` is no more than that, nor than `value` has; `T` has no padding,
        // which a test of each such struct checks.
        unsafe {
            ptr::copy_nonoverlapping(ptr::from_ref(value).cast::<u8>(), self.0.cast::<u8>(), filled);
            ptr::write_bytes(self.0.cast::<u8>().add(filled), 0, self.1 - filled);
        }
    }
}
