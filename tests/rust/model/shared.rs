//! Models like those that users report, of the shared inputs: what a model does when it runs counts.

use std::path::PathBuf;

use smoothtopk::ErrorKind;
use smoothtopk::model::{BatchDim, Model, ModelOptions, NO_LABEL, Reading};

use super::{bytes, constant, labels};

/// One of the shared cases; says loudly that the test is skipped where they are missing.
fn case(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("SMOOTHTOPK_SHARED").map_or_else(|| "../shared".into(), PathBuf::from);
    let file = shared.join("cases").join(name);
    if !file.exists() {
        eprintln!(
            "SKIPPED: {} is missing (set SMOOTHTOPK_SHARED to the folder with the shared inputs)",
            file.display()
        );
        return None;
    }
    Some(file)
}

fn rows(model: &Model, count: usize) -> Vec<Vec<f32>> {
    let elements = model.signature().elements;
    let value = |i: usize| ((i * 2_654_435_761) >> 7 & 0x3ff) as f32 / 1024.0;
    (0..count).map(|row| (0..elements).map(|i| value(row * elements + i + 1)).collect()).collect()
}

#[test]
fn labels_that_contradict_the_scores_are_refused_until_one_is_chosen() {
    for (name, own, scores) in
        [("svc_bc_False.onnx", "label", "probabilities"), ("skl_svc_bin.onnx", "output_label", "output_probability")]
    {
        let Some(path) = case(name) else { return };
        let error = Model::open(&path, &ModelOptions::default()).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Model, Some("output")), "{error}");
        for remedy in ["contradict", &format!("--output {own} --classes 2"), &format!("--output {scores} ")] {
            assert!(error.message().contains(remedy), "{remedy}: {error}");
        }
        let options = ModelOptions { output: Some(own.into()), classes: Some(2), ..ModelOptions::default() };
        let by_label = Model::open(&path, &options).unwrap();
        assert_eq!((by_label.signature().reading, by_label.signature().warnings.len()), (Reading::Label, 0));
        let options = ModelOptions { output: Some(scores.into()), ..ModelOptions::default() };
        let by_scores = Model::open(&path, &options).unwrap();
        let warnings = &by_scores.signature().warnings;
        assert!(warnings.len() == 1 && warnings[0].contains("contradict"), "{warnings:?}");
        let rows = rows(&by_label, 16);
        let (own, read) = (labels(&by_label, &rows, 16), labels(&by_scores, &rows, 16));
        assert!(own.iter().zip(&read).all(|(own, read)| *own == 1 - read), "{own:?} {read:?}");
    }
}

#[test]
fn what_comes_out_counts_not_what_is_declared() {
    let (Some(one), Some(two)) = (case("out_decl1.onnx"), case("skl_ridge_bin.onnx")) else { return };
    let open = Model::open(one, &ModelOptions::default()).unwrap();
    let why = &open.signature().why;
    assert!(why.contains("declares float32[1,5]") && why.contains("[4, 5]"), "{why}");
    assert_eq!((open.signature().batch, open.signature().classes), (BatchDim::Dynamic, 5));
    // Two score columns are declared, and one comes out.
    let error = Model::open(&two, &ModelOptions::default()).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Model, Some("threshold")), "{error}");
    let logit = Model::open(&two, &ModelOptions { threshold: Some(0.0), ..ModelOptions::default() }).unwrap();
    assert!(logit.signature().why.contains("declares float32[?,2]"), "{}", logit.signature().why);
    for model in [open, logit] {
        let rows = rows(&model, 40);
        let alone = labels(&model, &rows, 1);
        for batch in [7, 40] {
            assert_eq!(labels(&model, &rows, batch), alone, "{:?} in batches of {batch}", model.signature().output);
        }
        assert!(alone.iter().all(|&label| label != NO_LABEL));
    }
    // Its own labels are right at 0 only.
    let error = Model::open(&two, &ModelOptions { threshold: Some(3.0), ..ModelOptions::default() }).unwrap_err();
    assert!(error.message().contains("contradict"), "{error}");
}

#[test]
fn a_batch_that_is_open_by_declaration_only_is_run_row_by_row() {
    let Some(path) = case("reshape1.onnx") else { return };
    let model = Model::open(path, &ModelOptions::default()).unwrap();
    let signature = model.signature();
    assert_eq!(signature.batch, BatchDim::Fixed(1));
    let [warning] = &signature.warnings[..] else { panic!("{:?}", signature.warnings) };
    assert!(warning.contains("only on one") && warning.contains("export it with an open batch"), "{warning}");
    assert!(labels(&model, &rows(&model, 12), 1).iter().all(|&label| label != NO_LABEL));
    assert_eq!(model.runner(2).err().unwrap().field(), Some("batch"));
}

