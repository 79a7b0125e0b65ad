//! The certificate of a set of true labels, for a base classifier that gives a sample up to k' labels.

use super::basis::Basis;
use super::search::search;
use super::slots::{Group, Side, cut, slots};
use crate::perturbation::Shift;
use crate::stats::{Allocation, Prob, Tally, Validity, check_k, check_label, check_trials};
use crate::{Error, Result};

/// The statement that at least e of the d `labels` are among the smoothed classifier's top `k`, for every perturbation
/// of size below the e-th radius ([`Shift::per_unit`]: of that size at most, where radii are multiples of a unit). For
/// all e at once it is wrong with probability at most the alpha of its basis.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LabelSetCertificate {
    /// The true labels, ascending.
    pub labels: Vec<usize>,
    /// The size of the top set.
    pub k: usize,
    /// The most labels that the base classifier gives a sample.
    pub base_k: usize,
    /// The radius for e = 1, 2, .., min(d, k), rounded down: 0 where nothing is certified, infinity where so few labels
    /// are others that no perturbation can do it. Never rises with e.
    pub radii: Vec<f64>,
    /// How alpha was split between the bounds.
    pub allocation: Allocation,
    /// What it rests on.
    pub basis: Basis,
}

impl LabelSetCertificate {
    /// Whether anything is certified: one of the labels is among the top k within a positive radius.
    pub fn certified(&self) -> bool {
        self.radii.first().is_some_and(|&radius| radius > 0.0)
    }

    /// How many of the labels are certified to be among the top k for every perturbation of size `r`: below the radius,
    /// or at most the radius where radii are multiples of a unit.
    pub fn size_at(&self, r: f64) -> usize {
        let reaches = |radius: f64| radius > r || (radius == r && r > 0.0 && self.basis.noise.per_unit().is_some());
        self.radii.iter().take_while(|&&radius| reaches(radius)).count()
    }
}

/// Certifies a set of labels by numbers alone: how many of `labels` stay among the top `k`, and how far.
///
/// MultiGuard (Jia, Qu, Gong, NeurIPS 2022) with a sharper theorem; each label is bounded for itself, since the count
/// of two labels together is not binomial. The set must have been fixed before the samples were drawn, or chosen by
/// other samples. The allocation is `ranked` or `simuem`.
///
/// # Errors
/// `InvalidArgument` when `labels` is empty, not ascending, or names no label; k is not in 1..c; the allocation is
/// another one; alpha or a share of it is out of range; or there is no sample, or too many.
///
/// ```
/// use smoothtopk::certificate::{Basis, certify_label_set};
/// use smoothtopk::perturbation::Gaussian;
/// use smoothtopk::stats::{Allocation, Tally, Validity};
/// // 1000 samples, each given up to 2 of 4 labels.
/// let tally = Tally::of_sets(vec![940, 730, 120, 45], 1000, 0, 2)?;
/// let basis = Basis::assuming(Gaussian::new(0.5)?, 1000, 0.001, Validity::Fixed);
/// let found = certify_label_set(&basis, &tally, &[0, 1], 2, &Allocation::default())?;
/// assert!(found.radii[0] > 0.6 && found.radii[1] > 0.3);
/// assert_eq!(found.size_at(0.5), 1);
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub fn certify_label_set(
    basis: &Basis,
    tally: &Tally,
    labels: &[usize],
    k: usize,
    allocation: &Allocation,
) -> Result<LabelSetCertificate> {
    basis.check()?;
    check_trials(tally.n())?;
    basis.check_rows(tally.n())?;
    let classes = tally.classes();
    check_k(k, classes)?;
    check_set(labels, classes)?;
    if let Validity::Randomized(_) = basis.validity {
        return Err(Error::argument("randomized", "bounds can be randomized for the certificate of one label only"));
    }
    let share = match basis.validity {
        Validity::Exact => 0.0,
        _ => allocation.share_for_set(basis.alpha_left, labels.len(), k, classes)?,
    };
    let is_true = |label: &usize| labels.binary_search(label).is_ok();
    let (own, others): (Vec<usize>, Vec<usize>) = (0..classes).partition(is_true);
    let counts = |labels: &[usize]| {
        let mut counts: Vec<u64> = labels.iter().map(|&label| tally.labels()[label]).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts
    };
    let lower = |&count: &u64| basis.validity.lower(count, tally.n(), share);
    let upper = |&count: &u64| basis.validity.upper(count + tally.invalid(), tally.n(), share);
    let own: Vec<Prob> = counts(&own).iter().map(lower).collect::<Result<_>>()?;
    let others: Vec<Prob> = counts(&others).iter().take(k).map(upper).collect::<Result<_>>()?;
    let base_k = tally.base_k().unwrap_or(1);
    // What no perturbation can do, none of the rounding can.
    let less_cost = |radius| if radius == f64::INFINITY { radius } else { basis.less_cost(radius) };
    let radii = radii(&basis.noise, &own, &others, k, base_k).into_iter().map(less_cost);
    Ok(LabelSetCertificate {
        labels: labels.to_vec(),
        k,
        base_k,
        radii: radii.collect(),
        allocation: allocation.clone(),
        basis: Basis { n: tally.n(), ..*basis },
    })
}

