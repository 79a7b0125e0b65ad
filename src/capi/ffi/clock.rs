//! The monotonic clock, as C reads it.

use std::time::{Duration, Instant};

/// Nanoseconds of CLOCK_MONOTONIC.
#[cfg(unix)]
pub(in crate::capi) fn clock_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes one timespec, and has this clock on every Unix.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

/// Nanoseconds since this was asked first.
#[cfg(not(unix))]
pub(in crate::capi) fn clock_ns() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    // From 1, for 0 is no time.
    1 + u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX - 1)
}

/// The time when that clock shows `ns`; now, where it has passed; none, where it never comes.
pub(in crate::capi) fn instant_of(ns: u64) -> Option<Instant> {
    Instant::now().checked_add(Duration::from_nanos(ns.saturating_sub(clock_ns())))
}
