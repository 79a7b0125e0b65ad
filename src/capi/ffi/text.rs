//! Strings for C.

use std::ffi::CString;

/// A C string of `text`, in which a NUL becomes the replacement character.
pub(in crate::capi) fn c_string(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| CString::new(text.replace('\0', "\u{FFFD}")).unwrap_or_default())
}
