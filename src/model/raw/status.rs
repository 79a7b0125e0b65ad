//! A status of ONNX Runtime's as a result.

use super::text::one_line;

/// What ONNX Runtime said.
pub(in crate::model) type RawResult<T> = Result<T, String>;

pub(super) fn check(status: ort::sys::OrtStatusPtr) -> RawResult<()> {
    // SAFETY: the status comes straight from a call of the interface and is handed over.
    unsafe { ort::Error::result_from_status(status) }.map_err(|error| one_line(error.message()))
}
