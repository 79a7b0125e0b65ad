//! `stk_model_options`: devices, their arithmetic, what happens without them, and the batch plan.

use std::ffi::c_char;
use std::path::PathBuf;

use super::error::stk_error;
use super::ffi::call;
use super::model_options::stk_model_options;
use super::status::stk_status;
use crate::Error;

/// Sets whether the measured batch is looked up in this user's cache folder, and kept there: a model that was opened
/// before on this machine is then not measured again. The folder is the one that the environment variable
/// SMOOTHTOPK_CACHE names, or else the platform's cache folder (on Linux $XDG_CACHE_HOME/smoothtopk, by default
/// ~/.cache/smoothtopk); where the variable is empty or "off" nothing is kept. A folder that cannot be read or written
/// is said in the log and is no error. Counts do not depend on it.
///
/// @param options Not NULL.
/// @param on The default is true.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_plan_cache(
    options: *mut stk_model_options,
    on: bool,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, options| {
        options.exclusive()?.plan_cache = on;
        Ok(())
    })
}

/// Sets whether a model is opened on the processor where the provider cannot be used. stk_model_fallback and records
/// then say why.
///
/// @param options Not NULL.
/// @param allow The default is false: the model is not opened.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_allow_fallback(
    options: *mut stk_model_options,
    allow: bool,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, options| {
        options.exclusive()?.model.allow_fallback = allow;
        Ok(())
    })
}

/// Sets the GPUs that share the rows, for "cuda" and "tensorrt": the provider's own device is then not used. Counts do
/// not depend on which device draws a row, as far as the model gives the same label on each.
///
/// @param options Not NULL.
/// @param devices `count` indices, each one once. Copied. May be NULL if count is 0.
/// @param count Their number. 0: the provider's own device.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT. Whether they are there shows when a model is opened.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_devices(
    options: *mut stk_model_options,
    devices: *const u32,
    count: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, options| {
        let devices = args.array(devices, count, "devices")?.to_vec();
        if let Some(twice) = devices.iter().enumerate().find(|(at, device)| devices[..*at].contains(device)) {
            return Err(Error::argument("devices", format!("{} is named twice", twice.1)).into());
        }
        options.exclusive()?.devices = devices;
        Ok(())
    })
}

/// Sets whether CUDA multiplies float32 with 10 bits of fraction (TF32), where the GPU can: faster, and another base
/// classifier than float32's. stk_model_arithmetic and records say so.
///
/// @param options Not NULL.
/// @param on The default is false.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL. Other providers than "cuda" and "tensorrt" do not take
/// it: the model is then not opened.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_cuda_tf32(
    options: *mut stk_model_options,
    on: bool,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, options| {
        options.exclusive()?.model.cuda.tf32 = on;
        Ok(())
    })
}

/// Sets options of TensorRT. A lower precision is another base classifier than float32's: stk_model_arithmetic and
/// records say so.
///
/// @param options Not NULL.
/// @param fp16 Whether it may compute in float16 where that is faster. The default is false.
/// @param bf16 The same for bfloat16.
/// @param cache_folder Where built engines and timings are kept, which take minutes to make; made if need be. UTF-8,
/// not empty. NULL, the default: they are not kept.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT. Other providers than "tensorrt" do not take them: the model is
/// then not opened.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_options_set_tensorrt(
    options: *mut stk_model_options,
    fp16: bool,
    bf16: bool,
    cache_folder: *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, options| {
        let cache = match cache_folder.is_null() {
            true => None,
            false => Some(PathBuf::from(args.text(cache_folder, "cache_folder")?)),
        };
        if cache.as_ref().is_some_and(|folder| folder.as_os_str().is_empty()) {
            return Err(Error::argument("cache_folder", "must not be empty: NULL keeps nothing").into());
        }
        let tensorrt = &mut options.exclusive()?.model.tensorrt;
        (tensorrt.fp16, tensorrt.bf16, tensorrt.cache) = (fp16, bf16, cache);
        Ok(())
    })
}
