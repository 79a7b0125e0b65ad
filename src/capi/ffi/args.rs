//! What C passed to one call, handles aside.

use std::ffi::{CStr, c_char, c_void};

use super::check::{check_array, check_pointer};
use super::failure::{Failure, FfiResult};
use super::out::{Out, OutArray, OutSized};
use crate::model::HostApi;

/// The pointers that C passed to one call, handles aside.
///
/// Only the guard makes one: whoever calls the guard promises that every pointer handed to these methods keeps to the
/// header.
pub(in crate::capi) struct Args(pub(super) ());

impl Args {
    /// A string. NULL and invalid UTF-8 are errors that name the parameter.
    pub(in crate::capi) fn text<'a>(&'a self, text: *const c_char, name: &str) -> FfiResult<&'a str> {
        check_pointer(text, name)?;
        // SAFETY: a NUL-terminated string that lives during the call, by the promise of whoever made `self`.
        let text = unsafe { CStr::from_ptr(text) };
        text.to_str().map_err(|error| Failure::argument(name, format!("is not valid UTF-8: {error}")))
    }

    /// A string; none for NULL.
    pub(in crate::capi) fn text_or_null<'a>(&'a self, text: *const c_char, name: &str) -> FfiResult<Option<&'a str>> {
        if text.is_null() { Ok(None) } else { self.text(text, name).map(Some) }
    }

    /// An array. NULL is one of length 0 and an error otherwise.
    pub(in crate::capi) fn array<'a, T>(&'a self, data: *const T, len: usize, name: &str) -> FfiResult<&'a [T]> {
        if len == 0 {
            return Ok(&[]);
        }
        check_array(data, len, name)?;
        // SAFETY: checked, and `len` elements that nobody writes to during the call, by the promise of whoever made
        // `self`.
        Ok(unsafe { std::slice::from_raw_parts(data, len) })
    }

    /// As `array`, which the host keeps as it is until it is told that it is not used any more.
    pub(in crate::capi) fn kept_array<T>(&self, data: *const T, len: usize, name: &str) -> FfiResult<&'static [T]> {
        let array = self.array(data, len, name)?;
        // SAFETY: as `array`, for as long as the caller of this method uses it, by the promise of whoever made `self`.
        Ok(unsafe { std::slice::from_raw_parts(array.as_ptr(), len) })
    }

    /// As `array`; none for NULL.
    pub(in crate::capi) fn array_or_null<'a, T>(
        &'a self,
        data: *const T,
        len: usize,
        name: &str,
    ) -> FfiResult<Option<&'a [T]>> {
        if data.is_null() { Ok(None) } else { self.array(data, len, name).map(Some) }
    }

    /// The host's own ONNX Runtime.
    pub(in crate::capi) fn api_base(&self, base: *const c_void, name: &str) -> FfiResult<HostApi> {
        let refuse = || Failure::argument(name, "must not be NULL");
        if !base.cast::<u64>().is_aligned() {
            return Err(Failure::argument(name, "is not aligned as an OrtApiBase is"));
        }
        // SAFETY: an OrtApiBase for the life of the process, by the promise of whoever made `self`.
        unsafe { HostApi::new(base) }.ok_or_else(refuse)
    }

    /// Where a result goes.
    pub(in crate::capi) fn out<T>(&self, out: *mut T, name: &str) -> FfiResult<Out<T>> {
        check_pointer(out, name)?;
        Ok(Out(out))
    }

    /// Where `len` results go; none for NULL.
    pub(in crate::capi) fn out_array<T: Copy>(
        &self,
        out: *mut T,
        len: usize,
        name: &str,
    ) -> FfiResult<Option<OutArray<T>>> {
        if out.is_null() {
            return Ok(None);
        }
        check_array(out, len, name)?;
        Ok(Some(OutArray(out, len)))
    }

    /// A struct that begins with its size, as the caller's header has it: `default` for what an older header does not
    /// know. `first` is the size that it had at first. `T` must hold numbers and pointers alone, which any bytes are.
    pub(in crate::capi) fn sized<T: Copy>(
        &self,
        value: *const T,
        default: T,
        first: usize,
        name: &str,
    ) -> FfiResult<T> {
        check_pointer(value, name)?;
        // SAFETY: whatever its size, it begins with these 8 bytes, by the promise of whoever made `self`.
        let size = unsafe { value.cast::<u64>().read() };
        let known_size = |size: &usize| (first..=LARGEST_INPUT).contains(size);
        let size = usize::try_from(size).ok().filter(known_size).ok_or_else(|| {
            let message =
                format!("begins with the size {size}, which no version has: set struct_size to sizeof *{name}");
            Failure::argument("struct_size", message)
        })?;
        let known = size.min(size_of::<T>());
        // SAFETY: `size` bytes that nobody writes to during the call, by the same promise.
        let bytes = unsafe { std::slice::from_raw_parts(value.cast::<u8>(), size) };
        if bytes[known..].iter().any(|&byte| byte != 0) {
            let message =
                format!("has fields that are set and newer than this library, which knows {known} bytes of {size}");
            return Err(Failure::argument(name, message));
        }
        let mut read = default;
        // SAFETY: `known` is at most the size of both, and any bytes are a `T`.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), (&raw mut read).cast::<u8>(), known) };
        Ok(read)
    }

    /// Where the first `size` bytes of a `T` go, and zeros if `size` is larger.
    pub(in crate::capi) fn out_sized<T>(&self, out: *mut T, size: usize, name: &str) -> FfiResult<OutSized<T>> {
        check_pointer(out, name)?;
        if size < size_of::<u64>() || isize::try_from(size).is_err() {
            let message =
                format!("{size} bytes are no size of a struct that begins with its size: pass sizeof *{name}");
            return Err(Failure::argument("out_size", message));
        }
        Ok(OutSized(out, size))
    }
}

/// Bytes that no struct of any version has, so that a size that was never set is refused and not read.
const LARGEST_INPUT: usize = 4096;
