//! Inputs in the types and places that callers keep them in.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

/// Inputs one behind the other, row-major. An input is read as float32 when its noise is placed around it, one at a
/// time: exactly so from all types but float64, whose elements are rounded to the nearest; what is then said holds for
/// the rounded input.
#[derive(Clone, Copy, Debug)]
pub enum Inputs<'a> {
    /// float32.
    F32(&'a [f32]),
    /// uint8.
    U8(&'a [u8]),
    /// float16.
    F16(&'a [f16]),
    /// bfloat16.
    BF16(&'a [bf16]),
    /// float64.
    F64(&'a [f64]),
}

impl<'a> Inputs<'a> {
    /// Elements of all of them.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::U8(values) => values.len(),
            Self::F16(values) => values.len(),
            Self::BF16(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements of a range within them.
    pub(super) fn read(&self, range: Range<usize>) -> Cow<'a, [f32]> {
        match self {
            Self::F32(values) => Cow::Borrowed(&values[range]),
            Self::U8(values) => values[range].iter().map(|&value| f32::from(value)).collect(),
            Self::F16(values) => values[range].to_f32_vec().into(),
            Self::BF16(values) => values[range].to_f32_vec().into(),
            Self::F64(values) => values[range].iter().map(|&value| value as f32).collect(),
        }
    }
}

/// Where a host keeps inputs until the last of them was read. They must not change before: what differs from what was
/// submitted is refused.
pub trait Buffer: Send + Sync {
    /// The inputs.
    fn inputs(&self) -> Inputs<'_>;
}

/// Inputs that are read during the call, or kept by the caller and read when their turn comes.
#[derive(Clone)]
pub enum Given<'a> {
    /// Read during the call.
    Now(Inputs<'a>),
    /// Dropped as soon as the last input was read, or its job has ended.
    Later(Arc<dyn Buffer>),
}

impl Given<'_> {
    /// The inputs.
    pub(super) fn inputs(&self) -> Inputs<'_> {
        match self {
            Self::Now(inputs) => *inputs,
            Self::Later(buffer) => buffer.inputs(),
        }
    }
}

impl<'a> From<Inputs<'a>> for Given<'a> {
    fn from(inputs: Inputs<'a>) -> Self {
        Self::Now(inputs)
    }
}

impl<'a, T: AsRef<[f32]> + ?Sized> From<&'a T> for Given<'a> {
    fn from(values: &'a T) -> Self {
        Self::Now(Inputs::F32(values.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_read_as_the_float32_that_it_is() {
        let values = [0.0f32, 1.0, 255.0, 2.0];
        let (u8s, f64s) = ([0u8, 1, 255, 2], values.map(f64::from));
        let (f16s, bf16s) = (values.map(f16::from_f32), values.map(bf16::from_f32));
        for inputs in
            [Inputs::F32(&values), Inputs::U8(&u8s), Inputs::F16(&f16s), Inputs::BF16(&bf16s), Inputs::F64(&f64s)]
        {
            assert_eq!(inputs.len(), 4);
            assert_eq!(*inputs.read(1..4), values[1..], "{inputs:?}");
        }
        // To the nearest, beyond float32 to infinity, which is then refused.
        assert_eq!(*Inputs::F64(&[0.1, 1e300]).read(0..2), [0.1f32, f32::INFINITY]);
    }
}
