//! Reading runs: a RUN folder, finished or not, or one file in the field's format from any tool.

use std::path::{Path, PathBuf};

use smoothtopk::{Error, ErrorKind, Result};

use super::answer::{self, AnswerRow};
use super::record::Row;
use super::stop::{Columns, STOPS, Stop};
use super::{MANIFEST, Manifest, answers_file, rows_file};

/// The rows of one k.
#[derive(Clone, Debug)]
pub struct Series {
    /// None for a file that does not say.
    pub k: Option<usize>,
    /// In the order of the file, whole lines only.
    pub rows: Vec<Row>,
}

/// The answers of one k.
#[derive(Clone, Debug)]
pub struct Answers {
    pub k: usize,
    /// In the order of the file, whole lines only.
    pub rows: Vec<AnswerRow>,
}

/// A run as it was read.
#[derive(Clone, Debug)]
pub struct ReadRun {
    /// The name of the folder, or of the file without its suffix.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// None for a single file.
    pub manifest: Option<Manifest>,
    /// One per k, in the manifest's order; none in a run of guarantees.
    pub series: Vec<Series>,
    /// One per k, in a run of guarantees.
    pub answers: Vec<Answers>,
    /// How rows ended, where the run keeps that; whole lines only.
    pub stops: Vec<Stop>,
}

impl ReadRun {
    /// Reads a RUN folder, or a single file with the columns `idx label predict radius correct` as Cohen et al.'s tools
    /// and their successors write it.
    ///
    /// A run may be read while it is written: half a line at the end is left out.
    ///
    /// # Errors
    /// `NotFound` or `Io` when it cannot be read, `InvalidData` naming the file and line that is malformed.
    pub fn open(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(|error| Error::io(path, &error))?;
        let whole = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let name = if metadata.is_dir() { whole.file_name() } else { whole.file_stem() };
        let name = name.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        if !metadata.is_dir() {
            let series = vec![Series { k: None, rows: read_rows(path)? }];
            let (answers, stops) = (Vec::new(), Vec::new());
            return Ok(Self { name, path: path.to_path_buf(), manifest: None, series, answers, stops });
        }
        let manifest = Manifest::load(&path.join(MANIFEST)).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                Error::new(ErrorKind::NotFound, format!("{} holds no {MANIFEST}, so it is no run", path.display()))
            }
            _ => error,
        })?;
        let (mut series, mut answers) = (Vec::new(), Vec::new());
        for &k in &manifest.k {
            if manifest.guarantee {
                let rows =
                    or_none(read_lines(&path.join(answers_file(k)), answer::HEADER, |line| AnswerRow::parse(line, k)))?;
                answers.push(Answers { k, rows });
            } else {
                series.push(Series { k: Some(k), rows: or_none(read_rows(&path.join(rows_file(k))))? });
            }
        }
        let stops =
            if manifest.keeps_stops() { or_none(read_stops(path, &manifest.stop_columns()))? } else { Vec::new() };
        Ok(Self { name, path: path.to_path_buf(), manifest: Some(manifest), series, answers, stops })
    }
}

/// Nothing where a run was killed before its first example.
fn or_none<T>(read: Result<Vec<T>>) -> Result<Vec<T>> {
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

/// The whole lines of the `stops.tsv` of the run in a folder.
///
/// # Errors
/// As [`ReadRun::open`].
pub fn read_stops(run: &Path, columns: &Columns<'_>) -> Result<Vec<Stop>> {
    read_lines(&run.join(STOPS), &columns.header(), |line| columns.parse(line))
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => Error::data("run", format!("{} is not text", path.display())),
        _ => Error::io(path, &error),
    })
}

fn bad(path: &Path, line: usize, reason: &str) -> Error {
    Error::data("run", format!("{}, line {line}: {reason}", path.display()))
}

/// The whole lines after the header of a file of our own.
fn read_lines<T>(path: &Path, header: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>> {
    let text = read_text(path)?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut lines = whole.split('\n');
    match lines.next() {
        None | Some("") => return Ok(Vec::new()),
        Some(first) if first.trim_end_matches('\r') != header => return Err(bad(path, 1, "is not the header")),
        Some(_) => {}
    }
    lines.enumerate().map(|(i, line)| parse(line).map_err(|reason| bad(path, i + 2, &reason))).collect()
}

/// The whole rows of a file; columns are found by their names.
fn read_rows(path: &Path) -> Result<Vec<Row>> {
    let text = read_text(path)?;
    let bad = |line, reason: &str| bad(path, line, reason);
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut lines = whole.split('\n');
    let header = lines.next().unwrap_or_default().trim_end_matches('\r');
    if header.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = header.split('\t').map(str::trim).collect();
    let mut columns = [usize::MAX; 6];
    for (column, name) in ["idx", "label", "predict", "radius", "correct", "time"].into_iter().enumerate() {
        match names.iter().position(|found| *found == name) {
            Some(position) => columns[column] = position,
            None if name == "time" => {}
            None => {
                return Err(bad(
                    1,
                    &format!("no column `{name}`; `idx label predict radius correct` are needed, tab separated"),
                ));
            }
        }
    }
    lines
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(i, line)| Row::parse_columns(line, columns).map_err(|reason| bad(i + 2, &reason)))
        .collect()
}
