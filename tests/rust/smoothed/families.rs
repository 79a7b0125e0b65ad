//! Families that hide parts of an input, end to end: requests, rows, counts, answers and records.

use std::sync::Arc;
use std::time::Duration;

use smoothtopk::certificate::stop::{Decision, Rule};
use smoothtopk::counts::{Counts, Ending};
use smoothtopk::model::NO_LABEL;
use smoothtopk::noise::ExactGrid;
use smoothtopk::perturbation::{Ablation, Band, Family, IntoFamily, Norm};
use smoothtopk::record::Record;
use smoothtopk::sampler::{BaseClassifier, BatchRunner, Plan};
use smoothtopk::smoothed::{Control, NoiseMode, Outcome, Request, SmoothedClassifier, Task};
use smoothtopk::stats::{Allocation, Validity};
use smoothtopk::{ErrorKind, Result};

/// Images of 2 x 4 x 6 whose label is the most frequent value among what is shown, of labels 0 to 4; hidden is -1. Rows
/// that show nothing else than 9 have none.
struct Majority {
    delay: Duration,
}
struct MajorityRunner(Vec<f32>, Duration);

const SHAPE: [usize; 3] = [2, 4, 6];

impl BaseClassifier for Majority {
    fn elements(&self) -> usize {
        48
    }
    fn shape(&self) -> Vec<usize> {
        SHAPE.to_vec()
    }
    fn classes(&self) -> usize {
        5
    }
    fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>> {
        Ok(Box::new(MajorityRunner(vec![0.0; 48 * batch], self.delay)))
    }
}

impl BatchRunner for MajorityRunner {
    fn rows_mut(&mut self, rows: usize) -> &mut [f32] {
        &mut self.0[..48 * rows]
    }
    fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()> {
        std::thread::sleep(self.1);
        for (label, row) in labels.iter_mut().zip(self.0.chunks_exact(48)).take(rows) {
            let count = |label: u32| row.iter().filter(|&&value| value == label as f32).count();
            let best = (0..5).rev().max_by_key(|&label| count(label)).unwrap();
            *label = if count(best) > 0 { best } else { NO_LABEL };
        }
        Ok(())
    }
}

fn smoothed(batch: usize, threads: usize) -> SmoothedClassifier {
    let majority = Majority { delay: Duration::ZERO };
    SmoothedClassifier::new(Arc::new(majority), Plan { batch, threads }).unwrap()
}

fn family(text: &str) -> Family {
    text.into_family().unwrap()
}

/// Columns of one label each.
fn image(columns: [u32; 6]) -> Vec<f32> {
    (0..48).map(|element| columns[element % 6] as f32).collect()
}

fn radius(outcome: &Outcome) -> f64 {
    outcome.certificates().unwrap()[0].radius
}

/// The same counts from a record's text, and the same radius from them.
fn found_again(outcome: &Outcome) {
    let text = Record::of(outcome, None, false).to_json();
    let record = Record::from_json(&text).unwrap();
    assert_eq!(record.to_json(), text);
    let counts = record.counts_of(0).unwrap();
    assert_eq!(counts, outcome.counts);
    for (certificate, written) in outcome.certificates().unwrap().iter().zip(&record.certificates) {
        let query = smoothtopk::certificate::Query {
            k: certificate.k,
            ..smoothtopk::certificate::Query::of_label(certificate.label)
        };
        assert_eq!((counts.certify(&query).unwrap().radius, written.radius), (certificate.radius, certificate.radius));
    }
}

