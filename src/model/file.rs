//! A model's file: its identity, and what ONNX Runtime is given of it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{custom_ops, digest};
use crate::{Error, ErrorKind, Result};

/// A model's file, read and identified.
pub(super) struct ModelFile<'a> {
    pub bytes: &'a [u8],
    /// Where its external data lies, if it has any.
    pub folder: Option<PathBuf>,
    /// Its external data, by the names that it has in the model.
    pub external: BTreeMap<String, Arc<[u8]>>,
    pub sha256: String,
}

impl<'a> ModelFile<'a> {
    pub(super) fn new(bytes: &'a [u8], path: Option<&Path>, custom_ops: &[PathBuf]) -> Result<Self> {
        let folder = path.and_then(|path| std::path::absolute(path).ok()?.parent().map(Path::to_owned));
        refuse_stand_in("the file", bytes, folder.as_deref())?;
        let identify = |external: &_| custom_ops::identify(digest::digest(bytes, external), custom_ops);
        let names = digest::external_files(bytes)?;
        if names.is_empty() {
            let external = BTreeMap::new();
            return Ok(Self { bytes, folder: None, sha256: identify(&external)?, external });
        }
        let Some(folder) = folder else {
            let message = "the model keeps data in files of its own: open it by its path";
            return Err(Error::new(ErrorKind::Model, message).with_field("model"));
        };
        let read = |name: String| {
            let data = read(&folder.join(&name))?;
            refuse_stand_in(&format!("its external data {name}"), &data, Some(&folder))?;
            Ok((name, data))
        };
        let external = names.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Self { bytes, folder: Some(folder), sha256: identify(&external)?, external })
    }
}

/// A file's content, read straight to where it stays: weights are large.
fn read(path: &Path) -> Result<Arc<[u8]>> {
    let fail = |error| Error::io(path, &error);
    let mut file = std::fs::File::open(path).map_err(fail)?;
    let length = usize::try_from(file.metadata().map_err(fail)?.len()).unwrap_or(usize::MAX);
    let mut data: Arc<[u8]> = std::iter::repeat_n(0, length).collect();
    if let Some(data) = Arc::get_mut(&mut data) {
        file.read_exact(data).map_err(fail)?;
    }
    Ok(data)
}

/// Refuses what stands for a file that was not fetched: a pointer of Git LFS, or a link that was copied as text.
fn refuse_stand_in(what: &str, bytes: &[u8], folder: Option<&Path>) -> Result<()> {
    let refuse = |message: String| Err(Error::new(ErrorKind::Model, message).with_field("model"));
    if bytes.starts_with(b"version https://git-lfs.github.com/spec/") {
        return refuse(format!(
            "{what} is a Git LFS pointer, which only stands for the file: fetch that with git lfs pull"
        ));
    }
    let path = std::str::from_utf8(bytes).ok().filter(|text| text.len() < 4096 && !text.contains('\0'));
    match (path.map(str::trim_end), folder) {
        (Some(path), Some(folder)) if !path.is_empty() && folder.join(path).is_file() => refuse(format!(
            "{what} holds only the path {path}, as a symbolic link that was copied as text does: copy the file that it \
             names"
        )),
        _ => Ok(()),
    }
}
