//! `stk_model`: opening it, and what it is.

use std::ffi::{CString, c_char, c_void};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::error::stk_error;
use super::ffi::{Handle, c_string, call, free, get, opaque};
use super::model_options::{Settings, stk_model_options};
use super::status::stk_status;
use crate::model::{Model, ModelOptions, Provider, Runtime};
use crate::sampler::{BaseClassifier, Plan};
use crate::smoothed::{Identity, SmoothedClassifier};
use crate::{Error, Result, log};

/// A base classifier, open in ONNX Runtime, with the threads that draw its rows. Functions that take a const model are safe
/// from any number of threads, whose rows share batches.
pub struct stk_model(Handle<Open>);
opaque!(stk_model holds Open);

/// What a model handle holds.
pub(super) struct Open {
    pub(super) model: Arc<Model>,
    pub(super) smoothed: SmoothedClassifier,
    pub(super) identity: Arc<Identity>,
    sha256: CString,
    provider: CString,
    signature: CString,
}

/// How long the batch plan may be measured.
const PLAN_BUDGET: Duration = Duration::from_secs(2);

impl Open {
    fn new(open: impl FnOnce(&ModelOptions) -> Result<Model>, settings: &Settings) -> Result<Self> {
        let model = Arc::new(open(&settings.model).inspect_err(|error| log::error(format_args!("model: {error}")))?);
        let plan = plan(&model, settings)?;
        let classifier: Arc<dyn BaseClassifier> = model.clone();
        let smoothed = SmoothedClassifier::new(classifier, plan)?;
        let signature = model.signature();
        let json = serde_json::to_string(signature)
            .map_err(|error| Error::new(crate::ErrorKind::Internal, format!("no JSON of the signature: {error}")))?;
        let identity = Identity {
            model_sha256: model.sha256().to_owned(),
            provider: model.provider().to_string(),
            precision: model.precision().to_string(),
            onnxruntime_version: Runtime::load(settings.model.runtime.as_deref())?.version().to_owned(),
        };
        log::info(format_args!(
            "model {}: {} labels from {} ({}), {} elements of {}, on {}, batch {}, {} threads",
            identity.model_sha256,
            signature.classes,
            signature.output,
            signature.reading,
            signature.elements,
            signature.input,
            identity.provider,
            plan.batch,
            plan.threads
        ));
        Ok(Self {
            sha256: c_string(&identity.model_sha256),
            provider: c_string(&identity.provider),
            signature: c_string(&json),
            identity: Arc::new(identity),
            smoothed,
            model,
        })
    }

    fn plan(&self) -> Plan {
        self.smoothed.sampler().plan()
    }
}

/// The batch plan: as given, or measured.
fn plan(model: &Arc<Model>, settings: &Settings) -> Result<Plan> {
    let default_threads = || if *model.provider() == Provider::Cpu { Plan::usable_threads() } else { 1 };
    let threads = settings.threads.unwrap_or_else(default_threads);
    let plan = match settings.batch.or_else(|| model.fixed_batch()) {
        Some(batch) => Plan { batch, threads },
        None => {
            let classifier: Arc<dyn BaseClassifier> = model.clone();
            let most = settings.model.memory_limit.map(|limit| model.rows_within(limit, threads));
            let found = Plan::measure_up_to(&classifier, threads, PLAN_BUDGET, most.unwrap_or(usize::MAX))?;
            log::debug(format_args!("measured {found:?}"));
            found.plan
        }
    };
    if *model.provider() == Provider::Cpu
        && let Some(limit) = settings.model.memory_limit
        && plan.batch > model.rows_within(limit, threads)
    {
        let message = format!(
            "{} threads with batches of {} rows need more than {limit} bytes: lower the batch or the threads",
            plan.threads, plan.batch
        );
        return Err(Error::argument("memory_limit", message));
    }
    Ok(plan)
}

/// Opens a model's file, with the external data beside it if it has any, and starts its threads.
///
/// @param path UTF-8. Not NULL.
/// @param options May be NULL: the defaults.
/// @param out Not NULL. Gets the model; free it with stk_model_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_NOT_FOUND or STK_STATUS_IO if it cannot be read; STK_STATUS_MODEL if it is damaged or no
/// classifier that can be smoothed, with what to do; STK_STATUS_PROVIDER, STK_STATUS_RUNTIME;
/// STK_STATUS_INVALID_ARGUMENT if an option does not fit the model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_open(
    path: *const c_char,
    options: *const stk_model_options,
    out: *mut *mut stk_model,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args| {
        let path = Path::new(args.text(path, "path")?);
        let out = args.out(out, "out")?;
        let settings = args.shared_or_null(options, "options")?.cloned().unwrap_or_default();
        out.give(Open::new(|options| Model::open(path, options), &settings)?);
        Ok(())
    })
}

/// Opens a model from memory and starts its threads. It must hold all of its data itself.
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
    call!(err, |args| {
        if bytes.is_null() {
            return Err(Error::argument("bytes", "must not be NULL").into());
        }
        let bytes = args.array(bytes.cast::<u8>(), len, "bytes")?;
        let out = args.out(out, "out")?;
        let settings = args.shared_or_null(options, "options")?.cloned().unwrap_or_default();
        out.give(Open::new(|options| Model::from_bytes(bytes, options), &settings)?);
        Ok(())
    })
}

/// Frees a model: cancels what is unfinished, and waits for it and for the model's threads. No call may be using the model,
/// and no callback of it may free it. Jobs and results outlive it.
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
    get!(model, 0, |open| open.model.signature().elements)
}

/// The number of labels; labels are 0 .. classes - 1.
///
/// @param model May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_classes(model: *const stk_model) -> usize {
    get!(model, 0, |open| open.model.signature().classes)
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
    call!(err, |args| {
        let shape = &args.shared(model, "model")?.model.signature().element_shape;
        let (dims, len) = (args.out(dims, "dims")?, args.out(len, "len")?);
        dims.set(shape.as_ptr());
        len.set(shape.len());
        Ok(())
    })
}

/// SHA-256 of the model's bytes, in hex; with external data, of the listing of the hashes of all of its files.
///
/// @param model May be NULL: "".
/// @return Never NULL; lives as long as the model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_sha256(model: *const stk_model) -> *const c_char {
    get!(model, c"".as_ptr(), |open| open.sha256.as_ptr())
}

/// The execution provider, with its device, such as "cpu" or "cuda:0".
///
/// @param model May be NULL: "".
/// @return UTF-8, never NULL; lives as long as the model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_provider(model: *const stk_model) -> *const c_char {
    get!(model, c"".as_ptr(), |open| open.provider.as_ptr())
}

/// The model's inputs and outputs, which of them are used, how and why, as a JSON object.
///
/// @param model May be NULL: "".
/// @return UTF-8, never NULL; lives as long as the model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_signature_json(model: *const stk_model) -> *const c_char {
    get!(model, c"".as_ptr(), |open| open.signature.as_ptr())
}
