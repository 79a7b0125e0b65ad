//! The memory that a session's runs share: how much of it they have held, and giving back what is not held now.

use std::ffi::CStr;
use std::ptr;

use ort::AsPointer;
use ort::session::SharedSessionInner;

use super::tensor::host_memory;
use super::{RawResult, check};

/// The key of the option that has a run give the arena's free memory back when it ends, and its value for the
/// processor's arena.
pub(in crate::model) const SHRINK: (&str, &str) = ("memory.enable_memory_arena_shrinkage", "cpu:0");

/// Bytes that were held at once at most since the session was opened, its weights included.
pub(in crate::model) fn most_held(session: &SharedSessionInner) -> RawResult<u64> {
    let api = ort::api();
    let (mut allocator, mut stats) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the session is live; allocator and statistics are owned by us, read while they live, and released once.
    unsafe {
        check((api.CreateAllocator)(session.ptr(), host_memory()?, &mut allocator))?;
        let got = check((api.AllocatorGetStats)(allocator, &mut stats));
        let value = got.map(|()| {
            let text = (api.GetKeyValue)(stats, c"MaxInUse".as_ptr());
            let text = if text.is_null() { None } else { CStr::from_ptr(text).to_str().ok() };
            text.and_then(|text| text.parse::<u64>().ok())
        });
        (api.ReleaseKeyValuePairs)(stats);
        (api.ReleaseAllocator)(allocator);
        value?.ok_or_else(|| "the arena does not say what it held".to_owned())
    }
}
