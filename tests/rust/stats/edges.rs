//! Stated cases: the ends of every range, and what is refused.

use smoothtopk::ErrorKind::InvalidArgument;
use smoothtopk::certificate::plan::{self, Forecast};
use smoothtopk::certificate::{Basis, certify as certify_on, predict, top_k_radius};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::{Allocation, MAX_TRIALS, Prob, Tally, Validity, binomial, normal};

use crate::statements::certify;

fn counts(labels: &[u64]) -> Tally {
    Tally::complete(labels.to_vec()).unwrap()
}

#[test]
fn bounds_of_no_and_of_only_successes() {
    assert_eq!(binomial::lower(0, 10, 0.01), Ok(Prob::ZERO));
    assert_eq!(binomial::upper(10, 10, 0.01), Ok(Prob::ONE));
    let all = binomial::lower(1, 1, 0.05).unwrap();
    assert!(all.p <= 0.05 && all.p > 0.05 - 1e-13);
    let none = binomial::upper(0, 1_000_000_000_000, 1e-3).unwrap();
    assert!(none.p > 0.0 && none.p < 7e-12);
}

#[test]
fn arguments_outside_the_range_are_refused() {
    for alpha in [0.0, -0.1, 0.6, f64::NAN, f64::INFINITY, 1e-101] {
        assert_eq!(binomial::lower(1, 2, alpha).map_err(|e| e.kind()), Err(InvalidArgument), "{alpha}");
        let refused = certify(&counts(&[3, 1]), 0, 1, 0.25, alpha, &Allocation::default()).unwrap_err();
        assert_eq!((refused.kind(), refused.field()), (InvalidArgument, Some("alpha")));
        assert!(predict(&counts(&[3, 1]), 1, alpha).is_err());
    }
    assert!(binomial::lower(3, 2, 0.1).is_err() && binomial::upper(3, 2, 0.1).is_err());
    assert!(binomial::lower(0, 0, 0.1).is_err());
    assert!(binomial::lower(1, MAX_TRIALS + 1, 0.1).is_err());
    // A share of alpha below the range is refused too, not rounded into it.
    assert!(certify(&counts(&[3, 1]), 0, 1, 0.25, 1e-100, &Allocation::default()).is_err());
    for sigma in [0.0, -0.25, f64::NAN, f64::INFINITY] {
        let refused = certify(&counts(&[3, 1]), 0, 1, sigma, 0.001, &Allocation::default()).unwrap_err();
        assert_eq!((refused.kind(), refused.field()), (InvalidArgument, Some("sigma")));
    }
}

#[test]
fn k_must_leave_a_label_outside() {
    let three = counts(&[50, 30, 20]);
    for k in [0, 3, 4, usize::MAX] {
        for bound in Allocation::PLAIN {
            let refused = certify(&three, 0, k, 0.25, 0.001, &bound).unwrap_err();
            assert_eq!((refused.kind(), refused.field()), (InvalidArgument, Some("k")));
        }
        assert_eq!(predict(&three, k, 0.001).unwrap_err().field(), Some("k"));
    }
    assert!(certify(&three, 0, 2, 0.25, 0.001, &Allocation::default()).is_ok());
    assert_eq!(certify(&three, 3, 1, 0.25, 0.001, &Allocation::default()).unwrap_err().field(), Some("label"));
    // One label leaves no k at all.
    assert!(certify(&counts(&[50]), 0, 1, 0.25, 0.001, &Allocation::default()).is_err());
}

#[test]
fn more_rows_than_supported_are_refused_without_overflow() {
    let huge = Tally::new(vec![u64::MAX - 5, 5], u64::MAX).unwrap();
    assert_eq!(certify(&huge, 0, 1, 0.25, 0.001, &Allocation::SimuEm).unwrap_err().field(), Some("n"));
    assert_eq!(predict(&huge, 1, 0.001).unwrap_err().field(), Some("n"));
    assert!(binomial::two_sided_half(u64::MAX, 5).is_err());
    assert!(Tally::complete(vec![u64::MAX, 1]).is_err());
}

#[test]
fn counts_beyond_32_bits_certify() {
    let large = counts(&[900_000_000_000, 60_000_000_000, 40_000_000_000]);
    let certificate = certify(&large, 0, 1, 1.0, 1e-12, &Allocation::default()).unwrap();
    let limit = 0.5 * (normal::quantile(0.9) - normal::quantile(0.06));
    assert!(certificate.radius < limit && certificate.radius > limit - 1e-4);
}

#[test]
fn no_rows_for_the_label_certify_nothing() {
    for bound in Allocation::PLAIN {
        let certificate = certify(&counts(&[0, 600, 400]), 0, 2, 0.25, 0.001, &bound).unwrap();
        assert!(!certificate.certified() && certificate.radius == 0.0 && certificate.p_lower.p == 0.0);
    }
}

