//! Arrays in NumPy's formats, so that what was found can be looked at.

use std::io::{Cursor, Write};

use smoothtopk::{Error, ErrorKind, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A named array, ready to be written.
pub struct NamedArray {
    name: &'static str,
    npy: Vec<u8>,
}

impl NamedArray {
    /// float64 values of this shape, row-major.
    pub fn f64(name: &'static str, shape: &[usize], values: &[f64]) -> Self {
        Self::new(name, "<f8", shape, values.iter().flat_map(|value| value.to_le_bytes()))
    }

    /// Whole numbers as int64, one axis.
    pub fn i64(name: &'static str, values: &[usize]) -> Self {
        Self::new(name, "<i8", &[values.len()], values.iter().flat_map(|&value| (value as i64).to_le_bytes()))
    }

    /// The .npy format, version 1.0: magic, header padded to a multiple of 64 bytes, elements.
    fn new(name: &'static str, descr: &str, shape: &[usize], data: impl Iterator<Item = u8>) -> Self {
        let shape: String = shape.iter().map(|length| format!("{length}, ")).collect();
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", shape.trim_end());
        let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
        let mut npy = b"\x93NUMPY\x01\x00".to_vec();
        // At most 64 axes of at most 20 digits, as NumPy has them.
        npy.extend((length as u16).to_le_bytes());
        npy.extend(format!("{header:<0$}\n", length - 1).bytes());
        npy.extend(data);
        Self { name, npy }
    }
}

/// The bytes of a .npz with these arrays.
pub fn npz(arrays: &[NamedArray]) -> Result<Vec<u8>> {
    let internal = |reason: String| Error::new(ErrorKind::Internal, format!("cannot make a .npz: {reason}"));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for NamedArray { name, npy } in arrays {
        zip.start_file(format!("{name}.npy"), options).map_err(|error| internal(error.to_string()))?;
        zip.write_all(npy).map_err(|error| internal(error.to_string()))?;
    }
    Ok(zip.finish().map_err(|error| internal(error.to_string()))?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_reader_reads_what_is_written() {
        let values = [0.0, -0.5, f64::MIN_POSITIVE, 1.0 / 3.0, 1e300, -7.0];
        let bytes =
            npz(&[NamedArray::f64("images", &[2, 1, 3], &values), NamedArray::i64("indices", &[7, 0])]).unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let images = npyz::NpyFile::new(archive.by_name("images.npy").unwrap()).unwrap();
        assert_eq!(images.shape(), [2, 1, 3]);
        assert_eq!(images.into_vec::<f64>().unwrap(), values);
        let indices = npyz::NpyFile::new(archive.by_name("indices.npy").unwrap()).unwrap();
        assert_eq!(indices.shape(), [2]);
        assert_eq!(indices.into_vec::<i64>().unwrap(), [7, 0]);
    }
}
