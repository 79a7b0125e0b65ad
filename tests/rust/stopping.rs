//! Stopping rules, bounds that hold at all looks, and allocations of alpha: what they decide, and how often they are
//! wrong.
//!
//! A procedure is wrong when it is wrong at *any* look of a draw: the adversary stops at the luckiest. Each rate is
//! compared with alpha by an exact test at 1e-8; fewer than 100 rates are compared, so a sound library fails here with
//! probability below 1e-6. Seeds are fixed. The same checks catch bounds for one n used at every look.

mod allocations;
mod betting;
mod bounds;
mod decisions;
mod invalid;
mod rules;
mod tables;

use crate::coverage::truth::Truth;
use rand::rngs::StdRng;
use smoothtopk::stats::Tally;

/// Draws of the luckiest-look checks.
const DRAWS: u64 = 800;

/// Every number of rows up to 20, then ever fewer, up to `n_max`.
fn looks(n_max: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(1), |&n: &u64| Some(n + (n / 20).max(1))).take_while(move |&n| n <= n_max)
}

/// Growing counts at `looks`, handed to `see` until it says enough.
fn draw_on(truth: &Truth, looks: impl Iterator<Item = u64>, rng: &mut StdRng, mut see: impl FnMut(&Tally) -> bool) {
    let mut counts = Tally::new(vec![0; truth.p.len()], 0).expect("no rows");
    for look in looks {
        counts.add(&truth.rows(look - counts.n(), rng)).expect("as many labels");
        if see(&counts) {
            return;
        }
    }
}
