//! Runs of a session, and where its nodes went.

use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::sync::Arc;

use ort::AsPointer;
use ort::session::{NoSelectedOutputs, RunOptions, SharedSessionInner};
use ort::sys::OrtValue;

use super::value::{Data, Value, slice};
use super::{Buffer, RawResult, Tensor, check};

/// One model run, prepared: names, inputs, and the output.
pub(in crate::model) struct Call {
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
    pub(in crate::model) fn new(
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
    pub(in crate::model) fn set_rows(&mut self, rows: usize) -> RawResult<()> {
        self.inputs.iter_mut().chain(&mut self.bound).try_for_each(|tensor| tensor.set_rows(rows))
    }

    /// The memory of the `index`-th input.
    pub(in crate::model) fn input(&mut self, index: usize) -> &mut Buffer {
        self.inputs[index].buffer()
    }

    /// Runs the model once. Safe to call on many `Call`s of one session at a time, where the provider is the CPU.
    pub(in crate::model) fn run(&mut self) -> RawResult<()> {
        self.returned = None;
        self.name_pointers.clear();
        self.name_pointers.extend(self.names.iter().map(|name| name.as_ptr()));
        self.value_pointers.clear();
        self.value_pointers.extend(self.inputs.iter().map(|tensor| tensor.value().as_ptr().cast_const()));
        let output_name = self.output_name.as_ptr();
        let mut output = self.bound.as_ref().map_or(ptr::null_mut(), |tensor| tensor.value().as_ptr());
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
        let bound = self.bound.as_ref().map(Tensor::value);
        bound.or(self.returned.as_ref()).ok_or_else(|| "the model gave no output".to_owned())
    }

    /// Shape and elements of the output of the last run, which is a tensor.
    pub(in crate::model) fn tensor(&self) -> RawResult<(&[i64], Data<'_>)> {
        self.output()?.data()
    }

    /// How many maps the output of the last run holds, which is a sequence of maps.
    pub(in crate::model) fn maps(&self) -> RawResult<usize> {
        self.output()?.parts()
    }

    /// Reads the scores in the `index`-th map of the output, in the order of its keys.
    pub(in crate::model) fn map_scores<R>(&self, index: usize, read: impl FnOnce(Data<'_>) -> R) -> RawResult<R> {
        let values = self.output()?.part(index)?.part(1)?;
        let (_, data) = values.data()?;
        Ok(read(data))
    }

    /// The keys of the `index`-th map of the output, as text, in their order.
    pub(in crate::model) fn map_keys(&self, index: usize) -> RawResult<Vec<String>> {
        self.output()?.part(index)?.part(0)?.texts()
    }

    /// The elements of the output of the last run, which is a tensor of integers or text, as text.
    pub(in crate::model) fn texts(&self) -> RawResult<Vec<String>> {
        self.output()?.texts()
    }
}

/// Whether the session takes the input at `index` of its `count` inputs from the host's memory.
pub(in crate::model) fn takes_on_host(session: &SharedSessionInner, index: usize, count: usize) -> RawResult<bool> {
    let api = ort::api();
    let mut infos = vec![ptr::null(); count];
    // SAFETY: the session is borrowed, and owns what it describes its inputs with; there are as many places as are
    // told.
    check(unsafe { (api.SessionGetMemoryInfoForInputs)(session.ptr(), infos.as_mut_ptr(), count) })?;
    let Some(&info) = infos.get(index).filter(|info| !info.is_null()) else {
        return Err("ONNX Runtime does not say where an input is taken".to_owned());
    };
    let mut kind = ort::sys::OrtMemoryInfoDeviceType::OrtMemoryInfoDeviceType_CPU;
    // SAFETY: a live description; the call only reads it.
    unsafe { (api.MemoryInfoGetDeviceType)(info, &mut kind) };
    Ok(kind == ort::sys::OrtMemoryInfoDeviceType::OrtMemoryInfoDeviceType_CPU)
}

/// The operator of each node and the provider that runs it. The session must have been told to record it.
pub(in crate::model) fn placement(session: &SharedSessionInner) -> RawResult<Vec<(String, String)>> {
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
