//! The C ABI as a test uses it: calls that return a status become results, handles free themselves.
#![allow(dead_code)]

use std::ffi::{CStr, CString, c_char};
use std::ptr;

use smoothtopk::capi::*;

/// A failed call: status, field and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    pub status: stk_status,
    pub field: String,
    pub message: String,
}

impl Failed {
    pub fn name(&self) -> String {
        text(stk_status_name(self.status))
    }
}

pub fn text(pointer: *const c_char) -> String {
    assert!(!pointer.is_null());
    // SAFETY: strings of the library end with NUL and live as long as what they come from.
    unsafe { CStr::from_ptr(pointer) }.to_str().unwrap().to_owned()
}

/// Runs a call that takes an error.
pub fn call(call: impl FnOnce(*mut *mut stk_error) -> stk_status) -> Result<(), Failed> {
    let mut error = ptr::null_mut();
    let status = call(&mut error);
    if status == STK_STATUS_OK {
        assert!(error.is_null(), "success touches no error");
        return Ok(());
    }
    assert!(!error.is_null(), "every failure gives an error");
    // SAFETY: a new error, freed once.
    unsafe {
        assert_eq!(stk_error_status(error), status);
        let failed = Failed { status, field: text(stk_error_field(error)), message: text(stk_error_message(error)) };
        stk_error_free(error);
        assert!(!failed.message.is_empty(), "{failed:?}");
        Err(failed)
    }
}

/// Runs a call that gives a handle; also the handle of a failure that gives one.
pub fn give<T>(make: impl FnOnce(*mut *mut T, *mut *mut stk_error) -> stk_status) -> (Result<(), Failed>, *mut T) {
    let mut out = ptr::null_mut();
    let result = call(|err| make(&mut out, err));
    assert!(result.is_err() || !out.is_null());
    (result, out)
}

/// Gaussian noise, as C writes it.
pub fn gaussian(sigma: f64) -> CString {
    c(&format!("gaussian:{sigma:?}"))
}

pub fn c(text: &str) -> CString {
    CString::new(text).unwrap()
}

macro_rules! handle {
    ($name:ident, $raw:ident, $free:ident) => {
        /// Owns a handle.
        pub struct $name(pub *mut $raw);
        // SAFETY: the library's handles may move between threads.
        unsafe impl Send for $name {}
        // SAFETY: tests share only what the header says may be shared.
        unsafe impl Sync for $name {}
        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: owned, freed once.
                unsafe { $free(self.0) };
            }
        }
        impl $name {
            pub fn from(make: impl FnOnce(*mut *mut $raw, *mut *mut stk_error) -> stk_status) -> Result<Self, Failed> {
                let (result, handle) = give(make);
                let handle = Self(handle);
                result.map(|()| handle)
            }
        }
    };
}

handle!(Options, stk_model_options, stk_model_options_free);
handle!(Model, stk_model, stk_model_free);
handle!(Request, stk_request, stk_request_free);
handle!(Cancel, stk_cancel, stk_cancel_free);
handle!(Job, stk_job, stk_job_free);
handle!(Outcome, stk_result, stk_result_free);
handle!(Counts, stk_counts, stk_counts_free);
handle!(Budget, stk_budget, stk_budget_free);

pub fn empty_summary() -> stk_summary {
    // SAFETY: all bytes zero is a summary.
    unsafe { std::mem::zeroed() }
}

impl Options {
    pub fn new(batch: usize, threads: usize) -> Self {
        let options = Self::from(|out, err| unsafe { stk_model_options_new(out, err) }).unwrap();
        call(|err| unsafe { stk_model_options_set_batch(options.0, batch, err) }).unwrap();
        call(|err| unsafe { stk_model_options_set_threads(options.0, threads, err) }).unwrap();
        options
    }
}

impl Model {
    pub fn open(path: &str, options: Option<&Options>) -> Result<Self, Failed> {
        let (path, options) = (c(path), options.map_or(ptr::null(), |options| options.0.cast_const()));
        Self::from(|out, err| unsafe { stk_model_open(path.as_ptr(), options, out, err) })
    }

