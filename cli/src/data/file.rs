//! A file of arrays: a .npz or a .npy.

use std::io::Cursor;
use std::path::Path;

use smoothtopk::{Error, Result};

use super::arrays::Arrays;
use super::{npy, npz};

/// The arrays of a `.npz` or a `.npy`, told apart by their first bytes.
pub fn open(path: &Path, bytes: &[u8]) -> Result<Arrays> {
    let what = path.display().to_string();
    if bytes.starts_with(b"PK") {
        npz::open(&what, Cursor::new(bytes))
    } else if bytes.starts_with(b"\x93NUM") {
        Ok(Arrays { images: npy::read(&what, bytes, bytes.len() as u64)?, labels: None, indices: None })
    } else {
        Err(Error::data("data", format!("{what} is neither a .npz, a .npy nor a folder of PNG or JPEG images")))
    }
}
