//! Coverage: certificates and predictions from simulated counts of known distributions are false with a rate that is
//! consistent with alpha, for every bound; and the same check catches statistics that are not sound.
//!
//! A certificate is false when its radius exceeds the exact radius of the true probabilities (0 for a label that is not
//! strictly among the top k), a prediction when some label in it is less likely than one outside.
//!
//! False alarms: each rate is compared with alpha by an exact binomial test at 1e-8, and fewer than 100 rates are
//! compared, so a sound library fails here with probability below 1e-6. Seeds are fixed, so it either does or does not.

pub(crate) mod truth;

use crate::statements::certify;
use rand::SeedableRng;
use rand::rngs::StdRng;
use smoothtopk::certificate::{Query, predict};
use smoothtopk::counts::{Assumed, Counts};
use smoothtopk::perturbation::{Ablation, Family, Uniform};
use smoothtopk::stats::Allocation;
use truth::{ALPHA, Truth, exceeds};

/// Failures per bound, then of predict, among `draws` samples of `truth`, with the statistics told `alpha`.
fn failures(truth: &Truth, k: usize, alpha: f64, draws: u64, seed: u64) -> [u64; 4] {
    let mut rng = StdRng::seed_from_u64(seed);
    let limit = truth.radius(k);
    let mut failures = [0; 4];
    for _ in 0..draws {
        let counts = truth.draw(&mut rng);
        for (failed, allocation) in failures.iter_mut().zip(Allocation::PLAIN) {
            *failed += u64::from(certify(&counts, 0, k, 1.0, alpha, &allocation).expect("valid").radius > limit);
        }
        let prediction = predict(&counts, k, alpha).expect("valid");
        failures[3] += u64::from(prediction.labels().is_some_and(|set| !truth.is_top(set)));
    }
    failures
}

/// Checks shapes at several k; prints the rates.
fn check(shapes: &[(Truth, &[usize])], draws: u64) {
    for (i, (truth, ks)) in shapes.iter().enumerate() {
        for &k in *ks {
            let failed = failures(truth, k, ALPHA, draws, 1000 + i as u64);
            println!(
                "c = {} shape {i} k = {k}: false of {draws}: {failed:?} (ranked, simuem, binocp, predict)",
                truth.p.len()
            );
            for (name, failed) in ["ranked", "simuem", "binocp", "predict"].iter().zip(failed) {
                assert!(!exceeds(failed, draws, ALPHA), "{name}: {failed} of {draws}, shape {i}, k = {k}");
            }
        }
    }
}

#[test]
fn false_statements_are_rarer_than_alpha_with_3_labels() {
    check(
        &[
            (Truth::new(3, &[0.55, 0.45], 1000), &[1, 2]),
            (Truth::new(3, &[0.4, 0.35], 1000), &[1, 2]),
            (Truth::new(3, &[0.333, 0.3335], 3000), &[1, 2]),
            (Truth::new(3, &[0.499, 0.501], 10_000), &[1]),
            (Truth::new(3, &[0.97, 0.02], 50), &[1, 2]),
        ],
        20_000,
    );
}

#[test]
fn false_statements_are_rarer_than_alpha_with_10_labels() {
    check(
        &[
            (Truth::new(10, &[0.93, 0.05], 1000), &[1, 3]),
            (Truth::new(10, &[0.0999], 2000), &[1, 3, 9]),
            (Truth::new(10, &[0.25, 0.26, 0.24, 0.24], 500), &[1, 3]),
            (Truth::new(10, &[0.2, 0.2, 0.2, 0.2, 0.2], 300), &[2, 4]),
        ],
        20_000,
    );
}

#[test]
fn false_statements_are_rarer_than_alpha_with_1000_labels() {
    check(
        &[
            (Truth::new(1000, &[0.5, 0.3], 1000), &[1, 5]),
            (Truth::new(1000, &[0.6, 0.4 - 1e-12], 1000), &[1]),
            (Truth::new(1000, &[0.000_999], 5000), &[5]),
            (Truth::new(1000, &[0.3, 0.31, 0.3], 400), &[1, 3]),
        ],
        4_000,
    );
}

/// Radii in l1, and in whole pixels, of which a certificate may be a whole one too large.
#[test]
fn false_statements_under_other_noise_are_rarer_than_alpha() {
    let families: [Family; 2] = [Uniform::new(1.0).unwrap().into(), Ablation::new(3).unwrap().of(400).unwrap().into()];
    for noise in families {
        for (truth, k) in [
            (Truth::new(3, &[0.55, 0.45], 1000), 1),
            (Truth::new(3, &[0.55, 0.45], 1000), 2),
            (Truth::new(10, &[0.7, 0.1], 500), 3),
            (Truth::new(10, &[0.97, 0.02], 50), 1),
        ] {
            let (mut rng, limit) = (StdRng::seed_from_u64(17), truth.radius_under(&noise, k));
            for allocation in Allocation::PLAIN {
                let failed = (0..10_000).filter(|_| {
                    let counts = truth.draw(&mut rng);
                    let counts =
                        Counts::assuming(counts.labels().to_vec(), Some(truth.n), Assumed::fixed(noise)).unwrap();
                    let query = Query { k, alpha: ALPHA, allocation: allocation.clone(), ..Query::of_label(0) };
                    counts.certify(&query).unwrap().radius > limit
                });
                let failed = failed.count() as u64;
                println!("{noise} k = {k} {allocation}: false of 10000: {failed}");
                assert!(!exceeds(failed, 10_000, ALPHA), "{noise}, k = {k}, {allocation}: {failed}");
            }
        }
    }
}

#[test]
fn the_check_catches_ten_times_the_alpha() {
    let truth = Truth::new(3, &[0.4999, 0.5001], 1000);
    let failed = failures(&truth, 1, 10.0 * ALPHA, 20_000, 7);
    assert!(failed.iter().all(|&failed| exceeds(failed, 20_000, ALPHA)), "{failed:?}");
}

#[test]
fn the_check_catches_frequencies_taken_for_bounds() {
    for (truth, k) in [(Truth::new(3, &[0.55, 0.45], 1000), 1), (Truth::new(10, &[0.4, 0.2, 0.2], 1000), 3)] {
        let mut rng = StdRng::seed_from_u64(11);
        let limit = truth.radius(k);
        let failed = (0..20_000).filter(|_| {
            let counts = truth.draw(&mut rng);
            let frequencies =
                Truth { p: counts.labels().iter().map(|&c| c as f64 / truth.n as f64).collect(), n: truth.n };
            frequencies.radius(k) > limit
        });
        assert!(exceeds(failed.count() as u64, 20_000, ALPHA));
    }
}

/// The label's own bound is the tight one of `binocp` with one rival: its failure rate must come near alpha, or the
/// check above could not tell alpha from much less.
#[test]
fn the_tight_case_is_tight() {
    let failed = failures(&Truth::new(3, &[0.55, 0.45], 1000), 1, ALPHA, 20_000, 13);
    assert!(failed[2] > 20_000 * 3 / 100, "{failed:?}");
}