    pub fn test(name: &str, batch: usize, threads: usize) -> Self {
        Self::open(&test_model(name), Some(&Options::new(batch, threads))).unwrap()
    }

    pub fn elements(&self) -> usize {
        unsafe { stk_model_elements(self.0) }
    }

    pub fn predict(&self, request: &Request, inputs: &[f32]) -> (Result<(), Failed>, Outcome) {
        let count = inputs.len() / self.elements();
        let (result, out) =
            give(|out, err| unsafe { stk_model_predict(self.0, request.0, inputs.as_ptr(), count, out, err) });
        (result, Outcome(out))
    }

    pub fn certify(&self, request: &Request, inputs: &[f32], labels: Option<&[i64]>) -> (Result<(), Failed>, Outcome) {
        let count = inputs.len() / self.elements();
        let labels = labels.map_or(ptr::null(), <[i64]>::as_ptr);
        let (result, out) =
            give(|out, err| unsafe { stk_model_certify(self.0, request.0, inputs.as_ptr(), count, labels, out, err) });
        (result, Outcome(out))
    }

    pub fn certify_answer(&self, request: &Request, inputs: &[f32]) -> (Result<(), Failed>, Outcome) {
        let count = inputs.len() / self.elements();
        let (result, out) =
            give(|out, err| unsafe { stk_model_certify_answer(self.0, request.0, inputs.as_ptr(), count, out, err) });
        (result, Outcome(out))
    }
}

pub fn empty_guarantee() -> stk_guarantee {
    // SAFETY: all bytes zero is a guarantee.
    unsafe { std::mem::zeroed() }
}

pub fn test_model(name: &str) -> String {
    format!("{}/tests/models/{name}", env!("CARGO_MANIFEST_DIR"))
}

impl Request {
    pub fn new(sigma: f64) -> Self {
        Self::from(|out, err| unsafe { stk_request_new(gaussian(sigma).as_ptr(), out, err) }).unwrap()
    }

    /// With n samples and a seed.
    pub fn of(sigma: f64, n: u64, seed: u64) -> Self {
        let request = Self::new(sigma);
        call(|err| unsafe { stk_request_set_n(request.0, n, err) }).unwrap();
        call(|err| unsafe { stk_request_set_seed(request.0, seed, err) }).unwrap();
        request
    }
}

impl Outcome {
    pub fn len(&self) -> usize {
        unsafe { stk_result_len(self.0) }
    }

    pub fn summary(&self, input: usize, k_index: usize) -> stk_summary {
        let mut summary = empty_summary();
        let size = size_of::<stk_summary>();
        call(|err| unsafe { stk_result_summary(self.0, input, k_index, &mut summary, size, err) }).unwrap();
        assert_eq!(summary.struct_size, size as u64);
        summary
    }

    /// The counts that the answer rests on.
    pub fn drawn(&self, input: usize) -> Counts {
        Counts::from(|out, err| unsafe { stk_result_counts(self.0, input, out, err) }).unwrap()
    }

    /// The counts that the answer for one k rests on.
    pub fn drawn_of_k(&self, input: usize, k_index: usize) -> Counts {
        Counts::from(|out, err| unsafe { stk_result_counts_of_k(self.0, input, k_index, out, err) }).unwrap()
    }

    /// The counts that selected, where there are any.
    pub fn pilot(&self, input: usize) -> Option<Counts> {
        let mut out = ptr::null_mut();
        call(|err| unsafe { stk_result_selection(self.0, input, &mut out, err) }).unwrap();
        (!out.is_null()).then_some(Counts(out))
    }

    pub fn counts(&self, input: usize) -> Vec<u64> {
        self.drawn(input).labels()
    }

    pub fn selection(&self, input: usize) -> Vec<u64> {
        self.pilot(input).map_or(Vec::new(), |counts| counts.labels())
    }

