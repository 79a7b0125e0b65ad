//! `stk_result`: what certify_answer gives.

use super::error::stk_error;
use super::ffi::call;
use super::guarantee::stk_guarantee;
use super::result::stk_result;
use super::status::stk_status;
use crate::Error;
use crate::smoothed::{Answer, Outcome, Task};

/// What certify_answer guarantees for one input and one k. Its labels are given by stk_result_labels.
///
/// @param result Not NULL. Of certify_answer.
/// @param input The input's index, below stk_result_len.
/// @param k_index The index of the k in the request, below stk_result_k_len.
/// @param out Not NULL. Gets the guarantee; where the input has no answer (the summary's status), one with radii of 0.
/// @param out_size sizeof *out: fields beyond it are not written, bytes beyond this library's struct become 0.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, also for a result of another task.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_result_guarantee(
    result: *const stk_result,
    input: usize,
    k_index: usize,
    out: *mut stk_guarantee,
    out_size: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, result| {
        let results = result.shared()?;
        let out = args.out_sized(out, out_size, "out")?;
        let entry = results.entry(input)?;
        entry.check_k(k_index)?;
        let Outcome { answer, counts, selection, request, task, .. } = &entry.outcome;
        if *task != Task::CertifyAnswer {
            return Err(Error::argument("result", "is of another task: only certify_answer gives guarantees").into());
        }
        let asked = stk_guarantee {
            k: request.k[k_index] as u64,
            n: counts.n(),
            n0: selection.as_ref().map_or(0, |counts| counts.n()),
            noise_scale: request.family.parameter(),
            alpha: request.alpha,
            ..stk_guarantee::EMPTY
        };
        match answer {
            Ok(Answer::Guarantees(list)) => asked.holding(&list[k_index]).write(out),
            _ => asked.write(out),
        }
        Ok(())
    })
}

/// certify_answer: for each returned label, in the order of stk_result_labels, the radius within which it stays in the
/// top k; 0 for none. All of them together are one statement at alpha.
///
/// @param result Not NULL.
/// @param input The input's index, below stk_result_len.
/// @param k_index The index of the k in the request, below stk_result_k_len.
/// @param radii Not NULL. Gets an array that lives as long as the result.
/// @param len Not NULL. Gets its length: k; 0 where the input has no answer, and for results of other tasks.
/// @param err May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_result_label_radii(
    result: *const stk_result,
    input: usize,
    k_index: usize,
    radii: *mut *const f64,
    len: *mut usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, result| {
        let results = result.shared()?;
        let (radii, len) = (args.out(radii, "radii")?, args.out(len, "len")?);
        let entry = results.entry(input)?;
        entry.check_k(k_index)?;
        let (each, _) = &entry.radii[k_index];
        radii.set(each.as_ptr());
        len.set(each.len());
        Ok(())
    })
}

/// certify_answer: at index e - 1 the radius within which at least e of the k returned labels stay in the top k, 0 for
/// none; infinity where so many stay whatever happens, because too few labels are outside. Each is a statement at alpha
/// of its own.
///
/// @param result Not NULL.
/// @param input The input's index, below stk_result_len.
/// @param k_index The index of the k in the request, below stk_result_k_len.
/// @param radii Not NULL. Gets an array that lives as long as the result.
/// @param len Not NULL. Gets its length: k; 0 where the input has no answer, and for results of other tasks.
/// @param err May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_result_kept_radii(
    result: *const stk_result,
    input: usize,
    k_index: usize,
    radii: *mut *const f64,
    len: *mut usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, result| {
        let results = result.shared()?;
        let (radii, len) = (args.out(radii, "radii")?, args.out(len, "len")?);
        let entry = results.entry(input)?;
        entry.check_k(k_index)?;
        let (_, kept) = &entry.radii[k_index];
        radii.set(kept.as_ptr());
        len.set(kept.len());
        Ok(())
    })
}
