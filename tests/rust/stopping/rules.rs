//! How often each stopping rule is wrong.

use rand::SeedableRng;
use rand::rngs::StdRng;
use smoothtopk::certificate::Certificate;
use smoothtopk::certificate::predict;
use smoothtopk::certificate::stop::{
    CertifyJudge, Decision, Look, PredictJudge, Rule, Statement, StopJudge, Terms, Tolerance, Verdict,
};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::Tally;

use super::{DRAWS, draw_on, looks};
use crate::coverage::truth::{ALPHA, Truth, exceeds};

fn terms(truth: &Truth, rule: Rule, n_max: u64) -> Terms {
    Terms { rule, classes: truth.p.len(), alpha: ALPHA, n_max }
}

/// The verdict on label 0, with sigma 1.
fn certify(
    truth: &Truth,
    k: usize,
    allocation: &str,
    rule: Rule,
    n_max: u64,
    rng: &mut StdRng,
) -> Verdict<Certificate> {
    let statement = Statement { k, allocation: allocation.parse().expect("a allocation") };
    let mut judge =
        CertifyJudge::new(&terms(truth, rule, n_max), 0, Gaussian::new(1.0).expect("sigma"), 0.0, vec![statement])
            .expect("terms");
    let mut counts = Tally::new(vec![0; truth.p.len()], 0).expect("no rows");
    loop {
        let n = judge.next_look(counts.n());
        counts.add(&truth.rows(n - counts.n(), rng)).expect("as many labels");
        if judge.look(&counts).expect("counts") == Look::Stop {
            return judge.verdicts()[0].clone();
        }
    }
}

fn truths() -> [(Truth, usize); 4] {
    [
        (Truth::new(3, &[0.8, 0.2], 0), 1),
        (Truth::new(10, &[0.6, 0.2, 0.1], 0), 1),
        (Truth::new(10, &[0.4, 0.3, 0.2], 0), 3),
        (Truth::new(30, &[0.9, 0.05], 0), 2),
    ]
}

const ALLOCATIONS: [&str; 4] = ["ranked", "ranked:0.8", "binocp", "pooled:0.5"];

#[test]
fn a_radius_is_seldom_certified_above_the_exact_one() {
    for (truth, k) in truths() {
        let asked = truth.radius(k) + 1e-6;
        for allocation in ALLOCATIONS {
            let mut rng = StdRng::seed_from_u64(71);
            let wrong = (0..DRAWS)
                .filter(|_| {
                    certify(&truth, k, allocation, Rule::Radius(asked), 500, &mut rng).decision == Decision::Certified
                })
                .count() as u64;
            println!("{allocation} c = {} k = {k}: certified above: {wrong} of {DRAWS}", truth.p.len());
            assert!(!exceeds(wrong, DRAWS, ALPHA), "{allocation} k = {k}: {wrong}");
        }
    }
}

/// What a allocation can reach with any number of rows is refuted wrongly at most with probability alpha. For `ranked`
/// and k = 1 that is the exact radius.
#[test]
fn a_radius_below_the_exact_one_is_seldom_refuted() {
    for (truth, k, allocation) in [
        (Truth::new(3, &[0.8, 0.2], 0), 1, "binocp"),
        (Truth::new(3, &[0.8, 0.2], 0), 1, "ranked"),
        (Truth::new(10, &[0.6, 0.2, 0.1], 0), 1, "ranked"),
        (Truth::new(10, &[0.6, 0.2, 0.1], 0), 1, "pooled:0.5"),
        (Truth::new(10, &[0.4, 0.3, 0.2], 0), 3, "ranked"),
    ] {
        let asked = truth.radius(k) - 1e-6;
        let mut rng = StdRng::seed_from_u64(72);
        let wrong = (0..DRAWS)
            .filter(|_| {
                certify(&truth, k, allocation, Rule::Radius(asked), 500, &mut rng).decision == Decision::Refuted
            })
            .count() as u64;
        println!("{allocation} c = {} k = {k}: refuted below: {wrong} of {DRAWS}", truth.p.len());
        assert!(!exceeds(wrong, DRAWS, ALPHA), "{allocation} k = {k}: {wrong}");
    }
}

#[test]
fn the_certificate_at_a_tolerance_or_a_step_holds() {
    let rules = [Rule::Tolerance(Tolerance::Sigmas(0.1)), Rule::Steps(0.2)];
    for (rule, (truth, k)) in rules.into_iter().flat_map(|rule| truths().map(|truth| (rule, truth))) {
        let limit = truth.radius(k);
        let mut rng = StdRng::seed_from_u64(73);
        let wrong = (0..DRAWS).filter(|_| {
            let verdict = certify(&truth, k, "ranked", rule, 1000, &mut rng);
            verdict.found.expect("looked").radius > limit
        });
        let wrong = wrong.count() as u64;
        println!("{rule} c = {} k = {k}: {wrong} of {DRAWS}", truth.p.len());
        assert!(!exceeds(wrong, DRAWS, ALPHA), "k = {k}: {wrong}");
    }
}

/// Whether a wrong set is settled, the judge looking at its own looks or at every row in turn.
fn wrong_prediction(truth: &Truth, k: usize, own_looks: bool, rng: &mut StdRng) -> bool {
    let mut judge = PredictJudge::new(&terms(truth, Rule::Predict, 2000), &[k]).expect("terms");
    let own: Vec<u64> =
        std::iter::successors(Some(judge.next_look(0)), |&n| (n < 2000).then(|| judge.next_look(n))).collect();
    let every: Vec<u64> = looks(2000).collect();
    let looks = if own_looks { own } else { every };
    draw_on(truth, looks.into_iter(), rng, |counts| judge.look(counts).expect("counts") == Look::Stop);
    judge.verdicts()[0].found.as_ref().expect("looked").labels().is_some_and(|set| !truth.is_top(set))
}

#[test]
fn a_settled_set_is_seldom_wrong() {
    for (truth, k) in [
        (Truth::new(2, &[0.499, 0.501], 0), 1),
        (Truth::new(3, &[0.333, 0.3335], 0), 1),
        (Truth::new(10, &[0.0999], 0), 1),
        (Truth::new(10, &[0.2, 0.2, 0.2, 0.199, 0.201], 0), 3),
        (Truth::new(4, &[0.4, 0.2001, 0.2], 0), 2),
        (Truth::new(100, &[0.1; 6], 0), 5),
    ] {
        for own_looks in [true, false] {
            let mut rng = StdRng::seed_from_u64(74);
            let wrong = (0..DRAWS).filter(|_| wrong_prediction(&truth, k, own_looks, &mut rng)).count() as u64;
            println!("predict c = {} k = {k}: {wrong} of {DRAWS}", truth.p.len());
            assert!(!exceeds(wrong, DRAWS, ALPHA), "c = {} k = {k}: {wrong}", truth.p.len());
        }
    }
}

#[test]
fn the_check_catches_the_test_for_one_look_at_every_look() {
    let truth = Truth::new(2, &[0.499, 0.501], 0);
    let mut rng = StdRng::seed_from_u64(75);
    let wrong = (0..DRAWS).filter(|_| {
        let mut wrong = false;
        draw_on(&truth, looks(2000), &mut rng, |counts| {
            wrong = predict(counts, 1, ALPHA).expect("valid").labels().is_some_and(|set| !truth.is_top(set));
            wrong
        });
        wrong
    });
    assert!(exceeds(wrong.count() as u64, DRAWS, ALPHA));
}
