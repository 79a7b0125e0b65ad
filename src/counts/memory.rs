//! What was done with samples, remembered by all counts that hold some of them.

use std::sync::atomic::{AtomicU8, Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A statement was made from the samples.
const SEEN: u8 = 1;
/// Labels were chosen by the samples.
const CHOSE: u8 = 2;

/// What counts remember. Copies share it, and sums join those of their parts: whoever looks at a shard, at the sum, or
/// at a sum that is built again from the same shards, has looked at samples of all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(Arc<Node>);

/// A node of a union-find forest: what a root remembers holds for all below it.
#[derive(Debug, Default)]
struct Node {
    done: AtomicU8,
    joined: OnceLock<Memory>,
    /// How deep the tree below a root may be; only [`Memory::join`] reads and writes it.
    rank: AtomicU8,
}

/// Held while two memories are joined, so that no two of them join each other at once.
static JOINING: Mutex<()> = Mutex::new(());

impl Memory {
    pub(super) fn is_seen(&self) -> bool {
        self.has(SEEN)
    }

    pub(super) fn has_chosen(&self) -> bool {
        self.has(CHOSE)
    }

    pub(super) fn see(&self) {
        self.remember(SEEN);
    }

    /// To choose labels is to look, too.
    pub(super) fn choose(&self) {
        self.remember(SEEN | CHOSE);
    }

    /// Whether one is a copy of the other, or of a sum that began with a copy.
    pub(super) fn is_copy(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn join(&self, other: &Self) {
        let _joining = JOINING.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut child, mut parent) = (self.root().clone(), other.root().clone());
        if Arc::ptr_eq(&child.0, &parent.0) {
            return;
        }
        let rank = |memory: &Self| memory.0.rank.load(Ordering::Relaxed);
        if rank(&child) > rank(&parent) {
            std::mem::swap(&mut child, &mut parent);
        }
        // The deeper tree keeps its root, so that no tree of 2^d memories is deeper than d.
        parent.0.rank.fetch_max(rank(&child) + 1, Ordering::Relaxed);
        // Only a root is joined, once, and under the lock.
        let _ = child.0.joined.set(parent.clone());
        // Whoever remembers something at `child` from now on finds it joined; what came before is taken over here.
        fence(Ordering::SeqCst);
        parent.0.done.fetch_or(child.0.done.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn has(&self, what: u8) -> bool {
        self.root().0.done.load(Ordering::Relaxed) & what == what
    }

    fn remember(&self, what: u8) {
        loop {
            let root = self.root();
            if root.0.done.load(Ordering::Relaxed) & what == what {
                return;
            }
            root.0.done.fetch_or(what, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            if root.0.joined.get().is_none() {
                return;
            }
        }
    }

    fn root(&self) -> &Self {
        let mut memory = self;
        while let Some(parent) = memory.0.joined.get() {
            memory = parent;
        }
        memory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_does_all_that_are_joined_remember() {
        let [a, b, c, apart] = std::array::from_fn(|_| Memory::default());
        b.see();
        a.join(&b);
        a.join(&c);
        assert!(c.is_seen() && !c.has_chosen() && c.is_copy(&c.clone()) && !c.is_copy(&a));
        c.clone().choose();
        assert!(a.has_chosen() && !apart.is_seen());
    }

    #[test]
    fn a_million_shards_make_no_deep_tree() {
        let total = Memory::default();
        let shards: Vec<Memory> = (0..1_000_000).map(|_| Memory::default()).collect();
        shards.iter().for_each(|shard| total.join(shard));
        shards[7].see();
        assert!(shards.iter().all(Memory::is_seen) && total.root().0.rank.load(Ordering::Relaxed) < 20);
    }

    #[test]
    fn nothing_is_forgotten_while_memories_are_joined() {
        for _ in 0..200 {
            let memories: Vec<Memory> = (0..8).map(|_| Memory::default()).collect();
            std::thread::scope(|scope| {
                scope.spawn(|| memories[0].see());
                scope.spawn(|| memories[..5].windows(2).for_each(|pair| pair[0].join(&pair[1])));
                scope.spawn(|| memories[4..].windows(2).rev().for_each(|pair| pair[1].join(&pair[0])));
            });
            assert!(memories.iter().all(Memory::is_seen));
        }
    }
}
