//! What a host says of a base classifier that is no file.

use std::fmt;

use rand::TryRng;
use rand::rngs::SysRng;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

/// What the host says that a base classifier is which is no file: nothing was hashed, and nobody checked it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stated {
    /// Its name.
    pub name: String,
    /// What tells it from every other classifier, such as a digest of its weights. Who states the same one states that
    /// it is the same function, whose counts may be added.
    pub digest: Option<String>,
    /// Where no digest is stated: 32 hexadecimal digits that only the one open handle has, so that its counts are added
    /// to no others.
    pub handle: Option<String>,
}

impl Stated {
    /// The same for one open handle, which is told from all others where no digest is stated.
    ///
    /// # Errors
    /// `Io` when the operating system gives no random bits.
    pub fn opened(mut self) -> Result<Self> {
        if self.digest.is_none() {
            let bits = || {
                let none = |error| Error::new(ErrorKind::Io, format!("no random bits for a handle: {error}"));
                SysRng.try_next_u64().map_err(none)
            };
            self.handle = Some(format!("{:016x}{:016x}", bits()?, bits()?));
        }
        Ok(self)
    }
}

impl fmt::Display for Stated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "a classifier without a name" } else { &self.name };
        match (&self.digest, &self.handle) {
            (Some(digest), _) => write!(f, "{name}, of the stated digest {digest}"),
            (None, Some(handle)) => write!(f, "{name}, of no stated digest, as opened once ({handle})"),
            (None, None) => f.write_str(name),
        }
    }
}
