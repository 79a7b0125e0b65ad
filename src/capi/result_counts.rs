//! `stk_result`: the counts that answers rest on.

use super::counts::stk_counts;
use super::error::stk_error;
use super::ffi::call;
use super::result::stk_result;
use super::status::stk_status;

/// The counts of the samples that one input's answer rests on: certifying them again, as the request did, gives the
/// answer again. Where the input has no answer, those that were drawn: cut short, they certify and predict nothing.
///
/// @param result Not NULL.
/// @param input The input's index, below stk_result_len.
/// @param out Not NULL. Gets new counts, which outlive the result; free them with stk_counts_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_result_counts(
    result: *const stk_result,
    input: usize,
    out: *mut *mut stk_counts,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, result| {
        let results = result.shared()?;
        let out = args.out(out, "out")?;
        out.give(results.entry(input)?.outcome.counts.clone().into());
        Ok(())
    })
}

/// As stk_result_counts, of one k: with several k under a rule the part of the answer for one may rest on an earlier
/// look, of fewer samples (the summary's n_certified).
///
/// @param result Not NULL.
/// @param input The input's index, below stk_result_len.
/// @param k_index The index of the k in the request, below stk_result_k_len.
/// @param out Not NULL. Gets new counts, which outlive the result; free them with stk_counts_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_result_counts_of_k(
    result: *const stk_result,
    input: usize,
    k_index: usize,
    out: *mut *mut stk_counts,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, result| {
        let results = result.shared()?;
        let out = args.out(out, "out")?;
        let entry = results.entry(input)?;
        entry.check_k(k_index)?;
        out.give(entry.counts_of_k(k_index).clone().into());
        Ok(())
    })
}

/// The counts of the n0 samples that selected: the label, how alpha is split, or the labels of an answer. They cannot
/// certify a label; they may be the pilot of stk_counts_guarantee.
///
/// @param result Not NULL.
/// @param input The input's index, below stk_result_len.
/// @param out Not NULL. Gets new counts, which outlive the result; free them with stk_counts_free. NULL where there are
/// no such samples.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_result_selection(
    result: *const stk_result,
    input: usize,
    out: *mut *mut stk_counts,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, result| {
        let results = result.shared()?;
        let out = args.out(out, "out")?;
        match &results.entry(input)?.outcome.selection {
            Some(counts) => out.give(counts.clone().into()),
            None => out.give_none(),
        }
        Ok(())
    })
}
