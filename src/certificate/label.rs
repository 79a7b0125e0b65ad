//! The certificate of one label.

use super::basis::Basis;
use super::radius::{TopKRadius, largest_over_sets, set_radius, top_k_radius};
use crate::perturbation::Shift;
use crate::stats::allocation::{RivalBounds, SpentBounds};
use crate::stats::{Allocation, Prob, Tally, Validity, check_k, exact};
use crate::{Error, Result};

/// The statement that `label` is among the smoothed classifier's top `k` for every perturbation of size below `radius`,
/// or of that size at most where radii are multiples of a unit ([`Shift::per_unit`]).
///
/// It is wrong with probability at most the alpha of its basis, over the samples drawn; never where all samples that
/// there are were classified.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Certificate {
    /// The label.
    pub label: usize,
    /// The size of the top set the label stays in.
    pub k: usize,
    /// The certified radius in the noise's norm, in the units of the input, rounded down; 0 when nothing is certified.
    pub radius: f64,
    /// Lower bound of the label's probability.
    pub p_lower: Prob,
    /// Upper bound of the summed probability of the rivals that limit the radius.
    pub p_upper: Prob,
    /// How many rivals that sum has: t of Theorem 1, in 1..=k.
    pub set_size: usize,
    /// How alpha was split between the bounds.
    pub allocation: Allocation,
    /// What it rests on.
    pub basis: Basis,
}

impl Certificate {
    /// Whether anything is certified: the label is in the top k at the point itself and within a positive radius.
    pub fn certified(&self) -> bool {
        self.radius > 0.0
    }
}

/// Certifies `label` by numbers alone; [`Counts::certify`](crate::counts::Counts::certify) knows what they rest on.
///
/// Label and allocation, its names and shares, must have been fixed before the samples were drawn.
///
/// # Errors
/// `InvalidArgument` when `label` is not below c, `k` not in 1..c, alpha or a share of it not in
/// [[`MIN_ALPHA`](crate::stats::MIN_ALPHA), [`MAX_ALPHA`](crate::stats::MAX_ALPHA)], or there is no sample or more than
/// [`MAX_TRIALS`](crate::stats::MAX_TRIALS).
pub fn certify(basis: &Basis, tally: &Tally, label: usize, k: usize, allocation: &Allocation) -> Result<Certificate> {
    basis.check()?;
    tally.check_one_label()?;
    if basis.validity == Validity::Exact {
        return of_all_rows(basis, tally, label, k);
    }
    let bounds = allocation.bounds(tally, label, k, basis.alpha_left, basis.validity)?;
    let TopKRadius { radius, set_size, set } = radius_of(&basis.noise, &bounds)?;
    Ok(Certificate {
        label,
        k,
        radius: basis.less_cost(radius),
        p_lower: bounds.label,
        p_upper: set,
        set_size,
        allocation: allocation.clone(),
        basis: Basis { n: tally.n(), ..*basis },
    })
}

/// The certificate of an enumerated family: of all rows, so without alpha. The t weakest of any k rivals have at least
/// what the t weakest of the k strongest have; rows that have no label may have been theirs, each once.
fn of_all_rows(basis: &Basis, tally: &Tally, label: usize, k: usize) -> Result<Certificate> {
    check_k(k, tally.classes())?;
    if label >= tally.classes() {
        let message = format!("label {label} is not one of the {} labels 0..{0}", tally.classes());
        return Err(Error::argument("label", message));
    }
    basis.check_rows(tally.n())?;
    let mut rivals = tally.labels().to_vec();
    rivals.swap_remove(label);
    rivals.sort_unstable();
    let mut sum = tally.invalid();
    let sums = rivals[rivals.len() - k..].iter().map(|count| {
        sum += count;
        exact::upper(sum, tally.n())
    });
    let sums: Vec<Prob> = sums.collect::<Result<_>>()?;
    let p_lower = exact::lower(tally.labels()[label], tally.n())?;
    let TopKRadius { radius, set_size, set } = largest_over_sets(&basis.noise, p_lower, sums.into_iter());
    Ok(Certificate {
        label,
        k,
        radius: basis.less_cost(radius),
        p_lower,
        p_upper: set,
        set_size,
        allocation: Allocation::default(),
        basis: Basis { n: tally.n(), ..*basis },
    })
}

/// The radius that bounds give.
pub(super) fn radius_of<F: Shift>(noise: &F, bounds: &SpentBounds) -> Result<TopKRadius> {
    match &bounds.rivals {
        RivalBounds::Each(rivals) => top_k_radius(noise, bounds.label, rivals),
        RivalBounds::Sum { sum, size } => set_radius(noise, bounds.label, *sum, *size),
    }
}
