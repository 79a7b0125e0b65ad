//! Messages for the host's log: off until a sink is set, and never more than one at a time. Those that are dropped are
//! counted, and the next message is followed by how many they were.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
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

/// Gets messages, each on one line, without control characters. It must not log, nor set the sink; what is logged while
/// it runs is dropped, and a warning says afterwards how many messages that were.
pub type Sink = Box<dyn FnMut(Level, &str) + Send>;

/// The most detailed level that is wanted; 0 for none. Read without the lock.
static WANTED: AtomicU8 = AtomicU8::new(0);
static SINK: Mutex<Option<Sink>> = Mutex::new(None);
/// Messages that were dropped since that was last told.
static DROPPED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether this thread is inside the sink.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// How many [`Held`] this thread has, and what it logged since the first of them.
    static HELD: RefCell<(usize, Vec<(Level, String)>)> = const { RefCell::new((0, Vec::new())) };
}

/// Keeps this thread's messages back until it is dropped, when they are said in their order.
///
/// Make it before a lock is taken that a sink may need: the sink, or a thread that it waits for, may call this library.
#[must_use]
pub(crate) struct Held(PhantomData<*const ()>);

/// Keeps this thread's messages back.
pub(crate) fn hold() -> Held {
    HELD.with_borrow_mut(|(holders, _)| *holders += 1);
    Held(PhantomData)
}

impl Drop for Held {
    fn drop(&mut self) {
        let said = HELD.with_borrow_mut(|(holders, messages)| {
            *holders -= 1;
            if *holders == 0 { std::mem::take(messages) } else { Vec::new() }
        });
        for (level, message) in said {
            // The sink may have been set anew meanwhile.
            if wants(level) {
                say(level, &message);
            }
        }
    }
}

/// Sets where messages up to a level go, or that they go nowhere. When it returns, the sink before is not running and
/// is gone.
///
/// # Errors
/// `InvalidArgument` when called by the sink.
pub fn set_sink(sink: Option<(Level, Sink)>) -> Result<()> {
    if INSIDE.get() {
        return Err(Error::argument("callback", "the log callback cannot be set by the log callback"));
    }
    let mut current = SINK.lock().unwrap_or_else(PoisonError::into_inner);
    WANTED.store(sink.as_ref().map_or(0, |(level, _)| *level as u8), Ordering::Relaxed);
    // Those were of the sink before.
    DROPPED.store(0, Ordering::Relaxed);
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
    let mut message = Some(one_line(message.to_string()));
    // A thread that is ending has none left, and holds nothing back.
    let _ = HELD.try_with(|held| {
        let (holders, messages) = &mut *held.borrow_mut();
        if *holders > 0 {
            messages.extend(message.take().map(|message| (level, message)));
        }
    });
    if let Some(message) = message {
        say(level, &message);
    }
}

/// A file's name may hold line feeds, which would forge lines of the host's log, and what steers a terminal.
fn one_line(message: String) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if !message.contains(breaks) {
        return message;
    }
    let mut line = String::with_capacity(message.len() + 16);
    for c in message.chars() {
        if breaks(c) { line.extend(c.escape_debug()) } else { line.push(c) }
    }
    line
}

fn say(level: Level, message: &str) {
    let mut sink = match SINK.try_lock() {
        Ok(sink) => sink,
        Err(TryLockError::Poisoned(sink)) => sink.into_inner(),
        // Waiting could deadlock a host whose callback waits for this thread.
        Err(TryLockError::WouldBlock) => {
            DROPPED.fetch_add(1, Ordering::Relaxed);
            return;
        }
    };
    if let Some(sink) = sink.as_mut() {
        tell(sink, level, message);
        let dropped = DROPPED.swap(0, Ordering::Relaxed);
        if dropped > 0 && wants(Level::Warn) {
            let what = if dropped == 1 { "message was" } else { "messages were" };
            tell(sink, Level::Warn, &format!("log: {dropped} {what} dropped while the log callback ran"));
        }
    }
}

fn tell(sink: &mut Sink, level: Level, message: &str) {
    INSIDE.set(true);
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sink(level, message)));
    INSIDE.set(false);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn what_is_held_back_is_said_in_order_once_the_last_hold_is_gone() {
        let said = Arc::new(Mutex::new(Vec::new()));
        let (here, to) = (thread::current().id(), Arc::clone(&said));
        let sink = move |level, message: &str| {
            if thread::current().id() == here {
                to.lock().unwrap().push((level, message.to_owned()));
            }
        };
        // What falls to a message of another test is dropped, so it is tried for again.
        for _ in 0..50 {
            said.lock().unwrap().clear();
            set_sink(Some((Level::Info, Box::new(sink.clone())))).unwrap();
            let outer = hold();
            info(format_args!("one"));
            debug(format_args!("not wanted"));
            let inner = hold();
            warn(format_args!("two"));
            drop(inner);
            error(format_args!("three"));
            assert!(said.lock().unwrap().is_empty());
            drop(outer);
            info(format_args!("four"));
            set_sink(None).unwrap();
            if said.lock().unwrap().len() == 4 {
                break;
            }
        }
        let wanted = [(Level::Info, "one"), (Level::Warn, "two"), (Level::Error, "three"), (Level::Info, "four")];
        assert_eq!(*said.lock().unwrap(), wanted.map(|(level, text)| (level, text.to_owned())));
        // Nothing is left of what was held back.
        HELD.with_borrow(|(holders, messages)| assert!(*holders == 0 && messages.is_empty()));
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(one_line("größer als 1".to_owned()), "größer als 1");
        assert_eq!(one_line("a\nb\tc\u{85}\u{2029}\0".to_owned()), r"a\nb\tc\u{85}\u{2029}\0");
    }
}
