//! What laws that hide parts of an input refuse.

use std::fmt::Display;

use crate::{Error, Result};

/// A family that no row can be made of yet.
pub(super) fn unsettled(family: impl Display) -> Error {
    let message = format!("{family} is not settled: the shape of the input must be known first");
    Error::argument("noise", message)
}

/// Refuses inputs that are not whole pixels.
pub(super) fn check_pixels(input: &[f32], pixels: usize) -> Result<()> {
    if input.len().is_multiple_of(pixels) {
        return Ok(());
    }
    Err(Error::data("input", format!("has {} elements, which are not {pixels} pixels", input.len())))
}

/// Refuses a row of another length than the input.
pub(super) fn check_room(x: &[f32], out: &[f32]) -> Result<()> {
    if x.len() == out.len() {
        return Ok(());
    }
    Err(Error::argument("out", format!("holds {} elements, x {}", out.len(), x.len())))
}
