//! Finding out what a library is, and what must be settled before it is used.

use std::ffi::{CStr, c_void};
use std::path::{Path, PathBuf};

use ort::sys::OrtApiBase;

use super::text::one_line;

/// Turns off the telemetry of ONNX Runtime's published builds, which writes a database under the home directory.
pub(in crate::model) fn disable_telemetry() {
    const NAME: &str = "ORT_DISABLE_TELEMETRY";
    if std::env::var_os(NAME).is_none() {
        // SAFETY: readers from Rust are serialised with this by the standard library. A thread that reads the
        // environment from C at this moment is excluded by the contract of `Runtime::load`.
        unsafe { std::env::set_var(NAME, "1") };
    }
}

/// A library that is ONNX Runtime.
pub(in crate::model) struct Probed {
    pub version: String,
    /// The file that the loader took.
    pub path: PathBuf,
    /// The address of its `OrtApiBase`: one a copy that is loaded.
    pub base: usize,
}

/// What the library at `path` is; or the loader's reason. A library that answers stays loaded.
pub(in crate::model) fn probe_library(path: &Path) -> Result<Probed, String> {
    // SAFETY: ONNX Runtime's library has no precondition on being loaded; another library found under this name runs
    // its initialisers, which is what whoever names it asks for.
    let library = unsafe { libloading::Library::new(path) }.map_err(loader_reason)?;
    // SAFETY: this is the symbol's type in every ONNX Runtime.
    let base = unsafe { library.get::<unsafe extern "C" fn() -> *const OrtApiBase>(b"OrtGetApiBase\0") }
        .map_err(|_| "it does not export OrtGetApiBase, so it is not ONNX Runtime".to_owned())?;
    let address = *base as *const c_void;
    // SAFETY: the function takes nothing and gives a pointer to a static table, or null.
    let table = unsafe { base() };
    if table.is_null() {
        return Err("OrtGetApiBase gives nothing".to_owned());
    }
    // SAFETY: not null, and static; the version is a static C string.
    let version = unsafe { CStr::from_ptr(((*table).GetVersionString)()) }.to_string_lossy().into_owned();
    let path = if path.is_absolute() { path.to_owned() } else { file_of(address).unwrap_or_else(|| path.to_owned()) };
    std::mem::forget(library);
    Ok(Probed { version, path, base: table as usize })
}

/// Whether the loader finds a library, and why not. What it loads for that is let go again.
pub(in crate::model) fn find_library(path: &Path) -> Result<(), String> {
    // SAFETY: runs the initialisers of a library that a provider's library, which is to be loaded, needs.
    unsafe { libloading::Library::new(path) }.map(drop).map_err(loader_reason)
}

/// What the loader said is the source; the error itself only names the call.
fn loader_reason(error: libloading::Error) -> String {
    let said = std::error::Error::source(&error).map(ToString::to_string);
    one_line(&said.unwrap_or_else(|| error.to_string()))
}

/// The file that an address of code or data was loaded from, as far as the loader tells.
pub(super) fn file_at(address: usize) -> Option<PathBuf> {
    file_of(address as *const c_void)
}

/// The file that this library's code was loaded from.
pub(in crate::model) fn own_file() -> Option<PathBuf> {
    file_of(own_file as *const c_void)
}

#[cfg(unix)]
fn file_of(address: *const c_void) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: any address may be asked for; on success the name is a C string owned by the loader.
    let name = unsafe {
        if libc::dladdr(address, info.as_mut_ptr()) == 0 || info.assume_init_ref().dli_fname.is_null() {
            return None;
        }
        CStr::from_ptr(info.assume_init_ref().dli_fname)
    };
    Path::new(std::ffi::OsStr::from_bytes(name.to_bytes())).canonicalize().ok()
}

#[cfg(not(unix))]
fn file_of(_address: *const c_void) -> Option<PathBuf> {
    None
}
