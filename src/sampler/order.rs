//! The orders in which waiting lanes may be served, each kept sorted: who is next is found, and a lane comes, moves and
//! goes, in time that grows with the logarithm of their number.

use std::collections::BTreeSet;

use crate::sampler::lane::{Lane, LaneId};

/// Where a lane stands among those that wait. The turns of two lanes may be equal only where two samplers share them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Whether it had a row.
    begun: bool,
    level: u32,
    turn: u64,
    lane: LaneId,
}

impl Place {
    pub fn of(lane: &Lane) -> Self {
        Self { begun: lane.served() > 0, level: lane.level(), turn: lane.turn(), lane: lane.id() }
    }
}

/// The lanes that wait.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Those that had no row yet, whose level is 0: by turn.
    unbegun: BTreeSet<(u64, LaneId)>,
    /// The others: by turn.
    begun: BTreeSet<(u64, LaneId)>,
    /// The same others: by level, and by turn within a level.
    levels: BTreeSet<(u32, u64, LaneId)>,
}

impl Order {
    pub fn insert(&mut self, place: Place) {
        let Place { begun, level, turn, lane } = place;
        if begun {
            self.begun.insert((turn, lane));
            self.levels.insert((level, turn, lane));
        } else {
            self.unbegun.insert((turn, lane));
        }
    }

    pub fn remove(&mut self, place: Place) {
        let Place { begun, level, turn, lane } = place;
        if begun {
            self.begun.remove(&(turn, lane));
            self.levels.remove(&(level, turn, lane));
        } else {
            self.unbegun.remove(&(turn, lane));
        }
    }

    /// Whether a lane waits that had no row yet.
    pub fn any_unbegun(&self) -> bool {
        !self.unbegun.is_empty()
    }

    /// Of the lanes that had the fewest rows, the one that has waited longest.
    pub fn fewest_rows(&self) -> Option<LaneId> {
        match (self.unbegun.first(), self.levels.first()) {
            (Some(&(turn, lane)), Some(&(level, other, begun))) => {
                Some(if (0, turn, lane) < (level, other, begun) { lane } else { begun })
            }
            (unbegun, begun) => unbegun.map(|lane| lane.1).or(begun.map(|lane| lane.2)),
        }
    }

    /// Of all lanes, the one that has waited longest.
    pub fn oldest(&self) -> Option<LaneId> {
        let first = [self.unbegun.first(), self.begun.first()].into_iter().flatten().min();
        first.map(|&(_, lane)| lane)
    }

    /// As [`Order::fewest_rows`], but those without a row come after those of level 0 with one, the newest first.
    pub fn fewest_rows_overloaded(&self) -> Option<LaneId> {
        match self.levels.first() {
            Some(&(0, _, lane)) => Some(lane),
            more => self.newest_unbegun().or(more.map(|lane| lane.2)),
        }
    }

    /// As [`Order::oldest`], but those without a row come last, the newest first.
    pub fn oldest_overloaded(&self) -> Option<LaneId> {
        self.begun.first().map(|lane| lane.1).or_else(|| self.newest_unbegun())
    }

    fn newest_unbegun(&self) -> Option<LaneId> {
        self.unbegun.last().map(|lane| lane.1)
    }
}
