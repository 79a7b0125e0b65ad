//! The unsafe part of the room: calls into ONNX Runtime's C interface that `ort` has no safe form for, behind types
//! that cannot be misused from outside this file.
//!
//! `ort`'s `Session::run` takes `&mut` and would need a copy of the weights per thread. ONNX Runtime's own `Run` may be
//! called on one session from many threads, which is what the host path does.

use std::ffi::{CStr, CString, c_char, c_void};
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use half::{bf16, f16};
use ort::AsPointer;
use ort::session::{NoSelectedOutputs, RunOptions, SharedSessionInner};
use ort::sys::{ONNXTensorElementDataType as RawType, OrtApiBase, OrtMemoryInfo, OrtStatusPtr, OrtValue};

use super::buffer::Buffer;
use super::types::ElementType;

/// What ONNX Runtime said.
pub(super) type RawResult<T> = Result<T, String>;

fn check(status: OrtStatusPtr) -> RawResult<()> {
    // SAFETY: the status comes straight from a call of the interface and is handed over.
    unsafe { ort::Error::result_from_status(status) }.map_err(|error| super::runtime::one_line(error.message()))
}

/// Turns off the telemetry of ONNX Runtime's published builds, which writes a database under the home directory.
pub(super) fn disable_telemetry() {
    const NAME: &str = "ORT_DISABLE_TELEMETRY";
    if std::env::var_os(NAME).is_none() {
        // SAFETY: readers from Rust are serialised with this by the standard library. A thread that reads the
        // environment from C at this moment is excluded by the contract of `Runtime::load`.
        unsafe { std::env::set_var(NAME, "1") };
    }
}

/// The version of the library at `path` and the file that the loader took; or the loader's reason. A library that
/// answers stays loaded.
pub(super) fn probe_library(path: &Path) -> Result<(String, PathBuf), String> {
    let reason = |error: libloading::Error| {
        // What the loader said is the source; the error itself only names the call.
        let said = std::error::Error::source(&error).map(ToString::to_string);
        super::runtime::one_line(&said.unwrap_or_else(|| error.to_string()))
    };
    // SAFETY: ONNX Runtime's library has no precondition on being loaded; another library found under this name runs
    // its initialisers, which is what whoever names it asks for.
    let library = unsafe { libloading::Library::new(path) }.map_err(reason)?;
    // SAFETY: this is the symbol's type in every ONNX Runtime.
    let base = unsafe { library.get::<unsafe extern "C" fn() -> *const OrtApiBase>(b"OrtGetApiBase\0") }
        .map_err(|_| "it does not export OrtGetApiBase, so it is not ONNX Runtime".to_owned())?;
    let address = *base as *const c_void;
    // SAFETY: the function takes nothing and gives a pointer to a static table, or null.
    let table = unsafe { base() };
    if table.is_null() {
        return Err("OrtGetApiBase gives nothing".to_owned());
    }
    // SAFETY: not null, and static; the version is a static C string.
    let version = unsafe { CStr::from_ptr(((*table).GetVersionString)()) }.to_string_lossy().into_owned();
    let file = if path.is_absolute() { path.to_owned() } else { file_of(address).unwrap_or_else(|| path.to_owned()) };
    std::mem::forget(library);
    Ok((version, file))
}

/// The file that this library's code was loaded from.
pub(super) fn own_file() -> Option<PathBuf> {
    file_of(own_file as *const c_void)
}

#[cfg(unix)]
fn file_of(address: *const c_void) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: any address may be asked for; on success the name is a C string owned by the loader.
    let name = unsafe {
        if libc::dladdr(address, info.as_mut_ptr()) == 0 || info.assume_init_ref().dli_fname.is_null() {
            return None;
        }
        CStr::from_ptr(info.assume_init_ref().dli_fname)
    };
    Path::new(std::ffi::OsStr::from_bytes(name.to_bytes())).canonicalize().ok()
}

#[cfg(not(unix))]
fn file_of(_address: *const c_void) -> Option<PathBuf> {
    None
}

