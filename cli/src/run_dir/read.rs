//! Reading runs: a RUN folder, finished or not, or one file in the field's format from any tool.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use smoothtopk::{Error, ErrorKind, Result};

use super::answer::{self, AnswerRow};
use super::lines::in_order;
use super::record::{HEADER, Row};
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
    /// A run may be read while it is written: half a line at the end of its files is left out. Its examples must be those of its
    /// manifest, in order; those of a single file must differ.
    ///
    /// # Errors
    /// `NotFound` or `Io` when it cannot be read, `InvalidData` naming the file and line that is malformed.
    pub fn open(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(|error| Error::io(path, &error))?;
        let whole = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let name = if metadata.is_dir() { whole.file_name() } else { whole.file_stem() };
        let name = name.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        if !metadata.is_dir() {
            // A file of a run that may be being written, or another tool's, whose last line may end without a newline.
            let named = |name: &str| name.strip_prefix('k').is_some_and(|k| k.parse::<usize>().is_ok());
            let of_run = named(&name) && whole.with_file_name(MANIFEST).exists();
            let series = vec![Series { k: None, rows: read_rows(path, of_run)? }];
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
        let is_next = |i: usize, idx: usize| in_order(idx, manifest.index(i), i);
        for &k in &manifest.k {
            if manifest.guarantee {
                let row = |i, line: &str| AnswerRow::parse(line, k).and_then(|row| is_next(i, row.idx).map(|()| row));
                let rows = or_none(read_lines(&path.join(answers_file(k)), answer::HEADER, row))?;
                answers.push(Answers { k, rows });
            } else {
                let row = |i, line: &str| Row::parse(line).and_then(|row| is_next(i, row.idx).map(|()| row));
                series.push(Series { k: Some(k), rows: or_none(read_lines(&path.join(rows_file(k)), HEADER, row))? });
            }
        }
        let stops = match manifest.keeps_stops() {
            true => or_none(read_stops(path, &manifest.stop_columns()))?,
            false => Vec::new(),
        };
        for (i, stop) in stops.iter().enumerate() {
            is_next(i, stop.idx).map_err(|reason| bad(&path.join(STOPS), i + 2, &reason))?;
        }
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
    read_lines(&run.join(STOPS), &columns.header(), |_, line| columns.parse(line))
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

/// The whole lines after the header of a file of our own, by `parse(example, line)`.
fn read_lines<T>(path: &Path, header: &str, parse: impl Fn(usize, &str) -> Result<T, String>) -> Result<Vec<T>> {
    let text = read_text(path)?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut lines = whole.split('\n');
    match lines.next() {
        None | Some("") => return Ok(Vec::new()),
        Some(first) if first.trim_end_matches('\r') != header => return Err(bad(path, 1, "is not the header")),
        Some(_) => {}
    }
    lines.enumerate().map(|(i, line)| parse(i, line).map_err(|reason| bad(path, i + 2, &reason))).collect()
}

/// The rows of a file, but for half a line at the end where `may_be_cut`; columns are found by their names.
fn read_rows(path: &Path, may_be_cut: bool) -> Result<Vec<Row>> {
    let text = read_text(path)?;
    let bad = |line, reason: &str| bad(path, line, reason);
    let whole = if may_be_cut { text.rfind('\n').map_or("", |end| &text[..end]) } else { text.trim_end_matches('\n') };
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
    let mut lines_of = HashMap::new();
    let mut rows = Vec::new();
    for (line, text) in (2..).zip(lines).filter(|(_, line)| !line.trim().is_empty()) {
        let row = Row::parse_columns(text, columns).map_err(|reason| bad(line, &reason))?;
        if let Some(first) = lines_of.insert(row.idx, line) {
            return Err(bad(line, &format!("holds example {} again, as line {first} does", row.idx)));
        }
        rows.push(row);
    }
    Ok(rows)
}
