//! Standard error, which may be full or a pipe that nobody reads any more: what is said is then lost, and the work goes
//! on.

use std::fmt::Arguments;
use std::io::Write;

/// As `eprintln!`, but without a panic.
macro_rules! say {
    ($($text:tt)*) => { $crate::stderr::line(format_args!($($text)*)) };
}

/// Writes a line at once.
pub fn line(text: Arguments) {
    let _ = std::io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}
