//! `stk_call`: a call with all that it may carry.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use half::{bf16, f16};

use super::error::stk_error;
use super::ffi::{Args, Failure, FfiResult, User, call, clock_ns, instant_of};
use super::job::{stk_done_callback, stk_job};
use super::model::{Open, stk_model};
use super::model_run::certify_tasks;
use super::request::{Asked, stk_request};
use super::result::stk_result;
use super::status::stk_status;
use crate::Error;
use crate::smoothed::{Buffer, Control, Given, Inputs, Task};

/// Which question is asked: one of the STK_TASK_ constants.
pub type stk_task = i32;

/// As stk_model_predict.
pub const STK_TASK_PREDICT: stk_task = 1;
/// As stk_model_certify.
pub const STK_TASK_CERTIFY: stk_task = 2;
/// As stk_model_certify_answer.
pub const STK_TASK_CERTIFY_ANSWER: stk_task = 3;

/// The type of inputs' elements: one of the STK_DTYPE_ constants. Noise is added to their values as float32, which are
/// the same values but for float64.
pub type stk_dtype = i32;

/// float.
pub const STK_DTYPE_FLOAT32: stk_dtype = 0;
/// uint8_t; the values are 0 to 255, and the noise is on that scale.
pub const STK_DTYPE_UINT8: stk_dtype = 1;
/// IEEE binary16, in 2 bytes.
pub const STK_DTYPE_FLOAT16: stk_dtype = 2;
/// The upper half of a binary32, in 2 bytes.
pub const STK_DTYPE_BFLOAT16: stk_dtype = 3;
/// double. Elements are rounded to the nearest float32, and what is said holds for the rounded input.
pub const STK_DTYPE_FLOAT64: stk_dtype = 4;

/// Called exactly once for a submitted call that has one, when its inputs are not used any more: on any thread, before
/// the job's done callback, or before the submitting call has returned. It must not block, must not unwind and must
/// not call the library.
///
/// @param user What was given with the callback.
pub type stk_release_callback = Option<unsafe extern "C" fn(user: *mut c_void)>;

/// A call of a model, beside its request. Set all to 0 and then the fields by name: stk_call call = {.struct_size =
/// sizeof call, .task = STK_TASK_CERTIFY, .inputs = x, .count = 1}. Its size may grow at its end within an ABI version;
/// 0 in a new field means what it meant before.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct stk_call {
    /// sizeof(stk_call).
    pub struct_size: u64,
    /// stk_task.
    pub task: stk_task,
    /// stk_dtype, of the inputs.
    pub dtype: stk_dtype,
    /// `count` x elements of the type, aligned for it, row-major, on the noise's scale, all finite. Not NULL.
    pub inputs: *const c_void,
    /// At least 1.
    pub count: u64,
    /// Of STK_TASK_CERTIFY: as for stk_model_certify; copied. May be NULL.
    pub labels: *const i64,
    /// From the call on, beside the request's own timeout: the first that comes counts. 0: none.
    pub timeout_ms: u64,
    /// When stk_clock_ns, CLOCK_MONOTONIC, shows this; beside the timeouts. One that has passed ends the call at once
    /// with STK_STATUS_DEADLINE_EXCEEDED. 0: none.
    pub deadline_ns: u64,
    /// Of stk_model_submit: see stk_done_callback. May be NULL.
    pub done: stk_done_callback,
    /// Passed to it; may be NULL.
    pub done_user: *mut c_void,
    /// Of stk_model_submit: the inputs are then not copied but stay where they are, unchanged, until this is called.
    /// May be NULL: what is needed of the inputs is copied before the call returns.
    pub release: stk_release_callback,
    /// Passed to it; may be NULL.
    pub release_user: *mut c_void,
}

impl stk_call {
    const EMPTY: Self = Self {
        struct_size: 0,
        task: 0,
        dtype: 0,
        inputs: std::ptr::null(),
        count: 0,
        labels: std::ptr::null(),
        timeout_ms: 0,
        deadline_ns: 0,
        done: None,
        done_user: std::ptr::null_mut(),
        release: None,
        release_user: std::ptr::null_mut(),
    };
    /// Its size in the first version.
    const FIRST_SIZE: usize = std::mem::offset_of!(Self, release_user) + size_of::<*mut c_void>();

    fn control(&self, asked: &Asked) -> Control {
        let timeout = (self.timeout_ms > 0).then(|| Duration::from_millis(self.timeout_ms));
        let first = asked.timeout.into_iter().chain(timeout).min();
        let deadline = (self.deadline_ns > 0).then(|| instant_of(self.deadline_ns)).flatten();
        Control { timeout: first, deadline, ..asked.control() }
    }

