//! `stk_model`.

use std::ffi::{CString, c_char, c_void};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::counts::from_label;
use super::counts::stk_counts;
use super::error::stk_error;
use super::ffi::{Answer, Failure, Handle, Out, User, c_string, call, free, get, opaque};
use super::job::{Work, stk_done_callback, stk_job};
use super::model_options::{Settings, stk_model_options};
use super::request::{Asked, stk_request};
use super::result::{Results, stk_result};
use super::status::{STK_STATUS_CANCELLED, STK_STATUS_DEADLINE_EXCEEDED, STK_STATUS_RUN, stk_status};
use crate::model::{Model, ModelOptions, Provider, Runtime};
use crate::sampler::{BaseClassifier, Plan};
use crate::smoothed::{Batch, Identity, SmoothedClassifier, Task};
use crate::{Error, Result, log};

/// A base classifier, open in ONNX Runtime, with the threads that draw its rows. Functions that take a const model are safe
/// from any number of threads, whose rows share batches.
pub struct stk_model(Handle<Open>);
opaque!(stk_model holds Open);

/// What a model handle holds.
pub(super) struct Open {
    model: Arc<Model>,
    smoothed: SmoothedClassifier,
    identity: Arc<Identity>,
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

    /// Queues predict, or certify with `labels`.
    fn submit(
        &self,
        asked: &Asked,
        inputs: &[f32],
        tasks: &[Task],
        done: Option<Box<dyn FnOnce() + Send>>,
    ) -> Result<Batch> {
        self.smoothed.submit_batch(inputs, tasks, &asked.request, asked.key, asked.control(done))
    }

    /// A blocking call.
    fn run(&self, asked: &Asked, inputs: &[f32], tasks: &[Task], out: Out<*mut stk_result>) -> Answer {
        let mut batch = self.submit(asked, inputs, tasks, None)?;
        if let Some(progress) = asked.progress() {
            batch.wait_with(progress);
        }
        finish(Results::new(batch.take_outcomes(), Arc::clone(&self.identity)), out)
    }

    fn start(
        &self,
        asked: &Asked,
        inputs: &[f32],
        tasks: &[Task],
        done: stk_done_callback,
        user: *mut c_void,
        out: Out<*mut stk_job>,
    ) -> Answer {
        let user = User::new(user);
        let done = done.map(|done| -> Box<dyn FnOnce() + Send> { Box::new(move || user.call_done(done)) });
        let batch = self.submit(asked, inputs, tasks, done)?;
        out.give(Work::new(batch, Arc::clone(&self.identity)));
        Ok(())
    }
}

/// Hands over results. Those that were cut short are handed over with the failure that says so; other failures hand over
/// nothing.
pub(super) fn finish(results: Results, out: Out<*mut stk_result>) -> Answer {
    match results.failure() {
        None => {
            out.give(results);
            Ok(())
        }
        Some(failure) => {
            if is_partial(&failure) {
                out.give(results);
            }
            log::error(format_args!("run: {}", failure.message));
            Err(failure)
        }
    }
}

fn is_partial(failure: &Failure) -> bool {
    matches!(failure.status, STK_STATUS_CANCELLED | STK_STATUS_DEADLINE_EXCEEDED | STK_STATUS_RUN)
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

/// `count` inputs, one behind the other.
fn inputs<'a>(args: &'a super::ffi::Args, open: &Open, inputs: *const f32, count: usize) -> Answer<&'a [f32]> {
    if count == 0 {
        return Err(Error::argument("count", "there must be at least one input").into());
    }
    let elements = open.model.signature().elements;
    let len = count.checked_mul(elements);
    let len = len.ok_or_else(|| Error::argument("count", format!("{count} inputs are more than memory can hold")))?;
    args.array(inputs, len, "inputs")
}

/// Tasks of certify: the label of each input, fixed or to be selected.
fn certify_tasks(args: &super::ffi::Args, labels: *const i64, count: usize) -> Answer<Vec<Task>> {
    let Some(labels) = args.array_or_null(labels, count, "labels")? else {
        return Ok(vec![Task::CertifySelected; count]);
    };
    let task = |(i, &label)| Ok(from_label(label, i)?.map_or(Task::CertifySelected, Task::Certify));
    labels.iter().enumerate().map(task).collect()
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

/// Predicts the smoothed classifier's top-k set at each input, or abstains. Blocks. Safe from any number of threads.
///
/// @param model Not NULL.
/// @param request Not NULL.
/// @param inputs `count` x elements float32, row-major, on sigma's scale, all finite. Not NULL.
/// @param count At least 1.
/// @param out Not NULL. Gets the result; free it with stk_result_free. Also set when the status is STK_STATUS_CANCELLED,
/// STK_STATUS_DEADLINE_EXCEEDED or STK_STATUS_RUN: the result then has the answers that were finished, and the counts so far
/// of the other inputs. Not touched with any other status.
/// @param err May be NULL.
/// @return STK_STATUS_OK if every input has its answer (an abstention is one); else why the first one has none:
/// STK_STATUS_INVALID_ARGUMENT if the request does not fit the model; STK_STATUS_INVALID_DATA for an input that is not finite;
/// STK_STATUS_CANCELLED, STK_STATUS_DEADLINE_EXCEEDED, STK_STATUS_RUN.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_predict(
    model: *const stk_model,
    request: *const stk_request,
    inputs: *const f32,
    count: usize,
    out: *mut *mut stk_result,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args| {
        let (open, asked) = (args.shared(model, "model")?, args.shared(request, "request")?);
        let out = args.out(out, "out")?;
        let inputs = self::inputs(args, open, inputs, count)?;
        open.run(asked, inputs, &vec![Task::Predict; count], out)
    })
}

