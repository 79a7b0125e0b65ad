//! What a search is given, and the candidates that it finds.

use smoothtopk::stats::Tally;

use super::ball::{Ball, Point};

/// A certificate under attack: inside `ball` the smoothed classifier must have one of `labels` in its top `k`.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    pub ball: Ball<'a>,
    pub labels: &'a [usize],
    pub k: usize,
}

/// Which attack found a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Transfer,
    Random,
    Slope,
    Square,
    Local,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Random => "random",
            Self::Slope => "slope",
            Self::Square => "square",
            Self::Local => "local",
        }
    }
}

/// A point worth a test, with the counts of the round that singled it out.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub point: Point,
    pub kind: Kind,
    pub(super) counts: Tally,
    pub(super) score: f64,
}

/// What a search found.
#[derive(Debug)]
pub struct Found {
    /// The most promising points, the best first, at most one of each kind.
    pub candidates: Vec<Candidate>,
    /// Attack evaluations used; a look at the slope counts as the evaluations that its rows would have made.
    pub evaluations: u64,
}