#[test]
fn bands_are_classified_each_once_and_certify_without_alpha() {
    let input = image([1, 1, 1, 1, 1, 2]);
    for (batch, threads) in [(1, 1), (4, 2), (64, 2)] {
        let g = smoothed(batch, threads);
        let request = Request { k: vec![1, 2], ..Request::new(family("band:1:value=-1")) };
        let outcome = g.submit(&input, Task::CertifySelected, &request, 0).unwrap().wait();
        assert_eq!((outcome.counts.labels(), outcome.counts.ending()), (&[0, 5, 1, 0, 0][..], Ending::Enumerated));
        assert_eq!((outcome.request.n, outcome.samples_drawn, outcome.request.alpha), (6, 6, 0.0));
        assert!(outcome.selection.is_none() && outcome.counts.draws().is_empty());
        let [first, second] = outcome.certificates().unwrap() else { panic!("two k") };
        // A patch of one column turns one vote: 4 to 2; of two columns 3 to 3, a tie. Of the top 2 it takes two rivals:
        // of three columns 2, 2 and 2.
        assert_eq!((first.label, first.radius, first.basis.validity), (1, 1.0, Validity::Exact));
        assert_eq!((first.basis.alpha, second.radius), (0.0, 2.0));
        assert_eq!(Norm::Patch, outcome.request.family.norm());
        found_again(&outcome);
        let given = g.submit(&input, Task::Certify(2), &request, 0).unwrap().wait();
        assert_eq!(given.certificates().unwrap().iter().map(|found| found.radius).collect::<Vec<_>>(), [0.0, 0.0]);
        let predicted = g.submit(&input, Task::Predict, &request, 0).unwrap().wait();
        let [first, second] = predicted.predictions().unwrap() else { panic!("two k") };
        assert_eq!((first.labels(), second.labels()), (Some(&[1][..]), Some(&[1, 2][..])));
        assert_eq!(first.p_value, 0.0);
        let guaranteed = g.submit(&input, Task::CertifyAnswer, &request, 0).unwrap().wait();
        let [first, second] = guaranteed.guarantees().unwrap() else { panic!("two k") };
        assert_eq!((first.set.radius, first.first.radius, first.each.labels[0].radius), (1.0, 1.0, 1.0));
        assert_eq!((second.set.radius, second.first.radius), (0.0, 1.0));
        assert_eq!(second.basis().alpha, 0.0);
    }
}

#[test]
fn known_places_certify_more_than_counts_and_ties_are_against_the_label() {
    let g = smoothed(8, 1);
    let request = Request::new(family("band:2:value=-1"));
    let input = image([3, 3, 3, 3, 0, 0]);
    let outcome = g.submit(&input, Task::Certify(3), &request, 0).unwrap().wait();
    // Of bands of two, those at 3 and 5 show both; the lower label wins ties.
    assert_eq!(outcome.counts.labels(), [3, 0, 0, 3, 0]);
    assert_eq!(radius(&outcome), 0.0, "a tie");
    let tied = g.submit(&input, Task::Predict, &request, 0).unwrap().wait();
    assert!(tied.predictions().unwrap()[0].abstain);
    found_again(&outcome);
    let blocks = Request::new(family("block:2:wrap=no:value=-1"));
    let whole = g.submit(&image([4; 6]), Task::CertifySelected, &blocks, 0).unwrap().wait();
    assert_eq!((whole.counts.n(), radius(&whole)), (15, 1.0));
}

#[test]
fn rows_without_a_label_are_against_the_label() {
    let g = smoothed(8, 1);
    let request = Request::new(family("band:1:value=-1"));
    let known = g.submit(&image([1, 1, 1, 1, 1, 1]), Task::Certify(1), &request, 0).unwrap().wait();
    let unknown = g.submit(&image([1, 1, 1, 1, 1, 9]), Task::Certify(1), &request, 0).unwrap().wait();
    assert_eq!((unknown.counts.invalid(), radius(&known), radius(&unknown)), (1, 2.0, 1.0));
    found_again(&unknown);
}

#[test]
fn splits_certify_in_l1_inputs_on_their_grid() {
    let g = smoothed(8, 2);
    let request = Request::new(family("split:12:levels=4"));
    let outcome = g.submit(&[1.0; 48], Task::CertifySelected, &request, 0).unwrap().wait();
    assert_eq!((outcome.counts.n(), outcome.request.family.norm()), (12, Norm::L1));
    assert_eq!(outcome.counts.perturbation().step, 0.25);
    found_again(&outcome);
    let error = g.submit(&[0.1; 48], Task::CertifySelected, &request, 0).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("input")));
}

#[test]
fn ablation_certifies_pixels_under_every_rule() {
    let g = smoothed(64, 2);
    let input = image([1, 1, 1, 1, 1, 1]);
    let request = Request { n: 4000, ..Request::new(family("ablate:4:value=-1")).seeded(5) };
    let fixed = g.submit(&input, Task::CertifySelected, &request, 0).unwrap().wait();
    assert_eq!(fixed.request.family.to_string(), "ablate:4:pixels=24:channels=first:value=-1.0");
    // Every row has the label; 1 - C(24 - r, 4)/C(24, 4) is 0.451 at 3 pixels, and 0.544 at 4.
    assert_eq!((radius(&fixed), fixed.counts.perturbation().radius_cost), (3.0, 0.0));
    found_again(&fixed);
    for (rule, decision) in
        [("radius:3", Decision::Certified), ("radius:4", Decision::Refuted), ("steps:1", Decision::Reached)]
    {
        let request = Request { n: 100_000, rule: rule.parse().unwrap(), ..request.clone() };
        let stopped = g.submit(&input, Task::Certify(1), &request, 0).unwrap().wait();
        assert_eq!(stopped.decisions, [decision], "{rule}: {}", stopped.counts.n());
        assert!(stopped.counts.n() < 100_000 && [3.0, 4.0].contains(&radius(&stopped).max(3.0)), "{rule}");
        found_again(&stopped);
    }
    let answer = g.submit(&input, Task::CertifyAnswer, &request, 0).unwrap().wait();
    assert_eq!(answer.guarantees().unwrap()[0].set.radius, 3.0);
    // Counts of two ranges add to those of both.
    let draw = |samples| g.submit_samples(&input, samples, &request, 0, Control::default()).unwrap().wait().counts;
    assert_eq!(Counts::sum(&[draw(0..1000), draw(1000..4000)]).unwrap().labels(), fixed.counts.labels());
}

