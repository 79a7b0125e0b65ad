//! `stk_model`: opening it, and what it is.

use std::ffi::{CString, c_char, c_void};
use std::path::Path;
use std::sync::Arc;

use super::error::stk_error;
use super::ffi::{Handle, c_string, call, free, get, opaque};
use super::memory::check_memory;
use super::model_options::{Settings, stk_model_options};
use super::status::stk_status;
use crate::model::Runtime;
use crate::record::Identity;
use crate::sampler::{self, BaseClassifier, Opened, Plan};
use crate::smoothed::SmoothedClassifier;
use crate::{Error, Result, log};

/// A base classifier, open in ONNX Runtime or a function of the host's, with the threads that draw its samples.
/// Functions that take a const model are safe from any number of threads, whose samples share batches. The model's own
/// threads, and those that ONNX Runtime makes for it, block all signals but those of faults (SIGSEGV, SIGBUS, SIGFPE,
/// SIGILL, SIGTRAP, SIGSYS, SIGABRT): a signal is the business of the host's threads. While a session is made, the
/// thread that opens the model blocks them too.
///
/// A process that is forked has none of the threads: there, work is refused with STK_STATUS_FORKED, and freeing the
/// model is safe and gives back what can be given back. Open the model in the child, or start the child with exec.
pub struct stk_model(Handle<Open>);
opaque!(stk_model holds Open);

/// What a model handle holds.
pub(super) struct Open {
    pub(super) smoothed: SmoothedClassifier,
    pub(super) identity: Arc<Identity>,
    shape: Vec<usize>,
    sha256: CString,
    provider: CString,
    arithmetic: CString,
    fallback: Option<CString>,
    signature: CString,
}

impl Open {
    fn new(open: impl FnOnce(&Settings) -> Result<Opened>, settings: &Settings) -> Result<Self> {
        let opened = open(settings).inspect_err(|error| log::error(format_args!("model: {error}")))?;
        let model = &opened.model;
        let signature = model.signature();
        // Before batches are measured, for which rows are counted.
        check_memory(signature.classes, 1)?;
        let plan = opened.plan(settings.threads, settings.batch, settings.plan_cache)?;
        let json = serde_json::to_string(signature).map_err(|error| {
            Error::new(crate::ErrorKind::Internal, format!("no JSON of the signature: {error}")).caused_by(error)
        })?;
        let identity = Identity {
            model_sha256: Some(model.sha256().to_owned()),
            stated: None,
            provider: opened.provider(),
            precision: model.precision().to_string(),
            arithmetic: model.arithmetic().to_owned(),
            fallback: model.fallback().map(str::to_owned),
            onnxruntime_version: Some(Runtime::load(settings.model.runtime.as_deref())?.version().to_owned()),
        };
        log::info(format_args!(
            "model {}: {} labels from {} ({}), {} elements of {}, on {}, batch {}, {} threads",
            model.sha256(),
            signature.classes,
            signature.output,
            signature.reading,
            signature.elements,
            signature.input,
            identity.provider,
            plan.batch,
            plan.threads
        ));
        let smoothed = SmoothedClassifier::limited(opened.classifier, plan, settings.limits)?;
        Ok(Self::of(smoothed, identity, &json))
    }

    /// A handle's content, of a model or of a function of the host's.
    pub(super) fn of(smoothed: SmoothedClassifier, identity: Identity, signature: &str) -> Self {
        Self {
            shape: smoothed.sampler().classifier().shape(),
            sha256: c_string(identity.model_sha256.as_deref().unwrap_or_default()),
            provider: c_string(&identity.provider),
            arithmetic: c_string(&identity.arithmetic),
            fallback: identity.fallback.as_deref().map(c_string),
            signature: c_string(signature),
            identity: Arc::new(identity),
            smoothed,
        }
    }

    fn classifier(&self) -> &dyn BaseClassifier {
        self.smoothed.sampler().classifier().as_ref()
    }

    pub(super) fn elements(&self) -> usize {
        self.classifier().elements()
    }

    pub(super) fn classes(&self) -> usize {
        self.classifier().classes()
    }

    fn plan(&self) -> Plan {
        self.smoothed.sampler().plan()
    }
}

/// Opens a model's file, with the external data beside it if it has any, and starts its threads.
///
/// @param path UTF-8. Not NULL.
/// @param options May be NULL: the defaults.
/// @param out Not NULL. Gets the model; free it with stk_model_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_NOT_FOUND or STK_STATUS_IO if it cannot be read; STK_STATUS_MODEL if it is damaged
/// or no classifier that can be smoothed, with what to do; STK_STATUS_PROVIDER, STK_STATUS_RUNTIME;
/// STK_STATUS_INVALID_ARGUMENT if an option does not fit the model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_open(
    path: *const c_char,
    options: *const stk_model_options,
    out: *mut *mut stk_model,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, options| {
        let path = Path::new(args.text(path, "path")?);
        let out = args.out(out, "out")?;
        let settings = options.shared_or_null()?.cloned().unwrap_or_default();
        out.give(Open::new(|asked| sampler::open(path, &asked.model, &asked.devices, asked.batch), &settings)?);
        Ok(())
    })
}

