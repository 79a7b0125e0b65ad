//! The certificate of one label.

use super::radius::{TopKRadius, set_radius, top_k_radius};
use super::search::less_slack;
use crate::Result;
use crate::noise::family::Gaussian;
use crate::stats::allocation::{RivalBounds, SpentBounds};
use crate::stats::{Allocation, Bound, Counts, Prob, Validity};

/// The statement that `label` is among the smoothed classifier's top `k` for every perturbation of l2 norm below `radius`.
///
/// It is wrong with probability at most `alpha`, over the rows drawn.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Certificate {
    /// The label.
    pub label: usize,
    /// The size of the top set the label stays in.
    pub k: usize,
    /// The certified l2 radius, in the units of the input, rounded down; 0 when nothing is certified.
    pub radius: f64,
    /// Lower bound of the label's probability.
    pub p_lower: Prob,
    /// Upper bound of the summed probability of the rivals that limit the radius.
    pub p_upper: Prob,
    /// How many rivals that sum has: t of Theorem 1, in 1..=k.
    pub set_size: usize,
    /// The noise's standard deviation, in the units of the input.
    pub sigma: f64,
    /// The failure probability.
    pub alpha: f64,
    /// How alpha was spent.
    pub allocation: Allocation,
    /// For which numbers of rows its bounds hold.
    pub validity: Validity,
    /// The rows drawn.
    pub n: u64,
}

impl Certificate {
    /// Whether anything is certified: the label is in the top k at the point itself and within a positive radius.
    pub fn certified(&self) -> bool {
        self.radius > 0.0
    }

    /// The certificate with `slack` taken off the radius, rounded down. Nothing is left certified when `slack` reaches the
    /// radius, and when it is not a number from 0 up: a slack never enlarges a radius.
    #[must_use]
    pub fn shrunk_by(&self, slack: f64) -> Self {
        Self { radius: less_slack(self.radius, slack), ..self.clone() }
    }
}

/// Certifies `label`: the l2 radius within which it stays among the smoothed classifier's top `k`, with probability at least
/// 1 - `alpha` if the label was fixed before the rows behind `counts` were drawn (given, or chosen from other rows).
///
/// `sigma` is the standard deviation of the Gaussian noise, in the units of the input. The radius is never above the exact
/// one for the counts and within 1e-9 `sigma` of it.
///
/// # Errors
/// `InvalidArgument` when `label` is not below c, `k` not in 1..c, `sigma` not a positive number, `alpha` (or its share for
/// one bound) not in [[`MIN_ALPHA`](crate::stats::MIN_ALPHA), [`MAX_ALPHA`](crate::stats::MAX_ALPHA)], or no row or more than
/// [`MAX_TRIALS`](crate::stats::MAX_TRIALS) rows were drawn.
///
/// ```
/// use smoothtopk::certificate::certify;
/// use smoothtopk::stats::{Bound, Counts};
/// let counts = Counts::complete(vec![2, 2, 334, 93642, 2, 5279, 737, 0, 2, 0])?;
/// let certificate = certify(&counts, 3, 3, 0.25, 0.001, Bound::Ranked)?;
/// assert!(certificate.certified() && certificate.radius > 0.54);
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub fn certify(counts: &Counts, label: usize, k: usize, sigma: f64, alpha: f64, bound: Bound) -> Result<Certificate> {
    certify_with(counts, label, k, sigma, alpha, &bound.into(), Validity::Fixed)
}

/// As [`certify`], with alpha spent as `allocation` says, and with bounds for one number of rows or for all at once.
///
/// Not only the label but the allocation, its names and shares, must have been fixed before the rows were drawn. With
/// [`Validity::Anytime`] the certificates of *all* looks at the growing counts are true at once with probability at least
/// 1 - `alpha`, so any of them may be taken, whatever made the rows end.
///
/// # Errors
/// As [`certify`], and as [`Allocation::check`].
///
/// ```
/// use smoothtopk::certificate::certify_with;
/// use smoothtopk::stats::{Counts, Validity, Allocation};
/// let counts = Counts::complete(vec![2, 2, 334, 93642, 2, 5279, 737, 0, 2, 0])?;
/// let allocation = Allocation::Pooled { label_share: 0.5, named: vec![5] };
/// let certificate = certify_with(&counts, 3, 3, 0.25, 0.001, &allocation, Validity::Fixed)?;
/// assert!(certificate.set_size == 2 && certificate.radius > 0.54);
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub fn certify_with(
    counts: &Counts,
    label: usize,
    k: usize,
    sigma: f64,
    alpha: f64,
    allocation: &Allocation,
    validity: Validity,
) -> Result<Certificate> {
    let noise = Gaussian::new(sigma)?;
    let bounds = allocation.bounds(counts, label, k, alpha, validity)?;
    #[cfg(smoothtopk_unsound)]
    let bounds = super::unsound::frequencies(counts, label, k, bounds);
    let TopKRadius { radius, set_size, set } = radius_of(&noise, &bounds)?;
    let (p_lower, allocation, n) = (bounds.label, allocation.clone(), counts.n());
    let certificate =
        Certificate { label, k, radius, p_lower, p_upper: set, set_size, sigma, alpha, allocation, validity, n };
    #[cfg(smoothtopk_unsound)]
    let certificate = super::unsound::doubled(certificate);
    Ok(certificate)
}

/// The radius that bounds give.
pub(super) fn radius_of(noise: &Gaussian, bounds: &SpentBounds) -> Result<TopKRadius> {
    match &bounds.rivals {
        RivalBounds::Each(rivals) => top_k_radius(noise, bounds.label, rivals),
        RivalBounds::Sum { sum, size } => set_radius(noise, bounds.label, *sum, *size),
    }
}