    /// The inputs, which are read where they lie.
    fn inputs<'a>(&self, open: &Open, array: impl ArrayOf<'a>) -> FfiResult<Inputs<'a>> {
        let elements = open.elements();
        let refuse = |message: String| Failure::from(Error::argument("count", message));
        if self.count == 0 {
            return Err(refuse("there must be at least one input".into()));
        }
        let len = usize::try_from(self.count).ok().and_then(|count| count.checked_mul(elements));
        let len = len.ok_or_else(|| refuse(format!("{} inputs are more than memory can hold", self.count)))?;
        Ok(match self.dtype {
            STK_DTYPE_FLOAT32 => Inputs::F32(array.of(self.inputs.cast::<f32>(), len)?),
            STK_DTYPE_UINT8 => Inputs::U8(array.of(self.inputs.cast::<u8>(), len)?),
            STK_DTYPE_FLOAT16 => Inputs::F16(array.of(self.inputs.cast::<f16>(), len)?),
            STK_DTYPE_BFLOAT16 => Inputs::BF16(array.of(self.inputs.cast::<bf16>(), len)?),
            STK_DTYPE_FLOAT64 => Inputs::F64(array.of(self.inputs.cast::<f64>(), len)?),
            other => {
                let message = format!("{other} is none of the STK_DTYPE_ constants");
                return Err(Error::argument("dtype", message).into());
            }
        })
    }

    fn tasks(&self, args: &Args) -> FfiResult<Vec<Task>> {
        // No more than there are inputs, which are read first.
        let count = self.count as usize;
        if self.task != STK_TASK_CERTIFY && !self.labels.is_null() {
            return Err(Error::argument("labels", "are for STK_TASK_CERTIFY alone: they must be NULL").into());
        }
        match self.task {
            STK_TASK_PREDICT => Ok(vec![Task::Predict; count]),
            STK_TASK_CERTIFY => certify_tasks(args, self.labels, count),
            STK_TASK_CERTIFY_ANSWER => Ok(vec![Task::CertifyAnswer; count]),
            other => Err(Error::argument("task", format!("{other} is none of the STK_TASK_ constants")).into()),
        }
    }
}

/// Arrays of the host's, for as long as they are read.
trait ArrayOf<'a> {
    fn of<T>(&self, data: *const T, len: usize) -> FfiResult<&'a [T]>;
}

/// During the call.
struct Borrowed<'a>(&'a Args);

impl<'a> ArrayOf<'a> for Borrowed<'a> {
    fn of<T>(&self, data: *const T, len: usize) -> FfiResult<&'a [T]> {
        self.0.array(data, len, "inputs")
    }
}

/// Until they are released.
struct Kept<'a>(&'a Args);

impl ArrayOf<'static> for Kept<'_> {
    fn of<T>(&self, data: *const T, len: usize) -> FfiResult<&'static [T]> {
        self.0.kept_array(data, len, "inputs")
    }
}

/// Inputs that stay with the host, which is told when they are not needed any more.
struct HostBuffer {
    inputs: Inputs<'static>,
    release: unsafe extern "C" fn(*mut c_void),
    user: User,
    /// The call was accepted: one that is refused releases nothing.
    accepted: AtomicBool,
}

impl Buffer for HostBuffer {
    fn inputs(&self) -> Inputs<'_> {
        self.inputs
    }
}

impl Drop for HostBuffer {
    fn drop(&mut self) {
        if self.accepted.load(Ordering::SeqCst) {
            self.user.call_release(self.release);
        }
    }
}

fn read(args: &Args, call: *const stk_call) -> FfiResult<stk_call> {
    args.sized(call, stk_call::EMPTY, stk_call::FIRST_SIZE, "call")
}

/// Nanoseconds of the clock that deadlines are on, which only goes forward: CLOCK_MONOTONIC.
#[unsafe(no_mangle)]
pub extern "C" fn stk_clock_ns() -> u64 {
    clock_ns()
}

/// Asks a model what a call says: stk_model_predict, stk_model_certify and stk_model_certify_answer with inputs of
/// other types, and a deadline. Blocks. Safe from any number of threads.
///
/// @param model Not NULL.
/// @param request Not NULL.
/// @param call Not NULL. Without done and release.
/// @param out Not NULL. As for stk_model_predict.
/// @param err May be NULL.
/// @return As stk_model_predict.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_run(
    model: *const stk_model,
    request: *const stk_request,
    call: *const stk_call,
    out: *mut *mut stk_result,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, model, request| {
        let (open, asked) = (model.shared()?, request.shared()?);
        let call = read(args, call)?;
        let out = args.out(out, "out")?;
        for (given, field) in [(call.done.is_some(), "done"), (call.release.is_some(), "release")] {
            if given {
                return Err(Error::argument(field, "is for stk_model_submit: it must be NULL").into());
            }
        }
        let inputs = call.inputs(open, Borrowed(args))?;
        open.run(asked, inputs.into(), &call.tasks(args)?, call.control(asked), out)
    })
}

/// Starts stk_model_run and returns at once.
///
/// @param model Not NULL.
/// @param request Not NULL. Not used any more when the call returns.
/// @param call Not NULL. Not used any more when the call returns; its inputs neither, unless it has a release callback.
/// @param out Not NULL. Gets the job, before any callback can run; free it with stk_job_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, STK_STATUS_INVALID_DATA: neither callback is then ever called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_submit(
    model: *const stk_model,
    request: *const stk_request,
    call: *const stk_call,
    out: *mut *mut stk_job,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, model, request| {
        let (open, asked) = (model.shared()?, request.shared()?);
        let call = read(args, call)?;
        let out = args.out(out, "out")?;
        let buffer = match call.release {
            None => None,
            Some(release) => {
                let (inputs, user) = (call.inputs(open, Kept(args))?, User::new(call.release_user));
                Some(Arc::new(HostBuffer { inputs, release, user, accepted: AtomicBool::new(false) }))
            }
        };
        let inputs = match &buffer {
            None => Given::Now(call.inputs(open, Borrowed(args))?),
            Some(buffer) => Given::Later(Arc::clone(buffer) as Arc<dyn Buffer>),
        };
        let batch = open.submit(asked, inputs, &call.tasks(args)?, call.control(asked))?;
        if let Some(buffer) = buffer {
            buffer.accepted.store(true, Ordering::SeqCst);
        }
        open.hand_over(batch, call.done, call.done_user, out);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn the_first_version_has_no_padding() {
        assert_eq!(stk_call::FIRST_SIZE, 11 * 8);
    }
}
