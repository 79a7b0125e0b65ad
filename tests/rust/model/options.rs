//! Choices and preprocessing: what fits is used, what does not is refused with its field.

use smoothtopk::ErrorKind;
use smoothtopk::model::{Model, ModelOptions, NO_FURTHER_LABEL, Provider, Reading};

use super::{constant, labels, open, open_with, refused};

#[test]
fn an_output_is_chosen_by_name() {
    for (output, classes) in [("coarse", 3), ("fine", 5)] {
        let options = ModelOptions { output: Some(output.into()), ..ModelOptions::default() };
        let model = open_with("two_outputs.onnx", options).unwrap();
        assert_eq!((model.signature().output.as_str(), model.signature().classes), (output, classes));
        assert!(model.signature().why.contains("asked for"));
    }
    let options = ModelOptions { output: Some("scorse".into()), ..ModelOptions::default() };
    let error = refused("two_outputs.onnx", options);
    assert_eq!((error.kind(), error.field()), (ErrorKind::Model, Some("output")));
}

#[test]
fn options_that_do_not_fit_name_their_field() {
    let default = ModelOptions::default;
    let cases = [
        ("linear.onnx", ModelOptions { input: Some("y".into()), ..default() }, "input"),
        ("linear.onnx", ModelOptions { input_shape: Some(vec![15]), ..default() }, "input_shape"),
        ("linear.onnx", ModelOptions { input_shape: Some(vec![4, 4]), ..default() }, "input_shape"),
        ("linear.onnx", ModelOptions { threshold: Some(0.0), ..default() }, "threshold"),
        ("linear.onnx", ModelOptions { classes: Some(4), ..default() }, "classes"),
        ("linear.onnx", ModelOptions { constants: vec![constant("y", &[1.0])], ..default() }, "constant"),
        ("linear.onnx", ModelOptions { intra_threads: 0, ..default() }, "intra_threads"),
        ("linear.onnx", ModelOptions { mean: vec![0.0; 3], ..default() }, "mean"),
        ("linear.onnx", ModelOptions { std: vec![0.0], ..default() }, "std"),
        ("binary_logit.onnx", ModelOptions { threshold: Some(f64::NAN), ..default() }, "threshold"),
        ("label_int64.onnx", ModelOptions { classes: Some(1), ..default() }, "classes"),
        ("linear.onnx", ModelOptions { base_k: Some(0), ..default() }, "base_k"),
        ("linear.onnx", ModelOptions { base_k: Some(4), ..default() }, "base_k"),
        ("linear.onnx", ModelOptions { base_k: Some(2), threshold: Some(f64::INFINITY), ..default() }, "threshold"),
        ("label_int64.onnx", ModelOptions { classes: Some(3), base_k: Some(1), ..default() }, "base_k"),
        ("binary_logit.onnx", ModelOptions { threshold: Some(0.0), base_k: Some(1), ..default() }, "base_k"),
    ];
    for (name, options, field) in cases {
        let error = refused(name, options.clone());
        assert_eq!(error.field(), Some(field), "{name} with {options:?}: {error}");
        assert!(matches!(error.kind(), ErrorKind::InvalidArgument | ErrorKind::Model), "{error}");
    }
    // What must be said, and is not: the remedy is in the message.
    for (name, field, remedy) in
        [("binary_logit.onnx", "threshold", "--threshold"), ("label_int64.onnx", "classes", "--classes")]
    {
        let error = refused(name, default());
        assert_eq!((error.kind(), error.field()), (ErrorKind::Model, Some(field)), "{error}");
        assert!(error.message().contains(remedy), "{error}");
    }
    let open_shape = refused("image_dynamic.onnx", default());
    assert!(open_shape.message().contains("--input-shape"), "{open_shape}");
    let two = refused("two_inputs.onnx", default());
    assert!(two.message().contains("--constant"), "{two}");
}

#[test]
fn constants_are_checked_against_their_input() {
    let with = |constants| ModelOptions { constants, ..ModelOptions::default() };
    for constants in [
        vec![constant("offsets", &[0.0, 1.0, 2.0])],
        vec![constant("offsets", &[])],
        vec![constant("offsets", &[0.0]), constant("offsets", &[1.0])],
    ] {
        let error = refused("two_inputs_vector.onnx", with(constants.clone()));
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidArgument, Some("constant")), "{constants:?}");
    }
    // One value fills the whole input.
    let filled = open_with("two_inputs_vector.onnx", with(vec![constant("offsets", &[0.25])])).unwrap();
    let listed = open_with("two_inputs_vector.onnx", with(vec![constant("offsets", &[0.25, 0.25])])).unwrap();
    let rows = (0..16).map(|row| vec![row as f32 / 16.0; filled.signature().elements]).collect::<Vec<_>>();
    assert_eq!(labels(&filled, &rows, 16), labels(&listed, &rows, 16));
}

