//! Bands and blocks: every place of a window on an image is classified once, all outside of it hidden; perturbations
//! are patches.

use std::fmt;

use super::described::{positive, settings};
use super::mass::{Mass, share_above, whole};
use super::pixels::{Channels, same, value};
use super::{Described, Norm};
use crate::{Error, Result};

/// Windows of `AXES` sides of `size` pixels: bands of columns (1) or square blocks (2), at all places (Levine and
/// Feizi, NeurIPS 2020). A patch of m columns changes at most m + size - 1 of the bands; a block is a band on both
/// axes. All places are classified, so that nothing is left to chance. The radius is the side of the patch, in pixels;
/// of bands the columns that it may change, in any rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window<const AXES: usize> {
    size: u32,
    height: Option<u32>,
    width: Option<u32>,
    channels: Option<Channels>,
    wraps: bool,
    value: f32,
}

/// Bands of columns.
pub type Band = Window<1>;

/// Square blocks.
pub type Block = Window<2>;

impl<const AXES: usize> Window<AXES> {
    /// Windows of `size` pixels, on inputs as large as they turn out to be, that go on at the opposite edge; what is
    /// outside is set to 0.
    ///
    /// # Errors
    /// `InvalidArgument` for 0.
    pub fn new(size: u32) -> Result<Self> {
        Self::read(&size.to_string())
    }

    /// Pixels of a side.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Height and width of an input, where they are known.
    pub fn dimensions(&self) -> Option<[u32; 2]> {
        Some([self.height?, self.width?])
    }

    /// Where the channels are, where that is known.
    pub fn channels(&self) -> Option<Channels> {
        self.channels
    }

    /// What is outside is set to this.
    pub fn value(&self) -> f32 {
        self.value
    }

    /// The lengths of the axes that windows have places on, the last one the width.
    pub(crate) fn axes(&self) -> Option<[u32; AXES]> {
        let axis = |i| if i + 1 == AXES { self.width } else { self.height };
        let axes: [Option<u32>; AXES] = std::array::from_fn(axis);
        axes.iter().all(Option::is_some).then(|| axes.map(Option::unwrap_or_default))
    }

    /// The places on an axis.
    pub(crate) fn places(&self, axis: u32) -> u32 {
        if self.wraps { axis } else { axis.saturating_sub(self.size - 1) }
    }

    /// The places of a window on an axis that meet `m` adjacent pixels from `start` on.
    pub(crate) fn met(&self, axis: u32, start: u32, m: u32) -> impl Iterator<Item = u32> {
        let places = self.places(axis);
        // The first may begin size - 1 pixels before.
        let first = i64::from(start) - i64::from(self.size - 1);
        let count = (i64::from(m) + i64::from(self.size) - 1).min(i64::from(axis));
        let count = if m == 0 { 0 } else { count };
        let wraps = self.wraps;
        (first..first + count).filter_map(move |place| match u32::try_from(place) {
            _ if wraps => u32::try_from(place.rem_euclid(i64::from(places))).ok(),
            Ok(place) if place < places => Some(place),
            _ => None,
        })
    }

    /// The pixels of an axis that the window at a place shows.
    pub(crate) fn shown(&self, axis: u32, place: u32) -> impl Iterator<Item = u32> {
        (place..place + self.size).map(move |pixel| pixel % axis)
    }

    fn check(self) -> Result<Self> {
        let sides = [self.height.filter(|_| AXES > 1), self.width];
        match sides.iter().flatten().find(|&&side| side < self.size) {
            Some(side) => Err(Error::argument("noise", format!("{self}: {} pixels do not fit into {side}", self.size))),
            None => Ok(self),
        }
    }
}

impl<const AXES: usize> Mass for Window<AXES> {
    fn mass(&self, r: f64) -> f64 {
        let m = whole(r, 1);
        let Some(axes) = self.axes().filter(|_| m > 0) else { return if m > 0 { 1.0 } else { 0.0 } };
        // Of each axis the places that a patch meets.
        let met = |places: u64| m.saturating_add(u64::from(self.size) - 1).min(places);
        let places = axes.map(|axis| u64::from(self.places(axis)));
        share_above(places.map(met).iter().product(), places.iter().product())
    }

    fn scale(&self) -> f64 {
        1.0
    }

    fn per_unit(&self) -> Option<u32> {
        Some(1)
    }
}

impl<const AXES: usize> Described for Window<AXES> {
    const NAME: &'static str = if AXES == 1 { "band" } else { "block" };
    const NORM: Norm = Norm::Patch;

