//! Rows without a label, under rules: as rows of the strongest rival, which is what they would help most.

use smoothtopk::certificate::stop::{
    AnswerJudge, CertifyJudge, Look, PredictJudge, Rule, Statement, StopJudge, Terms, Verdict,
};
use smoothtopk::certificate::{Certificate, SetCertificate};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::{Allocation, Tally};

/// Of n rows, `own` % of label 0, 10 % of each of two rivals, and the rest of none; or, in their place, of the first
/// rival.
fn shares(n: u64, own: u64, is_labelled: bool) -> Tally {
    let (mut labels, mut none) = (vec![0; 3], 0);
    for part in 0..20 {
        // Rows part, part + 20, part + 40, ...
        let rows = (n + 19 - part) / 20;
        match part * 5 {
            share if share < own => labels[0] += rows,
            share if share < own + 10 => labels[1] += rows,
            share if share < own + 20 => labels[2] += rows,
            _ => none += rows,
        }
    }
    labels[1] += if is_labelled { none } else { 0 };
    Tally::new(labels, n).unwrap()
}

fn terms(rule: Rule) -> Terms {
    Terms { rule, classes: 3, alpha: 0.001, n_max: 20_000 }
}

fn noise() -> Gaussian {
    Gaussian::new(0.25).unwrap()
}

/// What `judge` says at each of its looks.
macro_rules! verdicts {
    ($judge:expr, $own:expr, $is_labelled:expr) => {{
        let (mut judge, mut n, mut said) = ($judge, 0, Vec::new());
        loop {
            n = judge.next_look(n);
            let look = judge.look(&shares(n, $own, $is_labelled)).unwrap();
            said.push((n, judge.verdicts().to_vec()));
            if look == Look::Stop {
                break said;
            }
        }
    }};
}

#[test]
fn a_prediction_is_settled_as_if_the_runner_up_had_them() {
    for own in [45, 60, 75] {
        let judge = || PredictJudge::new(&terms(Rule::Predict), &[1]).unwrap();
        let (without, with) = (verdicts!(judge(), own, false), verdicts!(judge(), own, true));
        assert!(with.len() > 1);
        assert_eq!(without, with, "{own} %");
    }
}

#[test]
fn a_radius_is_decided_as_if_the_strongest_rival_had_them() {
    for (own, radius) in [(60, 0.03), (60, 2.0), (45, 0.01), (75, 0.1)] {
        for allocation in ["ranked", "simuem", "binocp", "pooled:0.5"] {
            let statement = || Statement { k: 1, allocation: allocation.parse::<Allocation>().unwrap() };
            let judge = || CertifyJudge::new(&terms(Rule::Radius(radius)), 0, noise(), 0.0, vec![statement()]).unwrap();
            let (without, with) = (verdicts!(judge(), own, false), verdicts!(judge(), own, true));
            let last = |said: &[(u64, Vec<_>)]| said.last().unwrap().clone();
            let ((n, without), (m, with)) = (last(&without), last(&with));
            let certified = |verdict: &Verdict<Certificate>| verdict.found.as_ref().map(|found| found.radius);
            assert_eq!(certified(&without[0]), certified(&with[0]), "{own} %, {radius}, {allocation}");
            // A sum is refuted by what its labels have, which leaves these rows out.
            if allocation != "pooled:0.5" {
                assert_eq!((n, without[0].decision), (m, with[0].decision), "{own} %, {radius}, {allocation}");
            }
        }
    }
}

#[test]
fn an_answer_is_decided_as_if_the_strongest_outside_had_them() {
    let pilot = Tally::complete(vec![70, 20, 10]).unwrap();
    for (own, radius) in [(60, 0.03), (60, 2.0), (45, 0.01), (75, 0.1)] {
        let judge = || AnswerJudge::new(&terms(Rule::Radius(radius)), &pilot, &[1], noise(), 0.0).unwrap();
        let (without, with) = (verdicts!(judge(), own, false), verdicts!(judge(), own, true));
        assert_eq!(without.len(), with.len(), "{own} %, {radius}");
        for ((n, without), (m, with)) in without.iter().zip(&with) {
            let certified = |verdict: &Verdict<SetCertificate>| verdict.found.as_ref().map(|found| found.radius);
            assert_eq!((n, without[0].decision, certified(&without[0])), (m, with[0].decision, certified(&with[0])));
        }
    }
}
