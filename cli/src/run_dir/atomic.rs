//! Files that appear whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use smoothtopk::{Error, ErrorKind, Result};

/// Refuses to make a folder where something else is.
///
/// # Errors
/// `InvalidArgument` of the field `out`.
pub fn check_folder(path: &Path) -> Result<()> {
    match path.exists() && !path.is_dir() {
        true => Err(Error::argument(
            "out",
            format!("{} is a file: a folder is needed, which is made if it is missing", path.display()),
        )),
        false => Ok(()),
    }
}

/// Makes a folder, with those above it.
///
/// # Errors
/// As [`check_folder`]; `Io`.
pub fn make_folder(path: &Path) -> Result<()> {
    check_folder(path)?;
    std::fs::create_dir_all(path).map_err(|error| Error::io(path, &error))
}

/// The name under which a file is written before it is renamed.
pub fn temporary_name(name: &str) -> String {
    format!(".{name}.tmp")
}

/// Writes a file under a temporary name beside it, brings it to the disk, and renames it into place.
///
/// # Errors
/// `Io` or `NotFound`; a file that was there before is then as it was.
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    write_with(path, content, OpenOptions::new().write(true).create(true).truncate(true))
}

/// As [`write()`], for the owner's eyes alone (mode 0600, on systems that have modes).
///
/// # Errors
/// As [`write()`].
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // One that a kill left may be anyone's to read: it is made anew.
    let temporary = temporary_of(path)?;
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&temporary, &error)),
        _ => write_with(path, content, &options),
    }
}

fn temporary_of(path: &Path) -> Result<PathBuf> {
    match path.file_name() {
        Some(name) => Ok(path.with_file_name(temporary_name(&name.to_string_lossy()))),
        None => Err(Error::new(ErrorKind::Io, format!("{} is not the name of a file", path.display()))),
    }
}

fn write_with(path: &Path, content: &[u8], options: &OpenOptions) -> Result<()> {
    let temporary = temporary_of(path)?;
    options
        .open(&temporary)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .map_err(|error| Error::io(&temporary, &error))?;
    std::fs::rename(&temporary, path).map_err(|error| Error::io(path, &error))?;
    sync_dir(path.parent().unwrap_or(Path::new("")))
}

/// Brings a folder's entries to the disk, on systems where that is a thing to do.
pub fn sync_dir(path: &Path) -> Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    if cfg!(unix) {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| Error::io(path, &error))?;
    }
    Ok(())
}
