//! A model's file: its identity, and sessions on it.

use std::path::{Path, PathBuf};

use super::options::{ModelOptions, Provider};
use super::runtime::Runtime;
use super::{custom_ops, digest, engine, resolve, session};
use crate::{Error, Result};

/// A model's file, read and identified.
pub(super) struct ModelFile<'a> {
    bytes: &'a [u8],
    /// Where its external data lies, if it has any.
    folder: Option<PathBuf>,
    pub sha256: String,
}

impl<'a> ModelFile<'a> {
    pub(super) fn new(bytes: &'a [u8], path: Option<&Path>, options: &ModelOptions) -> Result<Self> {
        let external = digest::external_files(bytes)?;
        let folder = match path.map(std::path::absolute) {
            None if !external.is_empty() => {
                let message = "the model keeps data in files of its own: open it by its path";
                return Err(Error::new(crate::ErrorKind::Model, message).with_field("model"));
            }
            Some(Ok(path)) => path.parent().map(Path::to_owned),
            _ => None,
        };
        let sha256 = digest::digest(bytes, folder.as_deref().unwrap_or(Path::new("")), &external)?;
        let sha256 = custom_ops::identify(sha256, &options.custom_ops)?;
        Ok(Self { bytes, folder: folder.filter(|_| !external.is_empty()), sha256 })
    }

    /// A session, and the rows to which TensorRT's engine fixes its batch.
    pub(super) fn open(&self, options: &ModelOptions) -> Result<(session::Opened, Option<usize>)> {
        let runtime = Runtime::load(options.runtime.as_deref())?;
        let session = |options: &ModelOptions, engine: &[(String, String)]| {
            session::open(runtime, self.bytes, self.folder.as_deref(), options, engine)
        };
        if !matches!(options.provider, Provider::TensorRt { .. }) {
            return Ok((session(options, &[])?, None));
        }
        let profile = match options.tensorrt.batch {
            None => None,
            // The shapes that the engine is built for must be told before the session is there to be asked.
            Some(rows) => {
                let mapping = resolve::resolve(&session(&options.on_cpu(), &[])?.interface, options)?;
                Some(engine::profile(&mapping, rows)?)
            }
        };
        let settings = engine::settings(options, &self.sha256, runtime.version(), profile.as_deref())?;
        Ok((session(options, &settings)?, options.tensorrt.batch))
    }
}