#[test]
fn what_enumerated_noise_does_not_take_is_refused_by_name() {
    let g = smoothed(8, 1);
    let input = image([1; 6]);
    let band = || Request::new(Band::new(2).unwrap());
    for (field, request) in [
        ("n", Request { n: 50, ..band() }),
        ("n0", Request { n0: 50, ..band() }),
        ("alpha", Request { alpha: 0.01, ..band() }),
        ("rule", Request { rule: Rule::Radius(1.0), ..band() }),
        ("allocation", Request { allocation: Allocation::SimuEm.into(), ..band() }),
        ("randomized", Request { randomized: true, ..band() }),
        ("seed", band().seeded(7)),
        ("mode", Request { mode: NoiseMode::Exact(ExactGrid::pixels()), ..band() }),
        ("mode", Request { mode: NoiseMode::Exact(ExactGrid::pixels()), ..Request::new(Ablation::new(2).unwrap()) }),
        ("noise", Request::new(Band::new(7).unwrap())),
        ("noise", Request::new(Ablation::new(25).unwrap())),
        ("label", band()),
    ] {
        let error = g.submit(&input, Task::Certify(5), &request, 0).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidArgument, Some(field)), "{request:?}: {error}");
    }
    let error = g.submit_samples(&input, 0..3, &band(), 0, Control::default()).unwrap_err();
    assert_eq!(error.field(), Some("noise"));
    let mut counts = g.submit(&input, Task::Certify(1), &band(), 0).unwrap().wait().counts;
    assert_eq!(counts.clone().add(&counts).unwrap_err().kind(), ErrorKind::InvalidData);
    assert_eq!(
        counts.add(&g.submit(&input, Task::Certify(1), &band(), 1).unwrap().wait().counts).unwrap_err().field(),
        Some("counts")
    );
}

#[test]
fn a_deadline_leaves_no_answer_where_all_rows_are_needed() {
    let g = SmoothedClassifier::new(
        Arc::new(Majority { delay: Duration::from_millis(200) }),
        Plan { batch: 1, threads: 1 },
    )
    .unwrap();
    let control = Control { timeout: Some(Duration::from_millis(300)), ..Control::default() };
    let request = Request::new(Band::new(2).unwrap());
    let outcome = g.submit_batch(&image([1; 6]), &[Task::CertifySelected], &request, 0, control).unwrap().wait();
    let outcome = &outcome[0];
    assert_eq!(outcome.answer.as_ref().unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(outcome.counts.ending(), Ending::CutShort);
    let query = smoothtopk::certificate::Query::of_label(1);
    assert_eq!(outcome.counts.certify(&query).unwrap_err().kind(), ErrorKind::InvalidData);
    assert_eq!(Counts::from_json(&outcome.counts.to_json()).unwrap(), outcome.counts);
}

#[test]
fn a_file_of_rows_that_was_edited_is_refused() {
    let g = smoothed(8, 1);
    let request = Request::new(family("band:1:value=-1"));
    let counts = g.submit(&image([1, 1, 1, 1, 1, 2]), Task::Certify(1), &request, 0).unwrap().wait().counts;
    let text = counts.to_json();
    assert_eq!(Counts::from_json(&text).unwrap(), counts);
    for (from, to) in [
        ("[1,1,1,1,1,2]", "[1,1,1,1,1,1]"),
        ("[1,1,1,1,1,2]", "[1,1,1,1,2]"),
        ("[0,5,1,0,0]", "[0,6,0,0,0]"),
        ("\"n\":6", "\"n\":7"),
        ("band:1", "band:2:wrap=no"),
        ("enumerated", "fixed"),
        ("width=6", "width=5"),
    ] {
        let edited = text.replacen(from, to, 1);
        assert_ne!(edited, text, "{from}");
        assert_eq!(Counts::from_json(&edited).unwrap_err().kind(), ErrorKind::InvalidData, "{from} to {to}");
    }
}
