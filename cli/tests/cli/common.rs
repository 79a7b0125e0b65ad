//! What several suites share.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use npyz::WriterBuilder;

/// Runs the command line with no standard input.
pub fn smoothtopk<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smoothtopk"));
    // What one test measures, no other and no later run finds.
    command.args(arguments).env("SMOOTHTOPK_CACHE", "off").stdin(Stdio::null()).output().unwrap()
}

/// A file of the repository.
pub fn root(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path).to_string_lossy().into_owned()
}

/// What an error says, without the usage that stands below where a command was called wrongly.
pub fn told(stderr: &str) -> &str {
    stderr.split("\n\n").next().unwrap_or_default()
}

/// A file of the shared inputs; says loudly that the test is skipped where they are missing.
pub fn shared(path: &str) -> Option<String> {
    let folder = std::env::var_os("SMOOTHTOPK_SHARED").map_or_else(|| root("../shared").into(), PathBuf::from);
    let file = folder.join(path);
    if file.exists() {
        return Some(file.to_string_lossy().into_owned());
    }
    eprintln!("SKIPPED: {} is missing (set SMOOTHTOPK_SHARED to the folder with the shared inputs)", file.display());
    None
}

/// Writes an .npz with float32 `images` and, where given, int64 `labels`.
pub fn npz(path: &Path, shape: &[u64], images: &[f32], labels: Option<&[i64]>) {
    let mut out = npyz::npz::NpzWriter::new(File::create(path).unwrap());
    let mut array = out.array("images", Default::default()).unwrap().default_dtype().shape(shape).begin_nd().unwrap();
    array.extend(images.iter().copied()).unwrap();
    array.finish().unwrap();
    if let Some(labels) = labels {
        let mut array = out
            .array("labels", Default::default())
            .unwrap()
            .default_dtype()
            .shape(&[labels.len() as u64])
            .begin_nd()
            .unwrap();
        array.extend(labels.iter().copied()).unwrap();
        array.finish().unwrap();
    }
}

/// The first pixels (0..16) of the demo's digits.
pub fn digit_pixels(examples: usize) -> Vec<f32> {
    let mut npz = npyz::npz::NpzArchive::open(root("demo/digits_test200.npz")).unwrap();
    let images = npz.by_name("images").unwrap().unwrap();
    images.into_vec::<u8>().unwrap().into_iter().take(examples * 64).map(f32::from).collect()
}

/// Whether this process, and so its children, ignore a signal.
pub fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0) >> (signal - 1) & 1 == 1
}