    pub fn labels(&self, input: usize, k_index: usize) -> Vec<i64> {
        array(|data, len, err| unsafe { stk_result_labels(self.0, input, k_index, data, len, err) })
    }

    pub fn allocation(&self, input: usize, k_index: usize) -> String {
        let mut allocation = ptr::null();
        call(|err| unsafe { stk_result_allocation(self.0, input, k_index, &mut allocation, err) }).unwrap();
        text(allocation)
    }

    pub fn guarantee(&self, input: usize, k_index: usize) -> Result<stk_guarantee, Failed> {
        let mut guarantee = empty_guarantee();
        let size = size_of::<stk_guarantee>();
        call(|err| unsafe { stk_result_guarantee(self.0, input, k_index, &mut guarantee, size, err) })?;
        Ok(guarantee)
    }

    pub fn label_radii(&self, input: usize, k_index: usize) -> Vec<f64> {
        array(|data, len, err| unsafe { stk_result_label_radii(self.0, input, k_index, data, len, err) })
    }

    pub fn kept_radii(&self, input: usize, k_index: usize) -> Vec<f64> {
        array(|data, len, err| unsafe { stk_result_kept_radii(self.0, input, k_index, data, len, err) })
    }

    pub fn json(&self, input: usize) -> serde_json::Value {
        let mut json = ptr::null();
        call(|err| unsafe { stk_result_json(self.0, input, &mut json, err) }).unwrap();
        serde_json::from_str(&text(json)).unwrap()
    }

    pub fn json_with_secret(&self, input: usize) -> serde_json::Value {
        let mut json = ptr::null();
        call(|err| unsafe { stk_result_json_with_secret(self.0, input, &mut json, err) }).unwrap();
        serde_json::from_str(&text(json)).unwrap()
    }
}

/// An array that a handle owns.
pub fn array<T: Copy>(get: impl FnOnce(*mut *const T, *mut usize, *mut *mut stk_error) -> stk_status) -> Vec<T> {
    let (mut data, mut len) = (ptr::null(), 0);
    call(|err| get(&mut data, &mut len, err)).unwrap();
    if len == 0 {
        return Vec::new();
    }
    // SAFETY: `len` elements that live as long as the handle.
    unsafe { std::slice::from_raw_parts(data, len) }.to_vec()
}

/// What counts guarantee.
pub struct Guaranteed {
    pub labels: Vec<i64>,
    pub label_radii: Vec<f64>,
    pub kept_radii: Vec<f64>,
    pub rest: stk_guarantee,
}

/// What is asked of counts, with names.
#[derive(Clone, Debug)]
pub struct Query {
    pub label: u64,
    pub k: u64,
    pub alpha: f64,
    pub allocation: Option<CString>,
    pub randomized: stk_randomized,
    pub uniform: f64,
}

impl Query {
    pub fn of(label: u64, k: u64) -> Self {
        Self { label, k, alpha: 0.001, allocation: None, randomized: STK_RANDOMIZED_NO, uniform: 0.0 }
    }

    pub fn alpha(self, alpha: f64) -> Self {
        Self { alpha, ..self }
    }

    pub fn allocation(self, allocation: &str) -> Self {
        Self { allocation: Some(c(allocation)), ..self }
    }

    pub fn by(self, uniform: f64) -> Self {
        Self { randomized: STK_RANDOMIZED_BY, uniform, ..self }
    }

    /// As C has it; lives as long as `self`.
    pub fn raw(&self) -> stk_query {
        stk_query {
            struct_size: size_of::<stk_query>() as u64,
            label: self.label,
            k: self.k,
            alpha: self.alpha,
            allocation: self.allocation.as_ref().map_or(ptr::null(), |text| text.as_ptr()),
            uniform: self.uniform,
            randomized: self.randomized,
            reserved: 0,
        }
    }
}

impl Counts {
    /// Bare numbers of noise of sigma 0.5, whose number was fixed.
    pub fn new(labels: &[u64], n: u64) -> Result<Self, Failed> {
        Self::assume(labels, n, "gaussian:0.5", 0.0, None)
    }

