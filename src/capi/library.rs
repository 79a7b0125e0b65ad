//! The library as a whole.

use std::ffi::c_char;

/// The version of this ABI: functions and fields are added within a version, never changed.
pub const STK_ABI_VERSION: u32 = 1;

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
