//! `stk_job`: single inputs of a job, before all of it has ended.

use std::time::Duration;

use super::counts::stk_counts;
use super::error::stk_error;
use super::ffi::{FfiResult, call, get};
use super::job::{RunningJob, stk_job};
use super::result::{Results, finish, stk_result};
use super::status::stk_status;
use crate::Error;
use crate::smoothed::Pending;

impl RunningJob {
    fn item(&self, input: usize) -> FfiResult<&Pending> {
        let tasks = self.batch.tasks();
        Ok(tasks.get(input).ok_or_else(|| match tasks.len() {
            0 => Error::argument("job", "its result was taken already"),
            len => Error::argument("input", format!("must be below {len}, the number of inputs; got {input}")),
        })?)
    }
}

/// The number of a job's inputs; 0 once its result was taken.
///
/// @param job May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_job_len(job: *const stk_job) -> usize {
    get!(job, 0, |work| work.batch.tasks().len())
}

/// Whether one input of a job has ended, so that stk_job_item_result gives its result. Of stk_done_callback there is
/// one for all.
///
/// @param job May be NULL: false.
/// @param input The input's index; false where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_job_item_is_done(job: *const stk_job, input: usize) -> bool {
    get!(job, false, |work| work.batch.tasks().get(input).is_some_and(Pending::is_finished))
}

/// The result of one input, as soon as that input has ended; the others may be under way. It has one entry, with the
/// index 0, and is the one that stk_job_result gives later. Does not block. Safe from any number of threads.
///
/// @param job Not NULL.
/// @param input The input's index, below stk_job_len.
/// @param out Not NULL. Gets the result; free it with stk_result_free. NULL as long as the input has not ended. Set
/// under the same statuses as by stk_model_predict.
/// @param err May be NULL.
/// @return STK_STATUS_OK, also where the input has not ended; else as stk_model_predict; STK_STATUS_INVALID_ARGUMENT
/// also if the job's result was taken before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_job_item_result(
    job: *const stk_job,
    input: usize,
    out: *mut *mut stk_result,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, job| {
        let work = job.shared()?;
        let out = args.out(out, "out")?;
        match work.item(input)?.outcome() {
            None => {
                out.give_none();
                Ok(())
            }
            Some(outcome) => finish(Results::new(vec![outcome.clone()], &work.identity, work.batch.id()), out),
        }
    })
}

/// The number that stk_job_item_latest gives with what came of an input in the end: more than that of any look.
pub const STK_LOOK_FINAL: u64 = u64::MAX;

/// The interim answer of one input under a rule: that of the last look that the rule took at its samples, while more
/// are drawn. Waits for a look that the caller has not seen yet; so this loop gets interim answers as they come, and at
/// last the final one:
///
///   uint64_t look = 0;
///   while (look != STK_LOOK_FINAL) {
///     stk_result *result = NULL;
///     stk_status status = stk_job_item_latest(job, 0, look, UINT64_MAX, &result, &look, &err);
///     if (result == NULL) break;
///     ...
///     stk_result_free(result);
///   }
///
/// The bounds of an interim answer hold at all looks at once. So each is as sound as the final one, whenever it is
/// read; all of them are true together with probability at least 1 - alpha; and the caller may cancel the job because
/// of one. Whoever is slower than looks gets the last one. In its summaries early_stop is STK_STATUS_OK, validity is
/// STK_VALIDITY_ANYTIME or STK_VALIDITY_ANYTIME_TO, and decision is STK_DECISION_OPEN for each k that is not decided
/// yet; its counts are those of the look, ended by looks.
///
/// Safe from any number of threads; cancelling the job ends the wait.
///
/// @param job Not NULL.
/// @param input The input's index, below stk_job_len.
/// @param after The number of the look that the caller saw last; 0: any look will do.
/// @param timeout_ms At most this many milliseconds; 0: does not wait; UINT64_MAX: for ever.
/// @param out Not NULL. Gets a result of one entry, with the index 0; free it with stk_result_free. NULL where there is
/// no look after `after` yet (not before the first one, and never after STK_LOOK_FINAL).
/// @param look Not NULL. Gets the number of the look, from 1; STK_LOOK_FINAL where the input has ended, with the result
/// that stk_job_item_result gives; `after` where there is none.
/// @param err May be NULL.
/// @return STK_STATUS_OK, in time or not; with STK_LOOK_FINAL as stk_job_item_result, which may hand over a result with
/// another status, too (a look that was not seen before comes first where the input ends without an answer);
/// STK_STATUS_INVALID_ARGUMENT also where the request has no rule (field "rule"): a fixed n has no interim answer, for
/// its bounds hold for all n samples only; STK_STATUS_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_job_item_latest(
    job: *const stk_job,
    input: usize,
    after: u64,
    timeout_ms: u64,
    out: *mut *mut stk_result,
    look: *mut u64,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, job| {
        let work = job.shared()?;
        let (out, look) = (args.out(out, "out")?, args.out(look, "look")?);
        match work.item(input)?.latest(after, Duration::from_millis(timeout_ms))? {
            None => {
                out.give_none();
                look.set(after);
                Ok(())
            }
            Some(interim) => {
                look.set(interim.look);
                finish(Results::new(vec![interim.outcome], &work.identity, work.batch.id()), out)
            }
        }
    })
}

/// Counts of one input's samples so far, those that select not among them. They are cut short: they tell how far the
/// input is, and certify and predict nothing, also once it has ended. Does not block. Safe from any number of threads.
///
/// @param job Not NULL.
/// @param input The input's index, below stk_job_len.
/// @param out Not NULL. Gets the counts; free them with stk_counts_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT also if the job's result was taken before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_job_item_counts(
    job: *const stk_job,
    input: usize,
    out: *mut *mut stk_counts,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, job| {
        let work = job.shared()?;
        let out = args.out(out, "out")?;
        out.give(work.item(input)?.counts().into());
        Ok(())
    })
}
