//! The host's own ONNX Runtime, used in place of one that is loaded.

use std::ffi::{CStr, c_void};
use std::path::PathBuf;
use std::ptr::NonNull;

use ort::sys::OrtApiBase;

/// The host's own ONNX Runtime.
pub struct HostApi(NonNull<OrtApiBase>);

// SAFETY: a static, constant table.
unsafe impl Send for HostApi {}

impl HostApi {
    /// From what the host's `OrtGetApiBase` returned; none for null.
    ///
    /// # Safety
    /// `base` is null or an `OrtApiBase` that lives as long as the process.
    pub unsafe fn new(base: *const c_void) -> Option<Self> {
        NonNull::new(base.cast_mut().cast()).map(Self)
    }

    pub(in crate::model) fn address(&self) -> usize {
        self.0.as_ptr() as usize
    }

    /// The file it is in, as far as the loader tells.
    pub(in crate::model) fn file(&self) -> Option<PathBuf> {
        super::loader::file_at(self.address())
    }

    pub(in crate::model) fn version(&self) -> String {
        // SAFETY: live; the version is a static C string.
        unsafe { CStr::from_ptr((self.0.as_ref().GetVersionString)()) }.to_string_lossy().into_owned()
    }

    /// Has `ort` use it. False if `ort` uses another one already, or this one is too old.
    pub(in crate::model) fn install(&self) -> bool {
        // SAFETY: live; gives a static table or null.
        let api = unsafe { (self.0.as_ref().GetApi)(ort::sys::ORT_API_VERSION) };
        // SAFETY: not null; a table of this version or later begins with the members that are copied.
        !api.is_null() && ort::set_api(unsafe { api.read() })
    }
}