#[test]
fn mean_and_std_are_applied_after_the_noise() {
    let plain = open("xgboost_iris.onnx");
    let elements = plain.signature().elements;
    // Trees compare features with thresholds, so moving the features changes labels.
    let row = |row: usize| (0..elements).map(|i| ((row * 7 + i * 3) % 17) as f32 * 0.45).collect::<Vec<_>>();
    let rows = (0..40).map(row).collect::<Vec<_>>();
    let (mean, std) = (1.25_f32, 0.3_f32);
    let options = ModelOptions { mean: vec![mean], std: vec![std], ..ModelOptions::default() };
    let scaled = open_with("xgboost_iris.onnx", options).unwrap();
    let by_hand = |row: &Vec<f32>| row.iter().map(|value| (value - mean) / std).collect::<Vec<_>>();
    let by_hand = rows.iter().map(by_hand).collect::<Vec<_>>();
    assert_eq!(labels(&scaled, &rows, 7), labels(&plain, &by_hand, 7));
    assert_ne!(labels(&scaled, &rows, 7), labels(&plain, &rows, 7), "the scaling must matter for this to test it");
}

#[test]
fn a_threshold_decides_a_binary_score() {
    let at = |threshold| ModelOptions { threshold: Some(threshold), ..ModelOptions::default() };
    let model = open_with("binary_prob.onnx", at(0.5)).unwrap();
    assert_eq!(model.signature().reading, Reading::Binary { threshold: 0.5 });
    let rows = (0..9).map(|row| vec![(row as f32 - 4.0) / 4.0; 16]).collect::<Vec<_>>();
    assert_eq!(labels(&open_with("binary_prob.onnx", at(-1.0)).unwrap(), &rows, 9), [1; 9]);
    assert_eq!(labels(&open_with("binary_prob.onnx", at(1.0)).unwrap(), &rows, 9), [0; 9]);
}

#[test]
fn a_provider_that_is_not_there_is_refused_and_says_what_is_missing() {
    for text in ["cuda", "tensorrt:1"] {
        let provider: Provider = text.parse().unwrap();
        let options = ModelOptions { provider: provider.clone(), ..ModelOptions::default() };
        match open_with("linear.onnx", options) {
            // A machine that has it: the model must really be there.
            Ok(model) => assert_eq!(model.provider(), &provider),
            Err(error) => {
                assert_eq!((error.kind(), error.field()), (ErrorKind::Provider, Some("provider")), "{error}");
                assert!(error.message().contains("onnxruntime_providers"), "{error}");
                assert!(!error.message().contains('\n'), "{error}");
            }
        }
    }
}

#[test]
fn a_multi_label_model_gives_the_highest_scores_above_the_threshold() {
    let open = |base_k, threshold| {
        open_with("exact_order.onnx", ModelOptions { base_k: Some(base_k), threshold, ..ModelOptions::default() })
            .unwrap()
    };
    let tops = open_with("exact_order.onnx", ModelOptions::default()).unwrap();
    let (one, two, some) = (open(1, None), open(2, None), open(2, Some(0.0)));
    assert_eq!(two.signature().reading, Reading::Sets { base_k: 2, threshold: None });
    assert!(some.how_read().contains("greater than 0 win, at most 2"), "{}", some.how_read());
    let elements = tops.signature().elements;
    let rows: Vec<f32> = (0..5 * elements).map(|i| ((i * 37) % 11) as f32 - 5.0).collect();
    let labels = |model: &Model, places: usize| {
        let mut runner = model.runner(5).unwrap();
        runner.rows_mut(5).copy_from_slice(&rows);
        let mut labels = vec![7; 5 * places];
        runner.run(5, &mut labels).unwrap();
        assert!(runner.run(5, &mut vec![7; 5 * places - 1]).is_err(), "no room for the last label");
        labels
    };
    let top = labels(&tops, 1);
    assert_eq!(labels(&one, 1), top);
    let sets = labels(&two, 2);
    assert!(sets.chunks(2).zip(&top).all(|(set, top)| set[0] == *top && set[1] < 6 && set[1] != *top), "{sets:?}");
    let above = labels(&some, 2);
    assert!(above.iter().zip(&sets).all(|(above, all)| above == all || *above == NO_FURTHER_LABEL), "{above:?}");
}
