//! A RUN folder that is being written.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use smoothtopk::noise::Source;
use smoothtopk::record::Record;
use smoothtopk::{Error, ErrorKind, Result};

use super::manifest::MANIFEST;
use super::{Manifest, RECORDS, atomic, failures, key, records, views};

pub const LOCK: &str = ".lock";

/// The field of the error that another process holds the RUN: a later try may find it free.
pub const LOCKED: &str = "lock";

/// What a power cut may cost; a kill costs nothing that was appended.
const SYNC_EVERY: Duration = Duration::from_secs(3);

/// A RUN folder that this process writes. No other process can, until it is dropped.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    manifest: Manifest,
    /// The indices of the examples that have a record.
    done: BTreeSet<usize>,
    records: PathBuf,
    file: File,
    synced: Instant,
    /// A write failed, so the file may end in half a line.
    broken: bool,
    _lock: File,
}

impl RunDir {
    /// Starts a RUN in a folder that is missing or empty, or resumes the one that is there. `source` has the seed or
    /// key of the noise, which is kept with a RUN that is started.
    ///
    /// # Errors
    /// `InvalidArgument` when the folder holds a RUN with another manifest (naming the first field that differs), holds
    /// something else, or is being written by another process; `InvalidData` when its records are damaged or of another
    /// format; `Io`. The folder's files are then as they were.
    pub fn open(path: &Path, manifest: &Manifest, source: &Source) -> Result<Self> {
        let text = manifest.to_json()?;
        atomic::make_folder(path)?;
        let stored = path.join(MANIFEST);
        // Before the lock, so that a folder that is not a RUN stays untouched.
        if !stored.exists()
            && let Err(error) = refuse_foreign(path)
            && !stored.exists()
        {
            return Err(error);
        }
        // So does a RUN of another format.
        if stored.exists() {
            Manifest::load(&stored)?;
        }
        let lock = lock(path)?;
        let (mut done, mut end) = (BTreeSet::new(), 0);
        // Under the lock: another process may have written the manifest in between.
        if stored.exists() {
            let of_run = Manifest::load(&stored)?;
            let (places, after) = records::find(path, &of_run)?;
            (done, end) = (places.iter().map(|place| place.index).collect(), after);
            records::check_last(path, &of_run, &places)?;
            of_run.check_same(manifest, path, &done)?;
            if of_run.data_files != manifest.data_files {
                // Files without a record were mended.
                atomic::write(
                    &stored,
                    Manifest { data_file: of_run.data_file, ..manifest.clone() }.to_json()?.as_bytes(),
                )?;
            }
        } else {
            // Before the manifest, so that no RUN lacks its seed or key.
            key::write(path, source)?;
            atomic::write(&stored, text.as_bytes())?;
        }
        if done.len() < manifest.own_examples() {
            views::remove(path, manifest)?;
        }
        // What failed is tried again.
        failures::remove(path)?;
        let records = path.join(RECORDS);
        let file = resume(&records, end).map_err(|error| Error::io(&records, &error))?;
        atomic::sync_dir(path)?;
        let (path, manifest) = (path.to_path_buf(), manifest.clone());
        Ok(Self { path, manifest, done, records, file, synced: Instant::now(), broken: false, _lock: lock })
    }

    /// The indices of the examples that the RUN holds.
    pub fn done(&self) -> &BTreeSet<usize> {
        &self.done
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends the record of an example, by one write of one whole line.
    ///
    /// # Errors
    /// `Io` when the write fails; the RUN then takes no more examples, and is resumed by opening it again. `Internal`
    /// when the record is of no example of the RUN, or of one that has a record.
    pub fn append(&mut self, record: &Record) -> Result<()> {
        if self.broken {
            return Err(Error::new(ErrorKind::Io, "an earlier write to the RUN failed; start the command again"));
        }
        let index = record.index.filter(|index| self.manifest.has(*index) && !self.done.contains(index));
        let internal = || Error::new(ErrorKind::Internal, "a record of no example, or of one that has a record");
        let index = index.ok_or_else(internal)?;
        let line = record.to_json() + "\n";
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            self.broken = true;
            return Err(Error::io(&self.records, &error));
        }
        self.done.insert(index);
        if self.synced.elapsed() >= SYNC_EVERY { self.sync() } else { Ok(()) }
    }

    /// Notes that an example could not be certified, and why. It is tried again when the RUN is resumed.
    ///
    /// # Errors
    /// `Io`.
    pub fn fail(&self, index: usize, name: &str, error: &Error) -> Result<()> {
        failures::add(&self.path, index, name, error)
    }

