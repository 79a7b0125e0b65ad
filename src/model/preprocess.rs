//! What happens to a noisy row before the model: `(x - mean) / std`, then the cast to the model's type, in one pass.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::options::ModelOptions;
use super::raw::Buffer;
use super::signature::{Layout, Signature};
use super::types::ElementType;
use crate::{Error, Result};

/// Mean and standard deviation of each channel, or nothing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Preprocess {
    /// Per channel; one entry if all channels share it; empty if there is nothing to do.
    scale: Vec<(f32, f32)>,
    /// Elements that share a channel before the next channel begins: 1 where channels alternate.
    run: usize,
    element: ElementType,
}

impl Preprocess {
    pub(super) fn new(signature: &Signature, options: &ModelOptions) -> Result<Self> {
        let channels = signature.channels();
        let check = |field: &str, values: &[f32], fits: fn(f32) -> bool, must: &str| {
            if !matches!(values.len(), 0 | 1) && values.len() != channels {
                let what = if signature.layout == Layout::Flat { "feature" } else { "channel" };
                let message = format!("{} values given; it takes one, or one per {what} ({channels})", values.len());
                return Err(Error::argument(field, message));
            }
            match values.iter().find(|&&value| !fits(value)) {
                Some(value) => Err(Error::argument(field, format!("{value} {must}"))),
                None => Ok(()),
            }
        };
        check("mean", &options.mean, f32::is_finite, "is not finite")?;
        check("std", &options.std, |std| std.is_finite() && std > 0.0, "is not a positive, finite number")?;
        let at = |values: &[f32], i: usize, default| match values {
            [] => default,
            [value] => *value,
            values => values[i],
        };
        let scale = (0..options.mean.len().max(options.std.len()))
            .map(|i| (at(&options.mean, i, 0.0), at(&options.std, i, 1.0)))
            .collect::<Vec<_>>();
        let run = match signature.layout {
            _ if scale.len() < 2 => signature.elements,
            Layout::Nchw => signature.elements / channels,
            Layout::Nhwc | Layout::Flat => 1,
        };
        Ok(Self { scale, run, element: signature.input_type })
    }

    /// Whether rows go into the model as they are.
    pub(super) fn is_identity(&self) -> bool {
        self.scale.is_empty() && self.element == ElementType::Float32
    }

    /// Whether rows are cast to the model's type and nothing else.
    pub(super) fn is_cast(&self) -> bool {
        self.scale.is_empty()
    }

    /// Mean and standard deviation of each channel; empty where there is nothing to do.
    pub(super) fn scale(&self) -> (Vec<f32>, Vec<f32>) {
        self.scale.iter().copied().unzip()
    }

    /// Elements that share a channel before the next begins.
    pub(super) fn run(&self) -> usize {
        self.run
    }

    /// Writes rows of `from` to the model's input, as its type.
    pub(super) fn apply(&self, from: &[f32], to: &mut Buffer) {
        match self.element {
            ElementType::Float64 => self.each(from, to.elements_mut::<f64>(), |from, to| {
                to.iter_mut().zip(from).for_each(|(to, &from)| *to = from.into());
            }),
            ElementType::Float16 => {
                self.each(from, to.elements_mut::<f16>(), |from, to| to.convert_from_f32_slice(from))
            }
            ElementType::BFloat16 => {
                self.each(from, to.elements_mut::<bf16>(), |from, to| to.convert_from_f32_slice(from))
            }
            ElementType::UInt8 => self.each(from, to.elements_mut::<u8>(), |from, to| {
                to.iter_mut().zip(from).for_each(|(to, &from)| *to = pixel(from));
            }),
            _ => self.each(from, to.elements_mut::<f32>(), |from, to| to.copy_from_slice(from)),
        }
    }

    fn each<T>(&self, from: &[f32], to: &mut [T], cast: impl Fn(&[f32], &mut [T])) {
        /// Small enough for the fastest cache, large enough for the vector units.
        const BLOCK: usize = 1024;
        let to = &mut to[..from.len()];
        if self.scale.is_empty() {
            return cast(from, to);
        }
        let mut block = [0.0; BLOCK];
        // The channel of the next element, and how many elements are left to it.
        let (mut channel, mut left) = (0, self.run);
        for (from, to) in from.chunks(BLOCK).zip(to.chunks_mut(BLOCK)) {
            let mut done = 0;
            while done < from.len() {
                let (mean, std) = self.scale[channel];
                let count = left.min(from.len() - done);
                for (out, &value) in block[done..done + count].iter_mut().zip(&from[done..done + count]) {
                    *out = (value - mean) / std;
                }
                done += count;
                left -= count;
                if left == 0 {
                    channel = if channel + 1 == self.scale.len() { 0 } else { channel + 1 };
                    left = self.run;
                }
            }
            cast(&block[..from.len()], to);
        }
    }
}

