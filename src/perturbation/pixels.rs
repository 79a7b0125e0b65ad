//! The pixels of an input: what is kept or dropped as one, all channels together.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// Where the channels of an input's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channels {
    /// The first axis: C x H x W.
    First,
    /// The last axis: H x W x C.
    Last,
    /// Nowhere: each element is a pixel.
    None,
}

/// The most pixels of an input.
pub const MAX_PIXELS: u32 = 1 << 24;

/// More channels than images have: longer axes are not taken for channels unless that is said.
const MAX_CHANNELS: usize = 4;

impl Channels {
    /// Where the channels of inputs of this shape are, as said or as the shape leaves no doubt, and the other axes.
    pub(super) fn of(said: Option<Self>, shape: &[usize]) -> Result<(Self, &[usize])> {
        let is_few = |axis: Option<&usize>| axis.is_some_and(|&length| length <= MAX_CHANNELS);
        let channels = match (said, shape) {
            (Some(said), _) => said,
            (None, [_]) => Self::None,
            (None, [_, _, _]) if is_few(shape.first()) != is_few(shape.last()) => {
                if is_few(shape.first()) {
                    Self::First
                } else {
                    Self::Last
                }
            }
            _ => {
                let message = format!(
                    "the shape {shape:?} does not say which axis has the channels: add :channels=first, last or none"
                );
                return Err(Error::argument("noise", message));
            }
        };
        let pixels = match (channels, shape) {
            (Self::First, [_, rest @ ..]) | (Self::Last, [rest @ .., _]) if !rest.is_empty() => rest,
            (Self::None, rest) if !rest.is_empty() => rest,
            _ => return Err(Error::argument("noise", format!("the shape {shape:?} has no axis {channels}"))),
        };
        let count = pixels.iter().try_fold(1usize, |product, &axis| product.checked_mul(axis));
        if count.is_none_or(|count| count == 0 || count > MAX_PIXELS as usize) {
            return Err(Error::argument("noise", format!("the shape {shape:?} must have 1 to {MAX_PIXELS} pixels")));
        }
        Ok((channels, pixels))
    }

    /// Copies one pixel of an input of `pixels` pixels.
    pub(crate) fn copy(self, x: &[f32], pixel: usize, pixels: usize, out: &mut [f32]) {
        let channels = x.len() / pixels;
        match self {
            Self::Last => {
                let elements = pixel * channels..(pixel + 1) * channels;
                out[elements.clone()].copy_from_slice(&x[elements]);
            }
            Self::First | Self::None => {
                (0..channels).map(|channel| channel * pixels + pixel).for_each(|element| out[element] = x[element]);
            }
        }
    }
}

/// An axis or a number of pixels, as said and as the shape of an input has it.
pub(super) fn same(what: &str, said: Option<u32>, found: usize) -> Result<Option<u32>> {
    match (said, u32::try_from(found)) {
        (Some(said), Ok(found)) if said != found => {
            Err(Error::argument("noise", format!("{what}={said}, and the input has {found}")))
        }
        // At most MAX_PIXELS.
        (_, found) => Ok(found.ok()),
    }
}

/// The value of pixels that are not kept: a finite number.
pub(super) fn value(text: &str) -> Result<f32> {
    let value: f32 = super::described::number("value", text)?;
    // -0 is 0, so that equal texts are equal noise: a model may tell them apart.
    if value.is_finite() { Ok(value + 0.0) } else { Err(Error::argument("noise", "value must be finite")) }
}

impl fmt::Display for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::First => "first",
            Self::Last => "last",
            Self::None => "none",
        })
    }
}

impl FromStr for Channels {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "first" => Ok(Self::First),
            "last" => Ok(Self::Last),
            "none" => Ok(Self::None),
            _ => Err(Error::argument("noise", format!("channels={text} is none of first, last, none"))),
        }
    }
}
