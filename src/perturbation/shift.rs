//! What a certificate needs to know of noise.

use crate::stats::Prob;

/// The size at which the least probability of one event meets a share of the largest of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meeting {
    /// The size, rounded down.
    pub r: f64,
    /// Whether it is the meeting point itself but for rounding, and not only below it.
    pub is_root: bool,
}

/// A distribution of additive noise, as the search of a radius sees it.
///
/// Over all events of probability p at x, [`ln_min_prob`](Shift::ln_min_prob) is the least and
/// [`ln_max_prob`](Shift::ln_max_prob) the largest probability at x + delta, for |delta| <= r in the family's norm.
/// Neyman and Pearson's lemma gives both for any noise.
///
/// Both must be rounded outward, so that an inequality between them also holds between the exact values, and be
/// monotone in r up to that rounding.
pub trait Shift {
    /// The form in which a probability is cheap to move; it stands for no more than a lower bound.
    fn level_below(&self, bound: &Prob) -> f64;

    /// The same form; it stands for no less than an upper bound.
    fn level_above(&self, bound: &Prob) -> f64;

    /// Logarithm of the least probability that a perturbation of size `r` leaves, rounded down.
    fn ln_min_prob(&self, level: f64, r: f64) -> f64;

    /// Logarithm of the largest probability that a perturbation of size `r` makes, rounded up.
    fn ln_max_prob(&self, level: f64, r: f64) -> f64;

    /// The noise's own length: radii are of this order, and are found to 1e-9 of it.
    fn scale(&self) -> f64;

    /// Radii are multiples of one over this, and a perturbation of the radius itself is certified. None where they are
    /// any numbers, and only perturbations below the radius are.
    fn per_unit(&self) -> Option<u32> {
        None
    }

    /// The size at which `set` times the least probability of `low` meets the largest of `high`, or a size below it,
    /// where there is a formula.
    fn closed_form(&self, _low: f64, _high: f64, _set: usize) -> Option<Meeting> {
        None
    }
}
