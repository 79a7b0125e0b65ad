//! Properties of certificates, over random counts.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use smoothtopk::certificate::{certify, certify_with, predict};
use smoothtopk::stats::{Allocation, Bound, Counts, Validity, binomial};

/// Radii are found to 1e-11 sigma; two of them compare up to twice that, in units of sigma = 1.
const ROUNDING: f64 = 3e-11;

fn bounds() -> impl Strategy<Value = Bound> {
    prop::sample::select(Bound::ALL.to_vec())
}

/// Counts in which label 0 often leads, with some rows without a label, of up to about 10^12 rows.
fn counts() -> impl Strategy<Value = Counts> {
    (2usize..12, 0u32..38, any::<bool>()).prop_flat_map(|(classes, bits, leads)| {
        let most = 1u64 << bits;
        let own = if leads { most / 2..=most } else { 0..=most };
        (own, prop::collection::vec(0..=most / 3, classes - 1), 1..=1 + most / 10).prop_map(|(own, rest, none)| {
            let mut labels = vec![own];
            labels.extend(rest);
            let n = labels.iter().sum::<u64>() + none;
            Counts::new(labels, n).unwrap()
        })
    })
}

fn alphas() -> impl Strategy<Value = f64> {
    (-12.0..-0.31f64).prop_map(|exponent| 10f64.powf(exponent))
}

fn radius(counts: &Counts, k: usize, alpha: f64, bound: Bound) -> f64 {
    certify(counts, 0, k, 1.0, alpha, bound).unwrap().radius
}

/// `counts` with `rows` moved from one label, or from no label, to another.
fn moved(counts: &Counts, from: Option<usize>, to: usize, rows: u64) -> Counts {
    let mut labels = counts.labels().to_vec();
    if let Some(from) = from {
        labels[from] -= rows;
    }
    labels[to] += rows;
    Counts::new(labels, counts.n()).unwrap()
}

/// `counts` with labels for the rows that have none, in these proportions.
fn labelled(counts: &Counts, weights: &[f64]) -> Counts {
    let weights = &weights[..counts.classes()];
    let total = weights.iter().sum::<f64>().max(1e-9);
    let (mut labels, mut left) = (counts.labels().to_vec(), counts.invalid());
    for (label, weight) in labels.iter_mut().zip(weights) {
        let rows = ((weight / total * counts.invalid() as f64) as u64).min(left);
        *label += rows;
        left -= rows;
    }
    *labels.last_mut().unwrap() += left;
    Counts::new(labels, counts.n()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, rng_seed: RngSeed::Fixed(20), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn radius_falls_when_a_rival_gains(
        counts in counts(), alpha in alphas(), bound in bounds(), share in 0.0..=1.0f64, pick in any::<prop::sample::Index>(),
        kp in any::<prop::sample::Index>(),
    ) {
        let k = 1 + kp.index(counts.classes() - 1);
        let rival = 1 + pick.index(counts.classes() - 1);
        let before = radius(&counts, k, alpha, bound);
        let rows = (share * counts.labels()[0] as f64) as u64;
        let after = radius(&moved(&counts, Some(0), rival, rows), k, alpha, bound);
        prop_assert!(after <= before + ROUNDING, "{after} > {before}");
    }

    /// Rows without a label count as whichever rival they would help: with any labels in their place the radius holds.
    #[test]
    fn failures_only_shrink_a_certificate(
        counts in counts(), alpha in alphas(), bound in bounds(), weights in prop::collection::vec(0.0..1.0f64, 12),
        kp in any::<prop::sample::Index>(), anytime in any::<bool>(), own_share in 0.05..0.95f64,
    ) {
        let k = 1 + kp.index(counts.classes() - 1);
        let complete = labelled(&counts, &weights);
        let validity = if anytime { Validity::Anytime } else { Validity::Fixed };
        for allocation in [bound.into(), Allocation::Pooled { label_share: own_share, named: Vec::new() }] {
            let radius = |counts: &Counts| certify_with(counts, 0, k, 1.0, alpha, &allocation, validity).unwrap().radius;
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
        counts in counts(), alpha in alphas(), bound in bounds(), share in 0.0..=1.0f64, kp in any::<prop::sample::Index>(),
    ) {
        let k = 1 + kp.index(counts.classes() - 1);
        let more = moved(&counts, None, 0, (share * counts.invalid() as f64) as u64);
        prop_assert!(radius(&more, k, alpha, bound) >= radius(&counts, k, alpha, bound) - ROUNDING);
    }

    #[test]
    fn radius_rises_with_alpha(counts in counts(), a in alphas(), b in alphas(), bound in bounds(), kp in any::<prop::sample::Index>()) {
        let k = 1 + kp.index(counts.classes() - 1);
        prop_assert!(radius(&counts, k, a.max(b), bound) >= radius(&counts, k, a.min(b), bound) - ROUNDING);
    }

    #[test]
    fn radius_rises_with_k_where_the_bounds_do_not_depend_on_k(counts in counts(), alpha in alphas()) {
        for bound in [Bound::SimuEm, Bound::BinoCp] {
            let radii: Vec<f64> = (1..counts.classes()).map(|k| radius(&counts, k, alpha, bound)).collect();
            prop_assert!(radii.windows(2).all(|pair| pair[1] >= pair[0] - ROUNDING), "{radii:?}");
        }
    }

    #[test]
    fn ranked_is_never_below_simuem(counts in counts(), alpha in alphas(), kp in any::<prop::sample::Index>()) {
        let k = 1 + kp.index(counts.classes() - 1);
        let (ranked, simuem) = (radius(&counts, k, alpha, Bound::Ranked), radius(&counts, k, alpha, Bound::SimuEm));
        prop_assert!(ranked >= simuem - ROUNDING, "{ranked} < {simuem}");
    }

    #[test]
    fn scaling_sigma_scales_the_radius(counts in counts(), alpha in alphas(), bound in bounds(), scale in 1e-6..1e6f64) {
        let one = radius(&counts, 1, alpha, bound);
        let scaled = certify(&counts, 0, 1, scale, alpha, bound).unwrap().radius / scale;
        prop_assert!((scaled - one).abs() <= ROUNDING, "{scaled} {one}");
    }

    #[test]
    fn rows_without_a_label_only_shrink(counts in counts(), alpha in alphas(), bound in bounds(), more in 1u64..1_000_000) {
        let diluted = Counts::new(counts.labels().to_vec(), counts.n() + more).unwrap();
        prop_assert!(radius(&diluted, 1, alpha, bound) <= radius(&counts, 1, alpha, bound) + ROUNDING);
    }

    #[test]
    fn order_of_the_rivals_does_not_matter(counts in counts(), alpha in alphas(), bound in bounds()) {
        let mut labels = counts.labels().to_vec();
        labels[1..].reverse();
        let reversed = Counts::new(labels, counts.n()).unwrap();
        prop_assert_eq!(radius(&reversed, 1, alpha, bound), radius(&counts, 1, alpha, bound));
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
