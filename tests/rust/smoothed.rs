//! The smoothed classifier: what a task draws, and requests that are out of range.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

mod families;
mod interim;
mod label_sets;
mod parts;
mod randomized;
mod rules;

use smoothtopk::ErrorKind;
use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::sampler::{FunctionBatch, FunctionClassifier, FunctionOptions, FunctionOutput, Gives, Plan};
use smoothtopk::smoothed::{Answer, CancelToken, Control, Flight, Outcome, Request, SmoothedClassifier, Task};

fn smoothed() -> SmoothedClassifier {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/exact_order.onnx");
    let model = Arc::new(Model::open(path, &ModelOptions::default()).unwrap());
    SmoothedClassifier::new(model, Plan { batch: 16, threads: 2 }).unwrap()
}

fn noise() -> Gaussian {
    Gaussian::new(0.25).unwrap()
}

fn request() -> Request {
    Request { n: 2000, n0: 200, ..Request::new(noise()).seeded(3) }
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

/// The arithmetic of exact_order.onnx: whole numbers, which any order of adding gives alike.
#[test]
fn a_function_gives_bit_for_bit_what_the_file_of_its_arithmetic_gives() {
    let sums = |batch: FunctionBatch<'_>| {
        let FunctionOutput::Scores(scores) = batch.output else { unreachable!() };
        for (terms, score) in batch.rows.chunks_exact(4).zip(scores) {
            *score = terms.iter().map(|x| (x * 64.0).round_ties_even()).sum();
        }
        Ok(())
    };
    let (name, gives) = ("sums".to_owned(), Gives::Scores);
    let options = FunctionOptions { shape: vec![24], classes: 6, gives, name, digest: None, batch: None };
    let function = Arc::new(FunctionClassifier::new(options, sums).unwrap());
    let (file, function) = (smoothed(), SmoothedClassifier::new(function, Plan { batch: 33, threads: 2 }).unwrap());
    let input: Vec<f32> = (0..24).map(|i| 0.5 + (i % 5) as f32 / 64.0).collect();
    for task in [Task::Predict, Task::CertifySelected, Task::CertifyAnswer] {
        let draw = |g: &SmoothedClassifier| g.submit(&input, task, &request(), 5).unwrap().wait();
        let (want, got) = (draw(&file), draw(&function));
        assert_eq!(want.counts.labels(), got.counts.labels());
        assert!(want.counts.labels().iter().filter(|&&count| count > 0).count() > 3, "{:?}", want.counts.labels());
        match (want.answer.unwrap(), got.answer.unwrap()) {
            (Answer::Predictions(want), Answer::Predictions(got)) => assert_eq!(want, got),
            (Answer::Certificates(want), Answer::Certificates(got)) => assert_eq!(want[0].radius, got[0].radius),
            (Answer::Guarantees(want), Answer::Guarantees(got)) => assert_eq!(want[0].labels(), got[0].labels()),
            _ => unreachable!(),
        }
    }
}

/// The same input in bytes and from 0 to 1, for a model of bytes, which are multiplied again after the noise.
#[test]
fn bytes_on_another_scale_get_the_same_certificates_up_to_scale() {
    let open = |std: Vec<f32>| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/input_uint8.onnx");
        let model = Model::open(path, &ModelOptions { std, ..ModelOptions::default() }).unwrap();
        SmoothedClassifier::new(Arc::new(model), Plan { batch: 16, threads: 2 }).unwrap()
    };
    let bytes: Vec<f32> = (0..16).map(|i| ((i * 89 + 17) % 256) as f32).collect();
    let ones: Vec<f32> = bytes.iter().map(|byte| byte / 255.0).collect();
    let (in_bytes, in_ones) = (open(vec![]), open(vec![1.0 / 255.0]));
    let draw = |g: &SmoothedClassifier, x: &[f32], sigma: f64, input_max: f64| {
        let noise = Gaussian::new(sigma).unwrap();
        let request = Request { n: 2000, n0: 200, input_max, ..Request::new(noise).seeded(3) };
        g.submit(x, Task::CertifySelected, &request, 0).unwrap().wait()
    };
    let (a, b) = (draw(&in_bytes, &bytes, 64.0, 255.0), draw(&in_ones, &ones, 64.0 / 255.0, 1.0));
    let radius = |outcome: &Outcome| match &outcome.answer {
        Ok(Answer::Certificates(certificates)) => (certificates[0].label, certificates[0].radius),
        _ => panic!("no certificate"),
    };
    // Noise on another grid rounds a few samples in a thousand otherwise.
    let ((label, wide), (other, narrow)) = (radius(&a), radius(&b));
    assert!(wide > 1.0 && label == other && (wide / 255.0 - narrow).abs() < 0.002, "{wide} and {narrow}");
    // Rounded as they are, they would nearly all be 0.
    let request = Request::new(Gaussian::new(0.25).unwrap()).seeded(3);
    let refused = in_bytes.submit(&ones, Task::Predict, &request, 0).unwrap_err();
    assert_eq!((refused.kind(), refused.field()), (ErrorKind::InvalidData, Some("input")), "{refused}");
    assert!(refused.message().contains("std 1/255"), "{refused}");
    let refused = in_bytes.submit_batch(&ones, &[Task::Predict], &request, 0, Control::default()).unwrap_err();
    assert_eq!(refused.field(), Some("input"), "{refused}");
    // A black image, or one of noughts and ones, is bytes.
    in_bytes.submit(&[1.0; 16], Task::Predict, &Request { n: 10, ..request }, 0).unwrap().wait();
}

