//! `stk_model`: the work that a model does.

use std::ffi::c_void;
use std::sync::Arc;

use super::counts::{from_label, stk_counts};
use super::error::stk_error;
use super::ffi::{Args, Failure, FfiResult, Out, User, call};
use super::job::{RunningJob, stk_done_callback, stk_job};
use super::memory::check_memory;
use super::model::{Open, stk_model};
use super::request::{Asked, stk_request};
use super::result::{Results, finish, is_partial, stk_result, tell};
use super::status::stk_status;
use crate::smoothed::{Batch, Control, Given, Task};
use crate::{Error, Result};

impl Open {
    /// Queues one task for each input.
    pub(super) fn submit(&self, asked: &Asked, inputs: Given<'_>, tasks: &[Task], control: Control) -> Result<Batch> {
        check_memory(self.classes(), tasks.len())?;
        self.smoothed.submit_batch(inputs, tasks, &asked.request, asked.stream, control)
    }

    /// A blocking call.
    pub(super) fn run(
        &self,
        asked: &Asked,
        inputs: Given<'_>,
        tasks: &[Task],
        control: Control,
        out: Out<*mut stk_result>,
    ) -> FfiResult {
        let mut batch = self.submit(asked, inputs, tasks, control)?;
        if let Some(progress) = asked.progress() {
            batch.wait_with(progress);
        }
        finish(Results::new(batch.take_outcomes(), &self.identity, batch.id()), out)
    }

    fn start(
        &self,
        asked: &Asked,
        inputs: &[f32],
        tasks: &[Task],
        done: stk_done_callback,
        user: *mut c_void,
        out: Out<*mut stk_job>,
    ) -> FfiResult {
        let batch = self.submit(asked, inputs.into(), tasks, asked.control())?;
        self.hand_over(batch, done, user, out);
        Ok(())
    }

    /// Gives the caller the job, and then has it told of the end.
    pub(super) fn hand_over(&self, batch: Batch, done: stk_done_callback, user: *mut c_void, out: Out<*mut stk_job>) {
        let completion = batch.completion();
        let job = out.give_shown(RunningJob::new(batch, Arc::clone(&self.identity)));
        if let Some(done) = done {
            let (user, job) = (User::new(user), User::new(job.cast()));
            // The last that this call does with the job: whoever is told may free it.
            completion.then(Box::new(move || user.call_done(done, job)));
        }
    }
}

/// `count` inputs, one behind the other.
fn inputs<'a>(args: &'a Args, open: &Open, inputs: *const f32, count: usize) -> FfiResult<&'a [f32]> {
    if count == 0 {
        return Err(Error::argument("count", "there must be at least one input").into());
    }
    let elements = open.elements();
    let len = count.checked_mul(elements);
    let len = len.ok_or_else(|| Error::argument("count", format!("{count} inputs are more than memory can hold")))?;
    args.array(inputs, len, "inputs")
}

/// Tasks of certify: the label of each input, fixed or to be selected.
pub(super) fn certify_tasks(args: &Args, labels: *const i64, count: usize) -> FfiResult<Vec<Task>> {
    let Some(labels) = args.array_or_null(labels, count, "labels")? else {
        return Ok(vec![Task::CertifySelected; count]);
    };
    let task = |(i, &label)| Ok(from_label(label, i)?.map_or(Task::CertifySelected, Task::Certify));
    labels.iter().enumerate().map(task).collect()
}

/// Predicts the smoothed classifier's top-k set at each input, or abstains. Blocks. Safe from any number of threads.
///
/// The statement is wrong with probability at most alpha when it is made once. A second run with another seed, because
/// the first abstained, is not covered by that alpha: who tries until a run succeeds is wrong more often. Sound
/// instead:
/// - a larger n of the same seed and stream, both runs under the same rule predict, whose bounds hold at all looks
///   (those of steps end at n), with an allocation other than auto, and not with exact noise, whose cost grows with n;
/// - an alpha of its own for each run, drawn from a budget before it (stk_budget_new).
///
/// @param model Not NULL.
/// @param request Not NULL.
/// @param inputs `count` x elements float32, row-major, on the noise's scale, all finite. Not NULL.
/// @param count At least 1.
/// @param out Not NULL. Gets the result; free it with stk_result_free. Also set when the status is
/// STK_STATUS_CANCELLED, STK_STATUS_DEADLINE_EXCEEDED or STK_STATUS_RUN: the result then has the answers that were
/// finished, and the counts so far of the other inputs. Not touched with any other status.
/// @param err May be NULL.
/// @return STK_STATUS_OK if every input has its answer (an abstention is one, and so is that of the last look of an
/// input that is late under a rule: its summary's early_stop says so); else why the first one has none:
/// STK_STATUS_INVALID_ARGUMENT if the request does not fit the model; STK_STATUS_INVALID_DATA for an input that is not
/// finite or, with exact noise, not on its grid; STK_STATUS_CANCELLED, STK_STATUS_DEADLINE_EXCEEDED, STK_STATUS_RUN;
/// STK_STATUS_BUSY, at once, when too much is under way (stk_model_options_set_max_jobs); STK_STATUS_FORKED in a
/// process that was forked after the model was opened.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_predict(
    model: *const stk_model,
    request: *const stk_request,
    inputs: *const f32,
    count: usize,
    out: *mut *mut stk_result,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, model, request| {
        let (open, asked) = (model.shared()?, request.shared()?);
        let out = args.out(out, "out")?;
        let inputs = self::inputs(args, open, inputs, count)?;
        open.run(asked, inputs.into(), &vec![Task::Predict; count], asked.control(), out)
    })
}

