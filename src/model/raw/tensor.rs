//! Tensors over memory of ours.

use std::ptr;

use ort::sys::OrtMemoryInfo;

use super::value::{Value, raw_type};
use super::{Buffer, RawResult, check};
use crate::model::types::ElementType;

/// A tensor over memory of ours, one dimension of which can be lowered without moving anything.
pub(in crate::model) struct Tensor {
    // Declared first: the value refers to the buffer and is dropped before it.
    value: Value,
    buffer: Buffer,
    element: ElementType,
    shape: Vec<i64>,
    /// The dimension that is the batch, and the bytes of one step of it; none if the shape is fixed.
    batch: Option<(usize, usize)>,
}

impl Tensor {
    /// A tensor of zeros. The dimension `batch_axis` is the number of rows and may be lowered by `set_rows`.
    pub(in crate::model) fn zeros(element: ElementType, shape: &[usize], batch_axis: Option<usize>) -> RawResult<Self> {
        let too_large = || format!("a tensor of shape {shape:?} does not fit into memory");
        let dims =
            shape.iter().map(|&dim| i64::try_from(dim).map_err(|_| too_large())).collect::<Result<Vec<_>, _>>()?;
        let count = shape.iter().try_fold(1_usize, |count, &dim| count.checked_mul(dim)).ok_or_else(too_large)?;
        let bytes = count.checked_mul(element.bytes()).ok_or_else(too_large)?;
        let buffer = Buffer::zeros(bytes).ok_or_else(too_large)?;
        let batch = batch_axis.and_then(|axis| Some((axis, bytes.checked_div(*shape.get(axis)?)?)));
        let value = Self::wrap(&buffer, bytes, element, &dims)?;
        Ok(Self { value, buffer, element, shape: dims, batch })
    }

    fn wrap(buffer: &Buffer, bytes: usize, element: ElementType, shape: &[i64]) -> RawResult<Value> {
        let mut value = ptr::null_mut();
        // SAFETY: the buffer holds `bytes` bytes, aligned for every element type, and outlives the value: both live in
        // one `Tensor`. ONNX Runtime checks the bytes against the shape.
        check(unsafe {
            (ort::api().CreateTensorWithDataAsOrtValue)(
                host_memory()?,
                buffer.as_ptr().cast(),
                bytes,
                shape.as_ptr(),
                shape.len(),
                raw_type(element),
                &mut value,
            )
        })?;
        Value::own(value)
    }

    /// Lowers or raises the number of rows, up to the number of rows it was made with.
    pub(in crate::model) fn set_rows(&mut self, rows: usize) -> RawResult<()> {
        let Some((axis, row_bytes)) = self.batch else { return Ok(()) };
        let dim = i64::try_from(rows).map_err(|_| "too many rows".to_owned())?;
        if self.shape[axis] == dim {
            return Ok(());
        }
        let bytes = row_bytes.checked_mul(rows).filter(|&bytes| bytes <= self.buffer.len());
        let bytes = bytes.ok_or_else(|| "more rows than the batch holds".to_owned())?;
        self.shape[axis] = dim;
        self.value = Self::wrap(&self.buffer, bytes, self.element, &self.shape)?;
        Ok(())
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }

    pub(in crate::model) fn buffer(&mut self) -> &mut Buffer {
        &mut self.buffer
    }
}

/// The description of host memory, made once.
pub(super) fn host_memory() -> RawResult<*const OrtMemoryInfo> {
    struct HostMemoryInfo(*const OrtMemoryInfo);
    // SAFETY: never changed after it was made.
    unsafe impl Send for HostMemoryInfo {}
    // SAFETY: as above.
    unsafe impl Sync for HostMemoryInfo {}
    static HOST: std::sync::OnceLock<HostMemoryInfo> = std::sync::OnceLock::new();
    if let Some(HostMemoryInfo(info)) = HOST.get() {
        return Ok(*info);
    }
    let mut info = ptr::null_mut();
    // SAFETY: gives an owned description, which is leaked: it is made once.
    check(unsafe {
        (ort::api().CreateCpuMemoryInfo)(
            ort::sys::OrtAllocatorType::OrtDeviceAllocator,
            ort::sys::OrtMemType::OrtMemTypeDefault,
            &mut info,
        )
    })?;
    Ok(HOST.get_or_init(|| HostMemoryInfo(info)).0)
}
