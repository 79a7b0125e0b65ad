//! Stated cases: the ends of every range, what is refused, and what must agree.

use smoothtopk::ErrorKind::InvalidArgument;
use smoothtopk::certificate::{AnswerLabels, Basis, BoundFunctions, Question, Selection, kept_radius};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::{Allocation, MAX_TRIALS, Prob, Tally, Validity};

use super::truth::prob;
use crate::statements::{certify, certify_each, certify_kept, certify_order, certify_set};

const FIXED: BoundFunctions = BoundFunctions::FIXED;

fn counts(labels: &[u64]) -> Tally {
    Tally::complete(labels.to_vec()).unwrap()
}

/// The field at fault in each of the four guarantees.
fn refused(counts: &Tally, returned: &AnswerLabels, sigma: f64, alpha: f64) -> Vec<String> {
    let field = |e: smoothtopk::Error| {
        assert_eq!(e.kind(), InvalidArgument, "{e}");
        e.field().unwrap_or_default().to_owned()
    };
    vec![
        certify_each(counts, returned, sigma, alpha, &FIXED).map_err(field).unwrap_err(),
        certify_set(counts, returned, sigma, alpha, &FIXED).map_err(field).unwrap_err(),
        certify_order(counts, returned, 1, sigma, alpha, &FIXED).map_err(field).unwrap_err(),
    ]
}

#[test]
fn arguments_outside_the_range_are_refused() {
    let four = counts(&[50, 30, 15, 5]);
    let two = AnswerLabels::same_counts(&four, 2).unwrap();
    for alpha in [0.0, -0.1, 0.6, f64::NAN, 1e-101, 1e-100] {
        assert_eq!(refused(&four, &two, 0.25, alpha), ["alpha"; 3], "{alpha}");
    }
    for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(refused(&four, &two, sigma, 0.001), ["sigma"; 3], "{sigma}");
    }
    assert_eq!(refused(&four, &AnswerLabels::independent(vec![1, 4]).unwrap(), 0.25, 0.001), ["labels"; 3]);
    assert_eq!(refused(&four, &AnswerLabels::independent(vec![0, 1, 2, 3]).unwrap(), 0.25, 0.001), ["k"; 3]);
    assert_eq!(
        refused(&Tally::new(vec![0; 4], 0).unwrap(), &AnswerLabels::independent(vec![0]).unwrap(), 0.25, 0.001),
        ["n"; 3]
    );
    let huge = Tally::new(vec![1; 4], MAX_TRIALS + 1).unwrap();
    assert_eq!(refused(&huge, &AnswerLabels::same_counts(&huge, 1).unwrap(), 0.25, 0.001), ["n"; 3]);
    for labels in [vec![], vec![1, 1], vec![3, 0, 3]] {
        assert_eq!(AnswerLabels::independent(labels).unwrap_err().field(), Some("labels"));
    }
    for k in [0, 4, usize::MAX] {
        assert_eq!(AnswerLabels::same_counts(&four, k).unwrap_err().field(), Some("k"));
    }
    for wrong in [0, 3] {
        assert_eq!(certify_kept(&four, &two, wrong, 0.25, 0.001, &FIXED).unwrap_err().field(), Some("at_least"));
        assert_eq!(certify_order(&four, &two, wrong, 0.25, 0.001, &FIXED).unwrap_err().field(), Some("places"));
    }
}

#[test]
fn labels_that_other_counts_chose_are_no_same_counts() {
    let (pilot, estimate) = (counts(&[30, 50, 15, 5]), counts(&[50, 30, 15, 5]));
    let chosen = AnswerLabels::same_counts(&pilot, 1).unwrap();
    assert_eq!(refused(&estimate, &chosen, 0.25, 0.001), ["labels"; 3]);
    // Their order counts too: a ranking would be another.
    assert_eq!(refused(&estimate, &AnswerLabels::same_counts(&pilot, 2).unwrap(), 0.25, 0.001), ["labels"; 3]);
    let honest = AnswerLabels::pilot(&pilot, 2).unwrap();
    assert_eq!((honest.labels(), honest.selection()), (&[1, 0][..], Selection::Pilot));
    assert!(certify_set(&estimate, &honest, 0.25, 0.001, &FIXED).is_ok());
}

