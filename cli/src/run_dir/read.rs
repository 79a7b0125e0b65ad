//! Reading results: a RUN folder, finished or not, or one file in the field's format from any tool.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use smoothtopk::{Error, ErrorKind, Result};

use super::manifest::MANIFEST;
use super::{Entry, Example, Manifest, Proof, Records, Row, failures};

/// Results as they were read.
#[derive(Clone, Debug)]
pub struct ReadRun {
    /// The name of the folder, or of the file without its suffix.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// None for a single file.
    pub manifest: Option<Manifest>,
    /// Of a RUN, in its order.
    pub examples: Vec<Example>,
    /// Of a RUN: the examples that could not be certified, as `name: error`.
    pub failed: Vec<String>,
    /// Of a single file.
    pub rows: Vec<Row>,
}

impl ReadRun {
    /// Reads a RUN folder, or a single file with the columns `idx label predict radius correct` as Cohen et al.'s tools
    /// and their successors write it. A RUN may be read while it is written. Where proof is needed, its radii are
    /// worked out again.
    ///
    /// # Errors
    /// `NotFound` or `Io` when it cannot be read, `InvalidData` naming the file and line that is malformed.
    pub fn open(path: &Path, proof: Proof) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(|error| Error::io(path, &error))?;
        let whole = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let name = if metadata.is_dir() { whole.file_name() } else { whole.file_stem() };
        let name = name.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        let path = path.to_path_buf();
        if !metadata.is_dir() {
            let rows = read_rows(&path)?;
            return Ok(Self { name, path, manifest: None, examples: Vec::new(), failed: Vec::new(), rows });
        }
        let manifest = Manifest::load(&path.join(MANIFEST)).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                let message = format!("{} holds no {MANIFEST}, so it is not a RUN", path.display());
                Error::new(ErrorKind::NotFound, message)
            }
            _ => error,
        })?;
        let records = Records::open(&path, &manifest)?.with(proof);
        let examples = records
            .map(|entry| entry.map(|Entry { record, counts, line }| Example { line, ..Example::new(record, &counts) }))
            .collect::<Result<_>>()?;
        let failed = failures::failures(&path)?.iter().map(failures::Failure::named).collect();
        Ok(Self { name, path, manifest: Some(manifest), examples, failed, rows: Vec::new() })
    }
}

/// The rows of a file; columns are found by their names.
fn read_rows(path: &Path) -> Result<Vec<Row>> {
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => Error::data("run", format!("{} is not text", path.display())),
        _ => Error::io(path, &error),
    })?;
    let bad = |line: usize, reason: &str| Error::data("run", format!("{}, line {line}: {reason}", path.display()));
    let mut lines = text.trim_end_matches('\n').split('\n');
    let header = lines.next().unwrap_or_default().trim_end_matches('\r');
    if header.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = header.split('\t').map(str::trim).collect();
    let mut columns = [0; 5];
    for (column, name) in columns.iter_mut().zip(["idx", "label", "predict", "radius", "correct"]) {
        let needed = "`idx label predict radius correct` are needed, tab separated";
        let position = names.iter().position(|found| *found == name);
        *column = position.ok_or_else(|| bad(1, &format!("no column `{name}`; {needed}")))?;
    }
    let mut lines_of = HashMap::new();
    let mut rows = Vec::new();
    for (line, text) in (2..).zip(lines).filter(|(_, line)| !line.trim().is_empty()) {
        let row = Row::parse(text, columns).map_err(|reason| bad(line, &reason))?;
        if let Some(first) = lines_of.insert(row.idx, line) {
            return Err(bad(line, &format!("holds example {} again, as line {first} does", row.idx)));
        }
        rows.push(row);
    }
    Ok(rows)
}
