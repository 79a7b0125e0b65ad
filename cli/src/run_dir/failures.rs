//! `failed.tsv`: the examples that the last command could not certify, and why.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use smoothtopk::{Error, Result};

use super::atomic;

/// The name of the file in a RUN folder; it is there while an example has failed.
pub const FAILED: &str = "failed.tsv";

const HEADER: &str = "idx\tname\terror\n";

/// Removes the file: what failed is tried again.
pub fn remove(run: &Path) -> Result<()> {
    let path = run.join(FAILED);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&path, &error)),
        _ => Ok(()),
    }
}

/// Adds an example.
pub fn add(run: &Path, index: usize, name: &str, error: &Error) -> Result<()> {
    let path = run.join(FAILED);
    let one_line = |text: &str| text.replace(['\t', '\n', '\r'], " ");
    let header = if path.exists() { "" } else { HEADER };
    let line = format!("{header}{index}\t{}\t{}\n", one_line(name), one_line(&error.to_string()));
    let file = OpenOptions::new().create(true).append(true).open(&path);
    file.and_then(|mut file| file.write_all(line.as_bytes())).map_err(|error| Error::io(&path, &error))
}

/// An example that could not be certified.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// Its index in the data.
    pub index: usize,
    /// Its name and the error, as the file has them.
    text: String,
}

impl Failure {
    /// As `name: error`.
    pub fn named(&self) -> String {
        self.text.replacen('\t', ": ", 1)
    }
}

/// The examples that the last command could not certify.
///
/// # Errors
/// `Io`.
pub fn failures(run: &Path) -> Result<Vec<Failure>> {
    let path = run.join(FAILED);
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.map_err(|error| Error::io(&path, &error))?,
    };
    let failure = |line: &str| {
        let (index, text) = line.split_once('\t')?;
        Some(Failure { index: index.parse().ok()?, text: text.to_owned() })
    };
    Ok(text.lines().skip(1).filter_map(failure).collect())
}

/// Writes the file whole; none where no example failed.
pub fn write(run: &Path, failures: &[Failure]) -> Result<()> {
    if failures.is_empty() {
        return Ok(());
    }
    let lines = failures.iter().map(|Failure { index, text }| format!("{index}\t{text}\n")).collect::<String>();
    atomic::write(&run.join(FAILED), format!("{HEADER}{lines}").as_bytes())
}
