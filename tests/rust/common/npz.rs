//! A .npz is a zip of .npy members. The feature `npz` of npyz would compile bzip2, zstd and AES for it.

use std::io::{Read, Seek};

/// The shape and the elements of one array.
pub fn array<T: npyz::Deserialize>(file: impl Read + Seek, name: &str) -> (Vec<u64>, Vec<T>) {
    let mut archive = zip::ZipArchive::new(file).unwrap();
    let array = npyz::NpyFile::new(archive.by_name(&format!("{name}.npy")).unwrap()).unwrap();
    (array.shape().to_vec(), array.into_vec().unwrap())
}
