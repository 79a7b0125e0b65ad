//! `stk_classifier`: a function of the host's as a model.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::cancel::stk_cancel;
use super::error::stk_error;
use super::ffi::{Args, FfiResult, Handle, Opaque, User, call};
use super::memory::check_memory;
use super::model::{Open, stk_model};
use super::model_options::{Settings, stk_model_options};
use super::status::stk_status;
use crate::model::ModelOptions;
use crate::record::Identity;
use crate::sampler::{
    BaseClassifier, FunctionBatch, FunctionClassifier, FunctionOptions, FunctionOutput, Gives, Plan, Search,
};
use crate::smoothed::{CancelToken, SmoothedClassifier};
use crate::{Error, ErrorKind, Result, log};

/// What a function gives for each row: one of the STK_GIVES_ constants.
pub type stk_gives = i32;

/// A score for each label, float. The highest is the row's label, the lowest index among equals. A row with NaN, or
/// whose highest score is infinite, has no label, and counts against every certificate.
pub const STK_GIVES_SCORES: stk_gives = 0;
/// The label, int64_t, from 0 to classes - 1. Another is an error.
pub const STK_GIVES_LABELS: stk_gives = 1;

/// What a function of the host's classifies at a time. All that it points to lives during the call only. Its size may
/// grow at its end within an ABI version.
#[repr(C)]
#[derive(Debug)]
pub struct stk_batch {
    /// sizeof(stk_batch), as the library has it.
    pub struct_size: u64,
    /// `count` x `elements` float32, row-major: the inputs with their noise. Never NULL.
    pub rows: *const f32,
    /// Rows, at least 1 and at most stk_model_batch.
    pub count: u64,
    /// Elements of a row.
    pub elements: u64,
    /// The number of labels.
    pub classes: u64,
    /// Of STK_GIVES_SCORES: where the `count` x `classes` scores go, row-major. Else NULL.
    pub scores: *mut f32,
    /// Of STK_GIVES_LABELS: where the `count` labels go. Else NULL.
    pub labels: *mut i64,
    /// Set when nobody wants the batch any more (stk_cancel_is_set): whoever looks may then return at once, with
    /// anything. It is not to be set or freed.
    pub cancelled: *const stk_cancel,
    /// Where the reason of a failure goes: UTF-8 that ends with NUL. It holds "" at first.
    pub message: *mut c_char,
    /// The bytes that there is room for, at least 1024, with the NUL.
    pub message_size: u64,
}

/// Bytes of a reason.
const MESSAGE_SIZE: usize = 1024;

/// Classifies a batch: writes the scores, or the labels, of all of its rows. It is called on threads of the library's,
/// from as many at once as stk_model_threads says, and on the thread that opens the model. It must not unwind. It may
/// call the library, but must not wait for work of its own model, nor free it.
///
/// The same row must always get the same, whichever rows stand beside it: the theorem needs independent samples of one
/// function.
///
/// @param user What was given with it.
/// @param batch Not NULL.
/// @return Whether all was written. With false, or where some of it was not, each job that has rows in the batch ends
/// with STK_STATUS_RUN and the reason in `message`; a batch of several jobs is tried again for each of them alone.
pub type stk_classify_callback = Option<unsafe extern "C" fn(user: *mut c_void, batch: *const stk_batch) -> bool>;

/// Frees what a model's function has. Called once, when it is called no more.
///
/// @param user What was given with it.
pub type stk_free_callback = Option<unsafe extern "C" fn(user: *mut c_void)>;

