//! Libraries of custom operators: whose code is part of what the model computes.

use std::path::{Path, PathBuf};

use ort::session::builder::SessionBuilder;

use super::digest;
use super::raw::one_line;
use crate::{Error, ErrorKind, Result};

/// The model's digest with those of the libraries: of the listing that `sha256sum` prints of all, each of the name `-`.
pub(super) fn identify(sha256: String, libraries: &[PathBuf]) -> Result<String> {
    if libraries.is_empty() {
        return Ok(sha256);
    }
    let mut listing = format!("{sha256}  -\n");
    for library in libraries {
        let bytes = std::fs::read(library).map_err(|error| Error::io(library, &error).with_field("custom_ops"))?;
        listing += &format!("{}  -\n", digest::of(&bytes));
    }
    Ok(digest::of(listing.as_bytes()))
}

/// Has ONNX Runtime load them, which each lives as long as the process.
pub(super) fn register(mut builder: SessionBuilder, libraries: &[PathBuf]) -> Result<SessionBuilder> {
    for library in libraries {
        // The loader would look for a bare name elsewhere.
        let path = std::path::absolute(library).map_err(|error| Error::io(library, &error))?;
        builder = builder.with_operator_library(&path).map_err(|error| refusal(&path, error.message()))?;
    }
    Ok(builder)
}

fn refusal(path: &Path, reason: &str) -> Error {
    let message = format!("{} gives no custom operators: {}", path.display(), one_line(reason));
    Error::new(ErrorKind::Model, message).with_field("custom_ops")
}
