//! ONNX Runtime: which copy of it this process uses.

use std::ffi::{CString, c_char, c_void};
use std::path::Path;
use std::sync::OnceLock;

use super::error::stk_error;
use super::ffi::{c_string, call};
use super::status::stk_status;
use crate::Result;
use crate::model::{Provider, Runtime};

/// Loads ONNX Runtime. There is one a process, and the first stays; opening a model loads it if nothing else has.
///
/// Loading sets the environment variable ORT_DISABLE_TELEMETRY, unless it is set: load before other threads read the
/// environment.
///
/// @param path The library's file or its folder. May be NULL: the first of the variables SMOOTHTOPK_ONNXRUNTIME and
/// ORT_DYLIB_PATH (a file or a folder), the folders of this library and of the program, the system's loader.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_RUNTIME if it is not there, cannot be loaded or is too old, or if another one is
/// in use already; the file of the one in use is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_runtime_load(path: *const c_char, err: *mut *mut stk_error) -> stk_status {
    call!(err, |args| {
        Runtime::load(args.text_or_null(path, "path")?.map(Path::new))?;
        Ok(())
    })
}

/// Uses the host's own copy of ONNX Runtime: after this nothing is loaded. The copy that is in use already is fine.
///
/// @param ort_api_base What the host's OrtGetApiBase() returned, a const OrtApiBase*; version 1.24 or later. Not NULL.
/// It must stay loaded for the life of the process.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL; STK_STATUS_RUNTIME if it is too old, or if another copy
/// is in use already.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_runtime_use_api_base(ort_api_base: *const c_void, err: *mut *mut stk_error) -> stk_status {
    call!(err, |args| {
        Runtime::adopt(args.api_base(ort_api_base, "ort_api_base")?)?;
        Ok(())
    })
}

/// ONNX Runtime's version, such as "1.31.1". Loads it if needed.
///
/// @param out Not NULL. Gets a static string.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_RUNTIME.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_runtime_version(out: *mut *const c_char, err: *mut *mut stk_error) -> stk_status {
    call!(err, |args| {
        let out = args.out(out, "out")?;
        out.set(texts()?.version.as_ptr());
        Ok(())
    })
}

/// The file of ONNX Runtime's library. Loads it if needed.
///
/// @param out Not NULL. Gets a static string, UTF-8; "" for the host's own copy, if stk_runtime_use_api_base brought
/// it.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_RUNTIME.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_runtime_path(out: *mut *const c_char, err: *mut *mut stk_error) -> stk_status {
    call!(err, |args| {
        let out = args.out(out, "out")?;
        out.set(texts()?.path.as_ptr());
        Ok(())
    })
}

/// Opens a tiny model on a provider, to tell whether it can be used. Loads ONNX Runtime if needed.
///
/// @param provider As for stk_model_options_set_provider. Not NULL.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_PROVIDER, with what is missing; STK_STATUS_INVALID_ARGUMENT; STK_STATUS_RUNTIME.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_runtime_check_provider(provider: *const c_char, err: *mut *mut stk_error) -> stk_status {
    call!(err, |args| {
        let provider = Provider::named(args.text(provider, "provider")?)?;
        Ok(Runtime::load(None)?.check_provider(&provider)?)
    })
}

struct Texts {
    version: CString,
    path: CString,
}

fn texts() -> Result<&'static Texts> {
    static TEXTS: OnceLock<Texts> = OnceLock::new();
    let runtime = Runtime::load(None)?;
    let make = || Texts { version: c_string(runtime.version()), path: c_string(&runtime.path().to_string_lossy()) };
    Ok(TEXTS.get_or_init(make))
}
