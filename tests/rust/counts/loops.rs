//! How often a loop that people write is wrong: 2,000 draws of known probabilities each, from fixed seeds.
//!
//! False alarms: each rate is compared with its limit by an exact binomial test at 1e-8, and fewer than 20 rates are
//! compared, so a sound library fails here with probability below 1e-6. Seeds are fixed, so it either does or does not.

use rand::SeedableRng;
use rand::rngs::StdRng;
use smoothtopk::certificate::Query;
use smoothtopk::certificate::stop::{CertifyJudge, Look, Statement, StopJudge, Terms};
use smoothtopk::counts::{Assumed, Counts, Ending, Rule};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::{Allocation, Tally, Validity};

use super::truth::{Truth, exceeds};
use super::{sample, smoothed};

const ALPHA: f64 = 0.1;
const DRAWS: u64 = 2000;

fn noise() -> Gaussian {
    Gaussian::new(1.0).unwrap()
}

/// One bound at the whole of alpha, and one rival: the tight case.
fn query() -> Query {
    Query { alpha: ALPHA, allocation: Allocation::BinoCp, ..Query::of_label(0) }
}

fn truth() -> Truth {
    Truth::new(2, &[0.8, 0.2], 0)
}

fn radius(counts: &Counts) -> f64 {
    counts.certify(&query()).unwrap().radius
}

fn fixed(tally: &Tally) -> Counts {
    Counts::assuming(tally.labels().to_vec(), None, Assumed::fixed(noise())).unwrap()
}

/// Of 20 looks, 1,000 samples apart, how many draws end with a radius above the exact one at the first look, and at a
/// later one; `see` gives the radius of all samples, and those of the next look are added to what it leaves.
fn ends_false(see: impl Fn(&mut Counts) -> f64) -> [u64; 2] {
    let (truth, mut rng, mut failed) = (truth(), StdRng::seed_from_u64(1), [0, 0]);
    let limit = truth.radius(1);
    for _ in 0..DRAWS {
        let mut total = fixed(&truth.rows(1000, &mut rng));
        let mut look = 0;
        // Any radius above the exact one is what the loop waits for.
        while look < 20 && see(&mut total) <= limit {
            total.add(&fixed(&truth.rows(1000, &mut rng))).unwrap();
            look += 1;
        }
        if look < 20 {
            failed[usize::from(look > 0)] += 1;
        }
    }
    println!("{failed:?} of {DRAWS}");
    failed
}

/// The loop `total += sample(1000)` until a radius is certified. Its first look is at a number that was fixed
/// beforehand, and has the bounds for one; all later ones together have bounds for all looks.
#[test]
fn a_loop_that_draws_until_it_certifies_is_seldom_wrong() {
    let [first, later] = ends_false(|total| radius(total));
    assert!(!exceeds(first, DRAWS, ALPHA) && !exceeds(later, DRAWS, ALPHA), "{first} {later}");
    assert!(!exceeds(first + later, DRAWS, ALPHA), "{first} {later}");
}

/// The same loop over counts that say before the first look that they may grow: one alpha for all looks.
#[test]
fn a_loop_over_growing_counts_is_wrong_with_one_alpha() {
    let [first, later] = ends_false(|total| {
        if !total.is_seen() {
            *total = total.clone().growing(None).unwrap();
        }
        radius(total)
    });
    assert!(!exceeds(first + later, DRAWS, ALPHA), "{first} {later}");
    // Bounds that hold at all looks are seldom false at one that was named beforehand.
    assert!(first < DRAWS / 50, "{first}");
}

/// The same loop, as people write it who keep a list of parts and build the sum again at each look: `look_at` is given
/// the parts and their sum, and says whether the loop ends.
fn rebuilt_sums_end_false(look_at: impl Fn(&[Counts], &Counts) -> bool) -> u64 {
    let (truth, mut rng, mut failed) = (truth(), StdRng::seed_from_u64(3), 0);
    for _ in 0..DRAWS {
        let mut parts = Vec::new();
        for _ in 0..20 {
            parts.extend([0, 1].map(|_| fixed(&truth.rows(500, &mut rng))));
            let total = Counts::sum(&parts).unwrap();
            if look_at(&parts, &total) {
                failed += u64::from(radius(&total) > truth.radius(1));
                break;
            }
        }
    }
    println!("{failed} of {DRAWS}");
    failed
}

