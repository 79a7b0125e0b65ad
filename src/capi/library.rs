//! The library as a whole, and the export that hosts test with.

use std::ffi::c_char;

use super::counts::stk_counts;
use super::error::stk_error;
use super::ffi::call;
use super::status::stk_status;

/// The version of this ABI: functions and fields are added within a version, never changed.
pub const STK_ABI_VERSION: u32 = 1;

/// The label of an input for which none was given, or none was found.
pub const STK_NO_LABEL: i64 = -1;

/// The ABI version of the library that was loaded: compare it with STK_ABI_VERSION. Safe from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn stk_abi_version() -> u32 {
    STK_ABI_VERSION
}

/// The library's version, such as "0.1.0".
///
/// @return A static string, never NULL. Safe from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn stk_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// How the library was built, on one line: version, target, profile, compiler, features.
///
/// @return A static string, never NULL. Safe from any thread.
#[unsafe(no_mangle)]
pub extern "C" fn stk_build_info() -> *const c_char {
    concat!("smoothtopk ", env!("CARGO_PKG_VERSION"), " ", env!("SMOOTHTOPK_BUILD"), "\0").as_ptr().cast()
}

/// Panics inside, to test that a host survives a defect of this library: it gets STK_STATUS_PANIC and an error.
///
/// @param counts May be NULL. Poisoned otherwise: later calls give STK_STATUS_POISONED, and stk_counts_free still frees
/// it.
/// @param err May be NULL.
/// @return STK_STATUS_PANIC; STK_STATUS_POISONED if counts was poisoned before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_test_panic(counts: *const stk_counts, err: *mut *mut stk_error) -> stk_status {
    call!(err, |args| {
        args.shared_or_null(counts, "counts")?;
        panic!("this is a test")
    })
}