    fn read(text: &str) -> Result<Self> {
        let (size, settings) = settings(Self::NAME, text, &["height", "width", "channels", "wrap", "value"])?;
        let size = positive("the size", size)?;
        let mut read = Self { size, height: None, width: None, channels: None, wraps: true, value: 0.0 };
        for (key, text) in settings {
            match (key, text) {
                ("height", _) => read.height = Some(positive("height", text)?),
                ("width", _) => read.width = Some(positive("width", text)?),
                ("channels", _) => read.channels = Some(text.parse()?),
                ("wrap", "yes") => read.wraps = true,
                ("wrap", "no") => read.wraps = false,
                ("wrap", _) => return Err(Error::argument("noise", format!("wrap={text} is none of yes, no"))),
                _ => read.value = value(text)?,
            }
        }
        read.check()
    }

    fn parameter(&self) -> f64 {
        f64::from(self.size)
    }

    fn settled(self, shape: &[usize]) -> Result<Self> {
        let (channels, pixels) = Channels::of(self.channels, shape)?;
        let (height, width) = match *pixels {
            [width] if AXES == 1 => (1, width),
            [height, width] => (height, width),
            _ => {
                let message = format!("{self}: the shape {shape:?} has no height and width of pixels");
                return Err(Error::argument("noise", message));
            }
        };
        let (height, width) = (same("height", self.height, height)?, same("width", self.width, width)?);
        Self { channels: Some(channels), height, width, ..self }.check()
    }

    fn open(&self) -> Option<&'static str> {
        match (self.height, self.width) {
            (_, None) => Some("width"),
            (None, _) if AXES > 1 => Some("height"),
            _ => None,
        }
    }

    fn is_enumerated(&self) -> bool {
        true
    }

    fn rows(&self) -> Option<u64> {
        Some(self.axes()?.iter().map(|&axis| u64::from(self.places(axis))).product())
    }
}

impl<const AXES: usize> fmt::Display for Window<AXES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", Self::NAME, self.size)?;
        self.height.map_or(Ok(()), |height| write!(f, ":height={height}"))?;
        self.width.map_or(Ok(()), |width| write!(f, ":width={width}"))?;
        self.channels.map_or(Ok(()), |channels| write!(f, ":channels={channels}"))?;
        if !self.wraps {
            f.write_str(":wrap=no")?;
        }
        if self.value == 0.0 { Ok(()) } else { write!(f, ":value={:?}", self.value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_meet_a_patch_are_those_that_show_one_of_its_pixels() {
        for (axis, size, wrap) in (1..9)
            .flat_map(|axis| (1..=axis).map(move |size| (axis, size)))
            .flat_map(|(axis, size)| [(axis, size, "yes"), (axis, size, "no")])
        {
            let window = Band::read(&format!("{size}:width={axis}:wrap={wrap}")).unwrap();
            let mut most = vec![0; axis as usize + 1];
            for m in 0..=axis {
                for start in 0..=axis - m {
                    let mut met: Vec<u32> = window.met(axis, start, m).collect();
                    met.sort_unstable();
                    let patch = start..start + m;
                    let shows = |&place: &u32| window.shown(axis, place).any(|pixel| patch.contains(&pixel));
                    let expected: Vec<u32> = (0..window.places(axis)).filter(shows).collect();
                    assert_eq!(met, expected, "{window} {start} {m}");
                    most[m as usize] = most[m as usize].max(met.len());
                }
                let mass = window.mass(m.into());
                assert!(mass >= most[m as usize] as f64 / f64::from(window.places(axis)), "{window} {m}");
            }
        }
    }

    #[test]
    fn windows_are_read_as_they_are_written() {
        let text = "block:5:height=32:width=30:channels=first:wrap=no:value=0.5";
        let block = Block::read(&text["block:".len()..]).unwrap();
        assert_eq!((block.to_string(), block.rows()), (text.to_owned(), Some(28 * 26)));
        assert_eq!(Band::read("4").unwrap().settled(&[3, 32, 28]).unwrap().rows(), Some(28));
        for text in ["0", "x", "4:width=3", "4:wrap=maybe", "4:width=9:width=9"] {
            assert!(Band::read(text).is_err(), "{text}");
        }
        assert!(Block::read("4").unwrap().settled(&[16]).is_err());
        assert!(Band::read("4:width=9").unwrap().settled(&[16]).is_err());
    }
}
