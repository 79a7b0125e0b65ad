//! Finds work on the same memory that nothing orders: what a device would be free to do in either order, or at once.

use std::collections::HashMap;

use super::driver::{Event, Stream};

/// Who works: the streams and the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Actor {
    Fill,
    Run,
    Host,
}

impl From<Stream> for Actor {
    fn from(stream: Stream) -> Self {
        match stream {
            Stream::Fill => Self::Fill,
            Stream::Run => Self::Run,
        }
    }
}

/// How much of each actor's work has happened before a moment (a vector clock).
type Clock = [u64; 3];

/// Every access so far, by address: the last of each actor, since one actor's work is in order.
#[derive(Default)]
pub(super) struct Races {
    now: [Clock; 3],
    events: HashMap<u64, Clock>,
    seen: HashMap<(u64, Actor, bool), u64>,
}

impl Races {
    /// Notes work of a actor that reads and writes (`true`) memory.
    ///
    /// # Panics
    /// When an earlier access to it by another actor need not come first, and one of the two writes.
    pub fn work(&mut self, actor: Actor, accesses: &[(u64, bool)]) {
        // Work is enqueued after all that the host has done and waited for.
        self.join(actor, self.now[Actor::Host as usize]);
        self.now[actor as usize][actor as usize] += 1;
        let now = self.now[actor as usize];
        for &(address, writes) in accesses {
            for other in [Actor::Fill, Actor::Run, Actor::Host] {
                for wrote in [false, true] {
                    let Some(&stamp) = self.seen.get(&(address, other, wrote)) else { continue };
                    let ordered = stamp <= now[other as usize] || !(writes || wrote);
                    assert!(ordered, "{actor:?} and {other:?} race for {address:#x}");
                }
            }
            self.seen.insert((address, actor, writes), now[actor as usize]);
        }
    }

    pub fn record(&mut self, event: Event, actor: Actor) {
        self.join(actor, self.now[Actor::Host as usize]);
        self.events.insert(event.0, self.now[actor as usize]);
    }

    /// What the actor does from here on comes after the event.
    pub fn order(&mut self, actor: Actor, after: Event) {
        if let Some(&clock) = self.events.get(&after.0) {
            self.join(actor, clock);
        }
    }

    pub fn forget(&mut self, address: u64) {
        self.seen.retain(|&(seen, ..), _| seen != address);
    }

    fn join(&mut self, actor: Actor, other: Clock) {
        for (own, other) in self.now[actor as usize].iter_mut().zip(other) {
            *own = (*own).max(other);
        }
    }
}

#[test]
fn what_nothing_orders_is_found() {
    let race = |ordered: bool| {
        let mut races = Races::default();
        races.work(Actor::Fill, &[(1, true)]);
        races.record(Event(0), Actor::Fill);
        if ordered {
            races.order(Actor::Run, Event(0));
        }
        races.work(Actor::Run, &[(1, false)]);
        races.record(Event(1), Actor::Run);
        races.order(Actor::Host, Event(1));
        races.work(Actor::Host, &[(1, true)]);
    };
    race(true);
    assert!(std::panic::catch_unwind(|| race(false)).is_err());
}