#[test]
fn a_truism_is_refused() {
    // Of 5 labels 4 are returned: 1 is outside, so 3 stay whatever happens.
    let five = Tally::new(vec![400, 300, 200, 90, 10], 1000).unwrap();
    let four = AnswerLabels::same_counts(&five, 4).unwrap();
    for e in 1..=3 {
        let refused = certify_kept(&five, &four, e, 1.0, 0.001, &FIXED).unwrap_err();
        assert!(refused.field() == Some("at_least") && refused.message().contains("ask for 4"), "{refused}");
    }
    assert!(certify_kept(&five, &four, 4, 1.0, 0.001, &FIXED).unwrap().certified());
}

#[test]
fn one_label_is_one_statement() {
    let ten = counts(&[2, 2, 334, 93642, 2, 5279, 737, 0, 2, 0]);
    for returned in [AnswerLabels::same_counts(&ten, 1).unwrap(), AnswerLabels::independent(vec![3]).unwrap()] {
        let set = certify_set(&ten, &returned, 0.25, 0.001, &FIXED).unwrap();
        let order = certify_order(&ten, &returned, 1, 0.25, 0.001, &FIXED).unwrap();
        let each = certify_each(&ten, &returned, 0.25, 0.001, &FIXED).unwrap();
        assert!((set.radius - order.radius).abs() < 1e-11 && (set.radius - each.radius_of_all()).abs() < 1e-11);
        let one = certify(&ten, 3, 1, 0.25, 0.001, &Allocation::default()).unwrap().radius;
        match returned.selection() {
            // Nothing is spent on the choice: the certificate of a label fixed beforehand.
            Selection::Pilot => assert!((set.radius - one).abs() < 1e-9),
            _ => assert!(set.radius < one && set.radius > one * 0.995),
        }
    }
}

#[test]
fn fewer_labels_and_places_never_certify_less() {
    for labels in [vec![400, 300, 150, 80, 40, 20, 5, 5, 0, 0], vec![900, 25, 24, 24, 9, 9, 9, 0, 0, 0]] {
        let ten = counts(&labels);
        let returned = AnswerLabels::independent((0..4).collect()).unwrap();
        let order = |d| certify_order(&ten, &returned, d, 1.0, 0.001, &FIXED).unwrap().radius;
        assert!((2..=4).all(|d| order(d) <= order(d - 1)), "{labels:?}");
        // The whole ranking is a stronger statement than the whole set, by the same two levels.
        assert!(certify_set(&ten, &returned, 1.0, 0.001, &FIXED).unwrap().radius >= order(4) - 1e-11);
    }
}

#[test]
fn a_boundary_that_is_not_clear_certifies_fewer_labels_only() {
    // The third label might be any of three; the first is clear.
    let blurred = counts(&[9000, 500, 101, 100, 100, 99, 50, 50, 0, 0]);
    let returned = AnswerLabels::same_counts(&blurred, 3).unwrap();
    let kept = |e| certify_kept(&blurred, &returned, e, 1.0, 0.001, &FIXED).unwrap();
    assert_eq!(kept(3).radius, 0.0);
    assert!(kept(2).certified() && kept(2).among == 2);
    assert!(kept(1).radius > 1.0 && kept(1).radius > kept(2).radius && kept(1).among < 3);
    let order = |d| certify_order(&blurred, &returned, d, 1.0, 0.001, &FIXED).unwrap();
    assert!(order(1).certified() && order(2).certified() && !order(3).certified() && order(3).weakest == 3);
    let each = certify_each(&blurred, &returned, 1.0, 0.001, &FIXED).unwrap();
    assert!(each.labels[0].radius > 1.0 && each.labels[1].radius > 0.0 && each.labels[2].radius == 0.0);
    assert_eq!(each.radius_of_all(), 0.0);
}

