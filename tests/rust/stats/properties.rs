//! Properties of certificates, over random counts.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use smoothtopk::certificate::predict;
use smoothtopk::stats::{Allocation, Tally, Validity, binomial};

use crate::statements::{certify, certify_with};

/// Radii are found to 1e-11 sigma; two of them compare up to twice that, in units of sigma = 1.
const ROUNDING: f64 = 3e-11;

fn allocations() -> impl Strategy<Value = Allocation> {
    prop::sample::select(Allocation::PLAIN.to_vec())
}

/// Counts in which label 0 often leads, with some rows without a label, of up to about 10^12 rows.
fn counts() -> impl Strategy<Value = Tally> {
    (2usize..12, 0u32..38, any::<bool>()).prop_flat_map(|(classes, bits, leads)| {
        let most = 1u64 << bits;
        let own = if leads { most / 2..=most } else { 0..=most };
        (own, prop::collection::vec(0..=most / 3, classes - 1), 1..=1 + most / 10).prop_map(|(own, rest, none)| {
            let mut labels = vec![own];
            labels.extend(rest);
            let n = labels.iter().sum::<u64>() + none;
            Tally::new(labels, n).unwrap()
        })
    })
}

fn alphas() -> impl Strategy<Value = f64> {
    (-12.0..-0.31f64).prop_map(|exponent| 10f64.powf(exponent))
}

fn radius(counts: &Tally, k: usize, alpha: f64, allocation: &Allocation) -> f64 {
    certify(counts, 0, k, 1.0, alpha, allocation).unwrap().radius
}

/// `counts` with `rows` moved from one label, or from no label, to another.
fn moved(counts: &Tally, from: Option<usize>, to: usize, rows: u64) -> Tally {
    let mut labels = counts.labels().to_vec();
    if let Some(from) = from {
        labels[from] -= rows;
    }
    labels[to] += rows;
    Tally::new(labels, counts.n()).unwrap()
}

