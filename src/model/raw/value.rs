//! Values of ONNX Runtime: tensors, sequences, maps.

use std::ffi::c_void;
use std::ptr::{self, NonNull};

use half::{bf16, f16};
use ort::sys::{ONNXTensorElementDataType as RawType, OrtValue};

use super::{RawResult, check};
use crate::model::types::ElementType;

pub(super) fn raw_type(element: ElementType) -> RawType {
    match element {
        ElementType::Float32 => RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
        ElementType::Float64 => RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE,
        ElementType::Float16 => RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16,
        ElementType::BFloat16 => RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16,
        ElementType::UInt8 => RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8,
        ElementType::UInt16 => RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16,
        ElementType::UInt32 => RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32,
        ElementType::UInt64 => RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64,
        ElementType::Int8 => RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8,
        ElementType::Int16 => RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16,
        ElementType::Int32 => RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,
        ElementType::Int64 => RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64,
        ElementType::Bool => RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL,
        ElementType::String => RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING,
        ElementType::Other => RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED,
    }
}

/// A value owned by this process and released with it.
pub(super) struct Value(NonNull<OrtValue>);

// SAFETY: a value is not bound to the thread that made it.
unsafe impl Send for Value {}

impl Drop for Value {
    fn drop(&mut self) {
        // SAFETY: owned, released once.
        unsafe { (ort::api().ReleaseValue)(self.0.as_ptr()) };
    }
}

impl Value {
    pub(super) fn as_ptr(&self) -> *mut OrtValue {
        self.0.as_ptr()
    }

    pub(super) fn own(value: *mut OrtValue) -> RawResult<Self> {
        NonNull::new(value).map(Self).ok_or_else(|| "ONNX Runtime gave no value".to_owned())
    }

    /// The `index`-th part of a sequence or map.
    pub(super) fn part(&self, index: usize) -> RawResult<Self> {
        let index = i32::try_from(index).map_err(|_| "a sequence is too long".to_owned())?;
        let mut allocator = ptr::null_mut();
        let mut part = ptr::null_mut();
        // SAFETY: the value is live; the default allocator is static; the part is owned by the caller.
        unsafe {
            check((ort::api().GetAllocatorWithDefaultOptions)(&mut allocator))?;
            check((ort::api().GetValue)(self.0.as_ptr(), index, allocator, &mut part))?;
        }
        Self::own(part)
    }

    pub(super) fn parts(&self) -> RawResult<usize> {
        let mut count = 0;
        // SAFETY: the value is live.
        check(unsafe { (ort::api().GetValueCount)(self.0.as_ptr(), &mut count) })?;
        Ok(count)
    }

    /// Element type and shape of a tensor, without a copy.
    pub(super) fn shape(&self) -> RawResult<(RawType, &[i64])> {
        let mut element = RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
        let (mut dims, mut rank) = (ptr::null(), 0);
        // SAFETY: the value is live, and its shape lives as long; the call refuses what is no tensor.
        unsafe {
            let value = self.0.as_ptr();
            check((ort::api().GetTensorElementTypeAndShapeDataReference)(value, &mut element, &mut dims, &mut rank))?;
            Ok((element, slice(dims.cast(), rank)))
        }
    }

    pub(super) fn data(&self) -> RawResult<(&[i64], Data<'_>)> {
        let (element, shape) = self.shape()?;
        let count = elements(shape)?;
        let mut data = ptr::null_mut();
        // SAFETY: the value is live and a tensor on the host: outputs of every provider are asked for there.
        check(unsafe { (ort::api().GetTensorMutableData)(self.0.as_ptr(), &mut data) })?;
        // SAFETY: the data holds `count` elements of the type just read, aligned for it, for as long as the value.
        let view = unsafe {
            match element {
                RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT => Data::F32(slice(data, count)),
                RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE => Data::F64(slice(data, count)),
                RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 => Data::F16(slice(data, count)),
                RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 => Data::BF16(slice(data, count)),
                RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 => Data::I64(slice(data, count)),
                RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 => Data::I32(slice(data, count)),
                other => return Err(format!("an output has a type that is not read: {other:?}")),
            }
        };
        Ok((shape, view))
    }

    /// The elements of a tensor of integers or text, as text.
    pub(super) fn texts(&self) -> RawResult<Vec<String>> {
        let (element, shape) = self.shape()?;
        if element != RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING {
            return match self.data()?.1 {
                Data::I64(values) => Ok(values.iter().map(ToString::to_string).collect()),
                Data::I32(values) => Ok(values.iter().map(ToString::to_string).collect()),
                _ => Err("a label or a class is neither an integer nor text".to_owned()),
            };
        }
        let text = |index| {
            let mut bytes = Vec::new();
            let mut length = 0;
            // SAFETY: the value is live; the call refuses what holds no text; `bytes` has the length asked for.
            unsafe {
                check((ort::api().GetStringTensorElementLength)(self.0.as_ptr(), index, &mut length))?;
                bytes.resize(length, 0);
                check((ort::api().GetStringTensorElement)(self.0.as_ptr(), length, index, bytes.as_mut_ptr().cast()))?;
            }
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        (0..elements(shape)?).map(text).collect()
    }
}

fn elements(shape: &[i64]) -> RawResult<usize> {
    let size = |count: usize, &dim: &i64| count.checked_mul(usize::try_from(dim).ok()?);
    shape.iter().try_fold(1, size).ok_or_else(|| format!("a value has the impossible shape {shape:?}"))
}

/// # Safety
/// `data` points to `count` live elements of `T`, or `count` is 0.
pub(super) unsafe fn slice<'a, T>(data: *const c_void, count: usize) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    // SAFETY: by contract.
    unsafe { std::slice::from_raw_parts(data.cast(), count) }
}

/// The elements of an output tensor, row-major.
pub(in crate::model) enum Data<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    F16(&'a [f16]),
    BF16(&'a [bf16]),
    I64(&'a [i64]),
    I32(&'a [i32]),
}

impl Data<'_> {
    pub(in crate::model) fn len(&self) -> usize {
        match self {
            Self::F32(data) => data.len(),
            Self::F64(data) => data.len(),
            Self::F16(data) => data.len(),
            Self::BF16(data) => data.len(),
            Self::I64(data) => data.len(),
            Self::I32(data) => data.len(),
        }
    }

    pub(in crate::model) fn element(&self) -> ElementType {
        match self {
            Self::F32(_) => ElementType::Float32,
            Self::F64(_) => ElementType::Float64,
            Self::F16(_) => ElementType::Float16,
            Self::BF16(_) => ElementType::BFloat16,
            Self::I64(_) => ElementType::Int64,
            Self::I32(_) => ElementType::Int32,
        }
    }
}
