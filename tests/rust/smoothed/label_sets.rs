//! Base classifiers that give each sample a set of labels: what is counted, and what such counts certify and refuse.

use std::sync::Arc;
use std::time::Duration;

use smoothtopk::certificate::Query;
use smoothtopk::counts::{Assumed, Counts};
use smoothtopk::model::{NO_FURTHER_LABEL, NO_LABEL};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::sampler::{BaseClassifier, BatchRunner, Plan};
use smoothtopk::smoothed::{Answer, Request, SmoothedClassifier, Task, of_parts};
use smoothtopk::stats::{Allocation, Tally};
use smoothtopk::{ErrorKind, Result};

/// Label i for each element i above a half, of 4 labels at most 3; no label is finite where the last one is above 1.4,
/// and where the first one is above 1.2 it says label 0 twice, which is no set.
struct Above(Option<usize>);
struct AboveRunner(Vec<f32>, usize);

impl BaseClassifier for Above {
    fn elements(&self) -> usize {
        4
    }
    fn classes(&self) -> usize {
        4
    }
    fn base_k(&self) -> Option<usize> {
        self.0
    }
    fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>> {
        Ok(Box::new(AboveRunner(vec![0.0; 4 * batch], self.0.unwrap_or(1))))
    }
}

fn set_of(row: &[f32], places: usize) -> Vec<u32> {
    if row[3] > 1.4 {
        return vec![NO_LABEL; places];
    }
    let mut labels: Vec<u32> = (0..4).filter(|&i| row[i as usize] > 0.5).take(places).collect();
    if row[0] > 1.2 && places > 1 {
        labels = vec![0, 0];
    }
    labels.resize(places, NO_FURTHER_LABEL);
    labels
}

impl BatchRunner for AboveRunner {
    fn rows_mut(&mut self, rows: usize) -> &mut [f32] {
        &mut self.0[..4 * rows]
    }
    fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()> {
        for (places, row) in labels.chunks_exact_mut(self.1).zip(self.0.chunks_exact(4)).take(rows) {
            places.copy_from_slice(&set_of(row, self.1));
        }
        Ok(())
    }
}

const X: [f32; 4] = [0.8, 0.75, 0.45, 0.6];

fn smoothed(batch: usize, threads: usize) -> SmoothedClassifier {
    SmoothedClassifier::new(Arc::new(Above(Some(3))), Plan { batch, threads }).unwrap()
}

fn request() -> Request {
    Request { n: 2000, k: vec![2], ..Request::new(Gaussian::new(0.25).unwrap()).seeded(5) }
}

fn counted(g: &SmoothedClassifier) -> Counts {
    let outcome = g.submit(&X, Task::Count, &request(), 3).unwrap().wait();
    assert_eq!(outcome.answer.unwrap(), Answer::Counted);
    outcome.counts
}

#[test]
fn sets_are_counted_label_by_label_whatever_the_batches() {
    let counts = counted(&smoothed(16, 2));
    assert_eq!(counted(&smoothed(333, 1)).labels(), counts.labels());
    // The rows themselves, drawn again.
    let (mut labels, mut invalid) = ([0; 4], 0);
    let noise = request().noise().unwrap();
    let centre = noise.centre(&X).unwrap();
    let stream = noise.stream(3, smoothtopk::noise::Purpose::Estimate);
    for sample in 0..2000 {
        let mut row = [0.0; 4];
        stream.noisy_row(sample, &centre, &mut row).unwrap();
        let set = set_of(&row, 3);
        match set[0] == NO_LABEL || set[..2] == [0, 0] {
            true => invalid += 1,
            false => set.iter().filter(|&&label| label < 4).for_each(|&label| labels[label as usize] += 1),
        }
    }
    assert_eq!((counts.labels(), counts.invalid(), counts.n()), (&labels[..], invalid, 2000));
    assert!(labels.iter().sum::<u64>() > 2000 && invalid > 20, "{labels:?} {invalid}");
    assert_eq!(counts.base_k(), Some(3));
}