/// `counts` with labels for the rows that have none, in these proportions.
fn labelled(counts: &Tally, weights: &[f64]) -> Tally {
    let weights = &weights[..counts.classes()];
    let total = weights.iter().sum::<f64>().max(1e-9);
    let (mut labels, mut left) = (counts.labels().to_vec(), counts.invalid());
    for (label, weight) in labels.iter_mut().zip(weights) {
        let rows = ((weight / total * counts.invalid() as f64) as u64).min(left);
        *label += rows;
        left -= rows;
    }
    *labels.last_mut().unwrap() += left;
    Tally::new(labels, counts.n()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000, rng_seed: RngSeed::Fixed(20), failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn radius_falls_when_a_rival_gains(
        counts in counts(), alpha in alphas(), allocation in allocations(), share in 0.0..=1.0f64,
        pick in any::<prop::sample::Index>(),
        kp in any::<prop::sample::Index>(),
    ) {
        let k = 1 + kp.index(counts.classes() - 1);
        let rival = 1 + pick.index(counts.classes() - 1);
        let before = radius(&counts, k, alpha, &allocation);
        let rows = (share * counts.labels()[0] as f64) as u64;
        let after = radius(&moved(&counts, Some(0), rival, rows), k, alpha, &allocation);
        prop_assert!(after <= before + ROUNDING, "{after} > {before}");
    }

    /// Rows without a label count as whichever rival they would help: with any labels in their place the radius holds.
    #[test]
    fn failures_only_shrink_a_certificate(
        counts in counts(), alpha in alphas(), allocation in allocations(),
        weights in prop::collection::vec(0.0..1.0f64, 12),
        kp in any::<prop::sample::Index>(), anytime in any::<bool>(), own_share in 0.05..0.95f64,
    ) {
        let k = 1 + kp.index(counts.classes() - 1);
        let complete = labelled(&counts, &weights);
        let validity = if anytime { Validity::Anytime } else { Validity::Fixed };
        for allocation in [allocation, Allocation::Pooled { label_share: own_share, named: Vec::new() }] {
            let radius = |counts: &Tally| certify_with(counts, 0, k, 1.0, alpha, &allocation, validity).unwrap().radius;
            let (with, without) = (radius(&complete), radius(&counts));
            prop_assert!(without <= with + ROUNDING, "{allocation}: {without} > {with}");
        }
        let (with, without) = (predict(&complete, k, alpha).unwrap(), predict(&counts, k, alpha).unwrap());
        prop_assert!(without.p_value >= with.p_value * (1.0 - 1e-9), "{} < {}", without.p_value, with.p_value);
        if let Some(labels) = without.labels() {
            let sorted = |labels: &[usize]| { let mut labels = labels.to_vec(); labels.sort_unstable(); labels };
            prop_assert_eq!(sorted(labels), sorted(&with.top));
        }
    }

    #[test]
    fn radius_rises_when_the_label_gains(
        counts in counts(), alpha in alphas(), allocation in allocations(), share in 0.0..=1.0f64,
        kp in any::<prop::sample::Index>(),
    ) {
        let k = 1 + kp.index(counts.classes() - 1);
        let more = moved(&counts, None, 0, (share * counts.invalid() as f64) as u64);
        prop_assert!(radius(&more, k, alpha, &allocation) >= radius(&counts, k, alpha, &allocation) - ROUNDING);
    }

    #[test]
    fn radius_rises_with_alpha(
        counts in counts(), a in alphas(), b in alphas(), allocation in allocations(),
        kp in any::<prop::sample::Index>(),
    ) {
        let k = 1 + kp.index(counts.classes() - 1);
        prop_assert!(radius(&counts, k, a.max(b), &allocation) >= radius(&counts, k, a.min(b), &allocation) - ROUNDING);
    }

    #[test]
    fn radius_rises_with_k_where_the_bounds_do_not_depend_on_k(counts in counts(), alpha in alphas()) {
        for allocation in [Allocation::SimuEm, Allocation::BinoCp] {
            let radii: Vec<f64> = (1..counts.classes()).map(|k| radius(&counts, k, alpha, &allocation)).collect();
            prop_assert!(radii.windows(2).all(|pair| pair[1] >= pair[0] - ROUNDING), "{radii:?}");
        }
    }

    #[test]
    fn ranked_is_never_below_simuem(counts in counts(), alpha in alphas(), kp in any::<prop::sample::Index>()) {
        let k = 1 + kp.index(counts.classes() - 1);
        let ranked = radius(&counts, k, alpha, &Allocation::default());
        let simuem = radius(&counts, k, alpha, &Allocation::SimuEm);
        prop_assert!(ranked >= simuem - ROUNDING, "{ranked} < {simuem}");
    }

    #[test]
    fn scaling_sigma_scales_the_radius(
        counts in counts(), alpha in alphas(), allocation in allocations(), scale in 1e-6..1e6f64,
    ) {
        let one = radius(&counts, 1, alpha, &allocation);
        let scaled = certify(&counts, 0, 1, scale, alpha, &allocation).unwrap().radius / scale;
        prop_assert!((scaled - one).abs() <= ROUNDING, "{scaled} {one}");
    }

    #[test]
    fn rows_without_a_label_only_shrink(
        counts in counts(), alpha in alphas(), allocation in allocations(), more in 1u64..1_000_000,
    ) {
        let diluted = Tally::new(counts.labels().to_vec(), counts.n() + more).unwrap();
        prop_assert!(radius(&diluted, 1, alpha, &allocation) <= radius(&counts, 1, alpha, &allocation) + ROUNDING);
    }

    #[test]
    fn order_of_the_rivals_does_not_matter(counts in counts(), alpha in alphas(), allocation in allocations()) {
        let mut labels = counts.labels().to_vec();
        labels[1..].reverse();
        let reversed = Tally::new(labels, counts.n()).unwrap();
        prop_assert_eq!(radius(&reversed, 1, alpha, &allocation), radius(&counts, 1, alpha, &allocation));
    }

    /// An implementation of the incomplete beta function that is not ours agrees, where its accuracy allows.
    #[test]
    fn clopper_pearson_inverts_an_independent_incomplete_beta(
        trials in 1u64..3000, part in 0.0..=1.0f64, alpha in alphas()
    ) {
        let n = 1 + (part * (trials - 1) as f64) as u64;
        let bound = binomial::lower(n, trials, alpha).unwrap();
        let tail = statrs::function::beta::beta_reg(n as f64, (trials - n + 1) as f64, bound.p);
        prop_assert!((tail / alpha - 1.0).abs() < 1e-9, "{tail:e} {alpha:e}");
    }
}