/// The nearest of 0..=255, ties to even; 0 for NaN. In vector instructions that every x86-64 has, where
/// `round_ties_even` is a call.
#[allow(clippy::manual_clamp, reason = "clamp keeps NaN")]
fn pixel(value: f32) -> u8 {
    // From 2^23 to 2^24 the floats are the integers: the sum is rounded to one, and its low byte is that of the pixel.
    (value.max(0.0).min(255.0) + 8_388_608.0).to_bits() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signature::{BatchDim, Reading};
    use crate::model::types::Interface;

    fn signature(element_shape: &[usize], input_type: ElementType) -> Signature {
        Signature {
            interface: Interface::default(),
            input: "x".into(),
            input_type,
            element_shape: element_shape.to_vec(),
            elements: element_shape.iter().product(),
            layout: Layout::of(element_shape),
            batch: BatchDim::Dynamic,
            constants: Vec::new(),
            output: "y".into(),
            reading: Reading::Scores,
            why: String::new(),
            classes: 2,
            class_names: None,
            warnings: Vec::new(),
        }
    }

    fn apply(shape: &[usize], mean: &[f32], std: &[f32], rows: usize) -> (Vec<f32>, Vec<f32>) {
        let signature = signature(shape, ElementType::Float32);
        let options = ModelOptions { mean: mean.to_vec(), std: std.to_vec(), ..ModelOptions::default() };
        let from = (0..rows * signature.elements).map(|i| (i as f32 * 0.37).sin()).collect::<Vec<_>>();
        let mut to = Buffer::zeros(from.len() * 4).unwrap();
        Preprocess::new(&signature, &options).unwrap().apply(&from, &mut to);
        (from, to.elements_mut::<f32>().to_vec())
    }

    #[test]
    fn channels_are_scaled_by_their_own_mean_and_std() {
        let (mean, std) = ([0.1, 0.2, 0.3], [0.5, 0.25, 2.0]);
        // Images large enough to cross the blocks at odd places.
        for (shape, channel) in [
            (vec![3, 31, 17], Box::new(|i: usize| (i / (31 * 17)) % 3) as Box<dyn Fn(usize) -> usize>),
            (vec![31, 17, 3], Box::new(|i| i % 3)),
            (vec![3], Box::new(|i| i % 3)),
        ] {
            let (from, to) = apply(&shape, &mean, &std, 3);
            for (i, (from, to)) in from.iter().zip(&to).enumerate() {
                let c = channel(i);
                assert_eq!(*to, (from - mean[c]) / std[c], "{shape:?} at {i}");
            }
        }
        let (from, to) = apply(&[3, 5, 5], &[0.5], &[], 2);
        assert!(from.iter().zip(&to).all(|(from, to)| *to == from - 0.5));
        let (from, to) = apply(&[5], &[], &[4.0], 2);
        assert!(from.iter().zip(&to).all(|(from, to)| *to == from / 4.0));
        let (from, to) = apply(&[3, 5, 5], &[0.5], &std, 2);
        assert!(from.iter().zip(&to).enumerate().all(|(i, (from, to))| *to == (from - 0.5) / std[i / 25 % 3]));
    }

    #[test]
    fn pixels_are_rounded_and_clamped() {
        let signature = signature(&[6], ElementType::UInt8);
        let preprocess = Preprocess::new(&signature, &ModelOptions::default()).unwrap();
        assert!(!preprocess.is_identity());
        let mut to = Buffer::zeros(6).unwrap();
        preprocess.apply(&[-3.0, 0.5, 1.5, 254.6, 300.0, 17.2], &mut to);
        assert_eq!(to.elements_mut::<u8>(), [0, 0, 2, 255, 255, 17]);
        // Against the standard library: every quarter, and its neighbours, within the range and beyond.
        for quarter in -2000..3000 {
            let value = quarter as f32 / 4.0;
            for value in [value.next_down(), value, value.next_up()] {
                assert_eq!(pixel(value), value.round_ties_even() as u8, "{value}");
            }
        }
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, -0.0, 1e-40] {
            assert_eq!(pixel(value), value.round_ties_even() as u8, "{value}");
        }
    }

    #[test]
    fn mean_and_std_are_checked() {
        let signature = signature(&[3, 4, 4], ElementType::Float32);
        let field = |mean: &[f32], std: &[f32]| {
            let options = ModelOptions { mean: mean.to_vec(), std: std.to_vec(), ..ModelOptions::default() };
            Preprocess::new(&signature, &options).map_err(|error| error.field().map(str::to_owned)).err().flatten()
        };
        assert_eq!(field(&[0.1, 0.2], &[]).as_deref(), Some("mean"));
        assert_eq!(field(&[f32::NAN], &[]).as_deref(), Some("mean"));
        for std in [[0.0], [-1.0], [f32::NAN], [f32::INFINITY]] {
            assert_eq!(field(&[], &std).as_deref(), Some("std"));
        }
        assert_eq!(field(&[0.1; 3], &[1.0]), None);
    }
}
