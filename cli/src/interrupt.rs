//! Signals that end the program: the first one lets the command keep what is finished, the second ends it at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

#[cfg(unix)]
use signal_hook::consts::SIGHUP;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use smoothtopk::{Error, ErrorKind, Result};

/// The number of the signal that came; 0 before.
static CAUGHT: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

const SIGNALS: &[i32] = &[
    SIGINT,
    SIGTERM,
    #[cfg(unix)]
    SIGHUP,
];

/// From here on Ctrl-C, SIGTERM and SIGHUP are seen by [`check`]; one that was ignored when the program was started, as
/// `nohup` and shells have it for jobs in the background, stays ignored.
pub fn install() -> Result<()> {
    let caught = CAUGHT.get_or_init(Arc::default);
    let again = Arc::new(AtomicBool::new(false));
    let watch = |signal: i32| {
        // In this order: the first signal finds the flag down and raises it.
        flag::register_conditional_shutdown(signal, code(signal), again.clone())?;
        flag::register(signal, again.clone())?;
        flag::register_usize(signal, caught.clone(), signal as usize)
    };
    let watched =
        SIGNALS.iter().filter(|&&signal| !is_ignored(signal)).try_for_each(|&signal| watch(signal).map(|_| ()));
    watched.map_err(|error| Error::new(ErrorKind::Internal, format!("cannot watch for signals: {error}")))
}

/// Whether the program was started with a signal ignored. Where there is no /proc none is taken to be.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

/// As if SIGTERM had come; a signal that came before stays the one.
pub fn end() {
    if let Some(caught) = CAUGHT.get() {
        let _ = caught.compare_exchange(0, SIGTERM as usize, Ordering::SeqCst, Ordering::SeqCst);
    }
}

fn caught() -> i32 {
    CAUGHT.get().map_or(0, |caught| caught.load(Ordering::SeqCst) as i32)
}

/// An error of kind `Cancelled` once a signal came.
pub fn check() -> Result<()> {
    match caught() {
        0 => Ok(()),
        _ => Err(Error::new(ErrorKind::Cancelled, "interrupted")),
    }
}

/// The exit code of a command that a signal ended, as shells have it.
pub fn exit_code() -> u8 {
    let signal = caught();
    code(if signal == 0 { SIGINT } else { signal }) as u8
}

fn code(signal: i32) -> i32 {
    128 + signal
}
