//! Guarantees at all looks: statements that hold at the luckiest one, and when the rows of an answer end.
//!
//! Rates are compared with alpha as in `coverage`.

use rand::SeedableRng;
use rand::rngs::StdRng;
use smoothtopk::certificate::stop::{AnswerJudge, Decision, Look, Rule, StopJudge, Terms, Tolerance, Verdict};
use smoothtopk::certificate::{AnswerLabels, BoundFunctions, SetCertificate};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::randomized::Uniform;
use smoothtopk::stats::{Tally, Validity};
use smoothtopk::{Error, Result};

use super::coverage::{ALPHA, Asked, exceeds};
use super::truth::Truth;
use crate::statements::certify_set;

/// Fewer where there are more labels, whose statements take longer.
fn draws(truth: &Truth) -> u64 {
    if truth.p.len() > 10 { 250 } else { 600 }
}

/// Every number of rows, then a `part` more each time, up to 1000.
fn looks(part: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(1), move |&n: &u64| Some(n + (n / part).max(1))).take_while(|&n| n <= 1000)
}

fn shapes() -> Vec<(Truth, Vec<usize>)> {
    vec![
        (Truth::new(3, &[0.55, 0.45]), vec![1, 2]),
        (Truth::new(3, &[1.0 / 3.0, 1.0 / 3.0]), vec![1, 2]),
        (Truth::new(10, &[0.25, 0.25, 0.24, 0.24]), vec![3]),
        (Truth::new(10, &[0.4, 0.3, 0.2, 0.05]), vec![3]),
        (Truth::new(100, &[0.01]), vec![1, 3]),
    ]
}

/// False statements of each kind at the luckiest look, with labels from a pilot and from the counts of the look
/// themselves.
fn ever_false(truth: &Truth, k: usize, inference: &BoundFunctions, part: u64, draws: u64) -> Vec<(Asked, [u64; 2])> {
    let mut rng = StdRng::seed_from_u64(31);
    let mut failed: Vec<_> = Asked::all(k, truth.p.len()).into_iter().map(|asked| (asked, [0, 0])).collect();
    for _ in 0..draws {
        let pilot = AnswerLabels::pilot(&truth.draw(30, &mut rng), k).expect("k");
        let mut ever = vec![[false; 2]; failed.len()];
        let mut counts = Tally::new(vec![0; truth.p.len()], 0).expect("no rows");
        for look in looks(part) {
            counts.add(&truth.draw(look - counts.n(), &mut rng)).expect("as many labels");
            let same = AnswerLabels::same_counts(&counts, k).expect("k");
            for ((asked, _), ever) in failed.iter().zip(&mut ever) {
                for (returned, ever) in [&pilot, &same].into_iter().zip(ever) {
                    *ever |= asked.is_false(truth, &counts, returned, ALPHA, inference);
                }
            }
        }
        for ((_, failed), ever) in failed.iter_mut().zip(ever) {
            failed.iter_mut().zip(ever).for_each(|(failed, ever)| *failed += u64::from(ever));
        }
    }
    failed
}

#[test]
fn guarantees_at_all_looks_hold_at_the_luckiest() {
    for (truth, ks) in shapes() {
        for k in ks {
            let draws = draws(&truth);
            for (asked, failed) in ever_false(&truth, k, &BoundFunctions::ANYTIME, 4, draws) {
                println!("c = {} k = {k} {asked:?}: false of {draws}: {failed:?} (pilot, same)", truth.p.len());
                assert!(failed.iter().all(|&failed| !exceeds(failed, draws, ALPHA)), "{asked:?} k = {k}: {failed:?}");
            }
        }
    }
}

#[test]
fn the_check_catches_guarantees_for_one_look_at_every_look() {
    let (draws, fixed) = (2000, BoundFunctions::FIXED);
    // One label, chosen by the pilot, and one rival: every bound that is paid for can fail.
    for (asked, [pilot, same]) in ever_false(&Truth::new(3, &[0.55, 0.45]), 1, &fixed, 8, draws) {
        assert!(exceeds(pilot, draws, ALPHA) && exceeds(same, draws, ALPHA), "{asked:?}: {pilot} {same}");
    }
    // Of two labels of three, that each stays: the other statements are seldom false even so.
    let draws = 4000;
    let [(asked, [pilot, same]), ..] = ever_false(&Truth::new(3, &[0.4, 0.35]), 2, &fixed, 8, draws)[..] else {
        panic!()
    };
    assert!(matches!(asked, Asked::Each) && exceeds(pilot, draws, ALPHA), "{pilot} {same}");
}