    pub fn assume(
        labels: &[u64],
        n: u64,
        noise: &str,
        radius_cost: f64,
        validity: Option<&str>,
    ) -> Result<Self, Failed> {
        let (noise, validity) = (c(noise), validity.map(c));
        let (noise, validity) = (noise.as_ptr(), validity.as_ref().map_or(ptr::null(), |text| text.as_ptr()));
        let (data, len) = (labels.as_ptr(), labels.len());
        Self::from(|out, err| unsafe { stk_counts_assume(data, len, n, noise, radius_cost, validity, out, err) })
    }

    pub fn sample(model: &Model, request: &Request, input: &[f32], first: u64, samples: u64) -> Result<Self, Failed> {
        let x = input.as_ptr();
        Self::from(|out, err| unsafe { stk_model_sample(model.0, request.0, x, first, samples, out, err) })
    }

    pub fn labels(&self) -> Vec<u64> {
        array(|data, len, err| unsafe { stk_counts_labels(self.0, data, len, err) })
    }

    pub fn n(&self) -> u64 {
        unsafe { stk_counts_n(self.0) }
    }

    pub fn add(&self, other: &Self) -> Result<(), Failed> {
        call(|err| unsafe { stk_counts_add(self.0, other.0, err) })
    }

    pub fn copy(&self) -> Self {
        Self::from(|out, err| unsafe { stk_counts_clone(self.0, out, err) }).unwrap()
    }

    fn text(
        &self,
        get: unsafe extern "C" fn(*const stk_counts, *mut *const c_char, *mut *mut stk_error) -> stk_status,
    ) -> String {
        let mut found = ptr::null();
        call(|err| unsafe { get(self.0, &mut found, err) }).unwrap();
        text(found)
    }

    pub fn json(&self) -> String {
        self.text(stk_counts_json)
    }

    pub fn json_with_secret(&self) -> String {
        self.text(stk_counts_json_with_secret)
    }

    pub fn assumptions(&self) -> String {
        self.text(stk_counts_assumptions)
    }

    pub fn from_json(json: &str) -> Result<Self, Failed> {
        let json = c(json);
        Self::from(|out, err| unsafe { stk_counts_from_json(json.as_ptr(), out, err) })
    }

    pub fn certify(&self, query: &Query) -> Result<stk_summary, Failed> {
        let (mut summary, query) = (empty_summary(), query.raw());
        let size = size_of::<stk_summary>();
        call(|err| unsafe { stk_counts_certify(self.0, &query, &mut summary, size, err) })?;
        Ok(summary)
    }

    pub fn guarantee(&self, pilot: Option<&Self>, k: usize, alpha: f64) -> Result<Guaranteed, Failed> {
        let room = k.min(1 << 20);
        let (mut labels, mut each, mut kept) = (vec![i64::MIN; room], vec![f64::NAN; room], vec![f64::NAN; room]);
        let mut guarantee = empty_guarantee();
        let (out, size) = (&raw mut guarantee, size_of::<stk_guarantee>());
        let (a, b, d) = (labels.as_mut_ptr(), each.as_mut_ptr(), kept.as_mut_ptr());
        let pilot = pilot.map_or(ptr::null(), |pilot| pilot.0.cast_const());
        call(|err| unsafe { stk_counts_guarantee(self.0, pilot, k, alpha, a, b, d, out, size, err) })?;
        Ok(Guaranteed { labels, label_radii: each, kept_radii: kept, rest: guarantee })
    }

    pub fn predict(&self, k: usize, alpha: f64) -> Result<(Vec<i64>, stk_summary), Failed> {
        let mut labels = vec![i64::MIN; k.min(1 << 20)];
        let mut summary = empty_summary();
        let size = size_of::<stk_summary>();
        call(|err| unsafe { stk_counts_predict(self.0, k, alpha, labels.as_mut_ptr(), &mut summary, size, err) })?;
        Ok((labels, summary))
    }
}
