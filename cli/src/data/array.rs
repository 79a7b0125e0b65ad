//! An array as it was stored: its own element type, byte order and memory order, turned into f32 one example at a time.

use half::f16;
use smoothtopk::{Error, Result};

use super::fit::fit;
use super::options::InputSpec;

/// NumPy's own limit.
const MAX_AXES: usize = 64;

/// A NumPy element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DType {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    F32,
    F64,
}

impl DType {
    /// From NumPy's name without the byte order, such as `f4`.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "b1" => DType::Bool,
            "u1" => DType::U8,
            "u2" => DType::U16,
            "u4" => DType::U32,
            "u8" => DType::U64,
            "i1" => DType::I8,
            "i2" => DType::I16,
            "i4" => DType::I32,
            "i8" => DType::I64,
            "f2" => DType::F16,
            "f4" => DType::F32,
            "f8" => DType::F64,
            _ => return None,
        })
    }

    /// Bytes an element.
    pub fn size(self) -> usize {
        match self {
            DType::Bool | DType::U8 | DType::I8 => 1,
            DType::U16 | DType::I16 | DType::F16 => 2,
            DType::U32 | DType::I32 | DType::F32 => 4,
            DType::U64 | DType::I64 | DType::F64 => 8,
        }
    }
}

/// An array whose first axis counts examples.
#[derive(Debug)]
pub struct Array {
    dtype: DType,
    shape: Vec<usize>,
    /// In elements, one per axis.
    strides: Vec<usize>,
    /// Little endian.
    data: Vec<u8>,
}

/// The little-endian number of type `$t` at element `$at` of `$data`.
macro_rules! number {
    ($t:ty, $data:expr, $at:expr) => {{
        let mut bytes = [0; size_of::<$t>()];
        bytes.copy_from_slice(&$data[$at * size_of::<$t>()..][..size_of::<$t>()]);
        <$t>::from_le_bytes(bytes)
    }};
}

impl Array {
    /// From stored bytes, exactly as many as the shape needs.
    pub fn new(dtype: DType, big_endian: bool, fortran: bool, shape: Vec<usize>, mut data: Vec<u8>) -> Result<Self> {
        if shape.is_empty() {
            return Err(Error::data("data", "a single number; the first axis must count the examples"));
        }
        if shape.len() > MAX_AXES {
            return Err(Error::data("data", format!("{} axes; NumPy has at most {MAX_AXES}", shape.len())));
        }
        let elements = shape.iter().try_fold(1usize, |product, &length| product.checked_mul(length));
        if elements.and_then(|elements| elements.checked_mul(dtype.size())) != Some(data.len()) {
            return Err(Error::data("data", format!("{} bytes do not fill shape {shape:?}", data.len())));
        }
        if big_endian {
            data.chunks_exact_mut(dtype.size()).for_each(<[u8]>::reverse);
        }
        let mut strides = vec![1; shape.len()];
        let mut stride = 1;
        let mut set = |axis: usize| {
            strides[axis] = stride;
            stride *= shape[axis].max(1);
        };
        if fortran {
            (0..shape.len()).for_each(&mut set)
        } else {
            (0..shape.len()).rev().for_each(&mut set)
        }
        Ok(Self { dtype, shape, strides, data })
    }

    /// The length of the first axis.
    pub fn examples(&self) -> usize {
        self.shape[0]
    }

    /// The shape without the first axis.
    pub fn example_shape(&self) -> &[usize] {
        &self.shape[1..]
    }

    /// The element at a place in storage. Integers beyond 2^53 are rounded to the nearest f64.
    fn value(&self, at: usize) -> f64 {
        let data = &self.data;
        match self.dtype {
            DType::Bool => f64::from(u8::from(data[at] != 0)),
            DType::U8 => f64::from(data[at]),
            DType::U16 => f64::from(number!(u16, data, at)),
            DType::U32 => f64::from(number!(u32, data, at)),
            DType::U64 => number!(u64, data, at) as f64,
            DType::I8 => f64::from(number!(i8, data, at)),
            DType::I16 => f64::from(number!(i16, data, at)),
            DType::I32 => f64::from(number!(i32, data, at)),
            DType::I64 => number!(i64, data, at) as f64,
            DType::F16 => f16::from_bits(number!(u16, data, at)).to_f64(),
            DType::F32 => f64::from(number!(f32, data, at)),
            DType::F64 => number!(f64, data, at),
        }
    }