#[test]
fn no_rows_and_all_rows() {
    let none = Tally::new(vec![0, 0, 0, 0], 100).unwrap();
    let all = Tally::new(vec![0, 0, 100, 0], 100).unwrap();
    for k in 1..=2 {
        for counts in [&none, &all] {
            let returned = AnswerLabels::same_counts(counts, k).unwrap();
            let each = certify_each(counts, &returned, 1.0, 0.001, &FIXED).unwrap();
            let top = each.labels[0].radius;
            assert!(top.is_finite() && (top > 0.0) == (counts == &all));
            assert!(each.labels[1..].iter().all(|label| label.radius == 0.0 && label.p_lower == Prob::ZERO));
            let first = certify_order(counts, &returned, 1, 1.0, 0.001, &FIXED).unwrap();
            assert!(first.radius.is_finite() && first.certified() == (counts == &all));
            // With k = 2 the second place is nobody's.
            assert_eq!(
                certify_set(counts, &returned, 1.0, 0.001, &FIXED).unwrap().certified(),
                k == 1 && counts == &all
            );
        }
    }
}

#[test]
fn the_cost_of_rounding_only_ever_shrinks() {
    let four = counts(&[900, 80, 15, 5]);
    let labels = AnswerLabels::same_counts(&four, 2).unwrap();
    let basis = |radius_cost: f64| {
        let mut basis = Basis::assuming(Gaussian::new(1.0).unwrap(), 1000, 0.001, Validity::Fixed);
        basis.radius_cost = radius_cost;
        basis
    };
    let with = |radius_cost: f64| {
        let basis = basis(radius_cost);
        let question = Question::new(&basis, &four, &labels).unwrap();
        (question.set().unwrap(), question.order(1).unwrap(), question.each().unwrap())
    };
    let (set, order, each) = with(0.0);
    assert_eq!(Ok(&set), certify_set(&four, &labels, 1.0, 0.001, &FIXED).as_ref());
    assert!(set.radius > 0.1 && each.labels[0].radius > 0.1);
    let shrunk = with(1e-3);
    assert!(shrunk.0.radius <= set.radius - 1e-3 && shrunk.1.radius <= order.radius - 1e-3);
    assert!(shrunk.2.labels[0].radius <= each.labels[0].radius - 1e-3);
    let none = with(10.0);
    assert!(!none.0.certified() && !none.1.certified() && none.2.labels.iter().all(|label| label.radius == 0.0));
    for cost in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(Question::new(&basis(cost), &four, &labels).unwrap_err().field(), Some("radius_cost"));
    }
}

#[test]
fn bounds_that_are_none_are_refused() {
    let noise = Gaussian::new(1.0).unwrap();
    let (low, high) = ([prob(0.2), prob(0.3)], [prob(0.05), prob(0.1)]);
    let found = kept_radius(&noise, &low, &high).unwrap();
    assert!(found.radius > 0.5 && found.leaving <= 2 && found.entering <= 2);
    assert_eq!(kept_radius(&noise, &low, &[Prob::ZERO, Prob::ZERO]).unwrap().radius, f64::INFINITY);
    assert_eq!(kept_radius(&noise, &[Prob::ZERO], &[Prob::ZERO]).unwrap().radius, 0.0);
    assert_eq!(kept_radius(&noise, &[prob(0.1)], &[prob(0.1)]).unwrap().radius, 0.0);
    for (members, rivals) in
        [(&low[..1], &high[..]), (&[], &[]), (&[prob(0.3), prob(0.2)], &high), (&[Prob { p: 0.5, q: 0.9 }], &high[..1])]
    {
        assert_eq!(kept_radius(&noise, members, rivals).unwrap_err().field(), Some("members"));
    }
    assert_eq!(kept_radius(&noise, &low, &[prob(0.3), prob(0.2)]).unwrap_err().field(), Some("rivals"));
}
