//! A .npz: a zip of .npy members, stored or deflated.

use std::io::{Read, Seek};

use smoothtopk::{Error, Result};
use zip::{CompressionMethod, ZipArchive};

use super::array::Array;
use super::arrays::Arrays;
use super::{labels, npy};

/// Deflate cannot grow data by more than this, so a member that claims more is malformed.
const MAX_DEFLATE_RATIO: u64 = 1032;

/// `images` and, where there are any, `labels` and `indices`.
pub fn open(what: &str, reader: impl Read + Seek) -> Result<Arrays> {
    let mut archive = ZipArchive::new(reader)
        .map_err(|error| Error::data("data", format!("{what} is not a whole .npz: {error}; is it cut?")))?;
    let Some(images) = member(what, &mut archive, "images")? else {
        let mut names: Vec<String> = archive
            .file_names_raw()
            .filter_map(|name| Some(String::from_utf8_lossy(name).strip_suffix(".npy")?.to_string()))
            .collect();
        names.sort();
        return Err(Error::data(
            "data",
            format!(
                "{what} has no array `images`, only {names:?}; write it by numpy.savez(path, images=..., labels=...)"
            ),
        ));
    };
    let labels = match member(what, &mut archive, "labels")? {
        Some(array) => Some(labels::of_array(&array, images.examples())?),
        None => match (member(what, &mut archive, "labels_indptr")?, member(what, &mut archive, "labels_indices")?) {
            (Some(indptr), Some(indices)) => Some(labels::of_csr(&indptr, &indices, images.examples())?),
            (None, None) => None,
            _ => {
                let message = format!("{what}: labels_indptr and labels_indices go together");
                return Err(Error::data("labels", message));
            }
        },
    };
    let indices = member(what, &mut archive, "indices")?;
    Ok(Arrays { images, labels, indices })
}

/// The array of a name, if there is one.
fn member(what: &str, archive: &mut ZipArchive<impl Read + Seek>, name: &str) -> Result<Option<Array>> {
    let Some(index) = archive.index_for_name(&format!("{name}.npy")) else { return Ok(None) };
    let what = format!("{what}, array `{name}`");
    let entry = archive.by_index(index).map_err(|error| Error::data("data", format!("{what}: {error}")))?;
    if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
        let method = named(entry.compression());
        let message = format!(
            "{what}: compressed by {method}, which is not supported; write it by numpy.savez or savez_compressed"
        );
        return Err(Error::data("data", message));
    }
    let available = entry.size().min(entry.compressed_size().saturating_mul(MAX_DEFLATE_RATIO));
    npy::read(&what, entry, available).map(Some)
}

/// A method's name, by its number in the zip format (APPNOTE 4.4.5).
fn named(method: CompressionMethod) -> String {
    #[allow(deprecated, reason = "the one way to the number of a method that is not supported")]
    let number = method.to_u16();
    match number {
        9 => "deflate64".to_owned(),
        12 => "bzip2".to_owned(),
        14 => "lzma".to_owned(),
        93 => "zstd".to_owned(),
        95 => "xz".to_owned(),
        number => format!("method {number}"),
    }
}