    /// Example `i < examples()` in the model's order, divided by `scale`.
    pub fn example(&self, i: usize, spec: &InputSpec, scale: f64) -> Result<Vec<f32>> {
        let axes = fit(self.example_shape(), spec)?;
        let mut out = Vec::with_capacity(spec.elements());
        let start = i * self.strides[0];
        let mut finite = true;
        self.walk(&axes, start, &mut |at| {
            let value = (self.value(at) / scale) as f32;
            finite &= value.is_finite();
            out.push(value);
        });
        if finite { Ok(out) } else { Err(self.not_finite(i, scale)) }
    }

    /// The largest magnitude after division by `scale` and rounding to f32; 0 for an empty array.
    pub fn max_abs(&self, scale: f64) -> Result<f64> {
        let elements = self.data.len() / self.dtype.size();
        let (mut raw, mut finite) = (0f64, true);
        for at in 0..elements {
            let value = self.value(at).abs();
            finite &= value.is_finite();
            raw = raw.max(value);
        }
        // Division and rounding are monotone, so the largest raw value has the largest result.
        let largest = f64::from((raw / scale) as f32);
        if finite && largest.is_finite() {
            return Ok(largest);
        }
        let bad = (0..self.examples()).find(|&i| self.first_not_finite(i, scale).is_some());
        Err(self.not_finite(bad.unwrap_or_default(), scale))
    }

    /// The largest value, where all are from 0 to 255 as of 8-bit pixels, and not from 0 to 1. Of images whole numbers
    /// are taken for pixels, and values beyond 127 for what resizing makes of them; of other data, which may be counts,
    /// only bytes to the very 255.
    pub fn largest_pixel(&self, images: bool) -> Option<f64> {
        let (mut largest, mut whole) = (0f64, true);
        for at in 0..self.data.len() / self.dtype.size() {
            let value = self.value(at);
            if !(0.0..=255.0).contains(&value) {
                return None;
            }
            whole &= value.fract() == 0.0;
            largest = largest.max(value);
        }
        let plain = match images {
            true => largest > 1.0 && (whole || largest > 127.0),
            false => self.dtype == DType::U8 && largest == 255.0,
        };
        plain.then_some(largest)
    }

    /// The numbers of example `i`, in the order of its axes.
    pub fn values_of(&self, i: usize) -> Vec<f64> {
        let axes: Vec<usize> = (0..self.example_shape().len()).collect();
        let mut values = Vec::new();
        self.walk(&axes, i * self.strides[0], &mut |at| values.push(self.value(at)));
        values
    }

    /// Every example's number, as labels need it.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        // Labels have one axis longer than 1, for which storage order is the order of the examples.
        (0..self.data.len() / self.dtype.size()).map(|at| self.value(at))
    }

    /// Calls `visit` with the place of every element of one example, its axes taken in the order `axes`.
    fn walk(&self, axes: &[usize], start: usize, visit: &mut impl FnMut(usize)) {
        match axes {
            [] => visit(start),
            [axis, inner @ ..] => {
                let (length, stride) = (self.shape[axis + 1], self.strides[axis + 1]);
                for step in 0..length {
                    self.walk(inner, start + step * stride, visit);
                }
            }
        }
    }

    /// The first element of example `i`, counted row-major in the data's own shape, that is not finite, and its value.
    fn first_not_finite(&self, i: usize, scale: f64) -> Option<(usize, f64)> {
        let axes: Vec<usize> = (0..self.example_shape().len()).collect();
        let (mut element, mut found) = (0, None);
        self.walk(&axes, i * self.strides[0], &mut |at| {
            if found.is_none() && !((self.value(at) / scale) as f32).is_finite() {
                found = Some((element, self.value(at)));
            }
            element += 1;
        });
        found
    }

    fn not_finite(&self, i: usize, scale: f64) -> Error {
        let (element, value) = self.first_not_finite(i, scale).unwrap_or((0, f64::NAN));
        Error::data(
            "images",
            format!("element {element} of example {i} is {value}, which is not a finite 32-bit number after scaling"),
        )
    }
}
