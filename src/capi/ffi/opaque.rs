//! What an opaque C type is in Rust.

use std::sync::atomic::AtomicBool;

/// What an opaque C type holds, and whether a call that used it panicked.
pub(in crate::capi) struct Handle<T> {
    pub(super) poisoned: AtomicBool,
    pub(super) value: T,
}

impl<T> Handle<T> {
    pub(in crate::capi) fn new(value: T) -> Self {
        Self { poisoned: AtomicBool::new(false), value }
    }
}

/// An opaque C type: a struct whose only field is a [`Handle`]. Implemented by [`opaque!`].
///
/// # Safety
/// `handle` gives a pointer to that field.
pub(in crate::capi) unsafe trait Opaque: Sized {
    /// What it holds.
    type Inner;
    fn wrap(handle: Handle<Self::Inner>) -> Self;
    fn unwrap(self) -> Handle<Self::Inner>;
    /// # Safety
    /// `this` points to a live `Self`.
    unsafe fn handle(this: *mut Self) -> *mut Handle<Self::Inner>;
}

/// Makes a struct with one field, a [`Handle`], an opaque C type.
macro_rules! opaque {
    ($name:ident holds $inner:ty) => {
        // SAFETY: the pointer is that of the only field.
        unsafe impl $crate::capi::ffi::Opaque for $name {
            type Inner = $inner;
            fn wrap(handle: $crate::capi::ffi::Handle<$inner>) -> Self {
                Self(handle)
            }
            fn unwrap(self) -> $crate::capi::ffi::Handle<$inner> {
                self.0
            }
            unsafe fn handle(this: *mut Self) -> *mut $crate::capi::ffi::Handle<$inner> {
                // SAFETY: `this` is live by contract.
                unsafe { &raw mut (*this).0 }
            }
        }
    };
}
pub(in crate::capi) use opaque;
