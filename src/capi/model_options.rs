//! `stk_model_options`.

use std::ffi::c_char;
use std::path::PathBuf;

use super::error::stk_error;
use super::ffi::{FfiResult, Handle, call, free, opaque};
use super::status::stk_status;
use crate::model::{Constant, ModelOptions, Provider};
use crate::sampler::Limits;
use crate::{Error, ErrorKind};

/// How a model is opened. Setters check their value at once, as far as that is possible without the model, and need
/// exclusive use; opening a model only reads the options and keeps nothing of them.
pub struct stk_model_options(Handle<Settings>);
opaque!(stk_model_options holds Settings);

/// What the options hold.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub model: ModelOptions,
    /// Empty: the provider's own.
    pub devices: Vec<u32>,
    /// None: one a usable core on the CPU, one elsewhere.
    pub threads: Option<usize>,
    /// None: measured.
    pub batch: Option<usize>,
    /// Whether a measured plan is looked up and kept.
    pub plan_cache: bool,
    /// The most that may be under way at once.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: ModelOptions::default(),
            devices: Vec::new(),
            threads: None,
            batch: None,
            plan_cache: true,
            limits: Limits::default(),
        }
    }
}

/// More threads than any machine has.
const MAX_THREADS: usize = 1024;
/// More rows than any model gains from.
const MAX_BATCH: usize = 1 << 20;

fn at_most(field: &str, value: usize, most: usize) -> FfiResult<Option<usize>> {
    match value {
        0 => Ok(None),
        _ if value <= most => Ok(Some(value)),
        _ => Err(Error::argument(field, format!("must be from 0 to {most}, got {value}")).into()),
    }
}

fn not_empty(field: &str, value: &str) -> FfiResult<String> {
    match value {
        "" => Err(Error::argument(field, "must not be empty").into()),
        value => Ok(value.to_owned()),
    }
}

/// A library's file.
fn existing_file(path: &str) -> FfiResult<PathBuf> {
    let path = PathBuf::from(not_empty("path", path)?);
    if path.is_file() {
        return Ok(path);
    }
    let message = format!("{} is not a file", path.display());
    Err(Error::new(ErrorKind::NotFound, message).with_field("path").into())
}

/// Makes options with the defaults: the processor, one thread a usable core, a measured batch; what the model itself
/// shows.
///
/// @param out Not NULL. Gets the options; free them with stk_model_options_free.
/// @param err May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_new(
    out: *mut *mut stk_model_options,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args| {
        args.out(out, "out")?.give(Settings::default());
        Ok(())
    })
}

/// Frees options.
///
/// @param options May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_free(options: *mut stk_model_options) {
    free!(options);
}

/// Sets where the model runs. Nothing falls back to another provider unless stk_model_options_set_allow_fallback allows
/// it: the model is then not opened. With "cuda" and "tensorrt", noise, model, labels and counts stay on the device.
///
/// @param options Not NULL.
/// @param provider "cpu", "cuda", "cuda:ID", "tensorrt", "tensorrt:ID", "openvino", or ONNX Runtime's name of any
/// provider it has, such as "OpenVINOExecutionProvider". Not NULL.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT. Whether it is there shows when a model is opened, or with
/// stk_runtime_check_provider.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_provider(
    options: *mut stk_model_options,
    provider: *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, options| {
        let provider = Provider::named(args.text(provider, "provider")?)?;
        options.exclusive()?.model.provider = provider;
        Ok(())
    })
}

/// Sets an option of the provider, under ONNX Runtime's own name for it, such as "cudnn_conv_algo_search". Replaces an
/// earlier value of the same key. stk_model_arithmetic and records say it: it may make another base classifier.
///
/// @param options Not NULL.
/// @param key Not NULL, not empty.
/// @param value Not NULL.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT. What the provider makes of it shows when a model is opened.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_provider_option(
    options: *mut stk_model_options,
    key: *const c_char,
    value: *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, options| {
        let key = not_empty("key", args.text(key, "key")?)?;
        let value = args.text(value, "value")?.to_owned();
        let set = &mut options.exclusive()?.model.provider_options;
        set.retain(|(other, _)| *other != key);
        set.push((key, value));
        Ok(())
    })
}

