//! `records.jsonl`: reading it, and finding where its records are.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use smoothtopk::counts::Counts;
use smoothtopk::record::Record;
use smoothtopk::{Error, Result};

use super::Manifest;
use super::certified::{self, Proof};

/// The name of the records in a RUN folder.
pub const RECORDS: &str = "records.jsonl";

/// A record of a RUN, and its counts.
pub struct Entry {
    pub record: Record,
    pub counts: Counts,
    /// From 1; 0 where it is in no file yet.
    pub line: usize,
}

/// Where the record of an example is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub index: usize,
    /// From 1.
    line: usize,
    start: u64,
    length: usize,
}

/// The records of a RUN in the order of the examples, whatever their order in the file: one that failed at first comes
/// last. Half a line at the end, as a kill or another process that writes leaves it, is left out.
pub struct Records<'a> {
    path: PathBuf,
    manifest: &'a Manifest,
    file: Option<BufReader<File>>,
    at: u64,
    places: std::vec::IntoIter<Place>,
    proof: Proof,
}

impl<'a> Records<'a> {
    /// Those of the RUN in a folder, whose certificates are those of their counts; none where it was killed before its
    /// first.
    ///
    /// # Errors
    /// `Io`; `InvalidData` when a line is not the record of an example of the RUN, or of one that has a record;
    /// `InvalidArgument` where the RUN has a part of the samples alone.
    pub fn open(run: &Path, manifest: &'a Manifest) -> Result<Self> {
        if let Some(shard) = manifest.sample_shard {
            let run = run.display();
            let message =
                format!("{run} has the samples of part {shard} alone, which certify nothing: merge all parts first");
            return Err(Error::argument("sample_shard", message));
        }
        let (places, _) = find(run, manifest)?;
        Ok(Self { proof: Proof::Needed, ..Self::of(run, manifest, places)? })
    }

    /// Those at places that were found, whose certificates are taken as they stand.
    pub fn of(run: &Path, manifest: &'a Manifest, mut places: Vec<Place>) -> Result<Self> {
        places.sort_by_key(|place| place.index);
        let path = run.join(RECORDS);
        let file = if places.is_empty() { None } else { Some(open(&path)?) };
        Ok(Self { path, manifest, file, at: 0, places: places.into_iter(), proof: Proof::Waived })
    }

    /// Has certificates be taken as they stand, or not.
    #[must_use]
    pub fn with(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }

    fn entry(&mut self, place: Place) -> Result<Option<Entry>> {
        let Some(file) = &mut self.file else { return Ok(None) };
        let line = read(file, &mut self.at, place).map_err(|error| Error::io(&self.path, &error))?;
        Entry::of_line(&line, place.line, self.manifest, self.proof)
            .map(Some)
            .map_err(|error| damaged(&self.path, place.line, &error))
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        let place = self.places.next()?;
        let next = self.entry(place).transpose();
        // After an error there is nothing more.
        if matches!(next, Some(Err(_))) {
            self.file = None;
        }
        next
    }
}

fn open(path: &Path) -> Result<BufReader<File>> {
    let file = File::open(path).map_err(|error| Error::io(path, &error))?;
    Ok(BufReader::with_capacity(1 << 20, file))
}

/// The line at a place, where `at` is where the file is.
fn read(file: &mut BufReader<File>, at: &mut u64, place: Place) -> std::io::Result<Vec<u8>> {
    if *at != place.start {
        file.seek(SeekFrom::Start(place.start))?;
    }
    let mut line = vec![0; place.length];
    file.read_exact(&mut line)?;
    // Past the newline too, which is where the next record starts in most files.
    file.skip_until(b'\n')?;
    *at = place.start + place.length as u64 + 1;
    Ok(line)
}

pub fn damaged(path: &Path, line: usize, error: &Error) -> Error {
    let path = path.display();
    Error::data("records", format!("{path}, line {line}: {error}; restore the file, or run again into a new folder"))
}

impl Entry {
    /// The record of a line, checked against its manifest and its own counts.
    pub fn of_line(line: &[u8], number: usize, manifest: &Manifest, proof: Proof) -> Result<Self> {
        let text = std::str::from_utf8(line).map_err(|_| Error::data("record", "is not text"))?;
        Self::of(Record::from_json(text)?, number, manifest, proof)
    }

    /// A record, checked so.
    pub fn of(record: Record, line: usize, manifest: &Manifest, proof: Proof) -> Result<Self> {
        let counts = Counts::try_from(record.counts.clone())?;
        certified::check(&record, &counts, manifest, proof)?;
        Ok(Self { record, counts, line })
    }
}

/// What finds a record.
#[derive(Deserialize)]
struct Head {
    index: Option<usize>,
}

/// Where the records of a RUN are, in the order of the file, and the byte after its last whole line. They are checked
/// where they are read.
///
/// # Errors
/// `Io`; `InvalidData` when a line is not the record of an example of the RUN, or of one that has a record.
pub fn find(run: &Path, manifest: &Manifest) -> Result<(Vec<Place>, u64)> {
    let path = run.join(RECORDS);
    let mut file = match open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == smoothtopk::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(error) => return Err(error),
    };
    let (mut places, mut lines_of, mut end) = (Vec::new(), HashMap::new(), 0);
    let mut text = Vec::new();
    loop {
        let line = places.len() + 1;
        text.clear();
        file.read_until(b'\n', &mut text).map_err(|error| Error::io(&path, &error))?;
        let Some(whole) = text.strip_suffix(b"\n") else { break };
        let index = index(whole, manifest).map_err(|error| damaged(&path, line, &error))?;
        if let Some(first) = lines_of.insert(index, line) {
            let error = Error::data("index", format!("is {index} again, as in line {first}"));
            return Err(damaged(&path, line, &error));
        }
        places.push(Place { index, line, start: end, length: whole.len() });
        end += text.len() as u64;
    }
    Ok((places, end))
}

/// Checks the last record, after which others are to follow.
///
/// # Errors
/// `Io`; `InvalidData` when it is damaged.
pub fn check_last(run: &Path, manifest: &Manifest, places: &[Place]) -> Result<()> {
    let last = places.last().copied().into_iter().collect::<Vec<_>>().into_iter();
    let path = run.join(RECORDS);
    let file = if places.is_empty() { None } else { Some(open(&path)?) };
    let mut last = Records { path, manifest, file, at: 0, places: last, proof: Proof::Needed };
    last.next().transpose().map(|_| ())
}

/// The index of the example that a line is about.
pub fn index(line: &[u8], manifest: &Manifest) -> Result<usize> {
    let head: Head = serde_json::from_slice(line).map_err(|error| {
        // In the words of the record itself, where it has them.
        let of_record = std::str::from_utf8(line).ok().and_then(|text| Record::from_json(text).err());
        of_record.unwrap_or_else(|| Error::data("record", error.to_string()))
    })?;
    let wrong = |what: String| Err(Error::data("index", what));
    match head.index {
        None => wrong("is missing".into()),
        Some(index) if manifest.has(index) => Ok(index),
        Some(index) => {
            let shard = manifest.shard.map_or_else(String::new, |shard| format!(", shard {shard}"));
            let (examples, skip) = (manifest.examples, manifest.skip);
            wrong(format!(
                "is {index}, which is none of the {examples} examples of the RUN (every {skip}. from 0{shard})"
            ))
        }
    }
}
