//! Files that appear whole or not at all.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use smoothtopk::{Error, ErrorKind, Result};

/// The name under which a file is written before it is renamed.
pub fn temporary_name(name: &str) -> String {
    format!(".{name}.tmp")
}

/// Writes a file under a temporary name beside it, brings it to the disk, and renames it into place.
///
/// # Errors
/// `Io` or `NotFound`; a file that was there before is then as it was.
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::new(ErrorKind::Io, format!("{} is not the name of a file", path.display())));
    };
    let temporary = folder.join(temporary_name(&name.to_string_lossy()));
    File::create(&temporary)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .map_err(|error| Error::io(&temporary, &error))?;
    std::fs::rename(&temporary, path).map_err(|error| Error::io(path, &error))?;
    sync_dir(folder)
}

/// Brings a folder's entries to the disk, on systems where that is a thing to do.
pub fn sync_dir(path: &Path) -> Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    if cfg!(unix) {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| Error::io(path, &error))?;
    }
    Ok(())
}
