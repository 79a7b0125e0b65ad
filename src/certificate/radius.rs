//! Theorem 1: from bounds on probabilities to the radius within which a label stays among the top k.

use super::search::search;
use crate::perturbation::Shift;
use crate::stats::Prob;
use crate::{Error, Result};

/// The largest radius, and the set of rivals that gave it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TopKRadius {
    /// The radius, in the units of the input; 0 where nothing can be certified, infinity where no perturbation can do
    /// it.
    pub radius: f64,
    /// t, the size of the set S_t of rivals whose sum gave the radius.
    pub set_size: usize,
    /// p_S, the upper bound of the sum of that set's probabilities.
    pub set: Prob,
}

/// The radius within which a label of probability at least `label` stays among the top k, where `rivals` are upper
/// bounds of its k = `rivals.len()` strongest rivals, ascending.
///
/// For t = 1..k let S_t be the t weakest of these k, p_S = min(the sum of their bounds, 1 - `label`), and R_t the r at
/// which `label` fallen by r equals p_S risen by r, divided by t. The radius is the largest R_t. To push the label out,
/// some k rivals must each reach its probability; the t weakest of any k have clean mass at most p_S and would need t
/// times the label's, so one t for which that is out of reach is enough.
///
/// The result is never above the exact root for the given bounds, since the inequality is checked at the very radius
/// that is returned with both sides rounded outward, and is within 1e-9 of the noise's scale of it.
///
/// # Errors
/// `InvalidArgument` when `rivals` is empty or not ascending, or a bound is not a probability with its complement.
pub fn top_k_radius<F: Shift>(noise: &F, label: Prob, rivals: &[Prob]) -> Result<TopKRadius> {
    if rivals.is_empty() {
        return Err(Error::argument("rivals", "k must be at least 1: give the bounds of the k strongest rivals"));
    }
    if !(label.is_valid() && rivals.iter().all(Prob::is_valid)) {
        return Err(Error::argument("rivals", "every bound must be a probability in [0, 1] with its complement"));
    }
    if rivals.windows(2).any(|pair| pair[0].p > pair[1].p) {
        return Err(Error::argument("rivals", "the bounds must be in ascending order"));
    }
    let mut sum = 0.0;
    let sets = rivals.iter().enumerate().map(|(i, rival)| {
        sum = if i == 0 { rival.p } else { (sum + rival.p).next_up() };
        let set = if i == 0 { *rival } else { Prob { p: sum.min(1.0), q: (1.0 - sum).next_down().max(0.0) } };
        capped(set, label)
    });
    Ok(largest_over_sets(noise, label, sets))
}

/// The largest R_t, where `sets` has for t = 1, 2, ... an upper bound of the mass of the t weakest of any k rivals. At
/// least one is needed: none certify nothing.
pub(super) fn largest_over_sets<F: Shift>(noise: &F, label: Prob, sets: impl Iterator<Item = Prob>) -> TopKRadius {
    let low = noise.level_below(&label);
    let mut best = TopKRadius { radius: 0.0, set_size: 1, set: Prob::ONE };
    for (i, set) in sets.enumerate() {
        if i == 0 {
            best.set = set;
        }
        let search = Search::new(noise, low, &set, i + 1);
        // Most sets cannot beat the best so far: one evaluation tells.
        if search.holds_at(best.radius) {
            best = TopKRadius { radius: search.largest_from(best.radius), set_size: i + 1, set };
        }
    }
    best
}

/// The radius within which a label of probability at least `label` is not reached by `size` labels at once whose
/// probabilities add to at most `sum`: one R_t of [`top_k_radius`], for a set of t = `size` rivals bounded as one
/// event.
///
/// Rounded as [`top_k_radius`].
///
/// # Errors
/// `InvalidArgument` when `size` is 0 or a bound is not a probability with its complement.
pub fn set_radius<F: Shift>(noise: &F, label: Prob, sum: Prob, size: usize) -> Result<TopKRadius> {
    if size == 0 {
        return Err(Error::argument("size", "the set must have at least 1 rival"));
    }
    if !(label.is_valid() && sum.is_valid()) {
        return Err(Error::argument("sum", "every bound must be a probability in [0, 1] with its complement"));
    }
    let set = capped(sum, label);
    let search = Search::new(noise, noise.level_below(&label), &set, size);
    let radius = if search.holds_at(0.0) { search.largest_from(0.0) } else { 0.0 };
    Ok(TopKRadius { radius, set_size: size, set })
}

/// The others have at most what the label leaves.
fn capped(set: Prob, label: Prob) -> Prob {
    if set.p < label.q { set } else { label.complement() }
}

/// The search of one R_t.
struct Search<'a, F: Shift> {
    noise: &'a F,
    low: f64,
    high: f64,
    size: usize,
    /// ln t, rounded down.
    ln_t: f64,
}

impl<'a, F: Shift> Search<'a, F> {
    fn new(noise: &'a F, low: f64, set: &Prob, size: usize) -> Self {
        Self { noise, low, high: noise.level_above(set), size, ln_t: (size as f64).ln() * (1.0 - 1e-15) }
    }

    /// ln(t fallen / risen) at `r`, rounded down: positive where the label certainly stays.
    fn lead(&self, r: f64) -> f64 {
        self.noise.ln_min_prob(self.low, r) + self.ln_t - self.noise.ln_max_prob(self.high, r)
    }

    fn holds_at(&self, r: f64) -> bool {
        self.lead(r) > 0.0
    }

    /// The largest r at which the label certainly stays, given one at which it does.
    fn largest_from(&self, start: f64) -> f64 {
        let guess = self.noise.closed_form(self.low, self.high, self.size);
        search(self.noise, |r| self.lead(r), start, guess)
    }
}
