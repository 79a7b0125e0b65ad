//! How to spend alpha, chosen by pilot samples for the largest radius that is to be expected.

use super::Basis;
use super::label::radius_of;
use crate::stats::{Allocation, Tally, Validity, check_alpha, check_k, check_label, check_trials};
use crate::{Error, Result};

/// The label's shares of alpha that are tried.
const SHARES: [f64; 7] = [0.1, 0.25, 0.5, 0.7, 0.85, 0.95, 0.99];

/// The allocation of `alpha` that promises the largest radius for `label` in the top `k` from `n` samples, judged by
/// the `pilot` counts of other samples.
///
/// Tried are `binocp`, `simuem`, `ranked` and `pooled`, the last two with several shares for the label and `pooled`
/// with each number of the pilot's strongest rivals named. Any choice is sound, because the pilot samples are
/// independent of the n samples that it is applied to; only the size of the radius depends on the pilot. It is judged
/// at the counts that n samples would have at the pilot's frequencies, smoothed: what labels seen once tell of those
/// never seen is taken off the seen ones (absolute discounting) and spread over all labels, with one sample more, so
/// that no rival counts as impossible.
///
/// The basis is that of the certificate: its `n` is how many samples there will be.
///
/// # Errors
/// `InvalidArgument` when `label` is not below c, `k` not in 1..c, or `alpha`, `n` or the number of pilot samples is
/// out of range.
///
/// ```
/// use smoothtopk::certificate::{Basis, auto};
/// use smoothtopk::perturbation::Gaussian;
/// use smoothtopk::stats::{Allocation, Tally, Validity};
/// let pilot = Tally::complete(vec![52, 47, 1, 0, 0, 0])?;
/// let basis = Basis::assuming(Gaussian::new(0.25)?, 10_000, 0.001, Validity::Fixed);
/// let allocation = auto::choose(&pilot, 0, 3, &basis)?;
/// assert!(matches!(allocation, Allocation::Pooled { named, .. } if named.contains(&1)));
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub fn choose(pilot: &Tally, label: usize, k: usize, basis: &Basis) -> Result<Allocation> {
    check(pilot, label, k, basis)?;
    Ok(best(&candidates(pilot, label, k), pilot, label, k, basis)?.0)
}

/// As [`choose`], for a rule that ends the samples when `label` is certified at `radius`: the best at the fewest
/// samples, to within a sixteenth, at which any allocation promises that radius; at the basis' `n` where none does.
///
/// # Errors
/// As [`choose`]; `InvalidArgument` when `radius` is not a finite number above 0.
pub fn choose_to_reach(pilot: &Tally, label: usize, k: usize, basis: &Basis, radius: f64) -> Result<Allocation> {
    check(pilot, label, k, basis)?;
    if !(radius > 0.0 && radius.is_finite()) {
        return Err(Error::argument("radius", format!("{radius} must be a finite number above 0")));
    }
    let tried = candidates(pilot, label, k);
    let at = |n| best(&tried, pilot, label, k, &Basis { n, ..*basis });
    let (n_max, radius) = (basis.n, radius + basis.radius_cost);
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

fn check(pilot: &Tally, label: usize, k: usize, basis: &Basis) -> Result<()> {
    let &Basis { n, alpha_left, validity, .. } = basis;
    let classes = pilot.classes();
    check_label(label, classes, "label")?;
    check_k(k, classes)?;
    check_alpha(alpha_left)?;
    check_trials(n)?;
    if let Validity::AnytimeTo(last) = validity
        && n > last
    {
        return Err(Error::argument("validity", format!("\"anytime:{last}\" ends before {n} samples")));
    }
    check_trials(pilot.n())
}

/// The allocation that promises the largest radius, and that radius, before what rounding costs.
fn best(tried: &[Allocation], pilot: &Tally, label: usize, k: usize, basis: &Basis) -> Result<(Allocation, f64)> {
    let expected = expected(pilot, basis.n)?;
    let (mut best, mut best_radius) = (&tried[0], f64::NEG_INFINITY);
    for allocation in tried {
        // Shares below the least failure probability that is taken are no choice.
        let Ok(bounds) = allocation.bounds(&expected, label, k, basis.alpha_left, basis.validity) else { continue };
        let radius = radius_of(&basis.noise, &bounds)?.radius;
        if radius > best_radius {
            (best, best_radius) = (allocation, radius);
        }
    }
    Ok((best.clone(), best_radius))
}

/// What is tried; the first of equals is taken.
fn candidates(pilot: &Tally, label: usize, k: usize) -> Vec<Allocation> {
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

/// The most rivals named: further ones have next to no samples of the pilot to be known by.
const MOST_NAMED: usize = 8;

/// The counts that `n` samples would have.
fn expected(pilot: &Tally, n: u64) -> Result<Tally> {
    let with = |samples: u64| pilot.labels().iter().filter(|&&count| count == samples).count() as f64;
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
    Tally::expected(counts.collect(), n, (scale * pilot.invalid() as f64).round() as u64)
}
