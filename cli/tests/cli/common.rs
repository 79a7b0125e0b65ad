//! What several suites share.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use npyz::WriterBuilder;

#[path = "../../../tests/rust/common/npz.rs"]
mod npz;

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
    let mut out = zip::ZipWriter::new(File::create(path).unwrap());
    member(&mut out, "images", shape, images);
    if let Some(labels) = labels {
        member(&mut out, "labels", &[labels.len() as u64], labels);
    }
    out.finish().unwrap();
}

pub fn member<T: npyz::AutoSerialize + Copy>(out: &mut zip::ZipWriter<File>, name: &str, shape: &[u64], values: &[T]) {
    out.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
    let mut array = npyz::WriteOptions::new().default_dtype().shape(shape).writer(out).begin_nd().unwrap();
    array.extend(values.iter().copied()).unwrap();
    array.finish().unwrap();
}

/// The shape and the elements of an array of an .npz.
pub fn npz_array<T: npyz::Deserialize>(path: impl AsRef<Path>, name: &str) -> (Vec<u64>, Vec<T>) {
    npz::array(File::open(path).unwrap(), name)
}

/// The first pixels (0..16) of the demo's digits.
pub fn digit_pixels(examples: usize) -> Vec<f32> {
    let (_, images) = npz_array::<u8>(root("demo/digits_test200.npz"), "images");
    images.into_iter().take(examples * 64).map(f32::from).collect()
}

/// Whether this process, and so its children, ignore a signal.
pub fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0) >> (signal - 1) & 1 == 1
}
