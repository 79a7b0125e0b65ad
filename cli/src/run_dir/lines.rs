//! The whole lines of a run's files: how many examples they hold, and where each ends.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use smoothtopk::{Error, Result};

use super::answer::{self, AnswerRow};
use super::record::{HEADER, Row};
use super::stop::Columns;

/// What a file holds.
#[derive(Debug)]
pub struct Scan {
    pub path: PathBuf,
    /// The header that the file starts with, with its newline; empty for none.
    pub header: String,
    /// The file does not exist.
    pub missing: bool,
    /// The byte after every whole line, from the end of the header on; empty when not even the header is whole.
    ends: Vec<u64>,
}

impl Scan {
    /// The number of examples whose line is whole.
    pub fn examples(&self) -> usize {
        self.ends.len().saturating_sub(1)
    }

    /// The byte after the first `examples` examples; none when the file is yet to be started.
    pub fn end_of(&self, examples: usize) -> Option<u64> {
        self.ends.get(examples).copied()
    }
}

/// Scans `counts.tsv`: every whole line has `classes` counts and a label.
pub fn scan_counts(path: &Path, classes: usize) -> Result<Scan> {
    scan(path, "", |_, line| {
        let mut fields = line.split('\t');
        let counts = fields.by_ref().take(classes).filter(|field| field.parse::<u64>().is_ok()).count();
        let label = fields.next().is_some_and(|field| field.parse::<i64>().is_ok());
        let whole = counts == classes && label && fields.next().is_none();
        if whole { Ok(()) } else { Err(format!("does not hold {classes} counts and a label")) }
    })
}

/// Scans a file of rows: the header, then the expected examples in order; none is expected past the run's last.
pub fn scan_rows(path: &Path, expected: impl Fn(usize) -> Option<usize>) -> Result<Scan> {
    scan(path, &format!("{HEADER}\n"), |i, line| in_order(Row::parse(line)?.idx, expected(i), i))
}

/// Scans a file of answers of `k` labels, as [`scan_rows`] does.
pub fn scan_answers(path: &Path, k: usize, expected: impl Fn(usize) -> Option<usize>) -> Result<Scan> {
    let header = format!("{}\n", answer::HEADER);
    scan(path, &header, |i, line| in_order(AnswerRow::parse(line, k)?.idx, expected(i), i))
}

/// Scans `stops.tsv`, as [`scan_rows`] does.
pub fn scan_stops(path: &Path, columns: &Columns<'_>, expected: impl Fn(usize) -> Option<usize>) -> Result<Scan> {
    scan(path, &format!("{}\n", columns.header()), |i, line| in_order(columns.parse(line)?.idx, expected(i), i))
}

/// Checks that the i-th line is of the example that is to follow.
pub fn in_order(found: usize, expected: Option<usize>, i: usize) -> Result<(), String> {
    match expected {
        Some(idx) if idx == found => Ok(()),
        Some(idx) => Err(format!("holds example {found}, where example {idx} is to follow")),
        None => Err(format!("holds example {found}, past the {i} of the run")),
    }
}

/// Scans a file whose every whole line after the header passes `check(example, line)`.
fn scan(path: &Path, header: &str, check: impl Fn(usize, &str) -> Result<(), String>) -> Result<Scan> {
    let mut scan = Scan { path: path.to_path_buf(), header: header.into(), missing: false, ends: Vec::new() };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            scan.missing = true;
            return Ok(scan);
        }
        Err(error) => return Err(Error::io(path, &error)),
    };
    let mut reader = BufReader::new(file);
    let (mut line, mut number, mut end) = (Vec::new(), 0, 0);
    if header.is_empty() {
        scan.ends.push(0);
    }
    loop {
        line.clear();
        number += 1;
        end += reader.read_until(b'\n', &mut line).map_err(|error| Error::io(path, &error))? as u64;
        let Some(text) = line.strip_suffix(b"\n") else {
            // What a kill left of a line is cut; anything else in the header's place is not ours to overwrite.
            if scan.ends.is_empty() && !header.as_bytes().starts_with(&line) {
                return Err(damaged(path, number, "is not the header"));
            }
            return Ok(scan);
        };
        if scan.ends.is_empty() {
            if line != header.as_bytes() {
                return Err(damaged(path, number, "is not the header"));
            }
        } else {
            let text = std::str::from_utf8(text).map_err(|_| damaged(path, number, "is not text"))?;
            check(scan.ends.len() - 1, text).map_err(|reason| damaged(path, number, &reason))?;
        }
        scan.ends.push(end);
    }
}

fn damaged(path: &Path, line: usize, reason: &str) -> Error {
    Error::data("out", format!("{}, line {line}: {reason}; restore the file, or give another --out", path.display()))
}
