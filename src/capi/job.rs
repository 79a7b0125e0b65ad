//! `stk_job`.

use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use super::error::stk_error;
use super::ffi::{Handle, call, free, get, opaque};
use super::result::{Results, finish, stk_result};
use super::status::stk_status;
use crate::Error;
use crate::record::Identity;
use crate::smoothed::Batch;

/// Called exactly once for a job, when all of it has ended, however that came: on one of the library's threads, or on
/// the one that cancels the job, frees it or its model, or submits it. It may run before the submitting call has
/// returned, but not before that call has written the job to *out: the same handle is passed. Another thread may take
/// the job's result and free it at once, which waits for the callback's return. examples/c/event_loop.c hands it to an
/// event loop.
///
/// It must not block, must not unwind, and must free neither the model nor any job that has not ended, nor its own:
/// stk_job_free waits for the batch under way, which may be that of the callback's own thread, and would then wait for
/// ever.
///
/// @param user What was given with the callback.
/// @param job The job that has ended.
pub type stk_done_callback = Option<unsafe extern "C" fn(user: *mut c_void, job: *mut stk_job)>;

/// A predict, certify or certify_answer under way. Functions that take a const job are safe from any thread. In a
/// process that was forked after it was submitted it is done, its result is STK_STATUS_FORKED, and freeing it frees its
/// memory.
pub struct stk_job(Handle<RunningJob>);
opaque!(stk_job holds RunningJob);

/// What a job handle holds.
pub(super) struct RunningJob {
    pub(super) batch: Batch,
    pub(super) identity: Arc<Identity>,
    taken: bool,
}

impl RunningJob {
    pub(super) fn new(batch: Batch, identity: Arc<Identity>) -> Self {
        Self { batch, identity, taken: false }
    }
}

/// Whether the job has ended, so that stk_job_result does not block.
///
/// @param job May be NULL: false.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_job_is_done(job: *const stk_job) -> bool {
    get!(job, false, |work| work.batch.is_finished())
}

/// Samples counted so far, of all inputs.
///
/// @param job May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_job_samples_done(job: *const stk_job) -> u64 {
    get!(job, 0, |work| work.batch.samples_done())
}

/// Samples to be counted in all, of all inputs, those that select included; under a rule the most that may be counted.
///
/// @param job May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_job_samples_total(job: *const stk_job) -> u64 {
    get!(job, 0, |work| work.batch.samples_total())
}

/// Cancels what has not ended, within about a millisecond or a batch. The completion callback may be called on this
/// thread.
///
/// @param job May be NULL: nothing happens.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_job_cancel(job: *const stk_job) {
    get!(job, (), |work| work.batch.cancel());
}

/// Waits for the job's end.
///
/// @param job Not NULL.
/// @param timeout_ms At most this many milliseconds; UINT64_MAX: for ever.
/// @param done Not NULL. Gets whether the job has ended.
/// @param err May be NULL.
/// @return STK_STATUS_OK, in time or not; STK_STATUS_INVALID_ARGUMENT for NULL; STK_STATUS_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_job_wait(
    job: *const stk_job,
    timeout_ms: u64,
    done: *mut bool,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, job| {
        let work = job.shared()?;
        let done = args.out(done, "done")?;
        work.batch.check_process()?;
        done.set(work.batch.wait_timeout(Duration::from_millis(timeout_ms)));
        Ok(())
    })
}

/// Waits for the job's end and takes its result, once. Exclusive use.
///
/// @param job Not NULL.
/// @param out Not NULL. Gets the result; free it with stk_result_free. Set under the same statuses as by
/// stk_model_predict.
/// @param err May be NULL.
/// @return As stk_model_predict; STK_STATUS_INVALID_ARGUMENT also if the result was taken before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_job_result(
    job: *mut stk_job,
    out: *mut *mut stk_result,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, job| {
        let work = job.exclusive()?;
        let out = args.out(out, "out")?;
        if std::mem::replace(&mut work.taken, true) {
            return Err(Error::argument("job", "its result was taken already").into());
        }
        finish(Results::new(work.batch.take_outcomes(), &work.identity, work.batch.id()), out)
    })
}

/// Frees a job: cancels what has not ended, and waits for the batch under way. When this returns, the completion
/// callback has returned or will not be called. No completion callback may free a job that has not ended: the batch may
/// be that of its own thread, which would wait for ever.
///
/// @param job May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_job_free(job: *mut stk_job) {
    free!(job, |work| {
        work.batch.cancel();
        work.batch.wait_done();
    });
}
