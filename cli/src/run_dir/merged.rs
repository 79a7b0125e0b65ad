//! A RUN that is written whole, from the records of others.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use smoothtopk::noise::Source;
use smoothtopk::{Error, Result};

use super::folder::{LOCK, lock};
use super::views::Views;
use super::{Entry, Failure, MANIFEST, Manifest, RECORDS, atomic, failures, key};

/// Where the files are until all are whole. A folder that has it and no manifest was left by a kill.
const UNFINISHED: &str = ".merging";

/// A RUN that is being written, in a folder that is no RUN before the last record is there.
pub struct MergedRun<'a> {
    out: PathBuf,
    unfinished: PathBuf,
    manifest: &'a Manifest,
    records: BufWriter<File>,
    views: Views,
    _lock: File,
}

impl<'a> MergedRun<'a> {
    /// Begins in a folder that is missing, empty, or left by a merge that was killed.
    ///
    /// # Errors
    /// `InvalidArgument` where the folder holds something else, or is a RUN; `Io`, with the field `lock` where another
    /// process writes it.
    pub fn create(out: &Path, manifest: &'a Manifest) -> Result<Self> {
        atomic::make_folder(out)?;
        let unfinished = out.join(UNFINISHED);
        // Before the lock, so that a folder of other things stays untouched.
        check_new(out)?;
        let lock = lock(out)?;
        check_new(out)?;
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished).map_err(|error| Error::io(&unfinished, &error))?;
        }
        atomic::make_folder(&unfinished)?;
        // What a killed merge of other shards may have left beside it.
        failures::remove(out)?;
        let records = unfinished.join(RECORDS);
        let file = File::create(&records).map_err(|error| Error::io(&records, &error))?;
        let (records, views) = (BufWriter::with_capacity(1 << 20, file), Views::create(&unfinished, manifest)?);
        Ok(Self { out: out.to_path_buf(), unfinished, manifest, records, views, _lock: lock })
    }

    /// Adds a record; they come in the order of the examples. Its line has no newline.
    ///
    /// # Errors
    /// `Io`.
    pub fn add(&mut self, line: &[u8], entry: Entry) -> Result<()> {
        let written = self.records.write_all(line).and_then(|()| self.records.write_all(b"\n"));
        written.map_err(|error| Error::io(&self.unfinished, &error))?;
        self.views.add(entry, self.manifest)
    }

    /// Makes the folder the RUN of these records, with the seed or key where it is known, and the examples that failed.
    ///
    /// # Errors
    /// `Io`.
    pub fn finish(self, source: Option<&Source>, failed: &[Failure]) -> Result<()> {
        let Self { out, unfinished, manifest, records, views, _lock } = self;
        let io = |error: std::io::Error| Error::io(&unfinished, &error);
        records
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .map_err(io)?;
        views.finish()?;
        failures::write(&unfinished, failed)?;
        if let Some(source) = source {
            key::write(&unfinished, source)?;
        }
        for entry in std::fs::read_dir(&unfinished).map_err(io)? {
            let entry = entry.map_err(io)?;
            std::fs::rename(entry.path(), out.join(entry.file_name())).map_err(io)?;
        }
        // Last: from here on the folder is a RUN.
        atomic::write(&out.join(MANIFEST), manifest.to_json()?.as_bytes())?;
        std::fs::remove_dir(&unfinished).map_err(io)
    }
}

/// Refuses a folder that holds anything, but for what a killed merge leaves.
fn check_new(out: &Path) -> Result<()> {
    let foreign = |name: &str| match name {
        MANIFEST => true,
        LOCK => false,
        _ => !out.join(UNFINISHED).exists(),
    };
    for entry in std::fs::read_dir(out).map_err(|error| Error::io(out, &error))? {
        let name = entry.map_err(|error| Error::io(out, &error))?.file_name();
        if foreign(&name.to_string_lossy()) {
            let (out, name) = (out.display(), name.display());
            return Err(Error::argument("out", format!("{out} holds {name} already; give a new or empty folder")));
        }
    }
    Ok(())
}