fn judge(rule: Rule, n_max: u64, pilot: &Tally, ks: &[usize]) -> Result<AnswerJudge> {
    let terms = Terms { rule, classes: pilot.classes(), alpha: ALPHA, n_max };
    AnswerJudge::new(&terms, pilot, ks, Gaussian::new(1.0)?, 0.0)
}

/// The verdict on draws of a truth.
fn verdict(
    truth: &Truth,
    rule: Rule,
    n_max: u64,
    pilot: &Tally,
    k: usize,
    rng: &mut StdRng,
) -> Verdict<SetCertificate> {
    let mut judge = judge(rule, n_max, pilot, &[k]).expect("terms");
    let mut counts = Tally::new(vec![0; truth.p.len()], 0).expect("no rows");
    loop {
        let n = judge.next_look(counts.n());
        counts.add(&truth.draw(n - counts.n(), rng)).expect("as many labels");
        if judge.look(&counts).expect("counts") == Look::Stop {
            return judge.verdicts()[0].clone();
        }
    }
}

#[test]
fn a_set_is_seldom_certified_above_its_exact_radius_nor_refuted_below() {
    for (truth, ks) in shapes() {
        for k in ks {
            let (mut above, mut below, mut over, mut rng) = (0, 0, 0, StdRng::seed_from_u64(33));
            let draws = draws(&truth);
            for _ in 0..draws {
                let pilot = truth.draw(30, &mut rng);
                let set = AnswerLabels::pilot(&pilot, k).expect("k");
                let exact = truth.kept(set.labels(), k).min(50.0);
                let mut ask = |rule| verdict(&truth, rule, 1000, &pilot, k, &mut rng);
                above += u64::from(ask(Rule::Radius(exact + 1e-6)).decision == Decision::Certified);
                if exact > 1e-3 {
                    below += u64::from(ask(Rule::Radius(exact - 1e-6)).decision == Decision::Refuted);
                }
                let reached = ask(Rule::Tolerance(Tolerance::Sigmas(0.1)));
                over += u64::from(reached.found.expect("looked").radius > exact);
            }
            println!("c = {} k = {k}: {above} above, {below} below, {over} over, of {draws}", truth.p.len());
            assert!([above, below, over].iter().all(|&wrong| !exceeds(wrong, draws, ALPHA)), "{above} {below} {over}");
        }
    }
}

/// Tally of `n` rows in these shares.
fn shares(shares: &[f64], n: u64) -> Tally {
    let mut labels: Vec<u64> = shares.iter().map(|share| (share * n as f64) as u64).collect();
    labels[0] += n - labels.iter().sum::<u64>();
    Tally::complete(labels).unwrap()
}

/// Shows a judge counts in these shares; its verdicts and rows.
fn decide(judge: &mut AnswerJudge, of: &[f64]) -> (Vec<Decision>, u64) {
    let mut n = 0;
    loop {
        n = judge.next_look(n);
        if judge.look(&shares(of, n)).unwrap() == Look::Stop {
            return (judge.verdicts().iter().map(|verdict| verdict.decision).collect(), n);
        }
    }
}

