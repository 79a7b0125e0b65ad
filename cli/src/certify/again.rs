//! A RUN that is made again from the manifest of another.

use std::path::Path;

use smoothtopk::{Error, Result};

use crate::run_dir::Manifest;

/// Refuses a model or data that were changed since, unless another path was given.
pub fn check(first: &Path, wanted: &Manifest) -> Result<()> {
    let of_first = Manifest::load(first)?;
    let same_path = |key: &str| of_first.options.get(key) == wanted.options.get(key);
    let model = |manifest: &Manifest| manifest.model.model_sha256.clone().unwrap_or_default();
    let files = [
        ("model", model(&of_first), model(wanted)),
        ("data", of_first.data_sha256.clone(), wanted.data_sha256.clone()),
    ];
    match files.into_iter().find(|(key, then, now)| same_path(key) && then != now) {
        None => Ok(()),
        Some((key, then, now)) => Err(Error::data(
            key,
            format!(
                "{} has SHA-256 {now}, and had {then} when the RUN of {} was made: restore it, or give another --{key}",
                wanted.options.get(key).and_then(|path| path.as_str()).unwrap_or_default(),
                first.display()
            ),
        )),
    }
}
