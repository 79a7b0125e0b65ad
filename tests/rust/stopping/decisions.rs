//! What the judges decide, and what they refuse.

use rand::SeedableRng;
use rand::rngs::StdRng;
use smoothtopk::ErrorKind;
use smoothtopk::certificate::stop::{
    CertifyJudge, Decision, Look, PredictJudge, Rule, Statement, StopJudge, Terms, Tolerance,
};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::{Allocation, Tally, Validity};

use crate::coverage::truth::Truth;
use crate::statements::certify;

fn noise() -> Gaussian {
    Gaussian::new(0.25).unwrap()
}

fn terms(rule: Rule, n_max: u64) -> Terms {
    Terms { rule, classes: 3, alpha: 0.001, n_max }
}

fn judge(rule: Rule, n_max: u64, ks: &[usize]) -> CertifyJudge {
    let statements = ks.iter().map(|&k| Statement { k, allocation: Allocation::default() }).collect();
    CertifyJudge::new(&terms(rule, n_max), 0, noise(), 0.0, statements).unwrap()
}

fn counts(labels: [u64; 3]) -> Tally {
    Tally::complete(labels.to_vec()).unwrap()
}

/// The rows at which the judge stops on rows of known label probabilities.
fn run(judge: &mut CertifyJudge, p: [f64; 2]) -> u64 {
    let truth = Truth::new(3, &p, 0);
    let mut rng = StdRng::seed_from_u64(81);
    let mut all = counts([0, 0, 0]);
    loop {
        let n = judge.next_look(all.n());
        all.add(&truth.rows(n - all.n(), &mut rng)).unwrap();
        if judge.look(&all).unwrap() == Look::Stop {
            return all.n();
        }
    }
}

#[test]
fn a_radius_is_certified_refuted_or_undecided() {
    let rule = Rule::Radius(0.25);
    let mut easy = judge(rule, 100_000, &[1]);
    let rows = run(&mut easy, [0.999, 0.0005]);
    let verdict = &easy.verdicts()[0];
    let certificate = verdict.found.as_ref().unwrap();
    assert!(verdict.decision == Decision::Certified && certificate.radius >= 0.25 && rows < 150, "{rows}");
    assert!(certificate.basis.n == rows && certificate.basis.validity == Validity::Anytime);

    let mut hopeless = judge(rule, 100_000, &[1]);
    let rows = run(&mut hopeless, [0.4, 0.5]);
    assert!(hopeless.verdicts()[0].decision == Decision::Refuted && rows < 300, "{rows}");

    let mut close = judge(rule, 300, &[1]);
    let rows = run(&mut close, [0.85, 0.15]);
    assert!((100..=300).contains(&rows), "{rows}");
    assert_eq!(close.verdicts()[0].decision, Decision::Undecided);
    assert!(close.verdicts()[0].found.is_some());
}

#[test]
fn the_first_look_is_the_first_that_can_certify() {
    for ks in [&[1][..], &[1, 2]] {
        // On rows that all have the label: none can certify before the look that does.
        let mut early = judge(Rule::Radius(0.25), 100_000, ks);
        let all = |n| counts([n, 0, 0]);
        let mut n = early.next_look(0);
        while early.look(&all(n)).unwrap() == Look::GoOn
            && early.verdicts().iter().all(|verdict| verdict.decision == Decision::Open)
        {
            n = early.next_look(n);
        }
        assert!(early.verdicts().iter().any(|verdict| verdict.decision == Decision::Certified), "{ks:?}");
        let mut before = judge(Rule::Radius(0.25), 100_000, ks);
        let _ = before.look(&all(n - 1)).unwrap();
        assert!(before.verdicts().iter().all(|verdict| verdict.decision == Decision::Open), "{ks:?}");
    }
    // What rows without the label can refute is refuted before anything can be certified.
    let mut hopeless = judge(Rule::Radius(0.5), 100_000, &[1]);
    let n = hopeless.next_look(0);
    assert!(n < 40, "{n}");
    assert_eq!(hopeless.look(&counts([0, n, 0])), Ok(Look::Stop));
    assert_eq!(hopeless.verdicts()[0].decision, Decision::Refuted);
}

#[test]
fn looks_follow_from_the_terms_and_end_at_n_max() {
    for rule in [Rule::Fixed, Rule::Radius(0.5), Rule::Steps(0.05), Rule::Tolerance(Tolerance::Absolute(0.01))] {
        let judge = judge(rule, 10_000, &[1, 2]);
        let mut n = 0;
        let mut looks = 0;
        while n < 10_000 {
            let next = judge.next_look(n);
            assert!(next > n && next <= 10_000);
            (n, looks) = (next, looks + 1);
        }
        assert_eq!(judge.next_look(n), 10_000);
        assert!(if rule == Rule::Fixed { looks == 1 } else { looks < 260 }, "{rule}: {looks}");
    }
}