#[test]
fn a_state_with_the_batch_in_the_middle_is_repeated_for_each_row() {
    let Some(path) = case("lstm_h0.onnx") else { return };
    for value in [&[0.0][..], &[0.0, 0.5, -0.5, 1.0, -1.0, 0.25]] {
        let constants = vec![constant("h0", value), constant("c0", value)];
        let model = Model::open(&path, &ModelOptions { constants, ..ModelOptions::default() }).unwrap();
        assert_eq!((model.signature().batch, model.signature().warnings.len()), (BatchDim::Dynamic, 0));
        let rows = rows(&model, 12);
        assert_eq!(labels(&model, &rows, 5), labels(&model, &rows, 1));
    }
}

#[test]
fn scores_that_are_random_are_refused_at_a_batch_of_one_too() {
    let Some(path) = case("randnlike_1.onnx") else { return };
    let error = Model::open(path, &ModelOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Model);
    assert!(error.message().contains("other scores in another run"), "{error}");
}

#[test]
fn a_class_that_is_masked_is_never_the_highest() {
    let Some(path) = case("maskinf.onnx") else { return };
    let model = Model::open(&path, &ModelOptions::default()).unwrap();
    assert_eq!(model.signature().warnings, [""; 0]);
    let labels = labels(&model, &rows(&model, 50), 50);
    assert!(labels.iter().all(|&label| label < 4), "{labels:?}");

    // The other infinity is no mask.
    let mut bytes = std::fs::read(path).unwrap();
    let mask = f32::NEG_INFINITY.to_le_bytes();
    let at = bytes.windows(4).position(|four| four == mask).unwrap();
    bytes[at..at + 4].copy_from_slice(&f32::INFINITY.to_le_bytes());
    let model = Model::from_bytes(&bytes, &ModelOptions::default()).unwrap();
    let [warning] = &model.signature().warnings[..] else { panic!("{:?}", model.signature().warnings) };
    assert!(warning.starts_with("4 of the 4 rows") && warning.contains("have no label"), "{warning}");
    assert_eq!(super::labels(&model, &rows(&model, 5), 5), [NO_LABEL; 5]);
}

#[test]
fn what_stands_for_a_file_says_so() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    let folder = tempfile::tempdir().unwrap();
    let (model, weights) = (folder.path().join("model.onnx"), folder.path().join("external_data.bin"));
    let says = |what: &str| {
        let error = Model::open(&model, &ModelOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Model, "{error}");
        assert!(error.message().contains(what), "{what}: {error}");
    };
    std::fs::write(&model, pointer).unwrap();
    says("is a Git LFS pointer");
    if let Some(path) = case("lfs.onnx") {
        let error = Model::open(path, &ModelOptions::default()).unwrap_err();
        assert!(error.message().contains("is a Git LFS pointer"), "{error}");
    }
    // A link, where a copy knew none.
    std::fs::write(&weights, bytes("external_data.bin")).unwrap();
    std::fs::write(&model, "external_data.bin\n").unwrap();
    says("holds only the path external_data.bin");
    std::fs::write(&model, bytes("external_data.onnx")).unwrap();
    assert!(Model::open(&model, &ModelOptions::default()).is_ok());
    std::fs::write(&weights, pointer).unwrap();
    says("external_data.bin is a Git LFS pointer");
}

/// A cache that keeps the files under their hashes, and links to them.
#[cfg(unix)]
#[test]
fn links_out_of_the_models_folder_are_followed() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let (blobs, snapshot) = (folder.path().join("blobs"), folder.path().join("snapshots/abc"));
    std::fs::create_dir(&blobs).unwrap();
    std::fs::create_dir_all(&snapshot).unwrap();
    let link = |blob: &str, name: &str, bytes: Vec<u8>| {
        std::fs::write(blobs.join(blob), bytes).unwrap();
        symlink(format!("../../blobs/{blob}"), snapshot.join(name)).unwrap();
    };
    link("aaa", "model.onnx", bytes("external_data.onnx"));
    link("bbb", "external_data.bin", bytes("external_data.bin"));
    let linked = Model::open(snapshot.join("model.onnx"), &ModelOptions::default()).unwrap();
    let plain = super::open("external_data.onnx");
    assert_eq!((linked.sha256(), linked.signature()), (plain.sha256(), plain.signature()));
    let rows = rows(&plain, 20);
    assert_eq!(labels(&linked, &rows, 20), labels(&plain, &rows, 20));
    let Some(shared) = case("hf_cache/blobs") else { return };
    let read = |name: &str| std::fs::read(shared.join(name)).unwrap();
    let snapshot = folder.path().join("snapshots/abc");
    for name in ["model.onnx", "external_data.bin"] {
        std::fs::remove_file(snapshot.join(name)).unwrap();
    }
    link("aaa", "model.onnx", read("aaa"));
    link("bbb", "weights.bin", read("bbb"));
    let model = Model::open(snapshot.join("model.onnx"), &ModelOptions::default()).unwrap();
    assert_eq!(model.signature().element_shape, [3, 4, 4]);
}
