//! A token that cancels whatever was submitted with it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::group::Group;
use crate::{Error, ErrorKind};

/// Cancels work from any thread. Clones are the same token; once set it stays set.
#[derive(Clone, Default)]
pub struct CancelToken {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    set: Arc<AtomicBool>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    groups: HashMap<u64, Weak<Group>>,
}

impl std::fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CancelToken").field("set", &self.is_set()).finish()
    }
}

fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the cancel token was set")
}

impl CancelToken {
    /// A token that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that shows `flag`.
    #[cfg(feature = "capi")]
    pub(crate) fn of(flag: &Arc<AtomicBool>) -> Self {
        Self { shared: Arc::new(Shared { set: Arc::clone(flag), ..Shared::default() }) }
    }

    /// Cancels all unfinished work that has this token, and all that is submitted with it later.
    pub fn set(&self) {
        let groups = {
            let mut waiting = self.waiting();
            self.shared.set.store(true, Ordering::SeqCst);
            std::mem::take(&mut waiting.groups)
        };
        for group in groups.into_values().filter_map(|group| group.upgrade()) {
            group.stop(&cancelled());
        }
    }

    /// Whether it was set.
    pub fn is_set(&self) -> bool {
        self.shared.set.load(Ordering::SeqCst)
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has `group` stopped when the token is set, which may be at once, for as long as the registration lives.
    pub(super) fn register(self, group: &Arc<Group>) -> Registration {
        let mut waiting = self.waiting();
        let id = waiting.next;
        waiting.next += 1;
        if self.is_set() {
            drop(waiting);
            group.stop(&cancelled());
        } else {
            waiting.groups.insert(id, Arc::downgrade(group));
            drop(waiting);
        }
        Registration { token: self, id }
    }
}

/// Work that waits for a token.
pub(super) struct Registration {
    token: CancelToken,
    id: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.token.waiting().groups.remove(&self.id);
    }
}
