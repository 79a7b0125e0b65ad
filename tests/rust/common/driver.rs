//! Drives the C ABI with the call sequence and the arguments that some bytes say. Used by the property test and by the
//! fuzz target: whatever the bytes are, nothing may crash, hang, leak or panic.
//!
//! Only what the header calls undefined is left out: memory of a wrong length, and handles that were freed.

#[path = "choices.rs"]
mod choices;

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
    /// Rows of each request: blocking calls are made for few only.
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

unsafe extern "C" fn done(_user: *mut c_void) {
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
            8 => of_budgets(c, pools),
            0 => of_counts(c, pools),
            1 | 2 => of_requests(c, pools),
            3 => of_options(c, pools),
            4 => of_tokens(c, pools),
            5 | 9 => of_models(c, pools),
            6 => of_jobs(c, pools),
            _ => of_results(c, pools),
        }
    }
}

/// One of the texts; rarely NULL.
fn text(c: &mut Choices<'_>, texts: &[&'static CStr]) -> *const c_char {
    let text = c.of(texts).as_ptr();
    if c.byte() < 250 { text } else { null() }
}

fn spending(c: &mut Choices<'_>) -> *const c_char {
    let texts =
        [c"ranked", c"ranked:0.75", c"simuem", c"binocp", c"pooled:0.5", c"pooled:0.5:0", c"auto", c"", c"\xff"];
    text(c, &texts)
}

unsafe fn of_counts(c: &mut Choices<'_>, pools: &mut Pools) {
    let values = [c.integer(), c.integer(), c.integer()];
    let len = c.below(4);
    let counts = c.handle(&pools.counts);
    let mut summary = std::mem::MaybeUninit::<[u64; 32]>::uninit();
    let out = if c.byte() < 250 { summary.as_mut_ptr().cast() } else { null_mut() };
    let size = c.of(&[144, 184, 184, 8, 137, 256, 0, 7]);
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(9) {
            7 => {
                let (label, k, sigma, alpha, slack) = (c.index(), c.index(), c.float(), c.float(), c.float());
                let (spending, intervals) =
                    (spending(c), c.of(&[c"fixed", c"anytime", c"randomized:0.5", c"", c"\xff"]));
                let intervals = if c.byte() < 200 { intervals.as_ptr() } else { null() };
                run(c, |err| {
                    stk_counts_certify_with(counts, label, k, sigma, alpha, spending, intervals, slack, out, size, err)
                });
            }
            8 => {
                let pilot = if c.byte() < 128 { c.handle(&pools.counts) } else { null_mut() };
                let (k, sigma, alpha, slack) = (c.index(), c.float(), c.float(), c.float());
                let (mut labels, mut radii) = ([0i64; 8], [[0.0; 8]; 2]);
                let [each, kept] = &mut radii;
                let room = k <= labels.len() && c.byte() < 200;
                let (labels, each, kept) = match room {
                    true => (labels.as_mut_ptr(), each.as_mut_ptr(), kept.as_mut_ptr()),
                    false => (null_mut(), null_mut(), null_mut()),
                };
                let out = out.cast();
                run(c, |err| {
                    stk_counts_guarantee(counts, pilot, k, sigma, alpha, slack, labels, each, kept, out, size, err)
                });
            }
            0 | 1 => {
                let n = c.integer();
                let data = if c.byte() < 250 { values.as_ptr() } else { null() };
                give(c, &mut pools.counts, |out, err| stk_counts_new(data, len, n, out, err));
            }
            2 => {
                let other = c.handle(&pools.counts);
                run(c, |err| stk_counts_add(counts, other, err));
            }
            3 => {
                let (label, k, sigma, alpha) = (c.index(), c.index(), c.float(), c.float());
                let (bound, slack) = (c.of(&[0, 1, 2, -1, 3, i32::MIN]), c.float());
                run(c, |err| stk_counts_certify(counts, label, k, sigma, alpha, bound, slack, out, size, err));
            }
            4 => {
                let (k, alpha) = (c.index(), c.float());
                let mut labels = [0i64; 8];
                let labels = if k <= labels.len() && c.byte() < 200 { labels.as_mut_ptr() } else { null_mut() };
                run(c, |err| stk_counts_predict(counts, k, alpha, labels, out, size, err));
            }
            5 => {
                let (mut data, mut len) = (null(), 0);
                if run(c, |err| stk_counts_labels(counts, &mut data, &mut len, err)) == STK_STATUS_OK {
                    let sum =
                        std::slice::from_raw_parts(data, len).iter().map(|&count| u128::from(count)).sum::<u128>();
                    assert!(sum <= u128::from(stk_counts_n(counts)));
                }
            }
            _ => {
                if let Some(counts) = pools.counts.pop() {
                    stk_counts_free(counts);
                }
            }
        }
    }
}