#[test]
fn all_rows_for_the_label_give_a_finite_radius() {
    for bound in Allocation::PLAIN {
        for n in [1, 30, 100_000, MAX_TRIALS] {
            let certificate = certify(&Tally::new(vec![n, 0], n).unwrap(), 0, 1, 0.25, 0.001, &bound).unwrap();
            assert!(certificate.radius.is_finite() && certificate.certified() == (n > 1), "{bound} {n}");
        }
    }
}

#[test]
fn one_row_certifies_nothing_of_two_labels() {
    for bound in Allocation::PLAIN {
        assert!(!certify(&counts(&[1, 0]), 0, 1, 0.25, 0.5, &bound).unwrap().certified(), "{bound}");
    }
}

#[test]
fn a_rival_that_cannot_occur_limits_nothing() {
    let noise = Gaussian::new(0.25).unwrap();
    let half = Prob { p: 0.5, q: 0.5 };
    assert_eq!(top_k_radius(&noise, half, &[Prob::ZERO, half]).unwrap().radius, f64::INFINITY);
    assert_eq!(top_k_radius(&noise, Prob::ONE, &[half]).unwrap().radius, f64::INFINITY);
    assert_eq!(top_k_radius(&noise, Prob::ZERO, &[Prob::ZERO]).unwrap().radius, 0.0);
    assert!(top_k_radius(&noise, half, &[]).is_err());
    assert!(top_k_radius(&noise, half, &[half, Prob::ZERO]).is_err());
    assert!(top_k_radius(&noise, Prob { p: 0.7, q: 0.5 }, &[half]).is_err());
    assert!(top_k_radius(&noise, Prob { p: f64::NAN, q: 0.5 }, &[half]).is_err());
}

#[test]
fn the_cost_of_rounding_only_ever_shrinks() {
    let with = |radius_cost: f64| {
        let mut basis = Basis::assuming(Gaussian::new(0.25).unwrap(), 1000, 0.001, Validity::Fixed);
        basis.radius_cost = radius_cost;
        certify_on(&basis, &counts(&[990, 10]), 0, 1, &Allocation::default())
    };
    let certificate = with(0.0).unwrap();
    let radius = certificate.radius;
    assert_eq!(Ok(certificate), certify(&counts(&[990, 10]), 0, 1, 0.25, 0.001, &Allocation::default()));
    let shrunk = with(1e-3).unwrap();
    assert!(shrunk.certified() && shrunk.radius <= radius - 1e-3 && shrunk.radius > radius - 1.001e-3);
    assert!(with(1e-300).unwrap().radius < radius);
    for cost in [radius, 2.0 * radius] {
        assert_eq!(with(cost).unwrap().radius, 0.0, "{cost}");
    }
    for cost in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(with(cost).unwrap_err().field(), Some("radius_cost"), "{cost}");
    }
}

#[test]
fn ties_at_the_boundary_abstain_whatever_alpha() {
    let tied = predict(&counts(&[40, 40, 20]), 1, 0.5).unwrap();
    assert!(tied.abstain && tied.p_value == 1.0 && tied.labels().is_none());
    // A tie inside the set does no harm.
    assert_eq!(predict(&counts(&[4000, 4000, 20]), 2, 0.001).unwrap().labels(), Some(&[0, 1][..]));
    assert!(predict(&counts(&[100, 0, 0]), 2, 0.5).unwrap().abstain);
    assert_eq!(predict(&counts(&[1, 9, 5, 9]), 3, 0.5).unwrap().top, [1, 3, 2]);
}

#[test]
fn a_plan_names_the_first_n_that_does_not_abstain() {
    let noise = Gaussian::new(0.25).unwrap();
    for allocation in Allocation::PLAIN {
        for (k, classes) in [(1, 2), (1, 10), (3, 10), (5, 1000), (9, 10)] {
            let forecast = Forecast { k, allocation: allocation.clone(), ..Forecast::new(noise, classes) };
            let n = forecast.smallest_n(0.0).unwrap();
            assert!(forecast.largest_radius(n).unwrap() > 0.0);
            assert!(n == 1 || forecast.largest_radius(n - 1).unwrap() == 0.0);
            let far = forecast.smallest_n(0.75).unwrap();
            assert!(forecast.largest_radius(far).unwrap() >= 0.75);
            assert!(forecast.largest_radius(far - 1).unwrap() < 0.75);
        }
    }
    let ten = Forecast::new(noise, 10);
    assert_eq!(ten.smallest_n(25.0).unwrap_err().kind(), InvalidArgument);
    assert!(ten.smallest_n(f64::NAN).is_err());
    assert!(Forecast { k: 1 << 40, ..Forecast::new(noise, 1 << 50) }.largest_radius(100).is_err());
    let n = plan::smallest_n_to_predict(3, 0.001, 10).unwrap();
    assert!(!predict(&Tally::new(vec![n / 3, n / 3, n / 3, 0], n).unwrap(), 3, 0.001).unwrap().abstain);
    assert!(predict(&Tally::new(vec![n / 3, n / 3, n / 3 - 1, 0], n).unwrap(), 3, 0.001).unwrap().abstain);
}
