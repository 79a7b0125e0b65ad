//! The key of a run's noise, in a file of its own: who has it knows the noise, and a run may be shown to others.

use std::path::Path;

use smoothtopk::{Error, Result};

use super::{Manifest, atomic};
use crate::noise_args::{fingerprint, read_key};
use smoothtopk::noise::Source;

/// The file's name in a RUN folder.
pub const KEY: &str = "chacha12.key";

/// Keeps the key in the folder of a run.
pub fn write(run: &Path, key: &[u8; 32]) -> Result<()> {
    let text = format!("{}\n", Source::ChaCha12 { key: *key }.secret());
    atomic::write_private(&run.join(KEY), text.as_bytes())
}

impl Manifest {
    /// The key that the run in `run` keeps; none where its noise has none.
    ///
    /// # Errors
    /// `NotFound`, `Io` or `InvalidArgument` when the file cannot be read or holds no key, `InvalidData` when it holds another one
    /// than the manifest names.
    pub fn key(&self, run: &Path) -> Result<Option<Source>> {
        let Some(expected) = &self.key_sha256 else { return Ok(None) };
        let path = run.join(KEY);
        let source = read_key(&path).map_err(|error| {
            Error::new(error.kind(), format!("{}; restore the file, or give --key", error.message())).with_field("key")
        })?;
        match &source {
            Source::ChaCha12 { key } if fingerprint(key) == *expected => Ok(Some(source)),
            _ => Err(Error::data("key", format!("{} does not hold the run's key; restore it", path.display()))),
        }
    }
}
