//! `records.jsonl`: reading it, and finding where it ends.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use smoothtopk::counts::Counts;
use smoothtopk::record::Record;
use smoothtopk::{Error, Result};

use super::Manifest;

/// The name of the records in a RUN folder.
pub const RECORDS: &str = "records.jsonl";

/// A record of a RUN, and its counts.
pub struct Entry {
    pub record: Record,
    pub counts: Counts,
}

/// The records of a RUN, one after the other. Half a line at the end, as a kill or another process that writes leaves
/// it, is left out.
pub struct Records<'a> {
    path: PathBuf,
    manifest: &'a Manifest,
    lines: Option<BufReader<File>>,
    line: Vec<u8>,
    read: usize,
}

impl<'a> Records<'a> {
    /// Those of the RUN in a folder; none where it was killed before its first.
    ///
    /// # Errors
    /// `Io`.
    pub fn open(run: &Path, manifest: &'a Manifest) -> Result<Self> {
        let path = run.join(RECORDS);
        let lines = match File::open(&path) {
            Ok(file) => Some(BufReader::with_capacity(1 << 20, file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io(&path, &error)),
        };
        Ok(Self { path, manifest, lines, line: Vec::new(), read: 0 })
    }

    fn next_entry(&mut self) -> Result<Option<Entry>> {
        let Some(lines) = &mut self.lines else { return Ok(None) };
        self.line.clear();
        lines.read_until(b'\n', &mut self.line).map_err(|error| Error::io(&self.path, &error))?;
        let Some(line) = self.line.strip_suffix(b"\n") else { return Ok(None) };
        let entry = entry(line, self.manifest, self.read).map_err(|error| damaged(&self.path, self.read, &error))?;
        self.read += 1;
        Ok(Some(entry))
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_entry().transpose();
        // After an error there is nothing more.
        if matches!(next, Some(Err(_))) {
            self.lines = None;
        }
        next
    }
}

fn damaged(path: &Path, i: usize, error: &Error) -> Error {
    let (path, line) = (path.display(), i + 1);
    Error::data("records", format!("{path}, line {line}: {error}; restore the file, or run again into a new folder"))
}

/// The i-th record of a RUN, checked against its manifest.
fn entry(line: &[u8], manifest: &Manifest, i: usize) -> Result<Entry> {
    let text = std::str::from_utf8(line).map_err(|_| Error::data("record", "is not text"))?;
    let record = Record::from_json(text)?;
    let wrong = |field: &str, message: String| Err(Error::data(field, message));
    match (record.index, manifest.index(i)) {
        (Some(found), Some(expected)) if found == expected => {}
        (None, _) => return wrong("index", "is missing".into()),
        (Some(found), None) => return wrong("index", format!("is {found}, past the {i} examples of the RUN")),
        (Some(found), Some(expected)) => return wrong("index", format!("is {found}, and {expected} follows here")),
    }
    if record.request != manifest.request {
        return wrong("request", "is not the RUN's, which its manifest has".into());
    }
    let ks = if record.status == "OK" { &manifest.request.k[..] } else { &[] };
    let (labels, answers) = if manifest.guarantee { (&[][..], ks) } else { (ks, &[][..]) };
    if !record.certificates.iter().map(|found| found.k).eq(labels.iter().copied()) {
        return wrong("certificates", format!("must be those for k = {labels:?}"));
    }
    if !record.guarantees.iter().map(|found| found.k).eq(answers.iter().copied()) {
        return wrong("guarantees", format!("must be those for k = {answers:?}"));
    }
    for found in &record.certificates {
        if found.radius < 0.0 || found.certified != (found.radius > 0.0) {
            return wrong(
                "radius",
                format!("of k = {} is {}, and certified is {}", found.k, found.radius, found.certified),
            );
        }
    }
    for found in &record.guarantees {
        if [found.labels.len(), found.label_radii.len(), found.kept_radii.len()] != [found.k; 3] {
            return wrong("guarantees", format!("have lists of another length than k = {}", found.k));
        }
    }
    let counts = Counts::try_from(record.counts.clone())?;
    if counts.classes() != manifest.reading.classes {
        return wrong("counts", format!("have {} labels, not {}", counts.classes(), manifest.reading.classes));
    }
    Ok(Entry { record, counts })
}

/// How many whole lines the records of a RUN have, and the byte after them.
///
/// Only the last one is parsed. That it is of the example that the number of lines says shows that no line before it is
/// missing.
///
/// # Errors
/// `Io`; `InvalidData` when the last line is damaged, or of another example.
pub fn whole_lines(run: &Path, manifest: &Manifest) -> Result<(usize, u64)> {
    let path = run.join(RECORDS);
    let io = |error: std::io::Error| Error::io(&path, &error);
    let mut file = match File::open(&path) {
        Ok(file) => BufReader::with_capacity(1 << 20, file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((0, 0)),
        Err(error) => return Err(io(error)),
    };
    let (mut lines, mut last, mut end, mut at) = (0, 0, 0, 0);
    loop {
        let chunk = file.fill_buf().map_err(io)?;
        if chunk.is_empty() {
            break;
        }
        for (i, _) in chunk.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            (last, end, lines) = (end, at + i as u64 + 1, lines + 1);
        }
        let length = chunk.len();
        at += length as u64;
        file.consume(length);
    }
    if lines > 0 {
        let mut line = vec![0; (end - last - 1) as usize];
        file.seek(SeekFrom::Start(last)).and_then(|_| file.read_exact(&mut line)).map_err(io)?;
        entry(&line, manifest, lines - 1).map_err(|error| damaged(&path, lines - 1, &error))?;
    }
    Ok((lines, end))
}
