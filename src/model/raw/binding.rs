//! Runs whose input and output lie where the provider computes, bound once: nothing is copied and nothing waited for.

use std::ffi::CString;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use ort::AsPointer;
use ort::session::{NoSelectedOutputs, RunOptions, SharedSessionInner};
use ort::sys::{OrtAllocatorType, OrtIoBinding, OrtMemType, OrtMemoryInfo};

use super::text::one_line;
use super::value::{Value, raw_type};
use super::{RawResult, Tensor, check};
use crate::model::types::ElementType;

/// Where memory lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Memory {
    /// Where the processor reads it.
    Host,
    /// On an NVIDIA GPU, by its index.
    Cuda(u32),
}

/// ONNX Runtime's description of a memory.
struct MemoryInfo(NonNull<OrtMemoryInfo>);

impl MemoryInfo {
    fn new(memory: Memory) -> RawResult<Self> {
        let (name, id) = match memory {
            Memory::Host => (c"Cpu", 0),
            Memory::Cuda(device) => (c"Cuda", i32::try_from(device).map_err(|_| "no such device".to_owned())?),
        };
        let mut info = ptr::null_mut();
        let (allocator, kind) = (OrtAllocatorType::OrtDeviceAllocator, OrtMemType::OrtMemTypeDefault);
        // SAFETY: the name is a C string; the description is owned by the caller.
        check(unsafe { (ort::api().CreateMemoryInfo)(name.as_ptr(), allocator, id, kind, &mut info) })?;
        NonNull::new(info).map(Self).ok_or_else(|| "ONNX Runtime describes no memory".to_owned())
    }
}

impl Drop for MemoryInfo {
    fn drop(&mut self) {
        // SAFETY: owned, released once.
        unsafe { (ort::api().ReleaseMemoryInfo)(self.0.as_ptr()) };
    }
}

/// A tensor of rows at an address that is not ours to read.
pub(in crate::model) struct Rows {
    pub name: CString,
    pub element: ElementType,
    /// Of one row.
    pub shape: Vec<usize>,
    pub address: u64,
    pub bytes: usize,
}

/// One model run on memory of the device, prepared.
pub(in crate::model) struct Binding {
    // Dropped before the values, and they before the tensors, that it refers to.
    binding: NonNull<OrtIoBinding>,
    values: Vec<Value>,
    session: Arc<SharedSessionInner>,
    options: RunOptions<NoSelectedOutputs>,
    info: MemoryInfo,
    input: Rows,
    output: Rows,
    constants: Vec<(CString, Tensor)>,
    /// Rows that are bound now.
    rows: usize,
}

// SAFETY: a binding is used by one thread at a time, and not bound to the one that made it.
unsafe impl Send for Binding {}

impl Binding {
    /// Binds nothing yet. `settings` are entries of the run's configuration.
    ///
    /// # Safety
    /// Input and output are memory of `memory`'s kind, as long as they say, that outlives this.
    pub(in crate::model) unsafe fn new(
        session: Arc<SharedSessionInner>,
        memory: Memory,
        input: Rows,
        output: Rows,
        constants: Vec<(CString, Tensor)>,
        settings: &[(&str, &str)],
    ) -> RawResult<Self> {
        let said = |error: ort::Error| one_line(error.message());
        let mut options = RunOptions::new().map_err(said)?;
        for (key, value) in settings {
            options.set(key, value).map_err(said)?;
        }
        let info = MemoryInfo::new(memory)?;
        let mut binding = ptr::null_mut();
        // SAFETY: the session is live; the binding is owned by the caller.
        check(unsafe { (ort::api().CreateIoBinding)(session.ptr().cast_mut(), &mut binding) })?;
        let binding = NonNull::new(binding).ok_or_else(|| "ONNX Runtime gave no binding".to_owned())?;
        Ok(Self { binding, values: Vec::new(), session, options, info, input, output, constants, rows: 0 })
    }

    /// Binds the first `rows` rows; nothing where that many are bound.
    pub(in crate::model) fn set_rows(&mut self, rows: usize) -> RawResult<()> {
        if self.rows == rows {
            return Ok(());
        }
        self.rows = 0;
        let input = self.value(&self.input, rows)?;
        let output = self.value(&self.output, rows)?;
        for (_, tensor) in &mut self.constants {
            tensor.set_rows(rows)?;
        }
        let api = ort::api();
        let binding = self.binding.as_ptr();
        // SAFETY: binding, names and values are live. `ort`'s own `bind_input` would wait for a lock that a tensor over
        // memory of others holds, for ever.
        unsafe {
            check((api.BindInput)(binding, self.input.name.as_ptr(), input.as_ptr()))?;
            for (name, tensor) in &self.constants {
                check((api.BindInput)(binding, name.as_ptr(), tensor.value().as_ptr()))?;
            }
            check((api.BindOutput)(binding, self.output.name.as_ptr(), output.as_ptr()))?;
        }
        self.values = vec![input, output];
        self.rows = rows;
        Ok(())
    }

    /// Enqueues a run on the bound rows. On a GPU it returns before the run has ended.
    ///
    /// # Safety
    /// Until the run has ended nothing else writes the input, nor reads or writes the output, but in the session's
    /// stream.
    pub(in crate::model) unsafe fn run(&mut self) -> RawResult<()> {
        let session = self.session.ptr().cast_mut();
        // SAFETY: session, options and binding are live; the memory is as the callers promise.
        check(unsafe { (ort::api().RunWithBinding)(session, self.options.ptr(), self.binding.as_ptr()) })
    }

    fn value(&self, rows: &Rows, count: usize) -> RawResult<Value> {
        let too_large = || format!("{count} rows do not fit into the memory of the batch");
        let elements =
            rows.shape.iter().try_fold(count, |product, &dim| product.checked_mul(dim)).ok_or_else(too_large)?;
        let bytes = elements.checked_mul(rows.element.bytes()).filter(|&bytes| bytes <= rows.bytes);
        let bytes = bytes.ok_or_else(too_large)?;
        let dims = std::iter::once(count).chain(rows.shape.iter().copied());
        let dims = dims.map(|dim| i64::try_from(dim).map_err(|_| too_large())).collect::<RawResult<Vec<_>>>()?;
        let mut value = ptr::null_mut();
        // SAFETY: the memory is as the callers of `new` promise; ONNX Runtime checks the bytes against the shape.
        check(unsafe {
            (ort::api().CreateTensorWithDataAsOrtValue)(
                self.info.0.as_ptr(),
                rows.address as *mut _,
                bytes,
                dims.as_ptr(),
                dims.len(),
                raw_type(rows.element),
                &mut value,
            )
        })?;
        Value::own(value)
    }
}

impl Drop for Binding {
    fn drop(&mut self) {
        // SAFETY: owned, released once.
        unsafe { (ort::api().ReleaseIoBinding)(self.binding.as_ptr()) };
    }
}
