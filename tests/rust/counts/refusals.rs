//! What counts refuse to say.

use std::time::Duration;

use smoothtopk::ErrorKind;
use smoothtopk::certificate::{Query, Selection};
use smoothtopk::counts::{Assumed, Counts, Ending};
use smoothtopk::noise::ExactGrid;
use smoothtopk::smoothed::{Control, NoiseMode, Request, Task};
use smoothtopk::stats::Validity;

use super::{X, drawn, noise, request, sample, smoothed};

#[test]
fn samples_that_chose_labels_certify_none() {
    let g = smoothed();
    let ask = |task| g.submit(&X, task, &request(), 5).unwrap().wait();
    let pilot = ask(Task::CertifySelected).selection.unwrap();
    for (did, counts) in
        [("predicted", ask(Task::Predict).counts), ("answered", ask(Task::CertifyAnswer).counts), ("chose", pilot)]
    {
        for counts in [&counts, &Counts::from_json(&counts.to_json()).unwrap()] {
            let error = counts.certify(&Query::of_label(1)).unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("counts")));
            assert!(error.message().contains(did), "{error}");
            // What pays for the choice is given.
            let guarantee = counts.guarantee(None, 1, 0.001).unwrap();
            assert_eq!((guarantee.labels(), guarantee.set.selection), (&[1][..], Selection::SameCounts));
        }
        // One such sample is enough.
        let mut sum = sample(&g, 5000..6000);
        sum.add(&counts).unwrap();
        assert!(sum.certify(&Query::of_label(1)).is_err());
    }
}

#[test]
fn a_pilot_has_other_samples_of_the_same_input() {
    let g = smoothed();
    let (counts, pilot) = (sample(&g, 0..1000), sample(&g, 1000..1100));
    let with = |pilot: &Counts| counts.guarantee(Some(pilot), 1, 0.001);
    assert_eq!(with(&pilot).unwrap().set.selection, Selection::Pilot);
    let elsewhere = drawn(&g, &[0.1, 0.1], 1000..1100, &request()).counts;
    let bare = Counts::assuming(vec![1, 9, 0, 0], None, Assumed::fixed(noise())).unwrap();
    for refused in [&counts, &sample(&g, 999..1100), &elsewhere, &bare] {
        let error = with(refused).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("pilot")), "{error}");
    }
}

#[test]
fn a_deadlines_partial_says_nothing() {
    let g = smoothed();
    let endless = Request { n: 1_000_000_000_000, ..request() };
    let late = || Control { timeout: Some(Duration::from_millis(50)), ..Control::default() };
    let outcome = g.submit_batch(&X, &[Task::Certify(1)], &endless, 5, late()).unwrap().wait().remove(0);
    let sampled = g.submit_samples(&X, 0..1_000_000_000_000, &request(), 5, late()).unwrap().wait();
    assert_eq!(outcome.answer.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(sampled.early_stop.unwrap().kind(), ErrorKind::DeadlineExceeded);
    let mut sum = drawn(&g, &X, 0..10, &request().seeded(8)).counts;
    sum.add(&sampled.counts).unwrap();
    let read = Counts::from_json(&sampled.counts.to_json()).unwrap();
    for counts in [outcome.counts, sampled.counts, sum, read] {
        assert!(counts.n() > 0 && counts.ending() == Ending::CutShort);
        for refused in [
            counts.certify(&Query::of_label(1)).map(drop),
            counts.predict(1, 0.001).map(drop),
            counts.guarantee(None, 1, 0.001).map(drop),
            counts.validity().map(drop),
        ] {
            let error = refused.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("counts")), "{error}");
            assert!(error.message().contains("cut short"), "{error}");
        }
    }
}

/// Exact noise takes something off alpha for each sample that there could have been: with no end there is no bound.
#[test]
fn exact_noise_is_paid_for_up_to_a_last_sample_that_was_fixed() {
    let g = smoothed();
    let exact = Request { mode: NoiseMode::Exact(ExactGrid::new(10).unwrap()), ..request() };
    let draw = |samples| drawn(&g, &[0.8, 0.9], samples, &exact).counts;
    let query = Query::of_label(1);
    let (mut sum, rest) = (draw(0..1000), draw(1000..2000));
    let whole = Counts::sum([&sum, &rest]).unwrap().certify(&query).unwrap();
    let part = sum.certify(&query).unwrap();
    assert!(whole.basis.alpha_left < part.basis.alpha_left && part.basis.alpha_left < 0.001);
    assert_eq!(whole.basis.validity, Validity::Fixed);
    // Looked at while it grew.
    sum.add(&rest).unwrap();
    for refused in [sum.certify(&query).map(drop), sum.guarantee(None, 1, 0.001).map(drop)] {
        let error = refused.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("counts")));
        assert!(error.message().contains("exact noise"), "{error}");
    }
    // A rule has a last sample, which is paid for whenever it ends.
    let ruled = Request { rule: "radius:0.1".parse().unwrap(), n: 100_000, ..exact };
    let counts = g.submit(&[0.8, 0.9], Task::Certify(1), &ruled, 5).unwrap().wait().counts;
    assert!(counts.n() < 100_000);
    assert_eq!(counts.certify(&query).unwrap().basis.alpha_left, ruled.alpha_left(2).unwrap());
}

#[test]
fn bare_numbers_are_not_added_to_themselves() {
    let bare = |labels: &[u64]| Counts::assuming(labels.to_vec(), None, Assumed::fixed(noise())).unwrap();
    let (ours, other) = (bare(&[9, 1]), bare(&[9, 1]));
    let sum = Counts::sum([&ours, &other]).unwrap();
    for twice in [[&ours, &ours.clone()], [&sum, &ours]] {
        let error = Counts::sum(twice).unwrap_err();
        assert!(error.message().contains("counted twice"), "{error}");
    }
    assert_eq!(sum.n(), 20);
}

#[test]
fn bare_numbers_say_what_they_assume() {
    let g = smoothed();
    let counts = sample(&g, 0..1000);
    let assumed = Assumed { radius_cost: 1e-3, ..Assumed::fixed(noise()) };
    let bare = Counts::assuming(counts.labels().to_vec(), Some(1010), assumed).unwrap();
    let (ours, theirs) = (counts.certify(&Query::of_label(1)).unwrap(), bare.certify(&Query::of_label(1)).unwrap());
    assert!(theirs.basis.assumed && !ours.basis.assumed);
    assert!(counts.assumptions().is_empty());
    let said = bare.assumptions().join("; ");
    for word in ["independent", "gaussian:0.25", "1010, was fixed", "10 of the samples have no label", "0.001"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    for cost in [-1.0, f64::NAN, f64::INFINITY] {
        let refused = Counts::assuming(vec![1, 2], None, Assumed { radius_cost: cost, ..assumed });
        assert_eq!(refused.unwrap_err().field(), Some("radius_cost"));
    }
}
