//! The search for a perturbation inside one certificate's radius at which its labels leave the smoothed classifier's
//! top k.
//!
//! Nothing but labels of noisy rows is used, as of a model that can only be asked. What the search finds
//! is a candidate: whether the labels are out there is for [`super::confirm`] to say, from rows of its own.

use smoothtopk::Result;
use smoothtopk::stats::Tally;

use super::ball::{Ball, Point};
use super::directions::{Image, Pool};
use super::evaluate::Evaluator;
use super::search::Search;

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

/// What all searches share.
pub struct Attacker<'a> {
    pub evaluator: &'a mut Evaluator,
    pub pool: &'a Pool,
    pub image: Image,
    /// Evaluations a search may use, at least 1.
    pub attacks: u64,
    /// Noisy rows of one evaluation.
    pub rows: u64,
}

impl Attacker<'_> {
    /// Searches for the labels' exit. `keys` is the first of 2^32 noise keys that are this search's own.
    pub fn search(&mut self, target: &Target<'_>, keys: u64) -> Result<Found> {
        let mut search = Search::new(self.evaluator, target, self.attacks, self.rows, keys);
        let rivals = search.rivals(self.pool)?;
        let Target { ball, labels, k } = *target;
        search.transfer(self.pool.differences(ball.centre, labels, &rivals, k, search.most_transfers()))?;
        search.random(keys)?;
        search.slope(&rivals)?;
        search.squares(&self.image)?;
        Ok(search.end())
    }
}
