//! The records of many RUNs in the order of the examples, read in one pass and little memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use smoothtopk::{Error, Result};

use super::records::{RECORDS, damaged, index};
use super::{Entry, Manifest, Proof};

/// What all files together may hold in memory, and the least and most of one.
const MEMORY: usize = 64 << 20;
const LEAST: usize = 16 << 10;
const MOST: usize = 1 << 20;

/// Lines of a file of records whose indices ascend: all of them, but where examples that had failed were tried again.
#[derive(Debug)]
pub struct Segment {
    /// Which RUN of those that are read together.
    run: usize,
    path: PathBuf,
    /// The number of its first line, from 1.
    line: usize,
    start: u64,
    end: u64,
}

/// The segments of the records of a RUN, and how many records there are. Half a line at the end is left out.
///
/// # Errors
/// `Io`; `InvalidData` when a line is not the record of an example of the RUN.
pub fn scan(folder: &Path, manifest: &Manifest, run: usize) -> Result<(Vec<Segment>, usize)> {
    let path = folder.join(RECORDS);
    let mut file = match File::open(&path) {
        Ok(file) => BufReader::with_capacity(MOST, file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(error) => return Err(Error::io(&path, &error)),
    };
    let (mut segments, mut last, mut end, mut lines) = (Vec::<Segment>::new(), None, 0, 0);
    let mut text = Vec::new();
    loop {
        text.clear();
        file.read_until(b'\n', &mut text).map_err(|error| Error::io(&path, &error))?;
        let Some(whole) = text.strip_suffix(b"\n") else { return Ok((segments, lines)) };
        let line = lines + 1;
        let index = index(whole, manifest).map_err(|error| damaged(&path, line, &error))?;
        let start = end;
        end += text.len() as u64;
        match segments.last_mut() {
            Some(segment) if last < Some(index) => segment.end = end,
            _ => segments.push(Segment { run, path: path.clone(), line, start, end }),
        }
        (last, lines) = (Some(index), line);
    }
}

/// A record that was read.
pub struct Line {
    /// The example.
    pub index: usize,
    /// Without its newline.
    pub text: Vec<u8>,
    path: PathBuf,
    number: usize,
}

impl Line {
    /// The record, checked against the manifest and its own counts.
    ///
    /// # Errors
    /// `InvalidData` naming the file and line.
    pub fn entry(&self, manifest: &Manifest) -> Result<Entry> {
        Entry::of_line(&self.text, self.number, manifest, Proof::Needed).map_err(|error| self.damaged(&error))
    }

    /// An error of this line.
    pub fn damaged(&self, error: &Error) -> Error {
        damaged(&self.path, self.number, error)
    }
}

/// The lines of all segments, by example and then by RUN.
pub struct InOrder<'a> {
    manifest: &'a Manifest,
    segments: Vec<Reading>,
    /// The example, RUN and segment of each segment's next line.
    next: BinaryHeap<Reverse<(usize, usize, usize)>>,
    /// The example and RUN of the last line.
    last: Option<(usize, usize)>,
}

/// A segment that is being read. Its file is open only while it is read: there may be more segments than files that a
/// process may have open.
struct Reading {
    segment: Segment,
    /// What is read in advance, and how much of it is used.
    buffer: Vec<u8>,
    used: usize,
    chunk: usize,
    line: Vec<u8>,
}

impl<'a> InOrder<'a> {
    /// Of segments of RUNs that agree with `manifest`, which is of all examples.
    ///
    /// # Errors
    /// As [`InOrder::next`].
    pub fn new(segments: Vec<Segment>, manifest: &'a Manifest) -> Result<Self> {
        let chunk = (MEMORY / segments.len().max(1)).clamp(LEAST, MOST);
        let reading = |segment| Reading { segment, buffer: Vec::new(), used: 0, chunk, line: Vec::new() };
        let segments = segments.into_iter().map(reading).collect();
        let mut all = Self { manifest, segments, next: BinaryHeap::new(), last: None };
        (0..all.segments.len()).try_for_each(|i| all.advance(i))?;
        Ok(all)
    }

    /// The example of the next line.
    pub fn next_index(&self) -> Option<usize> {
        self.next.peek().map(|Reverse((index, ..))| *index)
    }

    /// The next line; none after the last.
    ///
    /// # Errors
    /// `Io`; `InvalidData` when a RUN has two records of an example.
    pub fn next(&mut self) -> Result<Option<Line>> {
        let Some(Reverse((index, run, i))) = self.next.pop() else { return Ok(None) };
        let reading = &mut self.segments[i];
        let (path, number) = (reading.segment.path.clone(), reading.segment.line);
        let line = Line { index, text: std::mem::take(&mut reading.line), path, number };
        if self.last.replace((index, run)) == Some((index, run)) {
            return Err(line.damaged(&Error::data("index", format!("is {index}, of which there is a record already"))));
        }
        reading.segment.line += 1;
        self.advance(i)?;
        Ok(Some(line))
    }

    /// Reads the next line of a segment.
    fn advance(&mut self, i: usize) -> Result<()> {
        let reading = &mut self.segments[i];
        if reading.read().map_err(|error| Error::io(&reading.segment.path, &error))? {
            let Segment { path, line, run, .. } = &reading.segment;
            let index = index(&reading.line, self.manifest).map_err(|error| damaged(path, *line, &error))?;
            self.next.push(Reverse((index, *run, i)));
        }
        Ok(())
    }
}

impl Reading {
    /// Whether there is another line, which is then `line`.
    fn read(&mut self) -> std::io::Result<bool> {
        let mut searched = self.used;
        loop {
            if let Some(length) = self.buffer[searched..].iter().position(|&byte| byte == b'\n') {
                let end = searched + length;
                self.line = self.buffer[self.used..end].to_vec();
                self.used = end + 1;
                return Ok(true);
            }
            let left = self.segment.end - self.segment.start;
            if left == 0 {
                self.buffer = Vec::new();
                self.used = 0;
                return Ok(false);
            }
            self.buffer.drain(..self.used);
            (self.used, searched) = (0, self.buffer.len());
            let mut file = File::open(&self.segment.path)?;
            file.seek(SeekFrom::Start(self.segment.start))?;
            let wanted = left.min(self.chunk as u64);
            if file.take(wanted).read_to_end(&mut self.buffer)? as u64 != wanted {
                return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "became shorter while it was read"));
            }
            self.segment.start += wanted;
        }
    }
}
