//! Memory that a tensor lies over: zeroed, aligned for vector instructions, fixed in place.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

use half::{bf16, f16};

/// Cache line, and the widest vector register.
const ALIGN: usize = 64;

/// Bytes that never move. Slices are derived from the raw pointer each time, as ONNX Runtime holds it too.
pub(in crate::model) struct Buffer {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: owns its memory, which no thread is bound to.
unsafe impl Send for Buffer {}

/// A type of which any bytes are a value.
///
/// # Safety
/// Every bit pattern is valid, and there is no padding.
pub(in crate::model) unsafe trait Plain: Copy {}
// SAFETY: a plain number.
unsafe impl Plain for u8 {}
// SAFETY: a plain number.
unsafe impl Plain for f32 {}
// SAFETY: a plain number.
unsafe impl Plain for f64 {}
// SAFETY: a wrapper of u16.
unsafe impl Plain for f16 {}
// SAFETY: a wrapper of u16.
unsafe impl Plain for bf16 {}

impl Buffer {
    /// Zeroed memory; none if there is not enough.
    pub(in crate::model) fn zeros(bytes: usize) -> Option<Self> {
        let layout = Layout::from_size_align(bytes.max(1), ALIGN).ok()?;
        // SAFETY: the layout's size is not zero.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Self { start, bytes })
    }

    pub(in crate::model) fn len(&self) -> usize {
        self.bytes
    }

    pub(in crate::model) fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// All of it as elements of `T`; a remainder that is no whole element is left out.
    pub(in crate::model) fn elements_mut<T: Plain>(&mut self) -> &mut [T] {
        const { assert!(align_of::<T>() <= ALIGN) };
        // SAFETY: live and initialised, aligned, any bytes are a `T`, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().cast(), self.bytes / size_of::<T>()) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, freed once.
        unsafe { dealloc(self.start.as_ptr(), Layout::from_size_align_unchecked(self.bytes.max(1), ALIGN)) };
    }
}
