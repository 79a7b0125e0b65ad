//! A RUN folder: manifest, counts and radii, resumable after a kill at any moment.
//!
//! | file | holds |
//! | --- | --- |
//! | `manifest.json` | all that the results depend on; written first, in one rename, and never again |
//! | `counts.tsv` | the paper's format: a count per label, then the label that they were drawn for |
//! | `k1.tsv`, ... | the field's format, one file per k: `idx label predict radius correct time` |
//! | `answer_k1.tsv`, ... | instead of those, in a run of guarantees: the labels returned and the radii of all that holds for them |
//! | `stops.tsv` | where examples differ in their rows, in how alpha is spent or in the uniform of randomized bounds: rows, decisions, allocations, uniforms |
//! | `chacha12.key` | the key of the noise, for the owner's eyes alone; the manifest has its hash, so that a RUN can be shown without it |
//! | `.lock` | locked while a process writes here |
//!
//! Every example is one whole line of every file, in the order of the examples. A kill can leave the last example in
//! some of the files, or half a line: resuming cuts every file to the examples that all of them hold.

mod answer;
pub mod atomic;
mod key;
mod lines;
mod manifest;
mod read;
mod record;
mod stop;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use smoothtopk::{Error, ErrorKind, Result};

pub use answer::{Answer, AnswerRow};
use key::KEY;
pub use manifest::{FORMAT, LabelSource, Manifest};
pub use read::{Answers, ReadRun, read_stops};
pub use record::{Outcome, Record, Row};
use stop::STOPS;
pub use stop::{Columns, Stop, StopOfK};

/// The manifest's name in a RUN folder.
pub const MANIFEST: &str = "manifest.json";
/// The counts' name in a RUN folder.
pub const COUNTS: &str = "counts.tsv";
const LOCK: &str = ".lock";

/// What a power cut may cost; a kill costs nothing that was appended.
const SYNC_EVERY: Duration = Duration::from_secs(3);

/// A RUN folder that this process writes. No other process can, until it is dropped.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    ks: Vec<usize>,
    classes: usize,
    guarantee: bool,
    keeps_stops: bool,
    done: usize,
    /// `counts.tsv`, then one per k, then `stops.tsv` where it is kept.
    files: Vec<(PathBuf, File)>,
    synced: Instant,
    /// A write failed, so a file may end in half a line.
    broken: bool,
    _lock: File,
}

impl RunDir {
    /// Starts a run in a folder that is missing or empty, or resumes the one that is there.
    ///
    /// `expected(i)` is the index in the data of the i-th example of the run, asked for i below `manifest.examples`; `key` is
    /// that of the noise, where it has one, and is kept with a run that is started.
    ///
    /// # Errors
    /// `InvalidArgument` when the folder holds a run with another manifest (naming the first field that differs), holds
    /// something else, or is being written by another process; `InvalidData` when its files are damaged or hold other
    /// examples than expected; `Io`. The folder's files are then as they were.
    pub fn open(
        path: &Path,
        manifest: &Manifest,
        key: Option<&[u8; 32]>,
        expected: impl Fn(usize) -> usize,
    ) -> Result<Self> {
        let text = manifest.to_json()?;
        atomic::make_folder(path)?;
        let stored = path.join(MANIFEST);
        // Before the lock, so that a folder that is no run stays untouched.
        if !stored.exists()
            && let Err(error) = refuse_foreign(path)
            && !stored.exists()
        {
            return Err(error);
        }
        let lock = lock(path)?;
        // Under the lock: another process may have written the manifest in between.
        if stored.exists() {
            Manifest::load(&stored)?.check_same(manifest, path)?;
        } else {
            // Before the manifest, so that no run lacks its key.
            key.map_or(Ok(()), |key| key::write(path, key))?;
            atomic::write(&stored, text.as_bytes())?;
        }

        let mut scans = vec![lines::scan_counts(&path.join(COUNTS), manifest.classes)?];
        let expected = |i| (i < manifest.examples).then(|| expected(i));
        for &k in &manifest.k {
            scans.push(match manifest.guarantee {
                true => lines::scan_answers(&path.join(answers_file(k)), k, expected)?,
                false => lines::scan_rows(&path.join(rows_file(k)), expected)?,
            });
        }
        if manifest.keeps_stops() {
            scans.push(lines::scan_stops(&path.join(STOPS), &manifest.stop_columns(), expected)?);
        }
        let done = scans.iter().map(lines::Scan::examples).min().unwrap_or(0);
        let most = scans.iter().map(lines::Scan::examples).max().unwrap_or(0);
        if most > 0
            && let Some(lost) = scans.iter().find(|scan| scan.missing)
        {
            return Err(Error::data(
                "out",
                format!(
                    "{} is missing, though others hold {most} examples; restore it, or give another --out",
                    lost.path.display()
                ),
            ));
        }
        let mut files = Vec::with_capacity(scans.len());
        for scan in scans {
            let file = resume(&scan, done).map_err(|error| Error::io(&scan.path, &error))?;
            files.push((scan.path, file));
        }
        atomic::sync_dir(path)?;
        Ok(Self {
            path: path.to_path_buf(),
            ks: manifest.k.clone(),
            classes: manifest.classes,
            guarantee: manifest.guarantee,
            keeps_stops: manifest.keeps_stops(),
            done,
            files,
            synced: Instant::now(),
            broken: false,
            _lock: lock,
        })
    }

