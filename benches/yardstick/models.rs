//! The models that are measured, smallest first.

use std::path::{Path, PathBuf};

pub struct Entry {
    pub name: &'static str,
    pub path: PathBuf,
    /// Where it comes from when it is missing.
    pub how: &'static str,
    /// The largest batch that is swept: beyond, rows only cost memory.
    pub most: usize,
    /// The share of Bare that is to be reached.
    pub target: f64,
}

pub fn all() -> Vec<Entry> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("SMOOTHTOPK_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let given = "SMOOTHTOPK_SHARED names the folder with the shared inputs";
    let entry = |name, path, how, most, target| Entry { name, path, how, most, target };
    vec![
        entry("digits_mlp", root.join("demo/digits_mlp_sigma0.25.onnx"), "part of this repository", 4096, 0.7),
        entry("resnet20", shared.join("models/cifar10_resnet20_sigma0.25.onnx"), given, 256, 0.98),
        entry("efficientnet_lite0", shared.join("models/efficientnet_lite0.onnx"), given, 32, 0.97),
        entry("resnet50", root.join(".deps/resnet50/resnet50.onnx"), "make resnet50", 16, 0.98),
    ]
}
