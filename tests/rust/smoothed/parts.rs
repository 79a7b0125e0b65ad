//! Samples that are drawn in parts: the answer of all of them is that of one task, and no part answers.

use std::time::Duration;

use smoothtopk::certificate::Query;
use smoothtopk::certificate::stop::Rule;
use smoothtopk::counts::{Counts, Ending};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::smoothed::{AllocationChoice, Outcome, Request, Task, of_parts};
use smoothtopk::{Error, Result};

use super::rules::smoothed;

const X: [f32; 2] = [0.4, 0.9];

fn request() -> Request {
    let request = Request::new(Gaussian::new(0.25).unwrap()).seeded(7);
    Request { k: vec![1, 2], n: 1000, n0: 50, alpha: 0.01, ..request }
}

/// The counts of parts that end at these samples, and the pilot's.
fn drawn(request: &Request, task: Task, ends: &[u64]) -> (Vec<Counts>, Option<Counts>) {
    let (g, mut start, mut selection) = (smoothed(16, 2), 0, None);
    let part = |end: &u64| {
        let samples = std::mem::replace(&mut start, *end)..*end;
        let outcome = g.submit_part(&X, task, request, 5, samples).unwrap().wait();
        assert!(outcome.is_part() && outcome.answer.is_err() && outcome.decisions.is_empty());
        // Through their written form, as from another machine.
        selection = selection.take().or(outcome.selection.map(|counts| Counts::from_json(&counts.to_json()).unwrap()));
        Counts::from_json(&outcome.counts.to_json()).unwrap()
    };
    (ends.iter().map(part).collect(), selection)
}

fn joined(request: &Request, task: Task, parts: (Vec<Counts>, Option<Counts>)) -> Result<Outcome> {
    of_parts(Counts::sum(&parts.0)?, parts.1, task, request, 5, Duration::ZERO)
}

#[test]
fn all_parts_answer_as_one_task() {
    let g = smoothed(7, 1);
    let auto = Request { allocation: AllocationChoice::Auto, ..request() };
    let randomized = Request { randomized: true, ..request() };
    let same = Request { n0: 0, ..request() };
    for (request, task) in [
        (request(), Task::Certify(1)),
        (request(), Task::CertifySelected),
        (auto, Task::Certify(0)),
        (randomized, Task::CertifySelected),
        (request(), Task::CertifyAnswer),
        (same, Task::CertifyAnswer),
        (request(), Task::Predict),
    ] {
        let whole = g.submit(&X, task, &request, 5).unwrap().wait();
        for ends in [&[1000][..], &[1, 500, 1000], &[333, 666, 999, 1000]] {
            let found = joined(&request, task, drawn(&request, task, ends)).unwrap();
            assert_eq!((found.answer, &found.counts), (whole.answer.clone(), &whole.counts), "{task:?} {ends:?}");
            assert_eq!(found.counts.to_json(), whole.counts.to_json());
            let json = |counts: &Option<Counts>| counts.as_ref().map(Counts::to_json);
            // What is read from a file has no secret, and no more is written.
            assert_eq!(json(&found.selection), json(&whole.selection));
            assert_eq!((found.samples_drawn, found.decisions), (1000, whole.decisions.clone()));
        }
    }
}

fn told(result: Result<Outcome>, says: &str) {
    let error = result.unwrap_err();
    assert!(error.message().contains(says), "{error}");
}

#[test]
fn no_part_answers_and_no_wrong_parts_do() {
    let (request, task) = (request(), Task::CertifySelected);
    let (parts, selection) = drawn(&request, task, &[400, 700, 1000]);
    let refused = |result: std::result::Result<(), Error>| {
        let error = result.unwrap_err();
        assert!(error.message().contains("are a part of 1000 samples"), "{error}");
    };
    refused(parts[0].certify(&Query::of_label(0)).map(|_| ()));
    refused(parts[0].predict(1, 0.01).map(|_| ()));
    refused(parts[0].guarantee(None, 1, 0.01).map(|_| ()));
    refused(parts[0].clone().growing(None).map(|_| ()));
    assert!(parts.iter().all(|part| part.ending() == Ending::Part { of: 1000 } && !part.is_seen()));
    let of = |list: &[usize]| list.iter().map(|&i| parts[i].clone()).collect::<Vec<_>>();
    told(joined(&request, task, (of(&[0, 2]), selection.clone())), "lack the samples 400..700 of 1000");
    told(joined(&request, task, (of(&[0, 1]), selection.clone())), "lack the samples 700..1000");
    told(joined(&request, task, (of(&[0, 1, 1, 2]), selection.clone())), "share samples with these");
    told(joined(&request, task, (of(&[0, 1, 2]), None)), "must have 50 samples");
    told(joined(&request, Task::CertifyAnswer, (of(&[0, 1, 2]), selection.clone())), "are not the 1000 samples");
    let fewer = Request { n: 900, ..request.clone() };
    told(joined(&fewer, task, (of(&[0, 1, 2]), selection.clone())), "are not the 900 samples");
    // A fixed number is no part of another.
    let g = smoothed(16, 1);
    let fixed = g.submit(&X, task, &request, 6).unwrap().wait().counts;
    told(joined(&request, task, (vec![parts[0].clone(), fixed], selection.clone())), "are not parts of one number");
    // Whoever took a label from a part has looked, and all who hold its samples know.
    parts[1].top();
    told(joined(&request, task, (of(&[0, 1, 2]), selection)), "were looked at before all parts were added");
    for (request, part) in [
        (request.clone(), 5..5),
        (request.clone(), 0..1001),
        (Request { rule: Rule::Radius(0.1), ..request.clone() }, 0..10),
    ] {
        assert_eq!(g.submit_part(&X, task, &request, 5, part).unwrap_err().field(), Some("part"));
    }
}
