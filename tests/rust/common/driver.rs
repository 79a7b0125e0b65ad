//! Drives the C ABI with the call sequence and the arguments that some bytes say. Used by the property test and by the
//! fuzz target: whatever the bytes are, nothing may crash, hang, leak or panic.
//!
//! Only what the header calls undefined is left out: memory of a wrong length, and handles that were freed.

#[path = "choices.rs"]
mod choices;
#[path = "driver/counts.rs"]
mod counts;
#[path = "driver/runs.rs"]
mod runs;
#[path = "driver/settings.rs"]
mod settings;

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::{null, null_mut};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use choices::Choices;
use smoothtopk::capi::*;

#[derive(Default)]
struct Pools {
    counts: Vec<*mut stk_counts>,
    requests: Vec<*mut stk_request>,
    /// Samples of each request: blocking calls are made for few only.
    rows: Vec<(u64, u64)>,
    tokens: Vec<*mut stk_cancel>,
    options: Vec<*mut stk_model_options>,
    jobs: Vec<*mut stk_job>,
    results: Vec<*mut stk_result>,
    budgets: Vec<*mut stk_budget>,
}

/// Blocking calls that were answered: a driver that only ever gets refusals tests little.
pub static ANSWERED: AtomicUsize = AtomicUsize::new(0);
pub static SUBMITTED: AtomicUsize = AtomicUsize::new(0);
static DONE: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn done(_user: *mut c_void, _job: *mut stk_job) {
    DONE.fetch_add(1, Ordering::SeqCst);
}

unsafe extern "C" fn progress(_user: *mut c_void, done: u64, total: u64) {
    assert!(done <= total);
}

struct Shared(*mut stk_model);
// SAFETY: a model may be used from any thread.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

static MODEL: OnceLock<Shared> = OnceLock::new();

/// Opens the one model of all runs, `linear.onnx`: 16 elements, 3 labels. The first call counts.
pub fn open(path: &str) {
    let open = || {
        let path = CString::new(path).unwrap();
        let (mut options, mut model) = (null_mut(), null_mut());
        // SAFETY: as the header says.
        unsafe {
            assert_eq!(stk_model_options_new(&mut options, null_mut()), STK_STATUS_OK);
            assert_eq!(stk_model_options_set_batch(options, 8, null_mut()), STK_STATUS_OK);
            assert_eq!(stk_model_options_set_threads(options, 2, null_mut()), STK_STATUS_OK);
            assert_eq!(stk_model_open(path.as_ptr(), options, &mut model, null_mut()), STK_STATUS_OK);
            stk_model_options_free(options);
        }
        Shared(model)
    };
    MODEL.get_or_init(open);
}

fn model() -> *const stk_model {
    MODEL.get().expect("opened").0
}

/// Runs a call with and without a place for its error.
fn run(choices: &mut Choices<'_>, call: impl FnOnce(*mut *mut stk_error) -> stk_status) -> stk_status {
    let mut error = null_mut();
    let wants_error = !choices.byte().is_multiple_of(4);
    let status = call(if wants_error { &mut error } else { null_mut() });
    assert!((STK_STATUS_OK..=STK_STATUS_POISONED).contains(&status));
    assert!(status != STK_STATUS_INTERNAL, "a defect");
    assert_eq!(error.is_null(), status == STK_STATUS_OK || !wants_error);
    // SAFETY: NULL or a new error.
    unsafe {
        assert!(error.is_null() || stk_error_status(error) == status);
        stk_error_free(error);
    }
    status
}

/// As `run`, of a call that gives a handle: it goes to the pool.
fn give<T>(
    choices: &mut Choices<'_>,
    pool: &mut Vec<*mut T>,
    call: impl FnOnce(*mut *mut T, *mut *mut stk_error) -> stk_status,
) -> stk_status {
    let mut out = null_mut();
    let wants = choices.byte() < 250;
    let status = run(choices, |err| call(if wants { &mut out } else { null_mut() }, err));
    let partial = [STK_STATUS_CANCELLED, STK_STATUS_DEADLINE_EXCEEDED, STK_STATUS_RUN].contains(&status);
    assert_eq!(out.is_null(), !(status == STK_STATUS_OK || partial), "status {status}");
    if !out.is_null() {
        pool.push(out);
    }
    status
}

/// Makes the calls that `data` says, and frees what is left.
pub fn drive(data: &[u8]) {
    let (mut choices, mut pools) = (Choices(data), Pools::default());
    for _ in 0..200 {
        if choices.0.is_empty() {
            break;
        }
        // SAFETY: every pointer is NULL or as the header says.
        unsafe { step(&mut choices, &mut pools) };
    }
    // SAFETY: each is freed once.
    unsafe {
        pools.jobs.iter().for_each(|&job| stk_job_free(job));
        pools.results.iter().for_each(|&result| stk_result_free(result));
        pools.counts.iter().for_each(|&counts| stk_counts_free(counts));
        pools.requests.iter().for_each(|&request| stk_request_free(request));
        pools.tokens.iter().for_each(|&token| stk_cancel_free(token));
        pools.options.iter().for_each(|&options| stk_model_options_free(options));
        pools.budgets.iter().for_each(|&budget| stk_budget_free(budget));
    }
}

/// Every job that was submitted has called back, once all are freed. For one thread of drivers only.
pub fn all_called_back() -> bool {
    SUBMITTED.load(Ordering::SeqCst) == DONE.load(Ordering::SeqCst)
}

unsafe fn step(c: &mut Choices<'_>, pools: &mut Pools) {
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(10) {
            8 => counts::of_budgets(c, pools),
            0 => counts::of_counts(c, pools),
            1 | 2 => settings::of_requests(c, pools),
            3 => settings::of_options(c, pools),
            4 => settings::of_tokens(c, pools),
            5 | 9 => runs::of_models(c, pools),
            6 => runs::of_jobs(c, pools),
            _ => runs::of_results(c, pools),
        }
    }
}

/// Noise of any parameter; rarely what is none.
fn noise(c: &mut Choices<'_>) -> CString {
    let parameter = c.float();
    let text = match c.byte() {
        0..10 => "gaussian".to_owned(),
        10..40 => format!("uniform:{parameter:?}"),
        _ => format!("gaussian:{parameter:?}"),
    };
    CString::new(text).unwrap_or_default()
}

/// One of the texts; rarely NULL.
fn text(c: &mut Choices<'_>, texts: &[&'static CStr]) -> *const c_char {
    let text = c.of(texts).as_ptr();
    if c.byte() < 250 { text } else { null() }
}

fn allocation(c: &mut Choices<'_>) -> *const c_char {
    let texts =
        [c"ranked", c"ranked:0.75", c"simuem", c"binocp", c"pooled:0.5", c"pooled:0.5:0", c"auto", c"", c"\xff"];
    text(c, &texts)
}