#[test]
fn a_tolerance_is_reached_where_more_rows_add_little() {
    let rule = Rule::Tolerance(Tolerance::Sigmas(0.1));
    let mut loose = judge(rule, 100_000, &[1]);
    let rows = run(&mut loose, [0.9, 0.06]);
    let reached = loose.verdicts()[0].clone();
    assert!(reached.decision == Decision::Reached && rows < 50_000, "{rows}");
    let mut tight = judge(Rule::Tolerance(Tolerance::Absolute(0.0)), 100_000, &[1]);
    assert_eq!(run(&mut tight, [0.9, 0.06]), 100_000);
    let most = tight.verdicts()[0].found.as_ref().unwrap().radius;
    // The draws are others, so the expectation may be missed by a little.
    assert!(reached.found.unwrap().radius > most - 0.25 * 0.15);

    let mut hopeless = judge(rule, 100_000, &[1]);
    assert!(run(&mut hopeless, [0.3, 0.6]) < 300);
    // So near to nothing that the tolerance covers it, which no number of rows is then known to refute.
    assert_eq!(hopeless.verdicts()[0].decision, Decision::Reached);
    assert_eq!(hopeless.verdicts()[0].found.as_ref().unwrap().radius, 0.0);
    let mut hopeless = judge(Rule::Tolerance(Tolerance::Absolute(0.0)), 100_000, &[1]);
    assert!(run(&mut hopeless, [0.3, 0.6]) < 300);
    assert_eq!(hopeless.verdicts()[0].decision, Decision::Refuted);
    assert_eq!(hopeless.verdicts()[0].found.as_ref().unwrap().radius, 0.0);
}

#[test]
fn steps_end_where_the_next_is_out_of_reach() {
    // 0.25 Phi^-1(0.9) = 0.3204.
    for (step, reached, most) in [(0.25, 0.25, 2000), (0.1, 0.3, 20_000), (0.5, 0.0, 2000)] {
        let mut curve = judge(Rule::Steps(step), 100_000, &[1]);
        let rows = run(&mut curve, [0.9, 0.1]);
        let verdict = &curve.verdicts()[0];
        let radius = verdict.found.as_ref().unwrap().radius;
        assert!(verdict.decision == Decision::Reached && rows < most, "{step}: {rows}");
        assert!(radius > 0.0 && radius >= reached && radius < reached + step, "{step}: {radius}");
    }
    // Rows that all have the label: 0.75 is the largest multiple of 0.25 that 100,000 rows could certify, and no more
    // are drawn.
    let mut sure = judge(Rule::Steps(0.25), 100_000, &[1]);
    let rows = run(&mut sure, [1.0, 0.0]);
    let mut radius = judge(Rule::Radius(0.75), 100_000, &[1]);
    // By half of the alpha, the other being for the last row.
    let by_all = run(&mut radius, [1.0, 0.0]);
    assert!(rows < 20_000 && rows > by_all && rows < by_all * 6 / 5, "{rows}");
    assert_eq!(sure.verdicts()[0].decision, Decision::Reached);

    let mut refuted = judge(Rule::Steps(0.25), 100_000, &[1]);
    assert!(run(&mut refuted, [0.3, 0.6]) < 300);
    assert_eq!(refuted.verdicts()[0].decision, Decision::Refuted);
    // Steps that no rows could tell apart.
    let narrow = CertifyJudge::new(
        &terms(Rule::Steps(1e-8), 100),
        0,
        noise(),
        0.0,
        vec![Statement { k: 1, allocation: Allocation::default() }],
    );
    assert_eq!(narrow.unwrap_err().field(), Some("rule"));
    let mut hopeless = judge(Rule::Steps(0.25), 5, &[1]);
    assert_eq!(run(&mut hopeless, [1.0, 0.0]), 5);
    assert_eq!(hopeless.verdicts()[0].decision, Decision::Undecided);
}

#[test]
fn a_radius_beyond_all_rows_ends_them() {
    let mut beyond = judge(Rule::Radius(1.0), 100_000, &[1]);
    let rows = run(&mut beyond, [1.0, 0.0]);
    assert!(rows < 100_000 && beyond.verdicts()[0].decision == Decision::Undecided, "{rows}");
}

#[test]
fn each_k_is_decided_on_its_own() {
    let mut both = judge(Rule::Radius(0.25), 100_000, &[1, 2]);
    run(&mut both, [0.6, 0.39]);
    let [first, second] = both.verdicts() else { panic!() };
    assert_eq!((first.k, first.decision), (1, Decision::Refuted));
    assert_eq!((second.k, second.decision), (2, Decision::Certified));
}

#[test]
fn a_closed_judge_keeps_a_sound_certificate() {
    let mut cut = judge(Rule::Radius(0.5), 100_000, &[1]);
    cut.close(&counts([60, 1, 0])).unwrap();
    let verdict = &cut.verdicts()[0];
    assert!(verdict.decision == Decision::Undecided && verdict.found.as_ref().unwrap().radius > 0.0);
    // Without a row there is nothing to say, and before the last row of a fixed number neither.
    let mut none = judge(Rule::Radius(0.5), 100_000, &[1]);
    none.close(&counts([0, 0, 0])).unwrap();
    assert!(none.verdicts()[0].decision == Decision::Undecided && none.verdicts()[0].found.is_none());
    let mut fixed = judge(Rule::Fixed, 100, &[1]);
    fixed.close(&counts([60, 1, 0])).unwrap();
    assert!(fixed.verdicts()[0].decision == Decision::Undecided && fixed.verdicts()[0].found.is_none());
}

