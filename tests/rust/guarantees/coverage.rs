//! Coverage: guarantees from simulated counts of known distributions are false with a rate that is consistent with
//! alpha, with labels chosen by the same counts and by a pilot; and the same check catches what is not sound.
//!
//! A guarantee is false when its radius (any of its radii, for every label) exceeds the exact one of the true
//! probabilities.
//!
//! False alarms: each rate is compared with alpha by an exact binomial test at 1e-9, and fewer than 1000 rates are
//! compared, so a sound library fails here with probability below 1e-6. Seeds are fixed, so it either does or does not.

use rand::SeedableRng;
use rand::rngs::StdRng;
use smoothtopk::certificate::{AnswerLabels, BoundFunctions};
use smoothtopk::stats::{Prob, Tally, binomial};

use super::truth::Truth;
use crate::statements::{certify_each, certify_kept, certify_order};

pub const ALPHA: f64 = 0.05;
const FALSE_ALARM: f64 = 1e-9;

/// Whether `failures` of `draws` show, at a false-alarm rate of `FALSE_ALARM`, a failure rate above `alpha`.
pub fn exceeds(failures: u64, draws: u64, alpha: f64) -> bool {
    binomial::lower(failures, draws, FALSE_ALARM).expect("counts").p > alpha
}

/// What is asked of an answer.
#[derive(Clone, Copy, Debug)]
pub enum Asked {
    Each,
    Kept(usize),
    Order(usize),
}

impl Asked {
    /// All that can be asked of k labels of c.
    pub fn all(k: usize, classes: usize) -> Vec<Self> {
        let kept = (1..=k).filter(|e| k - e < classes - k).map(Self::Kept);
        [Self::Each].into_iter().chain(kept).chain((1..=k).map(Self::Order)).collect()
    }

    /// Whether the guarantee from these counts is false.
    pub fn is_false(
        self,
        truth: &Truth,
        counts: &Tally,
        returned: &AnswerLabels,
        alpha: f64,
        inference: &BoundFunctions,
    ) -> bool {
        let k = returned.labels().len();
        match self {
            Self::Each => {
                let each = certify_each(counts, returned, 1.0, alpha, inference).expect("valid");
                each.labels.iter().any(|label| label.radius > truth.label(label.label, k))
            }
            Self::Kept(e) => {
                let kept = certify_kept(counts, returned, e, 1.0, alpha, inference).expect("valid");
                kept.certified() && kept.radius > truth.kept(returned.labels(), e)
            }
            Self::Order(places) => {
                let order = certify_order(counts, returned, places, 1.0, alpha, inference).expect("valid");
                order.certified() && order.radius > truth.order(&order.labels)
            }
        }
    }
}

/// False statements for each thing asked, of `draws`, with labels from the same counts and from a pilot of n/4 rows.
fn failures(truth: &Truth, n: u64, k: usize, alpha: f64, draws: u64, seed: u64) -> Vec<(Asked, [u64; 2])> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut failed: Vec<_> = Asked::all(k, truth.p.len()).into_iter().map(|asked| (asked, [0, 0])).collect();
    for _ in 0..draws {
        let (pilot, counts) = (truth.draw(n / 4, &mut rng), truth.draw(n, &mut rng));
        let chosen = [AnswerLabels::same_counts(&counts, k).expect("k"), AnswerLabels::pilot(&pilot, k).expect("k")];
        for (asked, failed) in &mut failed {
            for (failed, returned) in failed.iter_mut().zip(&chosen) {
                *failed += u64::from(asked.is_false(truth, &counts, returned, alpha, &BoundFunctions::FIXED));
            }
        }
    }
    failed
}

/// Checks shapes at several k; prints the rates.
fn check(shapes: &[(Truth, u64, &[usize])], draws: u64) {
    for (i, (truth, n, ks)) in shapes.iter().enumerate() {
        for &k in *ks {
            for (asked, failed) in failures(truth, *n, k, ALPHA, draws, 2000 + i as u64) {
                println!(
                    "c = {} shape {i} k = {k} {asked:?}: false of {draws}: {failed:?} (same, pilot)",
                    truth.p.len()
                );
                assert!(
                    failed.iter().all(|&failed| !exceeds(failed, draws, ALPHA)),
                    "{asked:?}, {i}, k = {k}: {failed:?}"
                );
            }
        }
    }
}

#[test]
fn false_guarantees_are_rarer_than_alpha_with_3_labels() {
    check(
        &[
            (Truth::new(3, &[0.55, 0.45]), 1000, &[1, 2]),
            (Truth::new(3, &[0.4, 0.35]), 1000, &[1, 2]),
            (Truth::new(3, &[1.0 / 3.0, 1.0 / 3.0]), 300, &[1, 2]),
            (Truth::new(3, &[0.5, 0.5]), 1000, &[1]),
            (Truth::new(3, &[0.97, 0.02]), 50, &[1, 2]),
        ],
        10_000,
    );
}

#[test]
fn false_guarantees_are_rarer_than_alpha_with_10_labels() {
    check(
        &[
            (Truth::new(10, &[0.93, 0.05]), 1000, &[1, 3]),
            (Truth::new(10, &[0.1]), 2000, &[1, 3, 7]),
            (Truth::new(10, &[0.25, 0.25, 0.24, 0.24]), 500, &[2, 3]),
            (Truth::new(10, &[0.3, 0.3, 0.3, 0.03]), 300, &[3, 4]),
            (Truth::new(10, &[0.4, 0.3, 0.2, 0.05]), 400, &[3]),
        ],
        4_000,
    );
}

