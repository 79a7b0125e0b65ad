//! What a number of samples can give, before any is drawn. The best that can happen is that every sample gives the
//! label.

use super::basis::Basis;
use super::label::{certify, radius_of};
use crate::counts::Rule;
use crate::perturbation::Family;
use crate::stats::allocation::RivalCounts;
use crate::stats::{Allocation, MAX_TRIALS, Tally, Validity, check_alpha, check_k, check_trials};
use crate::{Error, Result};

/// A certificate that is planned: all but the number of samples.
///
/// ```
/// use smoothtopk::certificate::plan::Forecast;
/// use smoothtopk::perturbation::Gaussian;
/// use smoothtopk::stats::Allocation;
/// let forecast = Forecast { allocation: Allocation::BinoCp, ..Forecast::new(Gaussian::new(0.25)?, 10) };
/// assert_eq!(forecast.smallest_n(0.0)?, 10); // 0.001^(1/10) = 0.501
/// # Ok::<(), smoothtopk::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The noise.
    pub noise: Family,
    /// What rounding takes off every radius.
    pub radius_cost: f64,
    /// When samples end.
    pub rule: Rule,
    /// The size of the top set.
    pub k: usize,
    /// Failure probability.
    pub alpha: f64,
    /// How alpha is split.
    pub allocation: Allocation,
    /// The number of labels, c.
    pub classes: usize,
}

impl Forecast {
    /// For k = 1, alpha = 0.001, a fixed n, the default allocation, and no cost of rounding.
    pub fn new(noise: impl Into<Family>, classes: usize) -> Self {
        let allocation = Allocation::default();
        Self { noise: noise.into(), radius_cost: 0.0, rule: Rule::Fixed, k: 1, alpha: 0.001, allocation, classes }
    }

    /// The largest radius that `n` samples can certify, in the units of the input: the one where all give the label. 0
    /// when they can only abstain.
    ///
    /// # Errors
    /// `InvalidArgument` when k is not in 1..c or above a million, n or alpha out of range, or the allocation names k
    /// rivals.
    pub fn largest_radius(&self, n: u64) -> Result<f64> {
        let basis = Basis::assuming(self.noise, n, self.alpha, self.rule.validity(n));
        largest_radius(&Basis { radius_cost: self.radius_cost, ..basis }, self.k, &self.allocation, self.classes)
    }

    /// The smallest n that can certify `radius`; with 0, the smallest n that can certify anything, so that a request
    /// for fewer samples can only abstain.
    ///
    /// # Errors
    /// As [`Forecast::largest_radius`]; `InvalidArgument` when `radius` is negative or not a number, or is out of reach
    /// of [`MAX_TRIALS`] samples.
    pub fn smallest_n(&self, radius: f64) -> Result<u64> {
        if radius.is_nan() || radius < 0.0 {
            return Err(Error::argument("radius", format!("{radius} is not a radius: it must be 0 or more")));
        }
        let reaches = |n: u64| -> Result<bool> {
            let largest = self.largest_radius(n)?;
            Ok(largest > 0.0 && largest >= radius)
        };
        let mut enough = 1;
        while !reaches(enough)? {
            if enough == MAX_TRIALS {
                let most = self.largest_radius(MAX_TRIALS)?;
                let message = format!("{radius} is out of reach: {MAX_TRIALS} samples allow at most {most}");
                return Err(Error::argument("radius", message));
            }
            enough = (2 * enough).min(MAX_TRIALS);
        }
        first_true(enough / 2 + 1, enough, reaches)
    }
}

/// The largest radius that an enumerated family can certify: the one where all of its rows give the label.
///
/// # Errors
/// `InvalidArgument` when the family is sampled, or not settled, or k is not in 1..c.
pub fn largest_radius_of_rows(noise: impl Into<Family>, k: usize, classes: usize) -> Result<f64> {
    let noise = noise.into();
    noise.check_settled()?;
    check_k(k, classes)?;
    let rows = noise.rows().ok_or_else(|| {
        Error::argument("noise", format!("{noise} is drawn: how far it reaches depends on how many samples there are"))
    })?;
    let mut labels = vec![0; classes];
    labels[0] = rows;
    let basis = Basis::assuming(noise, rows, 0.0, Validity::Exact);
    Ok(certify(&basis, &Tally::complete(labels)?, 0, k, &Allocation::default())?.radius)
}

/// The largest radius that the samples of a basis can certify.
pub(super) fn largest_radius(basis: &Basis, k: usize, allocation: &Allocation, classes: usize) -> Result<f64> {
    basis.check()?;
    check_k(k, classes)?;
    check_trials(basis.n)?;
    if k > 1_000_000 {
        return Err(Error::argument("k", format!("k = {k} is more than the 1000000 that a plan takes")));
    }
    let named = if let Allocation::Pooled { named, .. } = allocation { named.len() } else { 0 };
    if named >= k {
        return Err(Error::argument("allocation", format!("{allocation} must name fewer than k = {k} rivals")));
    }
    let counts = RivalCounts { own: basis.n, rivals: &vec![0; k - named], invalid: 0, n: basis.n, classes };
    let bounds = allocation.bounds_of(&counts, k, basis.alpha_left, basis.validity)?;
    Ok(basis.less_cost(radius_of(&basis.noise, &bounds)?.radius))
}

/// The smallest n with which [`predict`](super::predict) of a top-k set can do anything but abstain: each of the k
/// labels then has just enough samples to beat a rival that has none.
///
/// # Errors
/// `InvalidArgument` as [`predict`](super::predict).
pub fn smallest_n_to_predict(k: usize, alpha: f64, classes: usize) -> Result<u64> {
    check_k(k, classes)?;
    check_alpha(alpha)?;
    let each = first_true(1, 512, |n| Ok(crate::stats::binomial::two_sided_half(n, 0)? <= alpha))?;
    Ok(each * k as u64)
}

/// The smallest n in `low..=high` for which a test holds that, once true, stays true; it is known to hold at `high`.
pub(super) fn first_true(mut low: u64, mut high: u64, test: impl Fn(u64) -> Result<bool>) -> Result<u64> {
    while low < high {
        let middle = low + (high - low) / 2;
        if test(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}
