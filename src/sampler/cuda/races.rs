//! Finds work on the same memory that nothing orders: what a device would be free to do in either order, or at once.

use std::collections::HashMap;

use super::driver::{Event, Stream};

/// Who works: the streams and the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    Fill,
    Run,
    Host,
}

impl From<Stream> for Lane {
    fn from(stream: Stream) -> Self {
        match stream {
            Stream::Fill => Self::Fill,
            Stream::Run => Self::Run,
        }
    }
}

/// How much of each lane's work has happened before a moment (a vector clock).
type Clock = [u64; 3];

/// Every access so far, by address: the last of each lane, since one lane's work is in order.
#[derive(Default)]
pub(super) struct Races {
    now: [Clock; 3],
    events: HashMap<u64, Clock>,
    seen: HashMap<(u64, Lane, bool), u64>,
}

impl Races {
    /// Notes work of a lane that reads and writes (`true`) memory.
    ///
    /// # Panics
    /// When an earlier access to it by another lane need not come first, and one of the two writes.
    pub fn work(&mut self, lane: Lane, accesses: &[(u64, bool)]) {
        // Work is enqueued after all that the host has done and waited for.
        self.join(lane, self.now[Lane::Host as usize]);
        self.now[lane as usize][lane as usize] += 1;
        let now = self.now[lane as usize];
        for &(address, writes) in accesses {
            for other in [Lane::Fill, Lane::Run, Lane::Host] {
                for wrote in [false, true] {
                    let Some(&stamp) = self.seen.get(&(address, other, wrote)) else { continue };
                    let ordered = stamp <= now[other as usize] || !(writes || wrote);
                    assert!(ordered, "{lane:?} and {other:?} race for {address:#x}");
                }
            }
            self.seen.insert((address, lane, writes), now[lane as usize]);
        }
    }

    pub fn record(&mut self, event: Event, lane: Lane) {
        self.join(lane, self.now[Lane::Host as usize]);
        self.events.insert(event.0, self.now[lane as usize]);
    }

    /// What the lane does from here on comes after the event.
    pub fn order(&mut self, lane: Lane, after: Event) {
        if let Some(&clock) = self.events.get(&after.0) {
            self.join(lane, clock);
        }
    }

    pub fn forget(&mut self, address: u64) {
        self.seen.retain(|&(seen, ..), _| seen != address);
    }

    fn join(&mut self, lane: Lane, other: Clock) {
        for (own, other) in self.now[lane as usize].iter_mut().zip(other) {
            *own = (*own).max(other);
        }
    }
}

#[test]
fn what_nothing_orders_is_found() {
    let race = |ordered: bool| {
        let mut races = Races::default();
        races.work(Lane::Fill, &[(1, true)]);
        races.record(Event(0), Lane::Fill);
        if ordered {
            races.order(Lane::Run, Event(0));
        }
        races.work(Lane::Run, &[(1, false)]);
        races.record(Event(1), Lane::Run);
        races.order(Lane::Host, Event(1));
        races.work(Lane::Host, &[(1, true)]);
    };
    race(true);
    assert!(std::panic::catch_unwind(|| race(false)).is_err());
}
