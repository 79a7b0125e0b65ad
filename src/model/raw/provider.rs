//! Adding an execution provider that `ort` has no type for.

use std::ffi::CString;

use ort::AsPointer;
use ort::session::builder::SessionBuilder;

use super::{RawResult, check};

/// Adds a provider by ONNX Runtime's name for it.
pub(in crate::model) fn append_provider(
    builder: &mut SessionBuilder,
    name: &str,
    options: &[(String, String)],
) -> RawResult<()> {
    let text = |text: &str| CString::new(text).map_err(|_| format!("{text:?} holds a NUL"));
    let name = text(name)?;
    let (keys, values): (Vec<_>, Vec<_>) = options
        .iter()
        .map(|(key, value)| Ok((text(key)?, text(value)?)))
        .collect::<RawResult<Vec<_>>>()?
        .into_iter()
        .unzip();
    let pointers = |list: &[CString]| list.iter().map(|text| text.as_ptr()).collect::<Vec<_>>();
    let (key_pointers, value_pointers) = (pointers(&keys), pointers(&values));
    // SAFETY: the options are live and exclusively borrowed; all strings live during the call, which copies them.
    check(unsafe {
        (ort::api().SessionOptionsAppendExecutionProvider)(
            builder.ptr_mut(),
            name.as_ptr(),
            key_pointers.as_ptr(),
            value_pointers.as_ptr(),
            options.len(),
        )
    })
}