/// Certifies, for each input and each k, the radius within which a label stays in the smoothed classifier's top k.
/// Blocks. Safe from any number of threads.
///
/// The statement is wrong with probability at most alpha when it is made once. A second run with another seed, because
/// the first abstained, was late or had a small radius, is not covered by that alpha: who tries until a run succeeds is
/// wrong more often. Sound instead:
/// - the same call with the same seed and stream, which draws the same samples;
/// - a larger n of the same seed and stream, both runs under the same rule radius or tolerance, whose bounds hold at
///   all looks (those of steps end at n), with an allocation other than auto, and not with exact noise, whose cost
///   grows with n;
/// - an alpha of its own for each run, drawn from a budget before it (stk_budget_new).
///
/// @param model Not NULL.
/// @param request Not NULL.
/// @param inputs `count` x elements float32, row-major, on the noise's scale, all finite. Not NULL.
/// @param count At least 1.
/// @param labels `count` labels, fixed before any sample is drawn; STK_NO_LABEL: the label most frequent among n0
/// samples of their own. May be NULL: all are selected so.
/// @param out Not NULL. As for stk_model_predict.
/// @param err May be NULL.
/// @return As stk_model_predict; STK_STATUS_OK also where nothing is certified (radius 0).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_certify(
    model: *const stk_model,
    request: *const stk_request,
    inputs: *const f32,
    count: usize,
    labels: *const i64,
    out: *mut *mut stk_result,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, model, request| {
        let (open, asked) = (model.shared()?, request.shared()?);
        let out = args.out(out, "out")?;
        let inputs = self::inputs(args, open, inputs, count)?;
        open.run(asked, inputs.into(), &certify_tasks(args, labels, count)?, asked.control(), out)
    })
}

/// Certifies, for each input and each k, what holds around it for the k labels that are returned: the radius of every
/// label, of the set, of how many of it stay, and of their order (stk_result_guarantee, stk_result_label_radii,
/// stk_result_kept_radii). The labels are those most frequent among n0 samples of their own or, with n0 = 0, among the
/// very n samples that certify them. Blocks. Safe from any number of threads.
///
/// @param model Not NULL.
/// @param request Not NULL. Its rule must be fixed or, where n0 is at least 1, radius or tolerance; its allocation is
/// not used.
/// @param inputs `count` x elements float32, row-major, on the noise's scale, all finite. Not NULL.
/// @param count At least 1.
/// @param out Not NULL. As for stk_model_predict.
/// @param err May be NULL.
/// @return As stk_model_predict; STK_STATUS_OK also where nothing is certified (radii 0).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_certify_answer(
    model: *const stk_model,
    request: *const stk_request,
    inputs: *const f32,
    count: usize,
    out: *mut *mut stk_result,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, model, request| {
        let (open, asked) = (model.shared()?, request.shared()?);
        let out = args.out(out, "out")?;
        let inputs = self::inputs(args, open, inputs, count)?;
        open.run(asked, inputs.into(), &vec![Task::CertifyAnswer; count], asked.control(), out)
    })
}