    /// The number of examples that the run holds; the next one to append is `expected(done())`.
    pub fn done(&self) -> usize {
        self.done
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a run, finished or not: see [`ReadRun::open`].
    pub fn read(path: &Path) -> Result<ReadRun> {
        ReadRun::open(path)
    }

    /// Appends one example to every file, each by one write of one whole line.
    ///
    /// # Errors
    /// `Io` when a write fails; the run then takes no more examples, and is resumed by opening it again. `Internal`
    /// when the record does not fit the manifest.
    pub fn append(&mut self, record: &Record) -> Result<()> {
        if self.broken {
            return Err(Error::new(ErrorKind::Io, "an earlier write to the run failed; start the command again"));
        }
        let ks = |kept: bool| if kept { self.ks.len() } else { 0 };
        if record.counts.len() != self.classes
            || record.outcomes.len() != ks(!self.guarantee)
            || record.answers.len() != ks(self.guarantee)
            || record.stops.len() != ks(self.keeps_stops)
        {
            return Err(Error::new(ErrorKind::Internal, "a record with other labels, k or statements than its run"));
        }
        let rows = record.outcomes.iter().map(|outcome| record.row(outcome).to_line());
        let answers = record.answers.iter().map(|answer| record.answer_row(answer).to_line());
        let stop = self.keeps_stops.then(|| record.stop().to_line());
        let all = std::iter::once(record.counts_line()).chain(rows).chain(answers).chain(stop);
        for ((path, file), line) in self.files.iter_mut().zip(all) {
            if let Err(error) = file.write_all(line.as_bytes()) {
                self.broken = true;
                return Err(Error::io(path, &error));
            }
        }
        self.done += 1;
        if self.synced.elapsed() >= SYNC_EVERY {
            self.sync()?;
        }
        Ok(())
    }

    /// Brings all that was appended to the disk.
    ///
    /// # Errors
    /// `Io`.
    pub fn sync(&mut self) -> Result<()> {
        self.synced = Instant::now();
        self.files.iter().try_for_each(|(path, file)| file.sync_data().map_err(|error| Error::io(path, &error)))
    }

    /// Brings all to the disk and lets go of the folder.
    ///
    /// # Errors
    /// `Io`.
    pub fn close(mut self) -> Result<()> {
        self.sync()
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        // On the way out of an error there is no one left to tell.
        let _ = self.sync();
    }
}

/// The name of the file for a k.
pub fn rows_file(k: usize) -> String {
    format!("k{k}.tsv")
}

/// The name of the file of answers for a k.
pub fn answers_file(k: usize) -> String {
    format!("answer_k{k}.tsv")
}

/// Opens a file at the end of its first `done` examples, cutting what follows; starts it where it is missing.
fn resume(scan: &lines::Scan, done: usize) -> std::io::Result<File> {
    let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&scan.path)?;
    match scan.end_of(done) {
        Some(end) => file.set_len(end)?,
        None => {
            file.set_len(0)?;
            file.write_all(scan.header.as_bytes())?;
        }
    }
    file.seek(SeekFrom::End(0))?;
    file.sync_all()?;
    Ok(file)
}

/// Refuses a folder without a manifest that holds anything but what a run killed at its start leaves.
fn refuse_foreign(path: &Path) -> Result<()> {
    for entry in std::fs::read_dir(path).map_err(|error| Error::io(path, &error))? {
        let name = entry.map_err(|error| Error::io(path, &error))?.file_name();
        let started = [LOCK, KEY].map(str::to_owned).into_iter().chain([MANIFEST, KEY].map(atomic::temporary_name));
        if !started.into_iter().any(|started| name == started.as_str()) {
            return Err(Error::argument(
                "out",
                format!(
                    "{} holds {} but no {MANIFEST}, so it is no run; give a new or empty folder",
                    path.display(),
                    name.display()
                ),
            ));
        }
    }
    Ok(())
}

/// Takes the folder's lock, which the system lets go when the process ends, however it ends.
fn lock(path: &Path) -> Result<File> {
    let path = path.join(LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| Error::io(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::argument(
            "out",
            format!(
                "another process is writing {}; wait for it, or give another --out",
                path.parent().unwrap_or(&path).display()
            ),
        )),
        Err(TryLockError::Error(error)) => Err(Error::io(&path, &error)),
    }
}

#[cfg(test)]
mod tests;
