//! The smoothed classifier: what a task draws, and requests that are out of range.

use std::path::Path;
use std::sync::Arc;

use smoothtopk::ErrorKind;
use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::sampler::Plan;
use smoothtopk::smoothed::{Answer, Request, SmoothedClassifier, Task};

fn smoothed() -> SmoothedClassifier {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/exact_order.onnx");
    let model = Arc::new(Model::open(path, &ModelOptions::default()).unwrap());
    SmoothedClassifier::new(model, Plan { batch: 16, threads: 2 }).unwrap()
}

fn request() -> Request {
    Request { n: 2000, n0: 200, seed: Some(3), ..Request::new(0.25) }
}

/// A label predicted, or selected, and then certified under one seed must not be certified by the rows that chose it.
#[test]
fn predicting_selecting_and_certifying_draw_rows_of_their_own() {
    let g = smoothed();
    let input = vec![0.0; g.sampler().classifier().elements()];
    let draw = |task| g.submit(&input, task, &request(), 5).unwrap().wait();
    let (predicted, given, selected) = (draw(Task::Predict), draw(Task::Certify(0)), draw(Task::CertifySelected));
    assert_ne!(predicted.counts, given.counts);
    assert_eq!(given.counts, selected.counts, "the certifying rows do not depend on which label they certify");
    let selection = selected.selection.unwrap();
    assert_eq!(selection.n(), 200);
    let Ok(Answer::Certificates(certificates)) = selected.answer else { panic!("no certificate") };
    assert_eq!(certificates[0].label, selection.top());
    assert_eq!(draw(Task::Predict).counts, predicted.counts);
}

#[test]
fn requests_out_of_range_are_refused_before_anything_is_drawn() {
    let g = smoothed();
    let (elements, classes) = (g.sampler().classifier().elements(), g.sampler().classifier().classes());
    let input = vec![0.0; elements];
    for (field, task, request) in [
        ("sigma", Task::Predict, Request { sigma: 0.0, ..request() }),
        ("sigma", Task::Predict, Request { sigma: f64::NAN, ..request() }),
        ("sigma", Task::Predict, Request { sigma: 1e-110, ..request() }),
        ("k", Task::Predict, Request { k: vec![], ..request() }),
        ("k", Task::Predict, Request { k: vec![0], ..request() }),
        ("k", Task::Predict, Request { k: vec![classes], ..request() }),
        ("k", Task::Predict, Request { k: vec![2, 1, 2], ..request() }),
        ("n", Task::Predict, Request { n: 0, ..request() }),
        ("n", Task::Predict, Request { n: u64::MAX, ..request() }),
        ("n0", Task::CertifySelected, Request { n0: 0, ..request() }),
        ("n0", Task::CertifySelected, Request { n0: u64::MAX, ..request() }),
        ("alpha", Task::Predict, Request { alpha: 0.0, ..request() }),
        ("alpha", Task::Predict, Request { alpha: 1.0, ..request() }),
        ("alpha", Task::Certify(0), Request { alpha: 1e-100, ..request() }),
        ("label", Task::Certify(classes), request()),
    ] {
        let error = g.submit(&input, task, &request, 0).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidArgument, Some(field)), "{request:?}: {error}");
    }
    let error = g.submit(&input[1..], Task::Predict, &request(), 0).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("input")));
}