/// A function of the host's that classifies rows, and what the host says of it. Set all to 0 and then the fields by
/// name: stk_classifier f = {.struct_size = sizeof f, .classify = my_function, .shape = dims, .shape_len = 3,
/// .classes = 10, .name = "resnet"}. Its size may grow at its end within an ABI version; 0 in a new field means what it
/// meant before.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct stk_classifier {
    /// sizeof(stk_classifier).
    pub struct_size: u64,
    /// Not NULL.
    pub classify: stk_classify_callback,
    /// Passed to it; may be NULL.
    pub user: *mut c_void,
    /// Called with `user` once the model that was opened is freed, before stk_model_free returns; not where none was
    /// opened, and not in a forked process. May be NULL.
    pub free_user: stk_free_callback,
    /// The shape of one row, without the batch: `shape_len` numbers, at least 1 each. Not NULL.
    pub shape: *const usize,
    /// At least 1.
    pub shape_len: u64,
    /// The number of labels, from 2 to 2^31 - 1.
    pub classes: u64,
    /// What it is called in records and counts, in UTF-8. Not NULL, not empty.
    pub name: *const c_char,
    /// What tells it from every other function, such as a digest of its weights: counts of models with the same name
    /// and digest are those of one function, and may be added. NULL: counts of this model are added to no others.
    pub digest: *const c_char,
    /// stk_gives.
    pub gives: stk_gives,
    /// 0.
    pub reserved: i32,
}

impl stk_classifier {
    const EMPTY: Self = Self {
        struct_size: 0,
        classify: None,
        user: ptr::null_mut(),
        free_user: None,
        shape: ptr::null(),
        shape_len: 0,
        classes: 0,
        name: ptr::null(),
        digest: ptr::null(),
        gives: STK_GIVES_SCORES,
        reserved: 0,
    };
    /// Its size in the first version.
    const FIRST_SIZE: usize = std::mem::offset_of!(Self, reserved) + size_of::<i32>();

    fn options(&self, args: &Args, settings: &Settings) -> FfiResult<FunctionOptions> {
        let gives = match self.gives {
            STK_GIVES_SCORES => Gives::Scores,
            STK_GIVES_LABELS => Gives::Labels,
            other => {
                let message = format!("{other} is none of the STK_GIVES_ constants");
                return Err(Error::argument("gives", message).into());
            }
        };
        if self.reserved != 0 {
            return Err(Error::argument("reserved", format!("must be 0, got {}", self.reserved)).into());
        }
        let len = usize::try_from(self.shape_len).unwrap_or(usize::MAX);
        Ok(FunctionOptions {
            shape: args.array(self.shape, len, "shape")?.to_vec(),
            classes: usize::try_from(self.classes).unwrap_or(usize::MAX),
            gives,
            name: args.text(self.name, "name")?.to_owned(),
            digest: args.text_or_null(self.digest, "digest")?.map(str::to_owned),
            batch: settings.batch,
        })
    }
}

/// The host's function, with what it has.
struct Classify {
    classify: unsafe extern "C" fn(*mut c_void, *const stk_batch) -> bool,
    user: User,
    free_user: stk_free_callback,
    /// A model was opened: else what the function has stays the host's.
    opened: AtomicBool,
}

impl Drop for Classify {
    fn drop(&mut self) {
        if let Some(free_user) = self.free_user.filter(|_| self.opened.load(Ordering::SeqCst)) {
            self.user.call_release(free_user);
        }
    }
}

impl Classify {
    fn call(&self, batch: FunctionBatch<'_>) -> Result<()> {
        let FunctionBatch { rows, count, classes, output, cancelled } = batch;
        let cancelled = stk_cancel::wrap(Handle::new(CancelToken::of(cancelled)));
        let mut message = [0_u8; MESSAGE_SIZE];
        let (scores, labels) = match output {
            FunctionOutput::Scores(room) => (room.as_mut_ptr(), ptr::null_mut()),
            FunctionOutput::Labels(room) => (ptr::null_mut(), room.as_mut_ptr()),
        };
        let batch = stk_batch {
            struct_size: size_of::<stk_batch>() as u64,
            rows: rows.as_ptr(),
            count: count as u64,
            elements: (rows.len() / count) as u64,
            classes: classes as u64,
            scores,
            labels,
            cancelled: &raw const cancelled,
            message: message.as_mut_ptr().cast(),
            message_size: MESSAGE_SIZE as u64,
        };
        if self.user.call_classify(self.classify, &batch) {
            return Ok(());
        }
        let end = message.iter().position(|&byte| byte == 0).unwrap_or(MESSAGE_SIZE);
        let said = String::from_utf8_lossy(&message[..end]);
        let message = if said.is_empty() { "it failed, and did not say why".into() } else { said };
        Err(Error::new(ErrorKind::Run, message))
    }
}