unsafe fn of_budgets(c: &mut Choices<'_>, pools: &mut Pools) {
    let budget = c.handle(&pools.budgets);
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(6) {
            0 | 1 => {
                let (total, schedule) =
                    (c.float(), text(c, &[c"slow", c"even:3", c"asked", c"even:0", c"square", c""]));
                give(c, &mut pools.budgets, |out, err| stk_budget_new(total, schedule, out, err));
            }
            2 => {
                let (number, mut alphas, mut first) = (c.of(&[1, 2, 4, 0]), [0.0; 4], 0);
                let first = if c.byte() < 128 { &raw mut first } else { null_mut() };
                let alphas = if c.byte() < 250 { alphas.as_mut_ptr() } else { null_mut() };
                run(c, |err| stk_budget_draw(budget, number, alphas, first, err));
            }
            3 => {
                let alpha = c.float();
                run(c, |err| stk_budget_draw_of(budget, alpha, null_mut(), err));
                assert!(stk_budget_spent(budget) <= stk_budget_total(budget));
            }
            4 => {
                let (mut saved, size) = ([0; 512], c.of(&[512, 256, 255, 0]));
                if run(c, |err| stk_budget_save(budget, saved.as_mut_ptr(), size, err)) == STK_STATUS_OK {
                    give(c, &mut pools.budgets, |out, err| stk_budget_open(saved.as_ptr(), out, err));
                }
            }
            _ => {
                if let Some(budget) = pools.budgets.pop() {
                    stk_budget_free(budget);
                }
            }
        }
    }
}

unsafe fn of_requests(c: &mut Choices<'_>, pools: &mut Pools) {
    let at = if pools.requests.is_empty() { 0 } else { c.below(pools.requests.len()) };
    let request = pools.requests.get(at).copied().unwrap_or(null_mut());
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(18) {
            14 => {
                let rule = text(c, &[c"fixed", c"radius:0.25", c"tolerance:0.1sigma", c"predict", c"radius:-1", c"x"]);
                run(c, |err| stk_request_set_rule(request, rule, err));
            }
            15 => {
                let spending = spending(c);
                run(c, |err| stk_request_set_spending(request, spending, err));
            }
            16 => {
                let levels = c.of(&[0, 0, 8, 255, 1, 1 << 20, u32::MAX]);
                run(c, |err| stk_request_set_noise_exact(request, levels, err));
            }
            17 => {
                let key = [c.byte(); STK_CHACHA12_KEY_SIZE];
                let key = if c.byte() < 128 { key.as_ptr() } else { null() };
                run(c, |err| stk_request_set_chacha12(request, key, err));
            }
            0 | 1 => {
                let sigma = c.float();
                give(c, &mut pools.requests, |out, err| stk_request_new(sigma, out, err));
                pools.rows.resize(pools.requests.len(), (100_000, 100));
                // Few rows to begin with, or hardly any call would be made.
                if let Some(&request) = pools.requests.last() {
                    stk_request_set_n(request, 50, null_mut());
                    pools.rows.last_mut().unwrap().0 = 50;
                }
            }
            2 => {
                let sigma = c.float();
                run(c, |err| stk_request_set_sigma(request, sigma, err));
            }
            3 => {
                let k = [c.index(), c.index(), c.index()];
                let len = c.below(4);
                run(c, |err| stk_request_set_k(request, k.as_ptr(), len, err));
            }
            4 => {
                let n = c.integer();
                if run(c, |err| stk_request_set_n(request, n, err)) == STK_STATUS_OK {
                    pools.rows[at].0 = n;
                }
            }
            5 => {
                let n0 = c.integer();
                if run(c, |err| stk_request_set_n0(request, n0, err)) == STK_STATUS_OK {
                    pools.rows[at].1 = n0;
                }
            }
            6 => {
                let alpha = c.float();
                run(c, |err| stk_request_set_alpha(request, alpha, err));
            }
            7 => {
                let bound = c.of(&[0, 1, 2, -1, 3, i32::MAX]);
                run(c, |err| stk_request_set_bound(request, bound, err));
            }
            8 => {
                let seed = c.integer();
                run(c, |err| stk_request_set_seed(request, seed, err));
            }
            9 => {
                let key = c.integer();
                run(c, |err| stk_request_set_key(request, key, err));
            }
            10 => {
                let input_max = c.float();
                run(c, |err| stk_request_set_input_max(request, input_max, err));
            }
            11 => {
                let timeout = c.of(&[0, 1, 5, 1000, u64::MAX]);
                run(c, |err| stk_request_set_timeout_ms(request, timeout, err));
            }
            12 => {
                let token = c.handle(&pools.tokens);
                run(c, |err| stk_request_set_cancel(request, token, err));
            }
            _ => {
                let callback: stk_progress_callback = if c.byte() < 128 { Some(progress) } else { None };
                run(c, |err| stk_request_set_progress(request, callback, null_mut(), err));
            }
        }
    }
}