/// Certifies, for each input and each k, the l2 radius within which a label stays in the smoothed classifier's top k. Blocks.
/// Safe from any number of threads.
///
/// @param model Not NULL.
/// @param request Not NULL.
/// @param inputs `count` x elements float32, row-major, on sigma's scale, all finite. Not NULL.
/// @param count At least 1.
/// @param labels `count` labels, fixed before any row is drawn; STK_NO_LABEL: the label most frequent among n0 rows of their
/// own. May be NULL: all are selected so.
/// @param out Not NULL. As for stk_model_predict.
/// @param err May be NULL.
/// @return As stk_model_predict; STK_STATUS_OK also where nothing is certified (radius 0).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_certify(
    model: *const stk_model,
    request: *const stk_request,
    inputs: *const f32,
    count: usize,
    labels: *const i64,
    out: *mut *mut stk_result,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args| {
        let (open, asked) = (args.shared(model, "model")?, args.shared(request, "request")?);
        let out = args.out(out, "out")?;
        let inputs = self::inputs(args, open, inputs, count)?;
        open.run(asked, inputs, &certify_tasks(args, labels, count)?, out)
    })
}

/// Counts the labels of the samples first .. first + rows - 1 of the estimation noise of one input, with the request's sigma,
/// seed, key and input_max: counts of disjoint ranges add to those that a certify of all of them draws (predict has rows of
/// its own). Blocks. Safe from any number of threads.
///
/// @param model Not NULL.
/// @param request Not NULL. Its seed should be set: ranges under different seeds are not parts of one sample.
/// @param input One input: elements float32, on sigma's scale, all finite. Not NULL.
/// @param first The first sample.
/// @param rows How many, at least 1; first + rows is at most 10^12.
/// @param out Not NULL. Gets the counts; free them with stk_counts_free. Also set, with the counts so far, when the status is
/// STK_STATUS_CANCELLED, STK_STATUS_DEADLINE_EXCEEDED or STK_STATUS_RUN; which samples those are is not determined.
/// @param err May be NULL.
/// @return As stk_model_predict.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_sample(
    model: *const stk_model,
    request: *const stk_request,
    input: *const f32,
    first: u64,
    rows: u64,
    out: *mut *mut stk_counts,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args| {
        let (open, asked) = (args.shared(model, "model")?, args.shared(request, "request")?);
        let out = args.out(out, "out")?;
        let input = args.array(input, open.model.signature().elements, "input")?;
        let end = first.checked_add(rows);
        let end = end.ok_or_else(|| Error::argument("rows", "first + rows overflows 64 bits"))?;
        let draw = open.smoothed.submit_samples(input, first..end, &asked.request, asked.key, asked.control(None))?;
        if let Some(progress) = asked.progress() {
            draw.wait_with(progress);
        }
        let drawn = draw.wait();
        match drawn.stopped.map(Failure::from) {
            None => out.give(drawn.counts),
            Some(failure) => {
                if is_partial(&failure) {
                    out.give(drawn.counts);
                }
                return Err(failure);
            }
        }
        Ok(())
    })
}

/// Starts stk_model_predict and returns at once. The request's timeout and cancel token hold for the job.
///
/// @param model Not NULL.
/// @param request Not NULL. Not used any more when the call returns.
/// @param inputs As for stk_model_predict. Copied.
/// @param count At least 1.
/// @param done May be NULL. Called exactly once if STK_STATUS_OK is returned, and else never: see stk_done_callback.
/// @param user Passed to it; may be NULL.
/// @param out Not NULL. Gets the job; free it with stk_job_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, STK_STATUS_INVALID_DATA.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_submit_predict(
    model: *const stk_model,
    request: *const stk_request,
    inputs: *const f32,
    count: usize,
    done: stk_done_callback,
    user: *mut c_void,
    out: *mut *mut stk_job,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args| {
        let (open, asked) = (args.shared(model, "model")?, args.shared(request, "request")?);
        let out = args.out(out, "out")?;
        let inputs = self::inputs(args, open, inputs, count)?;
        open.start(asked, inputs, &vec![Task::Predict; count], done, user, out)
    })
}

/// Starts stk_model_certify and returns at once. The request's timeout and cancel token hold for the job.
///
/// @param model Not NULL.
/// @param request Not NULL. Not used any more when the call returns.
/// @param inputs As for stk_model_certify. Copied.
/// @param count At least 1.
/// @param labels As for stk_model_certify. May be NULL. Copied.
/// @param done May be NULL. Called exactly once if STK_STATUS_OK is returned, and else never: see stk_done_callback.
/// @param user Passed to it; may be NULL.
/// @param out Not NULL. Gets the job; free it with stk_job_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, STK_STATUS_INVALID_DATA.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_submit_certify(
    model: *const stk_model,
    request: *const stk_request,
    inputs: *const f32,
    count: usize,
    labels: *const i64,
    done: stk_done_callback,
    user: *mut c_void,
    out: *mut *mut stk_job,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args| {
        let (open, asked) = (args.shared(model, "model")?, args.shared(request, "request")?);
        let out = args.out(out, "out")?;
        let inputs = self::inputs(args, open, inputs, count)?;
        open.start(asked, inputs, &certify_tasks(args, labels, count)?, done, user, out)
    })
}
