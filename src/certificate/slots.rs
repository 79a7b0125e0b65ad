//! The mass of a group of labels, where a base classifier gives a sample up to k' of them, as at most k' events
//! ("slots").
//!
//! Let the labels of the group have probabilities z_1, z_2, .. A region of probability z has at most m(z) = min(k' z,
//! sum_i min(z_i, z)) of the group's labels. m is concave and piecewise linear: the sum of w_j min(y_j, z), as if w_j
//! events had probability y_j and lay in each other. A perturbation leaves the group no less than it leaves these
//! events, and gives it no more than it gives them: `docs/statistics.md`, section "Sets of labels".

use crate::perturbation::Shift;
use crate::stats::Prob;

/// Events of one probability, so many of them. From below or from above, as the bounds that they are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Slot {
    pub(super) prob: Prob,
    pub(super) weight: usize,
}

/// Which way sums are rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Side {
    Below,
    Above,
}

impl Side {
    fn rounded(self, value: f64) -> f64 {
        match self {
            Self::Below => value.next_down(),
            Self::Above => value.next_up(),
        }
    }

    fn prob(self, p: f64) -> Prob {
        let p = p.clamp(0.0, 1.0);
        let q = match self {
            Self::Below => (1.0 - p).next_up().min(1.0),
            Self::Above => (1.0 - p).next_down().max(0.0),
        };
        Prob { p, q }
    }
}

/// The slots of labels with these bounds, descending, of which a sample has at most `base_k`.
///
/// The c likeliest labels have a slot each, and the others share the rest of the k' evenly, for the least c that gives
/// none of them more than its share. A smaller c only evens out more, which is sound on either side.
pub(super) fn slots(bounds: &[Prob], base_k: usize, side: Side) -> Vec<Slot> {
    let single = |bound: &Prob| Slot { prob: *bound, weight: 1 };
    if bounds.len() <= base_k {
        return bounds.iter().map(single).collect();
    }
    // What all have together from the i-th on.
    let mut rests = vec![0.0; bounds.len() + 1];
    for (i, bound) in bounds.iter().enumerate().rev() {
        rests[i] = side.rounded(rests[i + 1] + bound.p);
    }
    let share = |alone: usize| side.rounded(rests[alone] / (base_k - alone) as f64);
    // More than the rounding of the sums, so that rounding never makes c too large.
    let slack = 1.0 + 4.0 * f64::EPSILON * (bounds.len() + 2) as f64;
    let alone = (0..base_k).find(|&alone| bounds[alone].p <= share(alone) * slack).unwrap_or(base_k - 1);
    let shared = Slot { prob: side.prob(share(alone)), weight: base_k - alone };
    bounds[..alone].iter().map(single).chain([shared]).collect()
}

/// Slots from above, descending but for rounding, cut to the level at which they add to `most`, which is rounded up.
pub(super) fn cut(mut slots: Vec<Slot>, most: f64) -> Vec<Slot> {
    slots.sort_by(|a, b| b.prob.p.total_cmp(&a.prob.p));
    let mass = |slot: &Slot| slot.weight as f64 * slot.prob.p;
    if slots.iter().fold(0.0, |sum, slot| sum + mass(slot)) <= most {
        return slots;
    }
    let mut weight = 0;
    for i in 0..slots.len() {
        weight += slots[i].weight;
        // The level, rounded up, if all slots up to this one are cut. One that is not below the next slot is no less
        // than the true one.
        let rest = slots[i + 1..].iter().fold(0.0, |sum, slot| (sum + mass(slot).next_down()).next_down());
        let level = ((most - rest).next_up() / weight as f64).next_up();
        let next = slots.get(i + 1).map_or(0.0, |slot| slot.prob.p);
        if level >= next {
            let shared = Slot { prob: Side::Above.prob(level), weight };
            return [shared].into_iter().chain(slots[i + 1..].iter().copied()).collect();
        }
    }
    slots
}

/// A group of labels in the form in which it is cheap to move.
pub(super) struct Group {
    levels: Vec<(f64, f64)>,
    side: Side,
    size: f64,
}

impl Group {
    /// The group of `size` labels that these slots are of.
    pub(super) fn new<F: Shift>(noise: &F, slots: &[Slot], side: Side, size: usize) -> Self {
        let level = |slot: &Slot| match side {
            Side::Below => noise.level_below(&slot.prob),
            Side::Above => noise.level_above(&slot.prob),
        };
        let levels = slots.iter().map(|slot| (level(slot), slot.weight as f64)).collect();
        Self { levels, side, size: size as f64 }
    }

    /// The mean of the group's labels after a perturbation of size `r`: the least there can be, or the largest.
    pub(super) fn mean<F: Shift>(&self, noise: &F, r: f64) -> f64 {
        // More than the roundings of exponentials, products, sums and the quotient.
        let slack = 1e-15 * (self.levels.len() + 4) as f64;
        let sum =
            |moved: &dyn Fn(f64) -> f64| self.levels.iter().map(|&(level, weight)| weight * moved(level)).sum::<f64>();
        match self.side {
            Side::Below => sum(&|level| noise.ln_min_prob(level, r).exp()) * (1.0 - slack) / self.size,
            Side::Above => {
                // An exponential that is too small for a number is not 0.
                let risen = |level| match noise.ln_max_prob(level, r) {
                    f64::NEG_INFINITY => 0.0,
                    ln => ln.exp().max(f64::MIN_POSITIVE),
                };
                sum(&risen) * (1.0 + slack) / self.size
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probs(values: &[f64], side: Side) -> Vec<Prob> {
        values.iter().map(|&p| side.prob(p)).collect()
    }

    fn mass(slots: &[Slot], z: f64) -> f64 {
        slots.iter().map(|slot| slot.weight as f64 * slot.prob.p.min(z)).sum()
    }

    #[test]
    fn slots_are_the_most_that_a_region_can_have() {
        let all = [0.9, 0.55, 0.5, 0.3, 0.25, 0.2, 0.1, 0.0];
        for labels in 1..=all.len() {
            for base_k in 1..=labels + 1 {
                let values = &all[..labels];
                if values.iter().sum::<f64>() > base_k as f64 {
                    continue;
                }
                for side in [Side::Below, Side::Above] {
                    let found = slots(&probs(values, side), base_k, side);
                    assert!(found.iter().map(|slot| slot.weight).sum::<usize>() <= base_k.min(labels));
                    for most in [10.0, 1.1, 0.4] {
                        let cut = if side == Side::Above { cut(found.clone(), most) } else { found.clone() };
                        let most = if side == Side::Above { most } else { 10.0 };
                        for z in (0..=100).map(|i| f64::from(i) / 100.0) {
                            let singles: f64 = values.iter().map(|value| value.min(z)).sum();
                            let exact = singles.min(base_k as f64 * z).min(most);
                            assert!((mass(&cut, z) - exact).abs() < 1e-13, "{values:?} {base_k} {most} {z}: {cut:?}");
                        }
                    }
                }
            }
        }
    }
}
