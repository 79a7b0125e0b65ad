//! Arbitrary bytes as a model, through the C ABI.
//!
//!     cargo +nightly fuzz run model fuzz/corpus/model ../tests/models
#![no_main]

use std::ptr::null_mut;

use libfuzzer_sys::fuzz_target;
use smoothtopk::capi::*;

fuzz_target!(|data: &[u8]| {
    let (mut options, mut model) = (null_mut(), null_mut());
    // SAFETY: as the header says.
    unsafe {
        assert_eq!(stk_model_options_new(&mut options, null_mut()), STK_STATUS_OK);
        assert_eq!(stk_model_options_set_batch(options, 2, null_mut()), STK_STATUS_OK);
        assert_eq!(stk_model_options_set_threads(options, 1, null_mut()), STK_STATUS_OK);
        let bytes = if data.is_empty() { std::ptr::dangling() } else { data.as_ptr() };
        let status = stk_model_open_memory(bytes.cast(), data.len(), options, &mut model, null_mut());
        assert!(status != STK_STATUS_PANIC && status != STK_STATUS_INTERNAL);
        stk_model_free(model);
        stk_model_options_free(options);
    }
});
