//! What a number of rows can give, before any is drawn. The best that can happen is that every row gives the label.

use super::certify::radius_of;
use crate::noise::family::Gaussian;
use crate::stats::allocation::Tally;
use crate::stats::bounds::check_k;
use crate::stats::{Allocation, Bound, MAX_TRIALS, Validity, check_alpha, check_trials};
use crate::{Error, Result};

/// The largest radius that `n` rows can certify, in the units of `sigma`: the one where all rows give the label. 0 when `n`
/// rows can only abstain.
///
/// # Errors
/// As [`certify`](super::certify) for counts of `classes` labels.
pub fn largest_radius(n: u64, k: usize, sigma: f64, alpha: f64, bound: Bound, classes: usize) -> Result<f64> {
    largest_radius_with(n, k, sigma, alpha, &bound.into(), Validity::Fixed, classes)
}

/// As [`largest_radius`], for alpha spent as `allocation` says and any kind of bound.
///
/// # Errors
/// As [`certify_with`](super::certify_with) for counts of `classes` labels.
pub fn largest_radius_with(
    n: u64,
    k: usize,
    sigma: f64,
    alpha: f64,
    allocation: &Allocation,
    validity: Validity,
    classes: usize,
) -> Result<f64> {
    check_k(k, classes)?;
    check_trials(n)?;
    if k > 1_000_000 {
        return Err(Error::argument("k", format!("k = {k} is more than the 1000000 that a plan takes")));
    }
    let noise = Gaussian::new(sigma)?;
    let named = if let Allocation::Pooled { named, .. } = allocation { named.len() } else { 0 };
    if named >= k {
        return Err(Error::argument("allocation", format!("{allocation} must name fewer than k = {k} rivals")));
    }
    let tally = Tally { own: n, rivals: &vec![0; k - named], invalid: 0, n, classes };
    Ok(radius_of(&noise, &allocation.bounds_of(&tally, k, alpha, validity)?)?.radius)
}

/// The smallest n that can certify a radius of at least `radius_over_sigma` times sigma; with 0, the smallest n that can
/// certify anything, so that a request for fewer rows can only abstain.
///
/// # Errors
/// As [`largest_radius`]; `InvalidArgument` when `radius_over_sigma` is negative or not a number, or is out of reach of
/// [`MAX_TRIALS`] rows.
///
/// ```
/// use smoothtopk::certificate::plan;
/// use smoothtopk::stats::Bound;
/// let n = plan::smallest_n(1, 0.001, Bound::BinoCp, 10, 0.0)?;
/// assert_eq!(n, 10); // 0.001^(1/10) = 0.501
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub fn smallest_n(k: usize, alpha: f64, bound: Bound, classes: usize, radius_over_sigma: f64) -> Result<u64> {
    smallest_n_with(k, alpha, &bound.into(), |_| Validity::Fixed, classes, radius_over_sigma)
}

/// As [`smallest_n`], for alpha spent as `allocation` says and the kind of bound that a number of rows is to have
/// ([`Rule::validity`](super::stop::Rule::validity)).
///
/// # Errors
/// As [`smallest_n`].
pub fn smallest_n_with(
    k: usize,
    alpha: f64,
    allocation: &Allocation,
    validity: impl Fn(u64) -> Validity,
    classes: usize,
    radius_over_sigma: f64,
) -> Result<u64> {
    if radius_over_sigma.is_nan() || radius_over_sigma < 0.0 {
        return Err(Error::argument("radius", format!("{radius_over_sigma} is not a radius: it must be 0 or more")));
    }
    let reaches = |n: u64| -> Result<bool> {
        let radius = largest_radius_with(n, k, 1.0, alpha, allocation, validity(n), classes)?;
        Ok(radius > 0.0 && radius >= radius_over_sigma)
    };
    let mut enough = 1;
    while !reaches(enough)? {
        if enough == MAX_TRIALS {
            let most = largest_radius_with(MAX_TRIALS, k, 1.0, alpha, allocation, validity(MAX_TRIALS), classes)?;
            return Err(Error::argument(
                "radius",
                format!("{radius_over_sigma} sigma is out of reach: {MAX_TRIALS} rows allow at most {most} sigma"),
            ));
        }
        enough = (2 * enough).min(MAX_TRIALS);
    }
    first_true(enough / 2 + 1, enough, reaches)
}

/// The smallest n with which [`predict`](super::predict) of a top-k set can do anything but abstain: each of the k labels
/// then has just enough rows to beat a rival that has none.
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
