//! Random ablation: some pixels of an input are kept, chosen at random, and the others hidden; perturbations in l0.

use std::fmt;

use super::described::{number, positive, settings};
use super::mass::Mass;
use super::pixels::{Channels, MAX_PIXELS, same, value};
use super::{Described, Norm};
use crate::{Error, Result};

/// Random ablation: e of d pixels are kept, uniformly without replacement, and the others set to one value. An attack
/// on r pixels changes a row only where one of them is kept: the mass 1 - C(d - r, e)/C(d, e) (Levine and Feizi, AAAI
/// 2020; Jia et al., ICLR 2022, for top-k). The radius is a number of pixels, which may all be changed at will.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ablation {
    keep: u32,
    pixels: Option<u32>,
    channels: Option<Channels>,
    value: f32,
}

impl Ablation {
    /// Keeps `keep` pixels of as many as the inputs turn out to have, and sets the others to 0.
    ///
    /// # Errors
    /// `InvalidArgument` unless `keep` is from 1 to [`MAX_PIXELS`].
    pub fn new(keep: u32) -> Result<Self> {
        if (1..=MAX_PIXELS).contains(&keep) {
            return Ok(Self { keep, pixels: None, channels: None, value: 0.0 });
        }
        Err(Error::argument("noise", format!("{keep} pixels to keep: it must be from 1 to {MAX_PIXELS}")))
    }

    /// Of inputs of so many pixels.
    ///
    /// # Errors
    /// `InvalidArgument` unless they are at least as many as are kept, and at most [`MAX_PIXELS`].
    pub fn of(self, pixels: u32) -> Result<Self> {
        if (self.keep..=MAX_PIXELS).contains(&pixels) {
            return Ok(Self { pixels: Some(pixels), ..self });
        }
        let message = format!("{pixels} pixels, of which {} are kept: it must be up to {MAX_PIXELS}", self.keep);
        Err(Error::argument("noise", message))
    }

    /// How many are kept.
    pub fn keep(&self) -> u32 {
        self.keep
    }

    /// The pixels of an input, where they are known.
    pub fn pixels(&self) -> Option<u32> {
        self.pixels
    }

    /// Where the channels are, where that is known.
    pub fn channels(&self) -> Option<Channels> {
        self.channels
    }

    /// What the others are set to.
    pub fn value(&self) -> f32 {
        self.value
    }
}

impl Mass for Ablation {
    /// 1 - C(d - r, e)/C(d, e), by the shorter of two equal products.
    fn mass(&self, r: f64) -> f64 {
        let Some(pixels) = self.pixels.filter(|_| r > 0.0) else { return if r > 0.0 { 1.0 } else { 0.0 } };
        let (d, e, r) = (f64::from(pixels), f64::from(self.keep), r.ceil());
        if r > d - e {
            return 1.0;
        }
        let (few, many) = if r < e { (r, e) } else { (e, r) };
        let kept = (0..few as u32).map(f64::from).fold(1.0, |kept, i| kept * ((d - many - i) / (d - i)));
        // Two roundings a factor, and more; then that of the difference.
        let unit = 0.5 * f64::EPSILON;
        (1.0 - kept * (1.0 - (2.0 * few + 4.0) * unit) + unit).min(1.0)
    }

    fn scale(&self) -> f64 {
        1.0
    }

    fn per_unit(&self) -> Option<u32> {
        Some(1)
    }
}

impl Described for Ablation {
    const NAME: &'static str = "ablate";
    const NORM: Norm = Norm::L0;

    fn read(text: &str) -> Result<Self> {
        let (keep, settings) = settings(Self::NAME, text, &["pixels", "channels", "value"])?;
        let mut read = Self::new(number("the pixels to keep", keep)?)?;
        for (key, text) in settings {
            match key {
                "pixels" => read = read.of(positive("pixels", text)?)?,
                "channels" => read.channels = Some(text.parse()?),
                _ => read.value = value(text)?,
            }
        }
        Ok(read)
    }

    fn parameter(&self) -> f64 {
        f64::from(self.keep)
    }

    fn settled(self, shape: &[usize]) -> Result<Self> {
        let (channels, pixels) = Channels::of(self.channels, shape)?;
        let pixels = same("pixels", self.pixels, pixels.iter().product())?;
        Self { channels: Some(channels), ..self }.of(pixels.unwrap_or_default())
    }

    fn open(&self) -> Option<&'static str> {
        self.pixels.is_none().then_some("pixels")
    }
}

impl fmt::Display for Ablation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", Self::NAME, self.keep)?;
        self.pixels.map_or(Ok(()), |pixels| write!(f, ":pixels={pixels}"))?;
        self.channels.map_or(Ok(()), |channels| write!(f, ":channels={channels}"))?;
        if self.value == 0.0 { Ok(()) } else { write!(f, ":value={:?}", self.value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C(n, k) in whole numbers.
    fn choose(n: u128, k: u128) -> u128 {
        (0..k).fold(1, |product, i| product * (n - i) / (i + 1))
    }

    #[test]
    fn the_mass_is_that_of_subsets_that_meet_the_changed_pixels_rounded_up() {
        for d in 1..40u32 {
            for e in 1..=d {
                let noise = Ablation::new(e).unwrap().of(d).unwrap();
                for r in 0..=d {
                    let all = choose(d.into(), e.into());
                    let untouched = if e <= d - r { choose((d - r).into(), e.into()) } else { 0 };
                    let exact = (all - untouched) as f64 / all as f64;
                    let mass = noise.mass(r.into());
                    assert!(mass >= exact && mass - exact < 1e-14, "d = {d}, e = {e}, r = {r}: {mass}, {exact}");
                }
            }
        }
    }

    #[test]
    fn a_shape_says_what_is_a_pixel_or_asks() {
        let settled = |text: &str, shape: &[usize]| Ablation::read(text)?.settled(shape).map(|noise| noise.to_string());
        assert_eq!(settled("4", &[3, 8, 8]).unwrap(), "ablate:4:pixels=64:channels=first");
        assert_eq!(settled("4:value=0.5", &[8, 8, 3]).unwrap(), "ablate:4:pixels=64:channels=last:value=0.5");
        assert_eq!(settled("4", &[10]).unwrap(), "ablate:4:pixels=10:channels=none");
        assert_eq!(settled("4:channels=last", &[3, 8, 3]).unwrap(), "ablate:4:pixels=24:channels=last");
        for (text, shape) in [
            ("4", &[3, 8, 3][..]),
            ("4", &[8, 8]),
            ("4:pixels=9", &[10]),
            ("11", &[10]),
            ("0", &[10]),
            ("4:pixel=9", &[10]),
            ("4:value=inf", &[10]),
            ("4:value=1:value=2", &[10]),
        ] {
            assert_eq!(settled(text, shape).unwrap_err().field(), Some("noise"), "{text} {shape:?}");
        }
    }
}