unsafe fn of_options(c: &mut Choices<'_>, pools: &mut Pools) {
    let options = c.handle(&pools.options);
    let text = c.of(&[c"cpu", c"cuda:0", c"cpu:0", c"", c"x", c"\xff", c"NoSuchExecutionProvider"]).as_ptr();
    let text = if c.byte() < 250 { text } else { null() };
    let size = c.of(&[0, 1, 2, 8, 1000, usize::MAX]);
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(13) {
            0 => {
                give(c, &mut pools.options, |out, err| stk_model_options_new(out, err));
            }
            1 => {
                run(c, |err| stk_model_options_set_provider(options, text, err));
            }
            2 => {
                run(c, |err| stk_model_options_set_provider_option(options, text, text, err));
            }
            3 => {
                run(c, |err| stk_model_options_set_provider_library(options, text, err));
            }
            4 => {
                run(c, |err| stk_model_options_set_threads(options, size, err));
            }
            5 => {
                run(c, |err| stk_model_options_set_batch(options, size, err));
            }
            6 => {
                run(c, |err| stk_model_options_set_memory_limit(options, size as u64, err));
            }
            7 => {
                run(c, |err| stk_model_options_set_input(options, text, err));
            }
            8 => {
                let dims = [size, c.index()];
                let len = c.below(3);
                run(c, |err| stk_model_options_set_input_shape(options, dims.as_ptr(), len, err));
            }
            9 => {
                run(c, |err| stk_model_options_set_classes(options, size, err));
            }
            10 => {
                let threshold = c.float();
                run(c, |err| stk_model_options_set_threshold(options, threshold, err));
            }
            11 => {
                let values = [c.float() as f32, c.float() as f32];
                let (mean, std) = (c.below(3), c.below(3));
                let data = values.as_ptr();
                run(c, |err| stk_model_options_set_normalization(options, data, mean, data, std, err));
            }
            _ => {
                let values = [c.float(), c.float()];
                let len = c.below(3);
                run(c, |err| stk_model_options_set_constant(options, text, values.as_ptr(), len, err));
            }
        }
    }
}

unsafe fn of_tokens(c: &mut Choices<'_>, pools: &mut Pools) {
    let token = c.handle(&pools.tokens);
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(6) {
            0..3 => {
                give(c, &mut pools.tokens, |out, err| stk_cancel_new(out, err));
            }
            3 => {
                stk_cancel_set(token);
                assert!(token.is_null() || stk_cancel_is_set(token));
            }
            4 => {
                stk_cancel_is_set(token);
            }
            _ => {
                if let Some(token) = pools.tokens.pop() {
                    stk_cancel_free(token);
                }
            }
        }
    }
}

