//! Runners: arguments, padding, threads, cancelling.

use std::time::{Duration, Instant};

use smoothtopk::ErrorKind;
use smoothtopk::model::{Model, ModelOptions, NO_LABEL, Runner};

use super::{labels, open, open_with};

fn is_send<T: Send>() {}
fn is_sync<T: Sync>() {}

#[test]
fn models_are_shared_and_runners_are_sent() {
    is_send::<Model>();
    is_sync::<Model>();
    is_send::<Runner>();
    is_send::<smoothtopk::model::Canceller>();
    is_sync::<smoothtopk::model::Canceller>();
}

#[test]
fn arguments_of_a_run_are_checked() {
    let model = open("exact_order.onnx");
    assert_eq!(model.runner(0).err().unwrap().field(), Some("batch"));
    assert!(matches!(model.runner(usize::MAX).err().unwrap().kind(), ErrorKind::Run));
    let mut runner = model.runner(4).unwrap();
    assert_eq!(runner.batch(), 4);
    let mut labels = [0; 8];
    assert_eq!(runner.run(0, &mut labels).unwrap_err().field(), Some("rows"));
    assert_eq!(runner.run(5, &mut labels).unwrap_err().field(), Some("rows"));
    assert_eq!(runner.run(3, &mut labels[..2]).unwrap_err().field(), Some("labels"));
    runner.run(3, &mut labels).unwrap();

    let fixed = open("fixed_batch.onnx");
    for batch in [0, 1, 7, 9] {
        let error = fixed.runner(batch).err().unwrap();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidArgument, Some("batch")), "{batch}");
    }
}

/// Rows on a coarse grid, for models whose sums are exact.
fn exact_rows(count: usize) -> Vec<Vec<f32>> {
    let value = |i: usize| ((i * 2_654_435_761) >> 7 & 0x7f) as f32 / 128.0;
    (0..count).map(|row| (0..24).map(|i| value(row * 24 + i + 1)).collect()).collect()
}

#[test]
fn labels_do_not_depend_on_the_batch() {
    let rows = exact_rows(100);
    let dynamic = open("exact_order.onnx");
    let expected = labels(&dynamic, &rows, 100);
    for batch in [1, 2, 7, 64, 99] {
        assert_eq!(labels(&dynamic, &rows, batch), expected, "batches of {batch}");
    }
    assert_eq!(labels(&open("fixed_batch.onnx"), &rows, 8), expected, "padded to 8");
    assert_eq!(labels(&open("fixed_batch1.onnx"), &rows, 1), expected, "one by one");
    let mut seen = expected.clone();
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 2, "the rows must differ for this to test anything: {seen:?}");
}

#[test]
fn padding_is_not_read_from_an_earlier_batch() {
    let rows = exact_rows(8);
    let model = open("fixed_batch.onnx");
    let mut runner = model.runner(8).unwrap();
    let mut full = [0; 8];
    runner.rows_mut(8).copy_from_slice(&rows.concat());
    runner.run(8, &mut full).unwrap();
    let mut part = [77; 8];
    runner.rows_mut(3).copy_from_slice(&rows[..3].concat());
    runner.run(3, &mut part).unwrap();
    assert_eq!(part[..3], full[..3]);
    assert_eq!(part[3..], [77; 5], "labels of the padding are not given");
    assert!(runner.rows_mut(8)[3 * 24..].iter().all(|&value| value == 0.0), "the padding is zero");
}

#[test]
fn threads_that_share_a_model_give_the_same_labels() {
    let model = open("torch_cnn.onnx");
    let elements = model.signature().elements;
    let rows = (0..64)
        .map(|row| (0..elements).map(|i| ((row * elements + i) as f32 * 0.61).sin().abs()).collect::<Vec<_>>())
        .collect::<Vec<_>>();
    let alone = labels(&model, &rows, 16);
    std::thread::scope(|scope| {
        let threads = (0..4).map(|_| {
            scope.spawn(|| {
                for _ in 0..25 {
                    assert_eq!(labels(&model, &rows, 16), alone);
                }
            })
        });
        threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn a_runner_outlives_its_model() {
    let rows = exact_rows(5);
    let model = open("exact_order.onnx");
    let expected = labels(&model, &rows, 5);
    let mut runner = model.runner(5).unwrap();
    drop(model);
    let mut labels = [NO_LABEL; 5];
    runner.rows_mut(5).copy_from_slice(&rows.concat());
    runner.run(5, &mut labels).unwrap();
    assert_eq!(labels[..], expected[..]);
}

#[test]
fn a_run_is_cancelled_from_another_thread_and_runs_again_after_a_reset() {
    let model = open("slow.onnx");
    let mut runner = model.runner(1).unwrap();
    let canceller = runner.canceller();
    let mut label = [0];

    // An input above 100 makes the model turn for many seconds.
    runner.rows_mut(1).fill(1000.0);
    let started = Instant::now();
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            canceller.cancel();
        });
        runner.run(1, &mut label).unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error} after {:?}", started.elapsed());
    assert!(canceller.is_cancelled());

    runner.rows_mut(1).fill(0.5);
    assert_eq!(runner.run(1, &mut label).unwrap_err().kind(), ErrorKind::Cancelled, "it stays cancelled");
    let mut other = model.runner(1).unwrap();
    other.run(1, &mut label).unwrap();

    canceller.reset();
    runner.rows_mut(1)[3] = 0.75;
    runner.run(1, &mut label).unwrap();
    assert_eq!(label, [3]);
}

#[test]
fn a_label_outside_the_classes_is_an_error_and_no_rival_overlooked() {
    // Three classes, said to be two. The load check's rows may find it, or a run does.
    let options = ModelOptions { classes: Some(2), ..ModelOptions::default() };
    let error = match open_with("label_int64.onnx", options) {
        Err(error) => error,
        Ok(model) => {
            let mut runner = model.runner(64).unwrap();
            let rows: Vec<f32> =
                (0..64 * model.signature().elements).map(|i| ((i * 37) % 19) as f32 / 9.0 - 1.0).collect();
            runner.rows_mut(64).copy_from_slice(&rows);
            runner.run(64, &mut [0; 64]).unwrap_err()
        }
    };
    assert_eq!(error.kind(), ErrorKind::Run, "{error}");
    assert!(error.message().contains("label 2 outside 0..2"), "{error}");
}