/// Sets the library of a plug-in provider, which is registered with ONNX Runtime when a model is opened and then stays
/// for the life of the process; the provider's name says which of its providers is used.
///
/// @param options Not NULL.
/// @param path The library's file; must exist. Not NULL.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT; STK_STATUS_NOT_FOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_provider_library(
    options: *mut stk_model_options,
    path: *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, options| {
        let path = existing_file(args.text(path, "path")?)?;
        options.exclusive()?.model.provider_library = Some(path);
        Ok(())
    })
}

/// Adds a library of custom operators, whose function RegisterCustomOps ONNX Runtime calls when a model is opened. It
/// stays for the life of the process. Its code is part of what the model computes: stk_model_sha256 is then of the
/// listing of the hashes of the model and its libraries, in their order.
///
/// @param options Not NULL.
/// @param path The library's file; must exist. Not NULL.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT; STK_STATUS_NOT_FOUND. A library that gives no operators is
/// refused when a model is opened, with STK_STATUS_MODEL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_add_custom_ops(
    options: *mut stk_model_options,
    path: *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, options| {
        let path = args.text(path, "path")?;
        options.exclusive()?.model.custom_ops.push(existing_file(path)?);
        Ok(())
    })
}

/// Sets how many threads run batches side by side.
///
/// @param options Not NULL.
/// @param threads At most 1024. 0: one for each core this process may use on the processor, or for every second one
/// where that is measured to be faster; one for each device on GPUs, which takes no more; one on other providers.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_threads(
    options: *mut stk_model_options,
    threads: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, options| {
        let threads = at_most("threads", threads, MAX_THREADS)?;
        options.exclusive()?.threads = threads;
        Ok(())
    })
}

/// Sets the rows of one run. Counts do not depend on it.
///
/// @param options Not NULL.
/// @param batch At most 1048576. 0: the model's own where that is fixed, else measured when the model is opened, which
/// takes about two seconds, or as kept from an earlier time: stk_model_options_set_plan_cache. TensorRT builds an
/// engine for every batch that is tried, which takes minutes: give it one.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_batch(
    options: *mut stk_model_options,
    batch: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, options| {
        let batch = at_most("batch", batch, MAX_BATCH)?;
        options.exclusive()?.batch = batch;
        Ok(())
    })
}

/// Limits memory. On the processor: of this library's input and output buffers, all threads together; a batch that
/// needs more is refused, and a measured one stays below. On CUDA and TensorRT: of the provider's arena on the device
/// (gpu_mem_limit). No other provider takes a limit: the model is then not opened.
///
/// @param options Not NULL.
/// @param bytes 0: no limit.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_memory_limit(
    options: *mut stk_model_options,
    bytes: u64,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, options| {
        options.exclusive()?.model.memory_limit = (bytes > 0).then_some(bytes);
        Ok(())
    })
}

/// Names the input that is classified, where the model has several.
///
/// @param options Not NULL.
/// @param name Not NULL, not empty.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_input(
    options: *mut stk_model_options,
    name: *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, options| {
        let name = not_empty("name", args.text(name, "name")?)?;
        options.exclusive()?.model.input = Some(name);
        Ok(())
    })
}

/// Sets the shape of one input, without the batch, where the model leaves a dimension open.
///
/// @param options Not NULL.
/// @param dims `len` sizes, each at least 1. Not NULL. Copied.
/// @param len At least 1.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_input_shape(
    options: *mut stk_model_options,
    dims: *const usize,
    len: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, options| {
        let dims = args.array(dims, len, "dims")?;
        let elements = dims.iter().try_fold(1usize, |count, &dim| count.checked_mul(dim));
        if dims.is_empty() || !elements.is_some_and(|elements| elements > 0 && elements <= isize::MAX as usize / 8) {
            return Err(Error::argument("dims", format!("{dims:?} is not the shape of an input")).into());
        }
        options.exclusive()?.model.input_shape = Some(dims.to_vec());
        Ok(())
    })
}