impl Open {
    fn of_function(options: FunctionOptions, classify: &Arc<Classify>, settings: &Settings) -> Result<Self> {
        if settings.model != ModelOptions::default() || !settings.devices.is_empty() {
            let message = "say how ONNX Runtime opens a file: of a function only threads, batch, plan cache and limits \
                           are chosen, and the rest is its own";
            return Err(Error::argument("options", message));
        }
        check_memory(options.classes, 1)?;
        let called = Arc::clone(classify);
        let function = FunctionClassifier::new(options, move |batch| called.call(batch))
            .inspect_err(|error| log::error(format_args!("model: {error}")))?;
        let FunctionOptions { shape, classes, gives, name, digest, .. } = function.options().clone();
        let classifier: Arc<dyn BaseClassifier> = Arc::new(function);
        // Nobody said that it may be called by several threads at once.
        let threads = settings.threads.unwrap_or(1);
        let plan = match settings.batch {
            Some(batch) => Plan { batch, threads },
            None => Search { threads: Some(threads), cache: None, ..Search::default() }.run(&classifier)?.plan,
        };
        log::info(format_args!("function {name}: {classes} labels, batch {}, {threads} threads", plan.batch));
        let smoothed = SmoothedClassifier::limited(classifier, plan, settings.limits)?;
        let gives = if gives == Gives::Scores { "scores" } else { "labels" };
        let signature = serde_json::json!({
            "name": name, "digest": digest, "gives": gives, "element_shape": shape, "classes": classes,
        });
        let identity = Identity::of_function(smoothed.subject().stated.clone());
        Ok(Self::of(smoothed, identity, &signature.to_string()))
    }
}

/// Makes a model of a function of the host's, which needs no ONNX Runtime, and starts its threads. The noise, the
/// threads, the rules and the statistics are those of any model. It is tried with a few rows first, as a model of a
/// file is; and where no batch is set, the fastest one is measured, in about two seconds of calls.
///
/// @param classifier Not NULL. What it points to is not used any more when the call returns, but for the function and
/// its user data.
/// @param options Threads, batch and limits (stk_model_options_set_threads, ..); others are refused. May be NULL. One
/// thread calls the function where none are set: any number may, where more are.
/// @param out Not NULL. Gets the model; free it with stk_model_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT, with the field; STK_STATUS_MODEL where the function fails on the
/// rows that are tried, gives something else the second time or beside other rows, or gives no row a label;
/// STK_STATUS_RUN where it fails while batches are measured.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_model_from_callback(
    classifier: *const stk_classifier,
    options: *const stk_model_options,
    out: *mut *mut stk_model,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, options| {
        let given = args.sized(classifier, stk_classifier::EMPTY, stk_classifier::FIRST_SIZE, "classifier")?;
        let out = args.out(out, "out")?;
        let settings = options.shared_or_null()?.cloned().unwrap_or_default();
        let classify = given.classify.ok_or_else(|| Error::argument("classify", "must not be NULL"))?;
        let (user, free_user) = (User::new(given.user), given.free_user);
        let classify = Arc::new(Classify { classify, user, free_user, opened: AtomicBool::new(false) });
        let open = Open::of_function(given.options(args, &settings)?, &classify, &settings)?;
        classify.opened.store(true, Ordering::SeqCst);
        out.give(open);
        Ok(())
    })
}