#[test]
fn false_guarantees_are_rarer_than_alpha_with_1000_labels() {
    check(
        &[
            (Truth::new(1000, &[0.5, 0.3]), 1000, &[1, 3]),
            (Truth::new(1000, &[0.001]), 5000, &[1, 4]),
            (Truth::new(1000, &[0.3, 0.3, 0.3]), 400, &[2, 3]),
        ],
        1_000,
    );
}

#[test]
fn the_check_catches_ten_times_the_alpha() {
    // Two labels at the top and one boundary: every bound that is paid for can fail.
    let failed = failures(&Truth::new(3, &[0.5, 0.4]), 1000, 1, 10.0 * ALPHA, 10_000, 7);
    for (asked, [same, pilot]) in failed {
        assert!(exceeds(same, 10_000, ALPHA) && exceeds(pilot, 10_000, ALPHA), "{asked:?}: {same} {pilot}");
    }
}

/// Labels chosen by the same counts but passed off as a pilot's.
#[test]
fn the_check_catches_a_choice_that_was_not_paid_for() {
    let draws = 4_000;
    for (classes, k, asked) in
        [(200, 1, Asked::Kept(1)), (200, 3, Asked::Each), (200, 3, Asked::Kept(3)), (200, 1, Asked::Order(1))]
    {
        // Half of the rows give labels of equal probability: one of so many is lucky.
        let truth = Truth { p: vec![0.5 / classes as f64; classes] };
        let mut rng = StdRng::seed_from_u64(17);
        let failed = (0..draws).filter(|_| {
            let counts = truth.draw(1000, &mut rng);
            let honest = AnswerLabels::same_counts(&counts, k).expect("k");
            let lucky = AnswerLabels::independent(honest.labels().to_vec()).expect("labels");
            let unpaid = lower_bounds_without_uppers();
            asked.is_false(&truth, &counts, &lucky, ALPHA, &unpaid)
        });
        let failed = failed.count() as u64;
        assert!(exceeds(failed, draws, ALPHA), "{asked:?} k = {k}: {failed}");
    }
}

/// BoundFunctions whose upper bounds are known to be the truth of the labels above, 0.0025, so that only the lower ones
/// can fail: those are what the choice makes lucky.
fn lower_bounds_without_uppers() -> BoundFunctions {
    fn known(_: u64, _: u64, _: f64) -> smoothtopk::Result<Prob> {
        Ok(super::truth::prob(0.0025))
    }
    BoundFunctions { upper: known, ..BoundFunctions::FIXED }
}

/// The same validity with the choice paid for: then the statements are sound again, and the check above is of the
/// choice.
#[test]
fn paying_for_the_choice_is_what_makes_it_sound() {
    let (draws, truth, mut rng) = (4_000, Truth { p: vec![0.0025; 200] }, StdRng::seed_from_u64(17));
    let mut failed = 0;
    for _ in 0..draws {
        let counts = truth.draw(1000, &mut rng);
        let returned = AnswerLabels::same_counts(&counts, 3).expect("k");
        failed += u64::from(Asked::Each.is_false(&truth, &counts, &returned, ALPHA, &lower_bounds_without_uppers()));
    }
    assert!(!exceeds(failed, draws, ALPHA), "{failed}");
}

#[test]
fn the_check_catches_frequencies_taken_for_bounds() {
    fn frequency(n: u64, trials: u64, _: f64) -> smoothtopk::Result<Prob> {
        Ok(super::truth::prob(n as f64 / trials as f64))
    }
    let frequencies = BoundFunctions { lower: frequency, upper: frequency, ..BoundFunctions::FIXED };
    let truth = Truth::new(7, &[0.4, 0.3, 0.14, 0.08, 0.05, 0.02]);
    let mut rng = StdRng::seed_from_u64(11);
    for asked in Asked::all(3, 7) {
        let failed = (0..2_000).filter(|_| {
            let counts = truth.draw(1000, &mut rng);
            let returned = AnswerLabels::same_counts(&counts, 3).expect("k");
            asked.is_false(&truth, &counts, &returned, ALPHA, &frequencies)
        });
        assert!(exceeds(failed.count() as u64, 2_000, ALPHA), "{asked:?}");
    }
}

/// The pair that gives way first is bounded at the full alpha: its failure rate must come near alpha, or the check
/// could not tell alpha from much less, and the radius could be larger.
#[test]
fn the_order_of_a_ranking_is_tight() {
    let failed = failures(&Truth::new(4, &[0.5, 0.3, 0.2 - 1e-9]), 2000, 2, ALPHA, 10_000, 13);
    let rate = |wanted: usize| {
        failed
            .iter()
            .find_map(|(asked, [_, pilot])| matches!(asked, Asked::Order(p) if *p == wanted).then_some(*pilot))
            .unwrap()
    };
    // Two bounds on counts that are negatively correlated, and a radius in which their errors add: below alpha, not
    // tiny.
    assert!(rate(1) > 50, "{failed:?}");
}