fn check_set(labels: &[usize], classes: usize) -> Result<()> {
    if labels.is_empty() {
        return Err(Error::argument("labels", "there must be at least one true label"));
    }
    if labels.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(Error::argument("labels", "the true labels must be in ascending order, each once"));
    }
    labels.iter().try_for_each(|&label| check_label(label, classes, "labels"))
}

/// The radius for each e, where `own` are lower bounds of the true labels and `others` upper bounds of the k likeliest
/// others (all, where there are fewer); both descending.
///
/// Should fewer than e of the labels be among the top k, d - e + 1 of them are not, and s = k - e + 1 others are, each
/// of which has no less than any of the former. The u likeliest of the former and the v least likely of the latter then
/// have means that one comparison rules out.
fn radii<F: Shift>(noise: &F, own: &[Prob], others: &[Prob], k: usize, base_k: usize) -> Vec<f64> {
    let rest = rest(own, base_k);
    let mut radii: Vec<f64> = Vec::new();
    for e in 1..=own.len().min(k) {
        let strongest = k - e + 1;
        if others.len() < strongest {
            radii.push(f64::INFINITY);
            continue;
        }
        let left_out = &own[e - 1..];
        let lows = (1..=left_out.len()).map(|u| {
            let group = slots(&left_out[..u], base_k, Side::Below);
            Group::new(noise, &group, Side::Below, u)
        });
        let highs = (1..=strongest).map(|v| {
            let group = cut(slots(&others[strongest - v..strongest], base_k, Side::Above), rest);
            Group::new(noise, &group, Side::Above, v)
        });
        let (lows, highs): (Vec<Group>, Vec<Group>) = (lows.collect(), highs.collect());
        // The logarithm of a quotient that is 1 at the root.
        let lead = |r: f64| {
            let low = lows.iter().map(|group| group.mean(noise, r)).fold(0.0, f64::max);
            let high = highs.iter().map(|group| group.mean(noise, r)).fold(f64::INFINITY, f64::min);
            (low / high * (1.0 - 4.0 * f64::EPSILON)).ln()
        };
        let radius = if lead(0.0) > 0.0 { search(noise, lead, 0.0, None) } else { 0.0 };
        // More labels never stay farther.
        radii.push(radius.min(radii.last().copied().unwrap_or(f64::INFINITY)));
    }
    radii
}

/// What the true labels leave to the others of a sample's `base_k` places, rounded up. With k' of them or fewer from
/// their complements, so that a small rest keeps its digits.
fn rest(own: &[Prob], base_k: usize) -> f64 {
    match base_k.checked_sub(own.len()) {
        Some(free) => own.iter().rev().fold(free as f64, |sum, bound| match sum {
            0.0 => bound.q,
            sum => (sum + bound.q).next_up(),
        }),
        None => {
            let taken = own.iter().fold(0.0, |sum: f64, bound| (sum + bound.p).next_down());
            (base_k as f64 - taken).next_up().max(0.0)
        }
    }
}
