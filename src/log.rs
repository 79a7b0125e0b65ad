//! Messages for the host's log: off until a sink is set, and never more than one at a time.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};

use crate::{Error, Result};

/// How important a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// What failed.
    Error = 1,
    /// What may be wrong; ONNX Runtime's warnings too.
    Warn,
    /// What was opened and how.
    Info,
    /// Where time goes.
    Debug,
}

/// Gets messages, each on one line. It must not log, nor set the sink; what is logged while it runs is dropped.
pub type Sink = Box<dyn FnMut(Level, &str) + Send>;

/// The most detailed level that is wanted; 0 for none. Read without the lock.
static WANTED: AtomicU8 = AtomicU8::new(0);
static SINK: Mutex<Option<Sink>> = Mutex::new(None);

thread_local! {
    /// Whether this thread is inside the sink.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Sets where messages up to a level go, or that they go nowhere. When it returns, the sink before is not running and is gone.
///
/// # Errors
/// `InvalidArgument` when called by the sink.
pub fn set_sink(sink: Option<(Level, Sink)>) -> Result<()> {
    if INSIDE.get() {
        return Err(Error::argument("callback", "the log callback cannot be set by the log callback"));
    }
    let mut current = SINK.lock().unwrap_or_else(PoisonError::into_inner);
    WANTED.store(sink.as_ref().map_or(0, |(level, _)| *level as u8), Ordering::Relaxed);
    let before = std::mem::replace(&mut *current, sink.map(|(_, sink)| sink));
    drop(current);
    drop(before);
    Ok(())
}

/// Whether messages of a level are wanted.
pub(crate) fn wants(level: Level) -> bool {
    WANTED.load(Ordering::Relaxed) >= level as u8
}

pub(crate) fn log(level: Level, message: fmt::Arguments<'_>) {
    if !wants(level) {
        return;
    }
    // The text is made before the lock is taken: making it may log.
    let message = message.to_string();
    let mut sink = match SINK.try_lock() {
        Ok(sink) => sink,
        Err(TryLockError::Poisoned(sink)) => sink.into_inner(),
        // Waiting could deadlock a host whose callback waits for this thread.
        Err(TryLockError::WouldBlock) => return,
    };
    if let Some(sink) = sink.as_mut() {
        INSIDE.set(true);
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sink(level, &message)));
        INSIDE.set(false);
    }
}

pub(crate) fn error(message: fmt::Arguments<'_>) {
    log(Level::Error, message);
}

pub(crate) fn warn(message: fmt::Arguments<'_>) {
    log(Level::Warn, message);
}

pub(crate) fn info(message: fmt::Arguments<'_>) {
    log(Level::Info, message);
}

pub(crate) fn debug(message: fmt::Arguments<'_>) {
    log(Level::Debug, message);
}
