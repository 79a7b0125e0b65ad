//! Properties over random counts, of up to about 10^12 rows.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use smoothtopk::certificate::{AnswerLabels, BoundFunctions, Selection};
use smoothtopk::stats::Tally;

use crate::statements::{certify_each, certify_kept, certify_order, certify_set};

const FIXED: BoundFunctions = BoundFunctions::FIXED;

/// Radii are found to 1e-11 sigma; two of them compare up to more than twice that, in units of sigma = 1.
const ROUNDING: f64 = 3e-11;

/// Counts that fall roughly geometrically, with ties and zeros among them and some rows without a label, in random
/// order.
fn counts() -> impl Strategy<Value = Tally> {
    let weights = prop::collection::vec(prop_oneof![0.0..1.0f64, Just(1.0), Just(0.0)], 3..12);
    (weights, 0u32..37, 0.0..3.0f64, 0u64..1000).prop_map(|(weights, bits, fall, none)| {
        let most = (1u64 << bits) as f64;
        let labels: Vec<u64> =
            weights.iter().enumerate().map(|(i, w)| (most * w * (-fall * i as f64).exp()) as u64).collect();
        let n = labels.iter().sum::<u64>() + none.max(1);
        Tally::new(labels, n).unwrap()
    })
}

fn alphas() -> impl Strategy<Value = f64> {
    (-12.0..-1.3f64).prop_map(|exponent| 10f64.powf(exponent))
}

fn answers(counts: &Tally, k: usize) -> [AnswerLabels; 2] {
    let same = AnswerLabels::same_counts(counts, k).unwrap();
    let pilot = AnswerLabels::independent(same.labels().to_vec()).unwrap();
    [same, pilot]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000, rng_seed: RngSeed::Fixed(23), failure_persistence: None, ..ProptestConfig::default()
    })]

    /// Asked for nothing else the set's radius is no smaller than the least of all labels' radii: the test of the
    /// choice is never what costs it.
    #[test]
    fn the_set_stays_at_least_as_long_as_all_its_labels(
        counts in counts(), alpha in alphas(), pick in any::<prop::sample::Index>(),
    ) {
        let k = 1 + pick.index(counts.classes() - 1);
        for returned in answers(&counts, k) {
            let each = certify_each(&counts, &returned, 1.0, alpha, &FIXED).unwrap();
            let set = certify_set(&counts, &returned, 1.0, alpha, &FIXED).unwrap();
            prop_assert!(set.radius >= each.radius_of_all() - ROUNDING, "{} < {each:?}", set.radius);
            prop_assert!(set.radius.is_finite());
        }
    }

    /// Rows without a label count as whichever rival they would help: with any labels in their place every radius
    /// holds.
    #[test]
    fn failures_only_shrink_a_guarantee(
        counts in counts(), alpha in alphas(), pick in any::<prop::sample::Index>(),
        to in prop::collection::vec(any::<prop::sample::Index>(), 4), anytime in any::<bool>(),
    ) {
        let k = 1 + pick.index(counts.classes() - 1);
        let mut labels = counts.labels().to_vec();
        for (i, to) in to.iter().enumerate() {
            let (part, classes) = (counts.invalid() / 4, labels.len());
            labels[to.index(classes)] += if i == 0 { counts.invalid() - 3 * part } else { part };
        }
        let complete = Tally::new(labels, counts.n()).unwrap();
        let inference = if anytime { BoundFunctions::ANYTIME } else { FIXED };
        let [same, pilot] = answers(&counts, k);
        for returned in [same, pilot] {
            let radii = |counts: &Tally, returned: &AnswerLabels| {
                let each = certify_each(counts, returned, 1.0, alpha, &inference).unwrap();
                let mut radii: Vec<f64> = each.labels.iter().map(|label| label.radius).collect();
                radii.extend((1..=k).map(|e| {
                    certify_order(counts, returned, e, 1.0, alpha, &inference).unwrap().radius
                }));
                radii.extend((1..=k).filter(|e| k - e < counts.classes() - k).map(|e| {
                    certify_kept(counts, returned, e, 1.0, alpha, &inference).unwrap().radius
                }));
                radii
            };
            let without = radii(&counts, &returned);
            // Labels that the same counts chose are others' choice in the complete ones, unless it is shown that they
            // are not.
            let complete_of = match returned.selection() {
                Selection::Pilot => returned,
                _ if AnswerLabels::same_counts(&complete, k).unwrap().labels() == returned.labels() => returned,
                _ => {
                    // Nothing is said of an order, or of a whole set, that they do not have.
                    let others = AnswerLabels::same_counts(&complete, k).unwrap();
                    let first = |labels: &[usize], e: usize| {
                        let mut first = labels[..e].to_vec();
                        first.sort_unstable();
                        first
                    };
                    for e in 1..=k {
                        if first(others.labels(), e) != first(returned.labels(), e) {
                            prop_assert!(without[k + e - 1..2 * k].iter().all(|&radius| radius == 0.0), "{without:?}");
                        }
                    }
                    if first(others.labels(), k) != first(returned.labels(), k) {
                        prop_assert!(without[without.len() - 1] == 0.0, "{without:?}");
                    }
                    continue;
                }
            };
            for (without, with) in without.iter().zip(radii(&complete, &complete_of)) {
                prop_assert!(*without <= with + ROUNDING, "{without} > {with}");
            }
        }
    }

    #[test]
    fn radii_rise_with_alpha_and_with_what_a_pilot_saves(
        counts in counts(), a in alphas(), b in alphas(), pick in any::<prop::sample::Index>(),
        part in any::<prop::sample::Index>(),
    ) {
        let k = 1 + pick.index(counts.classes() - 1);
        let e = 1 + part.index(k);
        let radii = |returned: &AnswerLabels, alpha: f64| {
            let each = certify_each(&counts, returned, 1.0, alpha, &FIXED).unwrap();
            let mut radii: Vec<f64> = each.labels.iter().map(|label| label.radius).collect();
            radii.push(certify_order(&counts, returned, e, 1.0, alpha, &FIXED).unwrap().radius);
            if k - e < counts.classes() - k {
                radii.push(certify_kept(&counts, returned, e, 1.0, alpha, &FIXED).unwrap().radius);
            }
            radii
        };
        let [same, pilot] = answers(&counts, k);
        for returned in [&same, &pilot] {
            for (more, less) in radii(returned, a.max(b)).iter().zip(radii(returned, a.min(b))) {
                prop_assert!(*more >= less - ROUNDING, "{more} < {less}");
            }
        }
        // The same labels, had they been chosen beforehand.
        let (paid, free) = (radii(&same, a), radii(&pilot, a));
        prop_assert!(paid[k] <= free[k] + ROUNDING);
        prop_assert!(paid[..k].iter().zip(&free).all(|(same, pilot)| *same <= pilot + ROUNDING));
    }
}
