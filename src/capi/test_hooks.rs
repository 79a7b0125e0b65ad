//! What the suites of the hosts test with. Only with the feature `test-hooks`: no library that is installed has it, and
//! no header declares it.

use super::counts::stk_counts;
use super::error::stk_error;
use super::ffi::call;
use super::status::stk_status;

/// Panics inside, to test that a host survives a defect of this library: it gets STK_STATUS_PANIC and an error.
///
/// @param counts May be NULL. Poisoned otherwise: later calls give STK_STATUS_POISONED, and stk_counts_free still frees
/// it.
/// @param err May be NULL.
/// @return STK_STATUS_PANIC; STK_STATUS_POISONED if counts was poisoned before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_test_panic(counts: *const stk_counts, err: *mut *mut stk_error) -> stk_status {
    call!(err, |_, counts| {
        counts.shared_or_null()?;
        panic!("this is a test")
    })
}
