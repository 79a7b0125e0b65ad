//! Ctrl-C: the first one lets the command keep what is finished, the second ends it at once.

use std::sync::atomic::{AtomicBool, Ordering};

use smoothtopk::{Error, ErrorKind, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From here on Ctrl-C (and SIGTERM) is seen by [`check`].
pub fn install() -> Result<()> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
    .map_err(|error| Error::new(ErrorKind::Internal, format!("cannot watch for Ctrl-C: {error}")))
}

/// An error of kind `Cancelled` once Ctrl-C was pressed.
pub fn check() -> Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) {
        return Err(Error::new(ErrorKind::Cancelled, "interrupted"));
    }
    Ok(())
}