    /// Brings the records into the order of the examples, whose order they were not finished in.
    ///
    /// # Errors
    /// `Io`; `InvalidData` when a record is damaged.
    pub fn put_in_order(&mut self) -> Result<()> {
        let (places, _) = records::find(&self.path, &self.manifest)?;
        if places.is_sorted_by_key(|place| place.index) {
            return Ok(());
        }
        let ordered = self.path.join(atomic::temporary_name(RECORDS));
        let io = |error: std::io::Error| Error::io(&ordered, &error);
        let mut file = BufWriter::new(File::create(&ordered).map_err(io)?);
        for entry in records::Records::of(&self.path, &self.manifest, places)? {
            writeln!(file, "{}", entry?.record.to_json()).map_err(io)?;
        }
        let file = file.into_inner().map_err(|error| io(error.into_error()))?;
        file.sync_all().map_err(io)?;
        std::fs::rename(&ordered, &self.records).map_err(io)?;
        self.file = file;
        atomic::sync_dir(&self.path)
    }

    fn sync(&mut self) -> Result<()> {
        self.synced = Instant::now();
        self.file.sync_data().map_err(|error| Error::io(&self.records, &error))
    }

    /// Brings all records to the disk, writes the views where they are missing, and lets go of the folder.
    ///
    /// # Errors
    /// `Io`; `InvalidData` when an earlier record is damaged.
    pub fn close(mut self) -> Result<()> {
        self.sync()?;
        if views::are_there(&self.path, &self.manifest) { Ok(()) } else { views::write(&self.path, &self.manifest) }
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        // On the way out of an error there is no one left to tell.
        let _ = self.sync();
    }
}

/// The indices of the examples that a folder holds, whose RUN `manifest` would resume. Changes nothing.
///
/// # Errors
/// As [`RunDir::open`], but that another process may be writing.
pub fn done(path: &Path, manifest: &Manifest) -> Result<BTreeSet<usize>> {
    let Some(of_run) = Manifest::of_run(path)? else {
        if path.exists() {
            refuse_foreign(path)?;
        }
        return Ok(BTreeSet::new());
    };
    let (places, _) = records::find(path, &of_run)?;
    let done = places.iter().map(|place| place.index).collect();
    of_run.check_same(manifest, path, &done)?;
    Ok(done)
}

/// Opens the records at the byte after their whole lines, and cuts off what follows.
fn resume(path: &Path, end: u64) -> std::io::Result<File> {
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    file.set_len(end)?;
    file.seek(SeekFrom::End(0))?;
    file.sync_all()?;
    Ok(file)
}

/// Refuses a folder without a manifest that holds anything but what a RUN killed at its start leaves.
fn refuse_foreign(path: &Path) -> Result<()> {
    let secrets = key::FILES.iter().flat_map(|&name| [name.to_owned(), atomic::temporary_name(name)]);
    let started: Vec<String> = secrets.chain([LOCK.to_owned(), atomic::temporary_name(MANIFEST)]).collect();
    for entry in std::fs::read_dir(path).map_err(|error| Error::io(path, &error))? {
        let name = entry.map_err(|error| Error::io(path, &error))?.file_name();
        if !started.iter().any(|started| name == started.as_str()) {
            let (path, name) = (path.display(), name.display());
            let message =
                format!("{path} holds {name} but no {MANIFEST}, so it is not a RUN; give a new or empty folder");
            return Err(Error::argument("out", message));
        }
    }
    Ok(())
}

/// Refuses a RUN that another process writes.
///
/// # Errors
/// `Io` of the field [`LOCKED`].
pub fn check_unlocked(folder: &Path) -> Result<()> {
    // A copy may lack the file, and one that may not be written is not written by others.
    let Ok(file) = File::open(folder.join(LOCK)) else { return Ok(()) };
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {
            let message = format!("another process is writing {}; wait for it", folder.display());
            Err(Error::new(ErrorKind::Io, message).with_field(LOCKED))
        }
        _ => Ok(()),
    }
}

/// Takes the folder's lock, which the system lets go when the process ends, however it ends.
pub fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| Error::io(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message =
                format!("another process is writing {}; wait for it, or give another --out", folder.display());
            Err(Error::new(ErrorKind::Io, message).with_field(LOCKED))
        }
        Err(TryLockError::Error(error)) => Err(Error::io(&path, &error)),
    }
}
