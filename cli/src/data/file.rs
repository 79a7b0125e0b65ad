//! A file of arrays: a .npz or a .npy.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use smoothtopk::{Error, Result};

use super::array::Array;
use super::{npy, npz};

/// The arrays of a `.npz` or a `.npy`, told apart by their first bytes.
pub fn open(path: &Path, mut file: File, length: u64) -> Result<(Array, Option<Vec<usize>>)> {
    let mut magic = [0u8; 4];
    let whole = file.read_exact(&mut magic).is_ok();
    file.seek(SeekFrom::Start(0)).map_err(|error| Error::io(path, &error))?;
    let shown = path.display().to_string();
    if whole && magic.starts_with(b"PK") {
        npz::open(&shown, BufReader::new(file))
    } else if whole && magic.starts_with(b"\x93NUM") {
        Ok((npy::read(&shown, BufReader::new(file), length)?, None))
    } else {
        Err(Error::data("data", format!("{shown} is neither a .npz, a .npy nor a folder of PNG or JPEG images")))
    }
}

/// The array `indices` of a `.npz`; none where there is none, and for a `.npy`.
///
/// # Errors
/// `NotFound` or `Io` when the file cannot be read, `InvalidData` when it or the array is malformed.
pub fn indices(path: &Path) -> Result<Option<Vec<usize>>> {
    let mut file = File::open(path).map_err(|error| Error::io(path, &error))?;
    let mut magic = [0u8; 2];
    if file.read_exact(&mut magic).is_err() || magic != *b"PK" {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(0)).map_err(|error| Error::io(path, &error))?;
    npz::indices(&path.display().to_string(), BufReader::new(file))
}
