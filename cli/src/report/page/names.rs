//! The names of labels.

use std::collections::BTreeMap;
use std::path::Path;

use smoothtopk::Result;

use crate::data::class_names;
use crate::report::curve::Run;

/// Those of a file, and those that the folders of the examples have.
///
/// # Errors
/// As the file's reader.
pub fn names(runs: &[Run], file: Option<&Path>) -> Result<BTreeMap<usize, String>> {
    let mut names = BTreeMap::new();
    for example in runs.iter().flat_map(|run| &run.examples) {
        if let (Some(label), Some((class, _))) =
            (example.label, example.file.as_deref().and_then(|file| file.split_once('/')))
        {
            names.entry(label).or_insert_with(|| class.to_owned());
        }
    }
    names.extend(file.map(class_names).transpose()?.unwrap_or_default());
    Ok(names)
}