/// Opens a model from memory, as stk_model_open does a file, and starts its threads. It must hold all of its data
/// itself.
///
/// @param bytes `len` bytes. Not NULL. Not used any more when the call returns.
/// @param len Their number.
/// @param options May be NULL: the defaults.
/// @param out Not NULL. Gets the model; free it with stk_model_free.
/// @param err May be NULL.
/// @return As stk_model_open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_open_memory(
    bytes: *const c_void,
    len: usize,
    options: *const stk_model_options,
    out: *mut *mut stk_model,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, options| {
        if bytes.is_null() {
            return Err(Error::argument("bytes", "must not be NULL").into());
        }
        let bytes = args.array(bytes.cast::<u8>(), len, "bytes")?;
        let out = args.out(out, "out")?;
        let settings = options.shared_or_null()?.cloned().unwrap_or_default();
        let open = |asked: &Settings| sampler::open_bytes(bytes, &asked.model, &asked.devices, asked.batch);
        out.give(Open::new(open, &settings)?);
        Ok(())
    })
}

/// Frees a model: cancels what is unfinished, and waits for it and for the model's threads. No call may be using the
/// model, and no callback of it may free it. Jobs and results outlive it.
///
/// @param model May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_free(model: *mut stk_model) {
    free!(model);
}

/// Elements of one input.
///
/// @param model May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_elements(model: *const stk_model) -> usize {
    get!(model, 0, Open::elements)
}

/// The number of labels; labels are 0 .. classes - 1.
///
/// @param model May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_classes(model: *const stk_model) -> usize {
    get!(model, 0, Open::classes)
}

/// Rows of one run: as set, fixed by the model, or measured.
///
/// @param model May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_batch(model: *const stk_model) -> usize {
    get!(model, 0, |open| open.plan().batch)
}

/// Threads that run batches.
///
/// @param model May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_threads(model: *const stk_model) -> usize {
    get!(model, 0, |open| open.plan().threads)
}

/// The shape of one input, without the batch.
///
/// @param model Not NULL.
/// @param dims Not NULL. Gets an array that lives as long as the model.
/// @param len Not NULL. Gets its length.
/// @param err May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_shape(
    model: *const stk_model,
    dims: *mut *const usize,
    len: *mut usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, model| {
        let shape = &model.shared()?.shape;
        let (dims, len) = (args.out(dims, "dims")?, args.out(len, "len")?);
        dims.set(shape.as_ptr());
        len.set(shape.len());
        Ok(())
    })
}

/// SHA-256 of the model's bytes, in hex; with external data, of the listing of the hashes of all of its files. "" of a
/// function of the host's: no file was hashed.
///
/// @param model May be NULL: "".
/// @return Never NULL; lives as long as the model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_sha256(model: *const stk_model) -> *const c_char {
    get!(model, c"".as_ptr(), |open| open.sha256.as_ptr())
}

/// The execution provider, with its device, such as "cpu" or "cuda:0"; with several devices each, "cuda:0,cuda:1".
/// Where the model fell back it is "cpu": stk_model_fallback.
///
/// @param model May be NULL: "".
/// @return UTF-8, never NULL; lives as long as the model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_provider(model: *const stk_model) -> *const c_char {
    get!(model, c"".as_ptr(), |open| open.provider.as_ptr())
}

/// Why the model runs on the processor and not by the provider asked for, which stk_model_options_set_allow_fallback
/// allowed.
///
/// @param model May be NULL: NULL.
/// @return UTF-8; lives as long as the model. NULL where the provider asked for runs it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_fallback(model: *const stk_model) -> *const c_char {
    get!(model, std::ptr::null(), |open| open.fallback.as_ref().map_or(std::ptr::null(), |reason| reason.as_ptr()))
}

/// In what the float32 of the model is computed: "float32" or "tf32", with "+float16" or "+bfloat16" where TensorRT may
/// choose these. TensorRT itself uses TF32 unless the environment says NVIDIA_TF32_OVERRIDE=0. "the provider's" of a
/// provider that is chosen by ONNX Runtime's name. Settings of stk_model_options_set_provider_option follow, for any
/// may change it: " with KEY=VALUE, KEY=VALUE".
///
/// @param model May be NULL: "".
/// @return Never NULL; lives as long as the model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_arithmetic(model: *const stk_model) -> *const c_char {
    get!(model, c"".as_ptr(), |open| open.arithmetic.as_ptr())
}

/// The model's inputs and outputs, which of them are used, how and why, as a JSON object; of a function of the host's
/// what was stated of it.
///
/// @param model May be NULL: "".
/// @return UTF-8, never NULL; lives as long as the model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_signature_json(model: *const stk_model) -> *const c_char {
    get!(model, c"".as_ptr(), |open| open.signature.as_ptr())
}
