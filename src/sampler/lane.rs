//! A lane: whose rows they are, and how many it has had.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Whose rows they are: a client, a request. Jobs of one lane are served in the order they were submitted. Of several
/// lanes those that had few rows so far go first, so that what needs few rows is done soon however much else waits; one
/// batch in four goes to the lane that has waited longest, so that none waits for ever.
///
/// Once deadlines pass of jobs that had hardly a row, lanes that have begun, and had fewer than 32 rows, go first and
/// the newest is begun next, until none is left to begin: in the order of arrival every job would be begun when it is
/// nearly late. Lanes that have not begun then wait for one batch in 32, which goes to the oldest of all.
#[derive(Clone, Debug, Default)]
pub struct Lane(Arc<Standing>);

/// Tells lanes apart, for as long as they live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LaneId(usize);

/// Where a lane stands among others. Changed only by the one sampler that its jobs are given to, under that one's lock.
#[derive(Debug, Default)]
struct Standing {
    /// Rows handed out.
    served: AtomicU64,
    /// When it last went to the back of its level; 0 before it joined.
    turn: AtomicU64,
}

impl Lane {
    /// A new lane, which had no rows yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn id(&self) -> LaneId {
        LaneId(Arc::as_ptr(&self.0) as usize)
    }

    /// 0 for the first 32 rows, and one more for each doubling.
    pub(super) fn level(&self) -> u32 {
        (self.served() / FEW_ROWS).checked_ilog2().map_or(0, |doublings| doublings + 1)
    }

    /// The rows that are left before the level rises.
    pub(super) fn left(&self) -> u64 {
        (FEW_ROWS << self.level().min(58)).saturating_sub(self.served()).max(1)
    }

    pub(super) fn served(&self) -> u64 {
        self.0.served.load(Ordering::Relaxed)
    }

    pub(super) fn serve(&self, rows: u64) {
        self.0.served.fetch_add(rows, Ordering::Relaxed);
    }

    pub(super) fn turn(&self) -> u64 {
        self.0.turn.load(Ordering::Relaxed)
    }

    pub(super) fn set_turn(&self, turn: u64) {
        self.0.turn.store(turn, Ordering::Relaxed);
    }
}

/// Enough to settle the prediction of an input that is clear.
const FEW_ROWS: u64 = 32;
