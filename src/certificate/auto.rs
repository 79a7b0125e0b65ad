//! How to spend alpha, chosen by pilot rows for the largest radius that is to be expected.

use super::certify::radius_of;
use crate::noise::family::Gaussian;
use crate::stats::bounds::check_k;
use crate::stats::{Allocation, Counts, Validity, check_alpha, check_trials};
use crate::{Error, Result};

/// The label's shares of alpha that are tried.
const SHARES: [f64; 7] = [0.1, 0.25, 0.5, 0.7, 0.85, 0.95, 0.99];

/// The allocation of `alpha` that promises the largest radius for `label` in the top `k` from `n` rows, judged by the `pilot`
/// counts of other rows.
///
/// Tried are `binocp`, `simuem`, `ranked` and `pooled`, the last two with several shares for the label and `pooled` with each
/// number of the pilot's strongest rivals named. Any choice is sound, because the pilot rows are independent of the n rows that
/// it is applied to; only the size of the radius depends on the pilot. It is judged at the counts that n rows would have at the
/// pilot's frequencies, smoothed: what labels seen once tell of those never seen is taken off the seen ones (absolute
/// discounting) and spread over all labels, with one row more, so that no rival counts as impossible.
///
/// # Errors
/// `InvalidArgument` when `label` is not below c, `k` not in 1..c, or `alpha`, `n` or the number of pilot rows is out of range.
///
/// ```
/// use smoothtopk::certificate::auto;
/// use smoothtopk::stats::{Counts, Validity, Allocation};
/// let pilot = Counts::complete(vec![52, 47, 1, 0, 0, 0])?;
/// let allocation = auto::spend(&pilot, 0, 3, 10_000, 0.001, Validity::Fixed)?;
/// assert!(matches!(allocation, Allocation::Pooled { named, .. } if named.contains(&1)));
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub fn spend(pilot: &Counts, label: usize, k: usize, n: u64, alpha: f64, validity: Validity) -> Result<Allocation> {
    check(pilot, label, k, n, alpha, validity)?;
    Ok(best(&candidates(pilot, label, k), pilot, label, k, n, alpha, validity)?.0)
}

/// As [`spend`], for a rule that ends the rows when `label` is certified at `radius` (in units of sigma, what is taken off for a
/// grid added): the best at the fewest rows, to within a sixteenth, at which any allocation promises that radius; at `n_max` rows
/// where none does.
///
/// # Errors
/// As [`spend`]; `InvalidArgument` when `radius` is not a finite number above 0.
pub fn spend_to_reach(
    pilot: &Counts,
    label: usize,
    k: usize,
    n_max: u64,
    alpha: f64,
    validity: Validity,
    radius: f64,
) -> Result<Allocation> {
    check(pilot, label, k, n_max, alpha, validity)?;
    if !(radius > 0.0 && radius.is_finite()) {
        return Err(Error::argument("radius", format!("{radius} must be a finite number above 0")));
    }
    let tried = candidates(pilot, label, k);
    let at = |n| best(&tried, pilot, label, k, n, alpha, validity);
    let (mut chosen, promised) = at(n_max)?;
    if promised < radius {
        return Ok(chosen);
    }
    // The first of 16, 32, 64, ... that promises it, then halves between it and the one before.
    let (mut low, mut high, mut next) = (0, n_max, 16);
    while next < high {
        let (allocation, promised) = at(next)?;
        if promised >= radius {
            (chosen, high) = (allocation, next);
        } else {
            (low, next) = (next, 2 * next);
        }
    }
    while high - low > 1 + high / 16 {
        let middle = low + (high - low) / 2;
        let (allocation, promised) = at(middle)?;
        if promised >= radius {
            (chosen, high) = (allocation, middle);
        } else {
            low = middle;
        }
    }
    Ok(chosen)
}

fn check(pilot: &Counts, label: usize, k: usize, n: u64, alpha: f64, validity: Validity) -> Result<()> {
    let classes = pilot.classes();
    if label >= classes {
        return Err(Error::argument("label", format!("label {label} is not one of the {classes} labels 0..{classes}")));
    }
    check_k(k, classes)?;
    check_alpha(alpha)?;
    check_trials(n)?;
    if let Validity::AnytimeTo(last) = validity
        && n > last
    {
        return Err(Error::argument("validity", format!("\"anytime:{last}\" ends before {n} rows")));
    }
    check_trials(pilot.n())
}

/// The allocation that promises the largest radius at `n` rows, and that radius in units of sigma.
fn best(
    tried: &[Allocation],
    pilot: &Counts,
    label: usize,
    k: usize,
    n: u64,
    alpha: f64,
    validity: Validity,
) -> Result<(Allocation, f64)> {
    let expected = expected(pilot, n)?;
    let noise = Gaussian::new(1.0)?;
    let (mut best, mut best_radius) = (&tried[0], f64::NEG_INFINITY);
    for allocation in tried {
        // Shares below the least failure probability that is taken are no choice.
        let Ok(bounds) = allocation.bounds(&expected, label, k, alpha, validity) else { continue };
        let radius = radius_of(&noise, &bounds)?.radius;
        if radius > best_radius {
            (best, best_radius) = (allocation, radius);
        }
    }
    Ok((best.clone(), best_radius))
}

/// What is tried; the first of equals is taken.
fn candidates(pilot: &Counts, label: usize, k: usize) -> Vec<Allocation> {
    let mut rivals: Vec<usize> = (0..pilot.classes()).filter(|&rival| rival != label).collect();
    rivals.sort_by_key(|&rival| std::cmp::Reverse(pilot.labels()[rival]));
    let mut tried = vec![Allocation::default(), Allocation::BinoCp, Allocation::SimuEm];
    for share in SHARES {
        tried.push(Allocation::Ranked { label_share: Some(share) });
        for named in 0..k.min(MOST_NAMED + 1) {
            let mut named = rivals[..named].to_vec();
            named.sort_unstable();
            tried.push(Allocation::Pooled { label_share: share, named });
        }
    }
    tried
}

/// The most rivals named: further ones have next to no rows of the pilot to be known by.
const MOST_NAMED: usize = 8;

/// The counts that `n` rows would have.
fn expected(pilot: &Counts, n: u64) -> Result<Counts> {
    let with = |rows: u64| pilot.labels().iter().filter(|&&count| count == rows).count() as f64;
    let (never, once, twice) = (with(0), with(1), with(2));
    // Ney, Essen and Kneser's estimate; nothing where every label was seen, or none just once.
    let discount = if never > 0.0 && once > 0.0 { once / (once + 2.0 * twice) } else { 0.0 };
    let classes = pilot.classes() as f64;
    let spread = (1.0 + discount * (classes - never)) / classes;
    let scale = n as f64 / (pilot.n() as f64 + 1.0);
    let mut left = n;
    let counts = pilot.labels().iter().map(|&count| {
        let kept = if count > 0 { count as f64 - discount } else { 0.0 };
        let count = ((scale * (kept + spread)).round() as u64).min(left);
        left -= count;
        count
    });
    Counts::expected(counts.collect(), n, (scale * pilot.invalid() as f64).round() as u64)
}