fn raw_type(element: ElementType) -> RawType {
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
struct Value(NonNull<OrtValue>);

// SAFETY: a value is not bound to the thread that made it.
unsafe impl Send for Value {}

impl Drop for Value {
    fn drop(&mut self) {
        // SAFETY: owned, released once.
        unsafe { (ort::api().ReleaseValue)(self.0.as_ptr()) };
    }
}

impl Value {
    fn own(value: *mut OrtValue) -> RawResult<Self> {
        NonNull::new(value).map(Self).ok_or_else(|| "ONNX Runtime gave no value".to_owned())
    }

    /// The `index`-th part of a sequence or map.
    fn part(&self, index: usize) -> RawResult<Self> {
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

    fn parts(&self) -> RawResult<usize> {
        let mut count = 0;
        // SAFETY: the value is live.
        check(unsafe { (ort::api().GetValueCount)(self.0.as_ptr(), &mut count) })?;
        Ok(count)
    }

    /// Element type and shape of a tensor, without a copy.
    fn shape(&self) -> RawResult<(RawType, &[i64])> {
        let mut element = RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
        let (mut dims, mut rank) = (ptr::null(), 0);
        // SAFETY: the value is live, and its shape lives as long; the call refuses what is no tensor.
        unsafe {
            let value = self.0.as_ptr();
            check((ort::api().GetTensorElementTypeAndShapeDataReference)(value, &mut element, &mut dims, &mut rank))?;
            Ok((element, slice(dims.cast(), rank)))
        }
    }

    fn data(&self) -> RawResult<(&[i64], Data<'_>)> {
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

    fn strings(&self) -> RawResult<Vec<String>> {
        let (_, shape) = self.shape()?;
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
unsafe fn slice<'a, T>(data: *const c_void, count: usize) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    // SAFETY: by contract.
    unsafe { std::slice::from_raw_parts(data.cast(), count) }
}

/// The elements of an output tensor, row-major.
pub(super) enum Data<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    F16(&'a [f16]),
    BF16(&'a [bf16]),
    I64(&'a [i64]),
    I32(&'a [i32]),
}

impl Data<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::F32(data) => data.len(),
            Self::F64(data) => data.len(),
            Self::F16(data) => data.len(),
            Self::BF16(data) => data.len(),
            Self::I64(data) => data.len(),
            Self::I32(data) => data.len(),
        }
    }

    pub(super) fn element(&self) -> ElementType {
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

/// A tensor over memory of ours, whose first dimension can be lowered without moving anything.
pub(super) struct Tensor {
    // Declared first: the value refers to the buffer and is dropped before it.
    value: Value,
    buffer: Buffer,
    element: ElementType,
    shape: Vec<i64>,
    /// Bytes of one step of the first dimension; none if the shape is fixed.
    row_bytes: Option<usize>,
}

impl Tensor {
    /// A tensor of zeros. `batched`: its first dimension is the number of rows and may be lowered by `set_rows`.
    pub(super) fn zeros(element: ElementType, shape: &[usize], batched: bool) -> RawResult<Self> {
        let too_large = || format!("a tensor of shape {shape:?} does not fit into memory");
        let dims =
            shape.iter().map(|&dim| i64::try_from(dim).map_err(|_| too_large())).collect::<Result<Vec<_>, _>>()?;
        let count = shape.iter().try_fold(1_usize, |count, &dim| count.checked_mul(dim)).ok_or_else(too_large)?;
        let bytes = count.checked_mul(element.bytes()).ok_or_else(too_large)?;
        let buffer = Buffer::zeros(bytes).ok_or_else(too_large)?;
        let row_bytes = match (batched, shape.first()) {
            (true, Some(&rows)) if rows > 0 => Some(bytes / rows),
            _ => None,
        };
        let value = Self::wrap(&buffer, bytes, element, &dims)?;
        Ok(Self { value, buffer, element, shape: dims, row_bytes })
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

    /// Lowers or raises the first dimension, up to the number of rows it was made with.
    pub(super) fn set_rows(&mut self, rows: usize) -> RawResult<()> {
        let Some(row_bytes) = self.row_bytes else { return Ok(()) };
        let dim = i64::try_from(rows).map_err(|_| "too many rows".to_owned())?;
        if self.shape[0] == dim {
            return Ok(());
        }
        let bytes = row_bytes.checked_mul(rows).filter(|&bytes| bytes <= self.buffer.len());
        let bytes = bytes.ok_or_else(|| "more rows than the batch holds".to_owned())?;
        self.shape[0] = dim;
        self.value = Self::wrap(&self.buffer, bytes, self.element, &self.shape)?;
        Ok(())
    }

    pub(super) fn buffer(&mut self) -> &mut Buffer {
        &mut self.buffer
    }
}

/// The description of host memory, made once.
fn host_memory() -> RawResult<*const OrtMemoryInfo> {
    struct Shared(*const OrtMemoryInfo);
    // SAFETY: never changed after it was made.
    unsafe impl Send for Shared {}
    // SAFETY: as above.
    unsafe impl Sync for Shared {}
    static HOST: std::sync::OnceLock<Shared> = std::sync::OnceLock::new();
    if let Some(Shared(info)) = HOST.get() {
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
    Ok(HOST.get_or_init(|| Shared(info)).0)
}

/// One model run, prepared: names, inputs, and the output.
pub(super) struct Call {
    session: Arc<SharedSessionInner>,
    options: Arc<RunOptions<NoSelectedOutputs>>,
    names: Vec<CString>,
    inputs: Vec<Tensor>,
    output_name: CString,
    /// Memory for the output, where its shape is known.
    bound: Option<Tensor>,
    returned: Option<Value>,
    // Scratch, so that a run allocates nothing of its own: null between runs.
    name_pointers: Vec<*const c_char>,
    value_pointers: Vec<*const OrtValue>,
}

// SAFETY: what keeps it from being `Send` by itself are the scratch pointers, which are only read within `run`.
unsafe impl Send for Call {}

impl Call {
    pub(super) fn new(
        session: Arc<SharedSessionInner>,
        options: Arc<RunOptions<NoSelectedOutputs>>,
        inputs: Vec<(CString, Tensor)>,
        output_name: CString,
        bound: Option<Tensor>,
    ) -> Self {
        let (names, inputs): (Vec<_>, Vec<_>) = inputs.into_iter().unzip();
        let count = inputs.len();
        Self {
            session,
            options,
            names,
            inputs,
            output_name,
            bound,
            returned: None,
            name_pointers: Vec::with_capacity(count),
            value_pointers: Vec::with_capacity(count),
        }
    }

    /// Lowers or raises the number of rows of every batched tensor.
    pub(super) fn set_rows(&mut self, rows: usize) -> RawResult<()> {
        self.inputs.iter_mut().chain(&mut self.bound).try_for_each(|tensor| tensor.set_rows(rows))
    }

    /// The memory of the `index`-th input.
    pub(super) fn input(&mut self, index: usize) -> &mut Buffer {
        self.inputs[index].buffer()
    }

    /// Runs the model once. Safe to call on many `Call`s of one session at a time, where the provider is the CPU.
    pub(super) fn run(&mut self) -> RawResult<()> {
        self.returned = None;
        self.name_pointers.clear();
        self.name_pointers.extend(self.names.iter().map(|name| name.as_ptr()));
        self.value_pointers.clear();
        self.value_pointers.extend(self.inputs.iter().map(|tensor| tensor.value.0.as_ptr().cast_const()));
        let output_name = self.output_name.as_ptr();
        let mut output = self.bound.as_ref().map_or(ptr::null_mut(), |tensor| tensor.value.0.as_ptr());
        // SAFETY: session, options, names and values are live for the call; `self` is borrowed mutably, so nothing else
        // reads or writes the inputs' and the bound output's memory. ONNX Runtime's `Run` only reads the session.
        let status = unsafe {
            (ort::api().Run)(
                self.session.ptr().cast_mut(),
                self.options.ptr(),
                self.name_pointers.as_ptr(),
                self.value_pointers.as_ptr(),
                self.inputs.len(),
                &output_name,
                1,
                &mut output,
            )
        };
        if self.bound.is_none() && !output.is_null() {
            self.returned = Some(Value::own(output)?);
        }
        check(status)
    }

    fn output(&self) -> RawResult<&Value> {
        let bound = self.bound.as_ref().map(|tensor| &tensor.value);
        bound.or(self.returned.as_ref()).ok_or_else(|| "the model gave no output".to_owned())
    }

    /// Shape and elements of the output of the last run, which is a tensor.
    pub(super) fn tensor(&self) -> RawResult<(&[i64], Data<'_>)> {
        self.output()?.data()
    }

    /// How many maps the output of the last run holds, which is a sequence of maps.
    pub(super) fn maps(&self) -> RawResult<usize> {
        self.output()?.parts()
    }

    /// Reads the scores in the `index`-th map of the output, in the order of its keys.
    pub(super) fn map_scores<R>(&self, index: usize, read: impl FnOnce(Data<'_>) -> R) -> RawResult<R> {
        let values = self.output()?.part(index)?.part(1)?;
        let (_, data) = values.data()?;
        Ok(read(data))
    }

    /// The keys of the `index`-th map of the output, as text, in their order.
    pub(super) fn map_keys(&self, index: usize) -> RawResult<Vec<String>> {
        let keys = self.output()?.part(index)?.part(0)?;
        match keys.shape()?.0 {
            RawType::ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING => keys.strings(),
            _ => match keys.data()?.1 {
                Data::I64(keys) => Ok(keys.iter().map(ToString::to_string).collect()),
                _ => Err("a class map has keys that are neither integers nor text".to_owned()),
            },
        }
    }
}

/// The operator of each node and the provider that runs it. The session must have been told to record it.
pub(super) fn placement(session: &SharedSessionInner) -> RawResult<Vec<(String, String)>> {
    let api = ort::api();
    let text = |pointer: *const c_char| {
        if pointer.is_null() {
            return String::new();
        }
        // SAFETY: a C string owned by the session, which is borrowed.
        unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
    };
    let mut placed = Vec::new();
    // SAFETY: the arrays belong to the session, which is borrowed, and have the lengths given with them.
    unsafe {
        let (mut groups, mut count) = (ptr::null(), 0);
        check((api.Session_GetEpGraphAssignmentInfo)(session.ptr(), &mut groups, &mut count))?;
        for &group in slice::<*const _>(groups.cast(), count) {
            let (mut provider, mut nodes, mut count) = (ptr::null(), ptr::null(), 0);
            check((api.EpAssignedSubgraph_GetEpName)(group, &mut provider))?;
            check((api.EpAssignedSubgraph_GetNodes)(group, &mut nodes, &mut count))?;
            for &node in slice::<*const _>(nodes.cast(), count) {
                let mut operator = ptr::null();
                check((api.EpAssignedNode_GetOperatorType)(node, &mut operator))?;
                placed.push((text(operator), text(provider)));
            }
        }
    }
    Ok(placed)
}