unsafe fn of_models(c: &mut Choices<'_>, pools: &mut Pools) {
    let at = if pools.requests.is_empty() { 0 } else { c.below(pools.requests.len()) };
    let request = pools.requests.get(at).copied().unwrap_or(null_mut());
    let (n, n0) = pools.rows.get(at).copied().unwrap_or_default();
    let few = n <= 1000 && n0 <= 1000;
    let mut inputs = [0.25f32; 48];
    inputs[c.below(48)] = c.float() as f32;
    let inputs = if c.byte() < 250 { inputs.as_ptr() } else { null() };
    let count = c.below(4);
    let labels = [c.of(&[-1i64, 0, 1, 2, 3, -2, i64::MAX]), c.of(&[-1, 0, 1, 2]), 1];
    let labels = if c.byte() < 128 { labels.as_ptr() } else { null() };
    let model = if c.byte() < 250 { model() } else { null() };
    let callback: stk_done_callback = Some(done);
    let choice = c.below(8);
    if choice < 3 || choice == 6 {
        // Jobs are served in their order: a blocking call behind an endless one would wait for it.
        // SAFETY: live jobs.
        pools.jobs.iter().for_each(|&job| unsafe { stk_job_cancel(job) });
    }
    // SAFETY: by contract of the caller.
    unsafe {
        match choice {
            0 if few => {
                let status =
                    give(c, &mut pools.results, |out, err| stk_model_predict(model, request, inputs, count, out, err));
                ANSWERED.fetch_add(usize::from(status == STK_STATUS_OK), Ordering::SeqCst);
            }
            1 if few => {
                give(c, &mut pools.results, |out, err| {
                    stk_model_certify(model, request, inputs, count, labels, out, err)
                });
            }
            6 if few => {
                give(c, &mut pools.results, |out, err| {
                    stk_model_certify_answer(model, request, inputs, count, out, err)
                });
            }
            7 => {
                let status = give(c, &mut pools.jobs, |out, err| {
                    stk_model_submit_certify_answer(model, request, inputs, count, callback, null_mut(), out, err)
                });
                SUBMITTED.fetch_add(usize::from(status == STK_STATUS_OK), Ordering::SeqCst);
            }
            2 => {
                let (first, rows) = (c.integer(), c.of(&[1, 10, 300, 0]));
                give(c, &mut pools.counts, |out, err| stk_model_sample(model, request, inputs, first, rows, out, err));
            }
            3 => {
                let status = give(c, &mut pools.jobs, |out, err| {
                    stk_model_submit_predict(model, request, inputs, count, callback, null_mut(), out, err)
                });
                SUBMITTED.fetch_add(usize::from(status == STK_STATUS_OK), Ordering::SeqCst);
            }
            4 => {
                let status = give(c, &mut pools.jobs, |out, err| {
                    stk_model_submit_certify(model, request, inputs, count, labels, callback, null_mut(), out, err)
                });
                SUBMITTED.fetch_add(usize::from(status == STK_STATUS_OK), Ordering::SeqCst);
            }
            _ => {
                let (mut dims, mut len) = (null(), 0);
                run(c, |err| stk_model_shape(model, &mut dims, &mut len, err));
                assert!(len == 0 || *dims == 16);
                let (rows, mut left, mut slack) = (c.integer(), 0.0, 0.0);
                run(c, |err| stk_model_noise_cost(model, request, rows, &mut left, &mut slack, err));
                assert!(stk_model_elements(model) <= 16 && stk_model_classes(model) <= 3);
                assert!(!stk_model_sha256(model).is_null() && !stk_model_signature_json(model).is_null());
            }
        }
    }
}

unsafe fn of_jobs(c: &mut Choices<'_>, pools: &mut Pools) {
    let job = c.handle(&pools.jobs);
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(6) {
            0 => {
                assert!(stk_job_rows_done(job) <= stk_job_rows_total(job));
                stk_job_is_done(job);
            }
            1 => stk_job_cancel(job),
            2 | 3 => {
                let mut ended = false;
                run(c, |err| stk_job_wait(job, 1, &mut ended, err));
                // The result is waited for only where that ends.
                if !ended {
                    stk_job_cancel(job);
                }
                give(c, &mut pools.results, |out, err| stk_job_result(job, out, err));
            }
            _ => {
                if let Some(job) = pools.jobs.pop() {
                    stk_job_free(job);
                }
            }
        }
    }
}

unsafe fn of_results(c: &mut Choices<'_>, pools: &mut Pools) {
    let result = c.handle(&pools.results);
    let (input, k_index) = (c.index(), c.index());
    let (mut labels, mut counts, mut len, mut json) = (null(), null(), 0, null());
    let mut summary = std::mem::MaybeUninit::<[u64; 32]>::uninit();
    let size = c.of(&[144, 184, 8, 100, 256, 0]);
    // SAFETY: by contract of the caller.
    unsafe {
        match c.below(8) {
            6 => {
                let out = summary.as_mut_ptr().cast();
                run(c, |err| stk_result_guarantee(result, input, k_index, out, size, err));
                let (mut radii, mut len) = (null(), 0);
                run(c, |err| stk_result_label_radii(result, input, k_index, &mut radii, &mut len, err));
                run(c, |err| stk_result_kept_radii(result, input, k_index, &mut radii, &mut len, err));
                assert!(len == 0 || *radii >= 0.0);
            }
            7 => {
                let mut spending = null();
                run(c, |err| stk_result_spending(result, input, k_index, &mut spending, err));
            }
            0 => {
                let out = summary.as_mut_ptr().cast();
                run(c, |err| stk_result_summary(result, input, k_index, out, size, err));
            }
            1 => {
                run(c, |err| stk_result_labels(result, input, k_index, &mut labels, &mut len, err));
            }
            2 => {
                run(c, |err| stk_result_counts(result, input, &mut counts, &mut len, err));
                assert!(len == 0 || len == 3);
            }
            3 => {
                run(c, |err| stk_result_selection(result, input, &mut counts, &mut len, err));
            }
            4 => {
                if run(c, |err| stk_result_json(result, input, &mut json, err)) == STK_STATUS_OK {
                    assert_eq!(*json.cast::<u8>(), b'{');
                }
            }
            _ => {
                if let Some(result) = pools.results.pop() {
                    stk_result_free(result);
                }
            }
        }
    }
}
