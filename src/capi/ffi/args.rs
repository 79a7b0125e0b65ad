//! What C passed to one call, handles aside.

use std::ffi::{CStr, c_char, c_void};

use super::check::{check_array, check_pointer};
use super::failure::{Failure, FfiResult};
use super::out::{Out, OutArray, OutSized};
use crate::model::HostApi;

/// The pointers that C passed to one call, handles aside.
///
/// Only the guard makes one: whoever calls the guard promises that every pointer handed to these methods keeps to the header.
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
        // SAFETY: checked, and `len` elements that nobody writes to during the call, by the promise of whoever made `self`.
        Ok(unsafe { std::slice::from_raw_parts(data, len) })
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
