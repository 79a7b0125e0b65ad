//! Certificates at the luckiest look, for every allocation of alpha; and allocations chosen by pilot rows.

use rand::SeedableRng;
use rand::rngs::StdRng;
use smoothtopk::certificate::{Basis, auto};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::{Allocation, Tally, Validity};

use super::{DRAWS, draw_on, looks};
use crate::coverage::truth::{ALPHA, Truth, exceeds};
use crate::statements::{certify_with, choose};

fn truths() -> Vec<(Truth, Vec<usize>)> {
    vec![
        (Truth::new(3, &[0.55, 0.45], 0), vec![1, 2]),
        (Truth::new(10, &[0.5, 0.4], 0), vec![1, 3]),
        (Truth::new(10, &[0.25, 0.26, 0.24, 0.24], 0), vec![3]),
        (Truth::new(50, &[0.3, 0.2, 0.2], 0), vec![2, 5]),
    ]
}

/// Every way to spend alpha on a certificate of label 0, names included.
fn allocations(k: usize) -> Vec<Allocation> {
    let mut all = vec!["ranked", "ranked:0.75", "simuem", "binocp", "pooled:0.5", "pooled:0.9"];
    if k > 1 {
        all.push("pooled:0.5:1");
    }
    if k > 2 {
        all.push("pooled:0.25:1,2");
    }
    all.into_iter().map(|text| text.parse().expect("a allocation")).collect()
}

/// Draws in which each allocation gives a radius above the exact one at some look.
fn ever_false(truth: &Truth, k: usize, validity: Validity, looks: &[u64], draws: u64) -> Vec<u64> {
    let mut rng = StdRng::seed_from_u64(63);
    let allocations = allocations(k);
    let limit = truth.radius(k);
    let mut failures = vec![0; allocations.len()];
    for _ in 0..draws {
        let mut failed = vec![false; allocations.len()];
        draw_on(truth, looks.iter().copied(), &mut rng, |counts| {
            for (failed, allocation) in failed.iter_mut().zip(&allocations) {
                let certificate = certify_with(counts, 0, k, 1.0, ALPHA, allocation, validity).expect("valid");
                *failed |= certificate.radius > limit;
            }
            false
        });
        failures.iter_mut().zip(failed).for_each(|(count, failed)| *count += u64::from(failed));
    }
    failures
}

#[test]
fn every_allocation_holds_at_the_luckiest_look() {
    let mut looks: Vec<u64> = looks(1500).filter(|&n| n >= 8).step_by(3).collect();
    looks.extend((looks.last() != Some(&1500)).then_some(1500));
    for (validity, (truth, ks)) in [Validity::Anytime, Validity::AnytimeTo(1500)]
        .into_iter()
        .flat_map(|kind| truths().into_iter().map(move |truth| (kind, truth)))
    {
        for k in ks {
            let failures = ever_false(&truth, k, validity, &looks, DRAWS / 2);
            println!("{validity} c = {} k = {k}: false of {}: {failures:?}", truth.p.len(), DRAWS / 2);
            assert!(failures.iter().all(|&failed| !exceeds(failed, DRAWS / 2, ALPHA)), "k = {k}: {failures:?}");
        }
    }
}

#[test]
fn every_allocation_holds_at_one_look_with_bounds_for_it() {
    for (truth, ks) in truths() {
        for k in ks {
            let failures = ever_false(&truth, k, Validity::Fixed, &[700], 10 * DRAWS);
            println!("c = {} k = {k}: false of {}: {failures:?}", truth.p.len(), 10 * DRAWS);
            assert!(failures.iter().all(|&failed| !exceeds(failed, 10 * DRAWS, ALPHA)), "k = {k}: {failures:?}");
        }
    }
}

#[test]
fn the_check_catches_bounds_for_one_look_at_every_look() {
    let looks: Vec<u64> = looks(1500).collect();
    let failures = ever_false(&Truth::new(3, &[0.55, 0.45], 0), 1, Validity::Fixed, &looks, DRAWS / 2);
    // binocp spends alpha on one bound and one rival: the tight case.
    assert!(exceeds(failures[3], DRAWS / 2, ALPHA), "{failures:?}");
}

#[test]
fn pilot_samples_choose_a_sound_allocation() {
    for (truth, ks) in truths() {
        for k in ks {
            let (limit, mut rng) = (truth.radius(k), StdRng::seed_from_u64(65));
            let failed = (0..DRAWS).filter(|_| {
                let pilot = truth.rows(50, &mut rng);
                let allocation = choose(&pilot, 0, k, 400, ALPHA, Validity::Fixed).expect("valid");
                let counts = truth.rows(400, &mut rng);
                certify_with(&counts, 0, k, 1.0, ALPHA, &allocation, Validity::Fixed).expect("valid").radius > limit
            });
            let failed = failed.count() as u64;
            println!("c = {} k = {k}: false of {DRAWS}: {failed}", truth.p.len());
            assert!(!exceeds(failed, DRAWS, ALPHA), "k = {k}: {failed}");
        }
    }
}

#[test]
fn an_allocation_for_a_radius_is_the_one_that_needs_the_fewest_rows() {
    let pilot = |labels: &[u64]| Tally::complete(labels.to_vec()).expect("counts");
    let reach = |pilot: &Tally, n_max, radius| {
        let basis = Basis::assuming(Gaussian::new(1.0).expect("sigma"), n_max, 0.001, Validity::Anytime);
        auto::choose_to_reach(pilot, 0, 1, &basis, radius)
    };
    // One rival: its bound from above is the label's from below, which is there first at the whole of alpha.
    let sure = pilot(&[95, 5]);
    assert_eq!(reach(&sure, 100_000, 0.5), Ok(Allocation::BinoCp));
    // A label below 1/2: only a bound of its rival can certify it.
    let split = pilot(&[45, 15, 20, 20]);
    assert!(matches!(reach(&split, 100_000, 0.2), Ok(Allocation::Ranked { .. } | Allocation::Pooled { .. })));
    // Out of reach: the largest radius at n_max.
    let largest = choose(&split, 0, 1, 1000, 0.001, Validity::Anytime).expect("valid");
    assert_eq!(reach(&split, 1000, 3.0), Ok(largest));
    for radius in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(reach(&sure, 1000, radius).unwrap_err().field(), Some("radius"));
    }
}