#[test]
fn their_counts_certify_sets_of_labels_and_nothing_else() {
    let g = smoothed(64, 1);
    let certify = |counts: &Counts| counts.certify_label_set(&[0, 1], 2, 0.001, &Allocation::default());
    let counts = counted(&g);
    // What is for one label a sample is refused, before and after the samples, and leaves no trace.
    for task in [Task::Predict, Task::Certify(0), Task::CertifySelected, Task::CertifyAnswer] {
        assert_eq!(g.submit(&X, task, &request(), 3).unwrap_err().field(), Some("base_k"), "{task:?}");
    }
    assert_eq!(counts.certify(&Query::of_label(0)).unwrap_err().field(), Some("counts"));
    assert_eq!(counts.predict(1, 0.001).unwrap_err().kind(), ErrorKind::InvalidData);
    assert_eq!(counts.guarantee(None, 1, 0.001).unwrap_err().kind(), ErrorKind::InvalidData);
    let found = certify(&counts).unwrap();
    assert_eq!((found.base_k, found.radii.len()), (3, 2));
    assert!(found.radii[0] > found.radii[1] && found.radii[1] > 0.0, "{:?}", found.radii);
    // With fewer than s = k - e + 1 others whatever happens, whatever rounding costs.
    let all_but_one = counts.certify_label_set(&[0, 1, 2], 3, 0.001, &Allocation::default()).unwrap();
    assert_eq!(all_but_one.radii[..2], [f64::INFINITY; 2]);
    assert!(all_but_one.radii[2] < 1.0 && all_but_one.size_at(100.0) == 2);
    // As written and read, and from numbers alone less what rounding costs.
    let read = Counts::from_json(&counts.to_json()).unwrap();
    assert_eq!(certify(&read).unwrap(), found);
    let tally = Tally::of_sets(counts.labels().to_vec(), 2000, counts.invalid(), 3).unwrap();
    let bare = Counts::assuming_tally(tally, Assumed::fixed(Gaussian::new(0.25).unwrap())).unwrap();
    let cost = counts.perturbation().radius_cost;
    assert!((certify(&bare).unwrap().radii[0] - found.radii[0] - cost).abs() < 1e-12);
    assert!(bare.assumptions().iter().any(|text| text.contains("at most 3 labels")), "{:?}", bare.assumptions());
    // Parts add to the whole.
    let part = |samples| g.submit_part(&X, Task::Count, &request(), 3, samples).unwrap().wait().counts;
    let sum = Counts::sum(&[part(0..700), part(700..2000)]).unwrap();
    let whole = of_parts(sum, None, Task::Count, &request(), 3, Duration::ZERO).unwrap();
    assert_eq!(whole.counts, counts);
}

#[test]
fn counts_of_sets_and_counts_of_labels_do_not_add_and_their_form_says_which_they_are() {
    let drawn = |f, samples| {
        let g = SmoothedClassifier::new(Arc::new(Above(f)), Plan { batch: 64, threads: 1 }).unwrap();
        g.submit_samples(&X, samples, &request(), 3, Default::default()).unwrap().wait().counts
    };
    let mut sets = drawn(Some(3), 0..100);
    assert!(sets.add(&drawn(None, 100..200)).is_err());
    let mut form: serde_json::Value = serde_json::from_str(&sets.to_json()).unwrap();
    assert_eq!((form["base_k"].as_u64(), form["invalid"].as_u64()), (Some(3), Some(sets.invalid())));
    let labels = serde_json::from_str::<serde_json::Value>(&drawn(None, 0..9).to_json()).unwrap();
    assert!(labels.get("base_k").is_none() && labels.get("invalid").is_none(), "{labels}");
    // Without them it would say something else.
    form.as_object_mut().unwrap().remove("invalid");
    assert_eq!(Counts::from_json(&form.to_string()).unwrap_err().field(), Some("invalid"));
    form.as_object_mut().unwrap().remove("base_k");
    assert!(Counts::from_json(&form.to_string()).is_err());
}
