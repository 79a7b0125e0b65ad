//! `stk_counts`: their JSON.

use std::ffi::c_char;

use super::counts::{Held, stk_counts};
use super::error::stk_error;
use super::ffi::{c_string, call};
use super::status::stk_status;
use crate::counts::Counts;

impl Held {
    /// The text lives as long as the counts are not changed; a statement that is made from them makes another text, not
    /// this one.
    fn json(&self, secret: bool) -> *const c_char {
        let slot = usize::from(secret) + 2 * usize::from(self.counts.is_seen());
        let write = || match secret {
            false => self.counts.to_json(),
            true => self.counts.to_json_with_secret(),
        };
        self.texts[slot].get_or_init(|| c_string(&write())).as_ptr()
    }
}

/// The counts as a JSON object (format smoothtopk-counts 1.0), with all that decides what they prove, and a digest in
/// the place of the seed or key: for showing to others. A short seed can be guessed from its digest. Safe from any
/// thread.
///
/// @param counts Not NULL.
/// @param json Not NULL. Gets a UTF-8 string that lives until `counts` is added to or freed.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_json(
    counts: *const stk_counts,
    json: *mut *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, counts| {
        let held = counts.shared()?;
        args.out(json, "json")?.set(held.json(false));
        Ok(())
    })
}

/// As stk_counts_json, with the seed or key, so that the samples can be drawn again: whoever reads it knows the noise.
/// Keep it from adversaries as long as the seed or key is in use.
///
/// @param counts Not NULL.
/// @param json Not NULL. Gets a UTF-8 string that lives until `counts` is added to or freed.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_json_with_secret(
    counts: *const stk_counts,
    json: *mut *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, counts| {
        let held = counts.shared()?;
        args.out(json, "json")?.set(held.json(true));
        Ok(())
    })
}

/// Reads counts that stk_counts_json or stk_counts_json_with_secret wrote. It does not tell whether their numbers are
/// true: read only what you trust.
///
/// @param json UTF-8. Not NULL.
/// @param out Not NULL. Gets the counts; free them with stk_counts_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL; STK_STATUS_INVALID_DATA when the text is not JSON of
/// this form, has a field that this version does not know, or contradicts itself: costs that are not those of the
/// noise, ranges of samples that overlap, a number of samples that is not that of the ranges.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_from_json(
    json: *const c_char,
    out: *mut *mut stk_counts,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args| {
        let text = args.text(json, "json")?;
        args.out(out, "out")?.give(Counts::from_json(text)?.into());
        Ok(())
    })
}