#[test]
fn fixed_is_the_plain_certificate() {
    let mut fixed = judge(Rule::Fixed, 100, &[1]);
    assert_eq!(fixed.next_look(0), 100);
    assert_eq!(fixed.look(&counts([95, 5, 0])), Ok(Look::Stop));
    let plain = certify(&counts([95, 5, 0]), 0, 1, 0.25, 0.001, &Allocation::default()).unwrap();
    assert_eq!(fixed.verdicts()[0].found, Some(plain));
    assert_eq!(fixed.verdicts()[0].decision, Decision::Complete);
}

#[test]
fn an_easy_set_is_settled_by_a_dozen_rows() {
    let mut judge = PredictJudge::new(&terms(Rule::Predict, 100_000), &[1]).unwrap();
    assert_eq!(judge.next_look(0), 1);
    assert_eq!(judge.look(&counts([0, 1, 0])), Ok(Look::GoOn));
    let n = judge.next_look(1);
    assert!((12..=14).contains(&n), "{n}");
    assert_eq!(judge.look(&counts([0, n, 0])), Ok(Look::Stop));
    let verdict = &judge.verdicts()[0];
    assert_eq!(verdict.decision, Decision::Settled);
    assert_eq!(verdict.found.as_ref().unwrap().labels(), Some(&[1][..]));
}

#[test]
fn rows_that_named_a_leader_do_not_confirm_it() {
    // All rows at one look: no bet was held, so nothing is settled, however clear the counts.
    let mut judge = PredictJudge::new(&terms(Rule::Predict, 100_000), &[1]).unwrap();
    assert_eq!(judge.look(&counts([0, 1000, 0])), Ok(Look::GoOn));
    assert!(judge.verdicts()[0].found.as_ref().unwrap().abstain);
    judge.close(&counts([0, 1000, 0])).unwrap();
    assert_eq!(judge.verdicts()[0].decision, Decision::Undecided);
}

#[test]
fn counts_that_cannot_be_are_refused() {
    let mut certify = judge(Rule::Radius(0.5), 100, &[1]);
    let mut predict = PredictJudge::new(&terms(Rule::Predict, 100), &[1]).unwrap();
    for bad in [counts([0, 0, 0]), counts([101, 0, 0]), Tally::complete(vec![5, 5]).unwrap()] {
        assert_eq!(certify.look(&bad).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(predict.look(&bad).unwrap_err().kind(), ErrorKind::InvalidData);
    }
    let _ = certify.look(&counts([10, 10, 0])).unwrap();
    let _ = predict.look(&counts([10, 10, 0])).unwrap();
    assert!(certify.look(&counts([10, 9, 0])).is_err());
    assert!(predict.look(&counts([9, 20, 0])).is_err());
}

#[test]
fn terms_outside_their_range_are_refused() {
    let statement = |k: usize, allocation: &str| vec![Statement { k, allocation: allocation.parse().unwrap() }];
    let new = |rule, cost, statements| CertifyJudge::new(&terms(rule, 100), 0, noise(), cost, statements);
    for rule in [
        Rule::Radius(0.0),
        Rule::Radius(f64::NAN),
        Rule::Steps(-1.0),
        Rule::Steps(f64::NAN),
        Rule::Tolerance(Tolerance::Sigmas(-1.0)),
        Rule::Predict,
    ] {
        assert_eq!(new(rule, 0.0, statement(1, "ranked")).unwrap_err().field(), Some("rule"), "{rule}");
    }
    assert_eq!(new(Rule::Radius(0.1), f64::NAN, statement(1, "ranked")).unwrap_err().field(), Some("radius_cost"));
    assert_eq!(new(Rule::Radius(0.1), 0.0, Vec::new()).unwrap_err().field(), Some("k"));
    assert_eq!(new(Rule::Radius(0.1), 0.0, statement(3, "ranked")).unwrap_err().field(), Some("k"));
    for allocation in ["pooled:0.5:0", "pooled:0.5:2,1", "pooled:0.5:1,1", "pooled:0.5:1,2", "pooled:0.5:7"] {
        let refused = new(Rule::Radius(0.1), 0.0, statement(2, allocation)).unwrap_err();
        assert_eq!(refused.field(), Some("allocation"), "{allocation}");
    }
    assert_eq!(PredictJudge::new(&terms(Rule::Radius(1.0), 100), &[1]).unwrap_err().field(), Some("rule"));
    assert_eq!(PredictJudge::new(&terms(Rule::Predict, 0), &[1]).unwrap_err().field(), Some("n"));
    assert_eq!(PredictJudge::new(&terms(Rule::Predict, 10), &[]).unwrap_err().field(), Some("k"));
}
