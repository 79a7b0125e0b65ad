//! The search for a perturbation inside one certificate's radius at which its labels leave the smoothed classifier's
//! top k.
//!
//! Nothing but labels of noisy rows is used, as of a model that can only be asked. What the search finds
//! is a candidate: whether the labels are out there is for [`super::confirm`] to say, from rows of its own.

use smoothtopk::Result;

use super::candidate::{Found, Target};
use super::directions::{Image, Pool};
use super::evaluate::Evaluator;
use super::search::Search;

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
