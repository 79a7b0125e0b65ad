//! `stk_job`: single inputs of a job, before all of it has ended.

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