#[test]
fn requests_out_of_range_are_refused_before_anything_is_drawn() {
    let g = smoothed();
    let (elements, classes) = (g.sampler().classifier().elements(), g.sampler().classifier().classes());
    let input = vec![0.0; elements];
    for (field, task, request) in [
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

/// An outcome's counts and radii, which are what may not differ.
fn found(outcome: &Outcome) -> (Vec<u64>, Option<Vec<u64>>, String) {
    let selection = outcome.selection.as_ref().map(|counts| counts.labels().to_vec());
    (outcome.counts.labels().to_vec(), selection, format!("{:?}", outcome.answer))
}

#[test]
fn a_batch_gives_what_its_tasks_give_one_by_one() {
    let g = smoothed();
    let elements = g.sampler().classifier().elements();
    let inputs: Vec<f32> = (0..3 * elements).map(|i| (i % 7) as f32 / 8.0).collect();
    let tasks = [Task::CertifySelected, Task::Predict, Task::Certify(2)];
    let batch = g.submit_batch(&inputs, &tasks, &request(), 40, Control::default()).unwrap();
    assert_eq!(batch.samples_total(), 6200);
    let together: Vec<_> = batch.wait().iter().map(found).collect();
    for (i, (input, task)) in inputs.chunks(elements).zip(tasks).enumerate() {
        let alone = g.submit(input, task, &request(), 40 + i as u64).unwrap().wait();
        assert_eq!(found(&alone), together[i], "{task:?}");
    }
}

#[test]
fn a_batch_that_does_not_fit_is_refused_whole() {
    let g = smoothed();
    let elements = g.sampler().classifier().elements();
    let mut inputs = vec![0.5; 2 * elements];
    let submit = |inputs: &[f32], tasks: &[Task], key| {
        g.submit_batch(inputs, tasks, &request(), key, Control::default()).unwrap_err()
    };
    assert_eq!(submit(&[], &[], 0).field(), Some("count"));
    assert_eq!(submit(&inputs, &[Task::Predict], 0).field(), Some("inputs"));
    assert_eq!(submit(&inputs, &[Task::Predict; 2], u64::MAX).field(), Some("stream"));
    inputs[elements + 1] = f32::NAN;
    let error = submit(&inputs, &[Task::Predict; 2], 0);
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("input")));
    assert!(error.message().starts_with("input 1: element 1 "), "{error}");
    for samples in [0..0, 5..5, 0..u64::MAX] {
        let error = g.submit_samples(&inputs[..elements], samples, &request(), 0, Control::default()).unwrap_err();
        assert_eq!(error.field(), Some("samples"));
    }
}

/// More rows than could be drawn in the life of a test.
fn endless() -> Request {
    Request { n: 1_000_000_000_000, ..request() }
}