/// Counts the labels of the samples first .. first + samples - 1 of the estimation noise of one input, with the
/// request's noise, generator and stream. Counts of disjoint ranges add (stk_counts_add) to those that a certify of all
/// of them draws; predict has samples of its own. So they are no pilot for stk_model_certify under the same seed and
/// stream, and whoever draws more because of what they show says stk_counts_set_growing first. What the noise costs is
/// in the counts. Blocks. Safe from any number of threads.
///
/// @param model Not NULL.
/// @param request Not NULL. Its seed or key of ChaCha12 should be set: ranges under different ones are not parts of one
/// sample. Its rule is not used.
/// @param input One input: elements float32, on the noise's scale, all finite. Not NULL.
/// @param first The first sample.
/// @param samples How many, at least 1; first + samples is at most 10^12.
/// @param out Not NULL. Gets the counts; free them with stk_counts_free. Also set, with the counts so far, when the
/// status is STK_STATUS_CANCELLED, STK_STATUS_DEADLINE_EXCEEDED or STK_STATUS_RUN; which samples those are is not
/// determined, and such counts certify and predict nothing: stk_counts_certify, stk_counts_predict and
/// stk_counts_guarantee refuse them.
/// @param err May be NULL.
/// @return As stk_model_predict.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_sample(
    model: *const stk_model,
    request: *const stk_request,
    input: *const f32,
    first: u64,
    samples: u64,
    out: *mut *mut stk_counts,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, model, request| {
        let (open, asked) = (model.shared()?, request.shared()?);
        let out = args.out(out, "out")?;
        let input = args.array(input, open.elements(), "input")?;
        let end = first.checked_add(samples);
        let end = end.ok_or_else(|| Error::argument("samples", "first + samples overflows 64 bits"))?;
        let draw = open.smoothed.submit_samples(input, first..end, &asked.request, asked.stream, asked.control())?;
        if let Some(progress) = asked.progress() {
            draw.wait_with(progress);
        }
        let job = draw.id();
        let drawn = draw.wait();
        match drawn.early_stop.map(Failure::from) {
            None => out.give(drawn.counts.into()),
            Some(failure) => {
                tell(&failure, job, &open.identity, asked.stream);
                if is_partial(&failure) {
                    out.give(drawn.counts.into());
                }
                return Err(failure);
            }
        }
        Ok(())
    })
}

/// Starts stk_model_predict and returns at once. The request's timeout and cancel token hold for the job.
///
/// @param model Not NULL.
/// @param request Not NULL. Not used any more when the call returns.
/// @param inputs As for stk_model_predict. Copied.
/// @param count At least 1.
/// @param done May be NULL. Called exactly once if STK_STATUS_OK is returned, and else never: see stk_done_callback.
/// @param user Passed to it; may be NULL.
/// @param out Not NULL. Gets the job; free it with stk_job_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, STK_STATUS_INVALID_DATA, STK_STATUS_BUSY, STK_STATUS_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_submit_predict(
    model: *const stk_model,
    request: *const stk_request,
    inputs: *const f32,
    count: usize,
    done: stk_done_callback,
    user: *mut c_void,
    out: *mut *mut stk_job,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, model, request| {
        let (open, asked) = (model.shared()?, request.shared()?);
        let out = args.out(out, "out")?;
        let inputs = self::inputs(args, open, inputs, count)?;
        open.start(asked, inputs, &vec![Task::Predict; count], done, user, out)
    })
}

/// Starts stk_model_certify and returns at once. The request's timeout and cancel token hold for the job.
///
/// @param model Not NULL.
/// @param request Not NULL. Not used any more when the call returns.
/// @param inputs As for stk_model_certify. Copied.
/// @param count At least 1.
/// @param labels As for stk_model_certify. May be NULL. Copied.
/// @param done May be NULL. Called exactly once if STK_STATUS_OK is returned, and else never: see stk_done_callback.
/// @param user Passed to it; may be NULL.
/// @param out Not NULL. Gets the job; free it with stk_job_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, STK_STATUS_INVALID_DATA, STK_STATUS_BUSY, STK_STATUS_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_submit_certify(
    model: *const stk_model,
    request: *const stk_request,
    inputs: *const f32,
    count: usize,
    labels: *const i64,
    done: stk_done_callback,
    user: *mut c_void,
    out: *mut *mut stk_job,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, model, request| {
        let (open, asked) = (model.shared()?, request.shared()?);
        let out = args.out(out, "out")?;
        let inputs = self::inputs(args, open, inputs, count)?;
        open.start(asked, inputs, &certify_tasks(args, labels, count)?, done, user, out)
    })
}

/// Starts stk_model_certify_answer and returns at once. The request's timeout and cancel token hold for the job.
///
/// @param model Not NULL.
/// @param request Not NULL. Not used any more when the call returns.
/// @param inputs As for stk_model_certify_answer. Copied.
/// @param count At least 1.
/// @param done May be NULL. Called exactly once if STK_STATUS_OK is returned, and else never: see stk_done_callback.
/// @param user Passed to it; may be NULL.
/// @param out Not NULL. Gets the job; free it with stk_job_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, STK_STATUS_INVALID_DATA, STK_STATUS_BUSY, STK_STATUS_FORKED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_submit_certify_answer(
    model: *const stk_model,
    request: *const stk_request,
    inputs: *const f32,
    count: usize,
    done: stk_done_callback,
    user: *mut c_void,
    out: *mut *mut stk_job,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, model, request| {
        let (open, asked) = (model.shared()?, request.shared()?);
        let out = args.out(out, "out")?;
        let inputs = self::inputs(args, open, inputs, count)?;
        open.start(asked, inputs, &vec![Task::CertifyAnswer; count], done, user, out)
    })
}