/// The first look has bounds for a fixed number, all later ones bounds for all looks: two statements.
#[test]
fn sums_that_are_built_again_from_their_parts_remember_the_looks() {
    let failed = rebuilt_sums_end_false(|_, total| radius(total) > truth().radius(1));
    assert!(!exceeds(failed, DRAWS, 2.0 * ALPHA), "{failed}");
    // A look at a part is a look at the sum that holds it.
    let failed = rebuilt_sums_end_false(|parts, _| radius(parts.last().unwrap()) > truth().radius(1));
    assert!(!exceeds(failed, DRAWS, 2.0 * ALPHA), "{failed}");
}

/// The same loop over numbers that forget that they were looked at.
#[test]
fn the_check_catches_a_loop_that_forgets_its_looks() {
    let [first, later] = ends_false(|total| {
        *total = Counts::assuming(total.labels().to_vec(), None, Assumed::fixed(noise())).unwrap();
        let radius = radius(total);
        *total = Counts::assuming(total.labels().to_vec(), None, Assumed::fixed(noise())).unwrap();
        radius
    });
    assert!(exceeds(first + later, DRAWS, ALPHA), "{first} {later}");
}

/// `total += sample(1000)` that forgets to move its range.
#[test]
fn a_loop_that_draws_the_same_samples_again_is_refused() {
    let g = smoothed();
    let mut total = sample(&g, 0..1000);
    for _ in 0..3 {
        let error = total.add(&sample(&g, 0..1000)).unwrap_err();
        assert!(error.message().contains("share samples") && total.n() == 1000, "{error}");
    }
    let mut looks = 0;
    while looks < 5 {
        total.certify(&Query::of_label(1)).unwrap();
        total.add(&sample(&g, total.n()..total.n() + 1000)).unwrap();
        looks += 1;
    }
    assert_eq!((total.n(), total.draws().len(), total.validity()), (6000, 6000, Ok(Validity::Anytime)));
}

/// The tally with which the rule ends the samples of one draw.
fn ended_by(rule: Rule, n_max: u64, rng: &mut StdRng) -> Tally {
    let terms = Terms { rule, classes: 2, alpha: ALPHA, n_max };
    let statement = Statement { k: 1, allocation: Allocation::BinoCp };
    let mut judge = CertifyJudge::new(&terms, 0, noise(), 0.0, vec![statement]).unwrap();
    let mut tally = Tally::new(vec![0; 2], 0).unwrap();
    loop {
        let n = judge.next_look(tally.n());
        tally.add(&truth().rows(n - tally.n(), rng)).unwrap();
        if judge.look(&tally).unwrap() == Look::Stop {
            return tally;
        }
    }
}

/// Counts of a rule's answer, certified again: they take the bounds for all its looks by themselves.
#[test]
fn counts_of_a_rules_answer_certify_again_at_all_its_looks() {
    let (limit, mut rng) = (truth().radius(1), StdRng::seed_from_u64(2));
    // Ended as soon as nine tenths of the exact radius are certified: by luck, where that is early.
    let (rule, n_max) = (Rule::Radius(0.9 * limit), 10_000);
    let (mut by_themselves, mut as_if_fixed) = (0, 0);
    for _ in 0..DRAWS {
        let tally = ended_by(rule, n_max, &mut rng);
        let ending = Ending::Looks { rule: Some(rule), last: Some(n_max) };
        let assumed = Assumed { ending, ..Assumed::fixed(noise()) };
        let ended = Counts::assuming(tally.labels().to_vec(), None, assumed).unwrap();
        by_themselves += u64::from(radius(&ended) > limit);
        as_if_fixed += u64::from(radius(&fixed(&tally)) > limit);
    }
    println!("{by_themselves} by themselves, {as_if_fixed} as if fixed, of {DRAWS}");
    assert!(!exceeds(by_themselves, DRAWS, ALPHA), "{by_themselves}");
    assert!(exceeds(as_if_fixed, DRAWS, 0.2), "the check sees bounds for a fixed number: {as_if_fixed}");
}