/// Names the output that holds the scores, where the model has several and none is named logits, scores or
/// probabilities.
///
/// @param options Not NULL.
/// @param name Not NULL, not empty.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_output(
    options: *mut stk_model_options,
    name: *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, options| {
        let name = not_empty("name", args.text(name, "name")?)?;
        options.exclusive()?.model.output = Some(name);
        Ok(())
    })
}

/// Sets the number of classes, for a model that gives the label itself.
///
/// @param options Not NULL.
/// @param classes From 2 to 2^31 - 1. Each takes about 64 bytes of each input of a call.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_classes(
    options: *mut stk_model_options,
    classes: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, options| {
        if classes < 2 || i32::try_from(classes).is_err() {
            let message = format!("must be from 2 to {}, got {classes}", i32::MAX);
            return Err(Error::argument("classes", message).into());
        }
        options.exclusive()?.model.classes = Some(classes);
        Ok(())
    })
}

/// Sets the score above which the label is 1, for a model with one score per row: 0 for a logit, 0.5 for a probability.
///
/// @param options Not NULL.
/// @param threshold Finite.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_threshold(
    options: *mut stk_model_options,
    threshold: f64,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, options| {
        if !threshold.is_finite() {
            return Err(Error::argument("threshold", format!("must be finite, got {threshold}")).into());
        }
        options.exclusive()?.model.threshold = Some(threshold);
        Ok(())
    })
}

/// Says that the model is a multi-label one: a sample is given the labels of its base_k highest scores, or with a
/// threshold (stk_model_options_set_threshold) those of them that are above it. Its samples are counted by
/// stk_model_sample, and its counts certify sets of true labels: stk_counts_certify_labels.
///
/// @param options Not NULL.
/// @param base_k From 1 to the number of labels.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_base_k(
    options: *mut stk_model_options,
    base_k: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, options| {
        if base_k == 0 {
            return Err(Error::argument("base_k", "must be at least 1").into());
        }
        options.exclusive()?.model.base_k = Some(base_k);
        Ok(())
    })
}

/// Sets what happens to a row after the noise and before the model: (x - mean) / std_dev.
///
/// @param options Not NULL.
/// @param mean `mean_len` finite values: none, one, or one per channel (per feature, if flat). May be NULL if mean_len
/// is 0.
/// @param mean_len Their number.
/// @param std_dev `std_len` positive, finite values: none, one, or one per channel. May be NULL if std_len is 0.
/// @param std_len Their number.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_normalization(
    options: *mut stk_model_options,
    mean: *const f32,
    mean_len: usize,
    std_dev: *const f32,
    std_len: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, options| {
        let mean = args.array(mean, mean_len, "mean")?;
        let std = args.array(std_dev, std_len, "std_dev")?;
        if let Some(value) = mean.iter().find(|value| !value.is_finite()) {
            return Err(Error::argument("mean", format!("must be finite, got {value}")).into());
        }
        if let Some(value) = std.iter().find(|value| !(value.is_finite() && **value > 0.0)) {
            return Err(Error::argument("std_dev", format!("must be finite and above 0, got {value:?}")).into());
        }
        let options = &mut options.exclusive()?.model;
        (options.mean, options.std) = (mean.to_vec(), std.to_vec());
        Ok(())
    })
}

/// Sets the value of a further input, the same in every run and for every row. Replaces an earlier value of the same
/// input.
///
/// @param options Not NULL.
/// @param name The input's name. Not NULL, not empty.
/// @param values One value, which fills the input's shape, or as many as the shape holds, row-major. Not NULL. Copied.
/// @param len Their number, at least 1.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_constant(
    options: *mut stk_model_options,
    name: *const c_char,
    values: *const f64,
    len: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, options| {
        let name = not_empty("name", args.text(name, "name")?)?;
        let values = args.array(values, len, "values")?.to_vec();
        if values.is_empty() {
            return Err(Error::argument("values", "there must be at least one").into());
        }
        let constants = &mut options.exclusive()?.model.constants;
        constants.retain(|constant| constant.name != name);
        constants.push(Constant { name, values });
        Ok(())
    })
}