#[test]
fn a_deadline_or_a_token_stops_a_batch_and_is_told_once() {
    let g = smoothed();
    let input = vec![0.5; g.sampler().classifier().elements()];
    let token = CancelToken::new();
    let ended = Arc::new(AtomicUsize::new(0));
    let counted = |work: &Flight| {
        let ended = Arc::clone(&ended);
        work.completion().then(Box::new(move || {
            ended.fetch_add(1, Ordering::SeqCst);
        }));
    };
    let (never, soon) = (Control { cancel: Some(token.clone()), ..Control::default() }, Duration::from_millis(40));
    let submit = |control: Control| {
        let batch = g.submit_batch(&input, &[Task::CertifySelected], &endless(), 0, control).unwrap();
        counted(&batch);
        batch
    };
    // The earlier of a timeout and a deadline counts; one that has passed already ends the work at once.
    for (control, why) in [
        (Control { timeout: Some(soon), ..never.clone() }, "the timeout of 40 ms passed"),
        (Control { deadline: Some(Instant::now() + soon), ..never.clone() }, "the deadline passed"),
        (
            Control { timeout: Some(1000 * soon), deadline: Some(Instant::now() + soon), ..never.clone() },
            "the deadline passed",
        ),
        (Control { deadline: Some(Instant::now()), ..never.clone() }, "the deadline passed"),
    ] {
        let batch = submit(control);
        batch.wait_done();
        let error = batch.wait().remove(0).answer.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::DeadlineExceeded, why));
    }
    let others: Vec<_> = (0..3).map(|_| submit(never.clone())).collect();
    assert!(others.iter().all(|batch| !batch.is_finished()));
    let draw = g.submit_samples(&input, 0..1_000_000_000_000, &request(), 0, never).unwrap();
    counted(&draw);
    token.set();
    for batch in others {
        batch.wait_done();
        assert_eq!(batch.wait()[0].answer.as_ref().unwrap_err().kind(), ErrorKind::Cancelled);
    }
    draw.wait_done();
    assert_eq!(draw.wait().early_stop.map(|error| error.kind()), Some(ErrorKind::Cancelled));
    assert_eq!(ended.load(Ordering::SeqCst), 8);
    // Dropped, and dropped with the classifier.
    drop(submit(Control::default()));
    let orphan = submit(Control::default());
    drop(g);
    assert_eq!(ended.load(Ordering::SeqCst), 10);
    // Whoever asks after the end is told at once.
    counted(&orphan);
    assert_eq!(ended.load(Ordering::SeqCst), 11);
    assert_eq!(orphan.wait()[0].answer.as_ref().unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn a_callback_that_panics_harms_nobody() {
    let g = smoothed();
    let input = vec![0.5; g.sampler().classifier().elements()];
    let batch = g.submit_batch(&input, &[Task::Predict], &request(), 0, Control::default()).unwrap();
    batch.completion().then(Box::new(|| panic!("this is a test")));
    batch.wait_done();
    assert!(batch.wait()[0].answer.is_ok());
    for _ in 0..4 {
        assert!(g.submit(&input, Task::Predict, &request(), 0).unwrap().wait().answer.is_ok());
    }
}

#[test]
fn each_task_of_a_batch_is_read_as_soon_as_it_has_ended() {
    let g = smoothed();
    let elements = g.sampler().classifier().elements();
    // The second has a rule's most samples to draw; the first is settled by its first looks.
    let clear = (0..elements).map(|i| if i % 6 == 2 { 5.0 } else { 0.0 });
    let inputs: Vec<f32> = clear.chain(vec![0.0; elements]).collect();
    let request = Request { rule: "predict".parse().unwrap(), ..endless() };
    let batch = g.submit_batch(&inputs, &[Task::Predict; 2], &request, 0, Control::default()).unwrap();
    let [first, second] = batch.tasks() else { panic!("two tasks") };
    assert!(first.wait_timeout(Duration::from_secs(60)));
    let early = found(first.outcome().unwrap());
    assert!(second.outcome().is_none() && !batch.is_finished());
    let so_far = second.counts();
    assert!(so_far.predict(1, 0.001).is_err(), "counts so far prove nothing");
    batch.cancel();
    let outcomes = batch.wait();
    assert_eq!(found(&outcomes[0]), early);
    assert!(outcomes[1].counts.n() >= so_far.n());
}

#[test]
fn progress_is_told_while_waiting() {
    let g = smoothed();
    let input = vec![0.5; g.sampler().classifier().elements()];
    let request = Request { n: 60_000, ..request() };
    let batch = g.submit_batch(&input, &[Task::Certify(0)], &request, 0, Control::default()).unwrap();
    let mut told = Vec::new();
    batch.wait_with(|done, total| told.push((done, total)));
    assert!(batch.is_finished() && told.is_sorted_by(|a, b| a.0 < b.0), "{told:?}");
    assert_eq!(told.last(), Some(&(60_000, 60_000)));
}