#[test]
fn an_answer_is_decided_as_soon_as_it_can_be() {
    let (pilot, ks) = (Tally::complete(vec![50, 30, 15, 5]).unwrap(), [1, 2]);
    let of = [0.5, 0.45, 0.03, 0.02];
    let radius = |judge: &AnswerJudge, i: usize| judge.verdicts()[i].found.as_ref().unwrap().radius;
    // The pair is far from the others; the first two are close: 0.5 sigma is certified of one and refuted of the other.
    let mut both = judge(Rule::Radius(0.5), 100_000, &pilot, &ks).unwrap();
    let (decisions, n) = decide(&mut both, &of);
    assert_eq!(decisions, [Decision::Refuted, Decision::Certified]);
    assert!(n < 2000 && radius(&both, 1) >= 0.5, "{n}");
    // The certificate is that of its counts, for all numbers of rows.
    let certificate = both.verdicts()[1].found.clone().unwrap();
    let counts = shares(&of, certificate.basis.n);
    let set = |inference: &BoundFunctions| {
        certify_set(&counts, &AnswerLabels::pilot(&pilot, 2).unwrap(), 1.0, ALPHA, inference).unwrap().radius
    };
    assert_eq!(certificate.radius, set(&BoundFunctions::ANYTIME));
    assert!(certificate.radius < set(&BoundFunctions::FIXED));
    // All rows that are left for the weaker label would not bring the pair there.
    let mut far = judge(Rule::Radius(2.0), 1000, &pilot, &[2]).unwrap();
    let (decisions, n) = decide(&mut far, &of);
    assert!(decisions == [Decision::Undecided] && n < 1000, "{n}");
    let mut never = judge(Rule::Radius(9.0), 1_000_000, &pilot, &[2]).unwrap();
    assert_eq!(decide(&mut never, &[0.5, 0.5, 0.0, 0.0]), (vec![Decision::Undecided], never.next_look(0)));
    let mut tolerant = judge(Rule::Tolerance(Tolerance::Sigmas(0.05)), 100_000, &pilot, &ks).unwrap();
    let (decisions, n) = decide(&mut tolerant, &of);
    assert!(decisions == [Decision::Reached; 2] && (1000..50_000).contains(&n), "{n}");
    // A set whose labels the others outnumber is never certified.
    let mut wrong = judge(Rule::Tolerance(Tolerance::Absolute(0.0)), 100_000, &pilot, &[1]).unwrap();
    let (decisions, n) = decide(&mut wrong, &[0.1, 0.6, 0.2, 0.1]);
    assert!(decisions == [Decision::Refuted] && n < 100, "{decisions:?} {n}");
    // Closed before its rule is done.
    let mut late = judge(Rule::Radius(0.5), 100_000, &pilot, &[2]).unwrap();
    late.close(&shares(&of, 100)).unwrap();
    assert_eq!(late.verdicts()[0].decision, Decision::Undecided);
    assert!(radius(&late, 0) > 0.0 && radius(&late, 0) < 0.5);
    let mut unseen = judge(Rule::Radius(0.5), 100_000, &pilot, &[2]).unwrap();
    unseen.close(&Tally::new(vec![0; 4], 0).unwrap()).unwrap();
    let verdict = &unseen.verdicts()[0];
    assert_eq!((verdict.decision, &verdict.found), (Decision::Undecided, &None));
}

#[test]
fn what_does_not_fit_is_refused() {
    let pilot = Tally::complete(vec![50, 30, 15, 5]).unwrap();
    let radius = Rule::Radius(0.5);
    let new = |terms: Terms, cost| AnswerJudge::new(&terms, &pilot, &[1], Gaussian::new(1.0)?, cost);
    let field = |result: Result<AnswerJudge>| result.map_err(|error: Error| error.field().map(str::to_owned)).err();
    for (field_of, result) in [
        ("rule", judge(Rule::Fixed, 100, &pilot, &[1])),
        ("rule", judge(Rule::Predict, 100, &pilot, &[1])),
        ("rule", judge(Rule::Steps(0.1), 100, &pilot, &[1])),
        ("rule", judge(Rule::Radius(f64::NAN), 100, &pilot, &[1])),
        ("k", judge(radius, 100, &pilot, &[])),
        ("k", judge(radius, 100, &pilot, &[1, 4])),
        ("n", judge(radius, 0, &pilot, &[1])),
        ("alpha", new(Terms { rule: radius, classes: 4, alpha: 1e-100, n_max: 9 }, 0.0)),
        ("radius_cost", new(Terms { rule: radius, classes: 4, alpha: 0.1, n_max: 9 }, -1.0)),
        ("pilot", new(Terms { rule: radius, classes: 5, alpha: 0.1, n_max: 9 }, 0.0)),
    ] {
        assert_eq!(field(result), Some(Some(field_of.to_owned())));
    }
    let mut judge = judge(radius, 1000, &pilot, &[2]).unwrap();
    assert_eq!(judge.look(&shares(&[0.5, 0.5], 10)).unwrap_err().field(), Some("counts"));
    let _ = judge.look(&shares(&[0.5, 0.3, 0.1, 0.1], 10)).unwrap();
    assert_eq!(judge.look(&shares(&[0.5, 0.3, 0.1, 0.1], 9)).unwrap_err().field(), Some("n"));
    assert_eq!(judge.look(&shares(&[0.5, 0.3, 0.1, 0.1], 1001)).unwrap_err().field(), Some("n"));
    let randomized = Validity::Randomized(Uniform::new(0.5).unwrap());
    assert_eq!(BoundFunctions::of(randomized).unwrap_err().field(), Some("randomized"));
}
