//! One bound: at all looks, and randomized.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Binomial, Distribution};
use smoothtopk::stats::randomized::{self, Uniform};
use smoothtopk::stats::{Prob, Validity, binomial};

use super::looks;
use crate::coverage::truth::{ALPHA, FALSE_ALARM, exceeds};

/// How many of `draws` growing samples of probability `p` have a look, up to 3000 trials, whose bound is above `p`.
fn ever_above(p: f64, draws: u64, bound: impl Fn(u64, u64) -> Prob) -> u64 {
    let mut rng = StdRng::seed_from_u64(61);
    let mut failures = 0;
    for _ in 0..draws {
        let (mut successes, mut trials) = (0, 0);
        failures += u64::from(looks(2999).chain([3000]).any(|look| {
            successes += Binomial::new(look - trials, p).expect("a probability").sample(&mut rng);
            trials = look;
            bound(successes, trials).p > p
        }));
    }
    failures
}

#[test]
fn bounds_at_all_looks_hold_at_the_luckiest() {
    for p in [0.003, 0.1, 0.5, 0.84, 0.977, 0.999] {
        let failures = ever_above(p, 4000, |s, n| Validity::Anytime.lower(s, n, ALPHA).expect("valid"));
        println!("p = {p}: {failures} of 4000");
        assert!(!exceeds(failures, 4000, ALPHA), "p = {p}: {failures}");
    }
}

#[test]
fn bounds_up_to_a_last_row_hold_at_the_luckiest_look() {
    for p in [0.003, 0.1, 0.5, 0.84, 0.977, 0.999] {
        let failures = ever_above(p, 4000, |s, n| Validity::AnytimeTo(3000).lower(s, n, ALPHA).expect("valid"));
        println!("p = {p}: {failures} of 4000");
        assert!(!exceeds(failures, 4000, ALPHA), "p = {p}: {failures}");
    }
}

#[test]
fn the_check_catches_a_last_row_that_is_named_in_hindsight() {
    let failures = ever_above(0.5, 4000, |s, n| Validity::AnytimeTo(n).lower(s, n, ALPHA).expect("valid"));
    assert!(exceeds(failures, 4000, ALPHA), "{failures}");
}

/// The supermartingale is a martingale at p0 = p, so it loses only what it overshoots, and what lies beyond 3000 rows.
#[test]
fn bounds_at_all_looks_come_near_alpha() {
    let failures = ever_above(0.5, 4000, |s, n| Validity::Anytime.lower(s, n, ALPHA).expect("valid"));
    assert!(failures > 4000 / 100, "{failures}");
}

#[test]
fn the_check_catches_clopper_pearson_at_every_look() {
    for p in [0.1, 0.5, 0.84] {
        let failures = ever_above(p, 4000, |s, n| binomial::lower(s, n, ALPHA).expect("valid"));
        assert!(exceeds(failures, 4000, ALPHA), "p = {p}: {failures}");
    }
}

/// Failures of the randomized bound with uniforms from `uniform`.
fn above(p: f64, n: u64, draws: u64, mut uniform: impl FnMut(&mut StdRng) -> Uniform) -> u64 {
    let mut rng = StdRng::seed_from_u64(62);
    let sample = Binomial::new(n, p).expect("a probability");
    (0..draws)
        .filter(|_| {
            let successes = sample.sample(&mut rng);
            let uniform = uniform(&mut rng);
            randomized::lower(successes, n, ALPHA, uniform).expect("valid").p > p
        })
        .count() as u64
}

#[test]
fn randomized_bounds_fail_exactly_as_often_as_alpha() {
    for (p, n) in [(0.01, 20), (0.3, 10), (0.5, 50), (0.9, 40)] {
        let draws = 100_000;
        let failures = above(p, n, draws, |rng| Uniform::from_bits(rng.random()));
        println!("p = {p}, n = {n}: {failures} of {draws}");
        assert!(!exceeds(failures, draws, ALPHA), "p = {p}: {failures}");
        // All rows succeed with probability 0.9^40 = 0.015 at most; only there is less spent than alpha.
        let upper = binomial::upper(failures, draws, FALSE_ALARM).expect("counts").p;
        assert!(upper > ALPHA - p.powf(n as f64) * ALPHA, "p = {p}: {failures}");
    }
}

#[test]
fn the_check_catches_a_uniform_that_is_not_one() {
    let failures = above(0.3, 10, 20_000, |_| Uniform::from_bits(0));
    assert!(exceeds(failures, 20_000, ALPHA), "{failures}");
}
