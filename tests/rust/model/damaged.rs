//! Missing, truncated, damaged and hostile files: one clear error, never a panic or a crash.

use smoothtopk::ErrorKind;
use smoothtopk::model::{Model, ModelOptions};

use super::{bytes, models, refused};

#[test]
fn a_missing_file_is_not_found() {
    let error = refused("no_such_model.onnx", ModelOptions::default());
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("no_such_model.onnx"), "{error}");
    let folder = Model::open(models(), &ModelOptions::default()).unwrap_err();
    assert_eq!(folder.kind(), ErrorKind::Io, "{folder}");
}

#[test]
fn what_is_no_model_is_refused() {
    let text = refused("cases.json", ModelOptions::default());
    assert_eq!(text.kind(), ErrorKind::Model, "{text}");
    for bytes in [&b""[..], b"\0", b"not a model at all", &[0xff; 100], &[0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f]] {
        let error = Model::from_bytes(bytes, &ModelOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Model, "{bytes:?}: {error}");
        assert!(!error.message().contains('\n'), "{error}");
    }
}

#[test]
fn a_truncated_model_is_refused_wherever_it_is_cut() {
    let whole = bytes("torch_cnn.onnx");
    assert!(Model::from_bytes(&whole, &ModelOptions::default()).is_ok());
    // From a seed of its own: cuts everywhere, close together at the ends.
    let cuts = (1..24).chain((24..whole.len()).step_by(whole.len() / 60)).chain(whole.len() - 24..whole.len());
    for cut in cuts {
        if let Err(error) = Model::from_bytes(&whole[..cut], &ModelOptions::default()) {
            assert_eq!(error.kind(), ErrorKind::Model, "cut at {cut}: {error}");
        } else {
            // What is left may be a whole model only if nothing but metadata was cut off.
            assert!(cut > whole.len() / 2, "cut at {cut} of {}", whole.len());
        }
    }
}

#[test]
fn flipped_bits_give_an_error_or_a_model_never_a_panic() {
    let whole = bytes("linear.onnx");
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        // A bit in a weight or a name gives another model, which is fine; anything else must be an error.
        if let Ok(model) = Model::from_bytes(&flipped, &ModelOptions::default()) {
            let mut runner = model.runner(match model.signature().batch {
                smoothtopk::model::BatchDim::Fixed(rows) => rows,
                smoothtopk::model::BatchDim::Dynamic => 2,
            });
            if let Ok(runner) = &mut runner {
                let mut label = [0];
                let _ = runner.run(1, &mut label);
            }
        }
    }
}

#[test]
fn external_data_is_read_beside_the_model_and_hashed_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moved.onnx");
    std::fs::write(&path, bytes("external_data.onnx")).unwrap();
    let missing = Model::open(&path, &ModelOptions::default()).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");
    assert!(missing.message().contains("external_data.bin"), "{missing}");

    std::fs::write(folder.path().join("external_data.bin"), bytes("external_data.bin")).unwrap();
    let model = Model::open(&path, &ModelOptions::default()).unwrap();
    assert_eq!(model.sha256(), super::open("external_data.onnx").sha256());

    let mut changed = bytes("external_data.bin");
    changed[0] ^= 1;
    std::fs::write(folder.path().join("external_data.bin"), changed).unwrap();
    let other = Model::open(&path, &ModelOptions::default()).unwrap();
    assert_ne!(model.sha256(), other.sha256());

    let memory = Model::from_bytes(&bytes("external_data.onnx"), &ModelOptions::default()).unwrap_err();
    assert_eq!(memory.kind(), ErrorKind::Model);
    assert!(memory.message().contains("by its path"), "{memory}");
}

#[test]
fn a_model_is_the_same_from_a_path_and_from_memory() {
    let file = super::open("torch_cnn.onnx");
    let memory = Model::from_bytes(&bytes("torch_cnn.onnx"), &ModelOptions::default()).unwrap();
    assert_eq!(file.signature(), memory.signature());
    assert_eq!(file.sha256(), memory.sha256());
    assert_eq!(file.sha256().len(), 64);
}
