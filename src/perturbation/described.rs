//! What a family says of itself, beside how far its probabilities can be shifted.

use std::fmt::Display;
use std::str::FromStr;

use super::Norm;
use crate::{Error, Result};

/// A family's name, text and unit, and what it asks of an input.
pub trait Described: Copy + Display {
    /// The name of the family.
    const NAME: &'static str;

    /// The norm of perturbations.
    const NORM: Norm;

    /// The family of a text, without its name: the parameter, and for some families settings behind it, `:key=value`.
    ///
    /// # Errors
    /// `InvalidArgument`, with the field.
    fn read(text: &str) -> Result<Self>;

    /// The parameter.
    fn parameter(&self) -> f64;

    /// The family with what the shape of an input says.
    ///
    /// # Errors
    /// `InvalidArgument` when the shape contradicts a setting, or one is needed.
    fn settled(self, _shape: &[usize]) -> Result<Self> {
        Ok(self)
    }

    /// The setting that certificates need and that is still open.
    fn open(&self) -> Option<&'static str> {
        None
    }

    /// Whether all rows are classified, each once, in place of samples.
    fn is_enumerated(&self) -> bool {
        false
    }

    /// How many rows there are, of an enumerated family that is settled.
    fn rows(&self) -> Option<u64> {
        None
    }
}

/// The parameter and the settings of `40:pixels=1024`; without settings where `known` is empty.
pub(super) fn settings<'a>(
    name: &'static str,
    text: &'a str,
    known: &[&str],
) -> Result<(&'a str, Vec<(&'a str, &'a str)>)> {
    let mut parts = text.split(':');
    let parameter = parts.next().unwrap_or_default();
    let mut found: Vec<(&str, &str)> = Vec::new();
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        if !known.contains(&key) || found.iter().any(|(other, _)| *other == key) {
            let forms = if known.is_empty() { "none".to_owned() } else { format!("each once of {}", known.join(", ")) };
            return Err(Error::argument("noise", format!("\"{part}\": {name} takes settings KEY=VALUE, {forms}")));
        }
        found.push((key, value));
    }
    Ok((parameter, found))
}

/// A number in a text.
pub(super) fn number<T: FromStr>(what: &'static str, text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::argument("noise", format!("{what} cannot be \"{text}\"")))
}

/// A whole number from 1 up.
pub(super) fn positive(what: &'static str, text: &str) -> Result<u32> {
    match number(what, text)? {
        0 => Err(Error::argument("noise", format!("{what} must be at least 1"))),
        value => Ok(value),
    }
}
