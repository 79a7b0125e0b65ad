//! Properties of bounds that hold at all looks, of randomized ones, and of allocations; over random arguments.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use smoothtopk::certificate::stop::{Rule, Tolerance};
use smoothtopk::stats::randomized::{self, Uniform};
use smoothtopk::stats::{Allocation, MAX_TRIALS, Tally, Validity, anytime, binomial};

use crate::statements::{certify_with, choose};

/// More than two bounds that compare can differ by rounding.
const ROUNDING: f64 = 5e-12;

/// Successes and trials.
fn samples() -> impl Strategy<Value = (u64, u64)> {
    (0u32..40).prop_flat_map(|bits| {
        let most = 1u64 << bits;
        (1..=most).prop_flat_map(|n| (prop_oneof![0..=n, Just(n), Just(n - n / 100), Just(n / 2)], Just(n)))
    })
}

fn alphas() -> impl Strategy<Value = f64> {
    (-12.0..-0.31f64).prop_map(|exponent| 10f64.powf(exponent))
}

fn validity() -> impl Strategy<Value = Validity> {
    let randomized = any::<u64>().prop_map(|bits| Validity::Randomized(Uniform::from_bits(bits)));
    // More rows than any sample has: the bounds at the last one have a test of their own.
    prop_oneof![Just(Validity::Fixed), Just(Validity::Anytime), Just(Validity::AnytimeTo(MAX_TRIALS)), randomized]
}

fn allocations() -> impl Strategy<Value = Allocation> {
    let share = 1e-6..(1.0 - 1e-6);
    prop_oneof![
        Just(Allocation::default()),
        Just(Allocation::SimuEm),
        Just(Allocation::BinoCp),
        share.clone().prop_map(|share| Allocation::Ranked { label_share: Some(share) }),
        (share, prop::collection::btree_set(1usize..40, 0..5))
            .prop_map(|(label_share, named)| Allocation::Pooled { label_share, named: named.into_iter().collect() }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500, rng_seed: RngSeed::Fixed(50), failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_bound_at_all_looks_is_below_that_at_one((s, n) in samples(), alpha in alphas()) {
        let (all, one) = (anytime::lower(s, n, alpha).unwrap(), binomial::lower(s, n, alpha).unwrap());
        prop_assert!(all.p <= one.p * (1.0 + ROUNDING) && all.q >= one.q * (1.0 - ROUNDING), "{all:?} {one:?}");
        prop_assert!(all.p >= 0.0 && all.q <= 1.0 && (all.p + all.q - 1.0).abs() < 1e-15);
    }

    #[test]
    fn bounds_up_to_a_last_row_have_half_of_alpha_there_and_half_before(
        (s, n) in samples(), more in 1u64..1000, alpha in alphas(),
    ) {
        let at = |last: u64| Validity::AnytimeTo(last);
        prop_assert_eq!(at(n).lower(s, n, alpha).unwrap(), binomial::lower(s, n, 0.5 * alpha).unwrap());
        prop_assert_eq!(at(n).upper(s, n, alpha).unwrap(), binomial::upper(s, n, 0.5 * alpha).unwrap());
        prop_assert_eq!(at(n + more).lower(s, n, alpha).unwrap(), anytime::lower(s, n, 0.5 * alpha).unwrap());
        prop_assert_eq!(at(n + more).upper(s, n, alpha).unwrap(), anytime::upper(s, n, 0.5 * alpha).unwrap());
        let beyond = at(n).lower(s, n + more, alpha).unwrap_err();
        prop_assert_eq!(beyond.field(), Some("validity"));
    }

    #[test]
    fn bounds_rise_with_successes_and_with_alpha((s, n) in samples(), alpha in alphas(), kind in validity()) {
        let here = kind.lower(s, n, alpha).unwrap();
        if s < n {
            prop_assert!(kind.lower(s + 1, n, alpha).unwrap().p >= here.p * (1.0 - ROUNDING));
        }
        // A further failure never helps; but for a randomized bound that is kept below 1 where every trial succeeded.
        if !(matches!(kind, Validity::Randomized(_)) && s == n) {
            prop_assert!(kind.lower(s, n + 1, alpha).unwrap().p <= here.p * (1.0 + ROUNDING));
        }
        prop_assert!(kind.lower(s, n, (1.5 * alpha).min(0.5)).unwrap().p >= here.p * (1.0 - ROUNDING));
    }

    #[test]
    fn a_randomized_bound_lies_between_two_plain_ones((s, n) in samples(), alpha in alphas(), bits in any::<u64>()) {
        let bound = randomized::lower(s, n, alpha, Uniform::from_bits(bits)).unwrap();
        prop_assert!(bound.p >= binomial::lower(s, n, alpha).unwrap().p * (1.0 - ROUNDING));
        if s < n {
            prop_assert!(bound.p <= binomial::lower(s + 1, n, alpha).unwrap().p * (1.0 + ROUNDING));
        }
        prop_assert!(bound.p < 1.0);
    }

    #[test]
    fn what_is_written_is_read_back(kind in validity(), allocation in allocations(), value in 1e-9..1e9f64) {
        prop_assert_eq!(kind.to_string().parse::<Validity>(), Ok(kind));
        prop_assert_eq!(allocation.to_string().parse::<Allocation>(), Ok(allocation));
        let rules = [
            Rule::Fixed,
            Rule::Predict,
            Rule::Radius(value),
            Rule::Steps(value),
            Rule::Tolerance(Tolerance::Absolute(value)),
            Rule::Tolerance(Tolerance::Sigmas(value)),
        ];
        for rule in rules {
            prop_assert_eq!(rule.to_string().parse::<Rule>(), Ok(rule));
        }
    }

    /// The pilot's choice is an allocation that fits, and applied to its own counts it is no worse than the plain
    /// bounds.
    #[test]
    fn auto_fits(
        labels in prop::collection::vec(0u64..60, 3..8), pick in any::<prop::sample::Index>(),
        kp in any::<prop::sample::Index>(),
    ) {
        let n: u64 = labels.iter().sum::<u64>() + 1;
        let pilot = Tally::new(labels, n).unwrap();
        let (label, k) = (pick.index(pilot.classes()), 1 + kp.index(pilot.classes() - 1));
        let allocation = choose(&pilot, label, k, 1000, 0.001, Validity::Fixed).unwrap();
        prop_assert!(certify_with(&pilot, label, k, 1.0, 0.001, &allocation, Validity::Fixed).is_ok());
    }
}

#[test]
fn what_is_no_rule_or_allocation_is_refused() {
    for text in [
        "",
        "radius",
        "radius:",
        "radius:0",
        "radius:nan",
        "steps:0",
        "steps:1sigma",
        "tolerance:-1",
        "tolerance:1sigmas",
        "fixed:1",
        "stop",
    ] {
        assert_eq!(text.parse::<Rule>().unwrap_err().field(), Some("rule"), "{text}");
    }
    for text in [
        "",
        "pooled",
        "ranked:",
        "ranked:0",
        "ranked:1",
        "ranked:0.5:1",
        "pooled:0.5:",
        "pooled:0.5:a",
        "pooled:0.5:1:2",
    ] {
        assert_eq!(text.parse::<Allocation>().unwrap_err().field(), Some("allocation"), "{text}");
    }
    for text in [
        "",
        "randomized",
        "randomized:0",
        "randomized:1.1",
        "randomized:-0.1",
        "sometimes",
        "anytime:",
        "anytime:0",
        "anytime:1e5",
        "anytime:1000000000001",
    ] {
        assert_eq!(text.parse::<Validity>().unwrap_err().field(), Some("validity"), "{text}");
    }
}
