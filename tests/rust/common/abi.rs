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
        Self::from(|out, err| unsafe { stk_request_new(sigma, out, err) }).unwrap()
    }

    /// With n rows and a seed.
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

    pub fn counts(&self, input: usize) -> Vec<u64> {
        array(|data, len, err| unsafe { stk_result_counts(self.0, input, data, len, err) })
    }

    pub fn selection(&self, input: usize) -> Vec<u64> {
        array(|data, len, err| unsafe { stk_result_selection(self.0, input, data, len, err) })
    }

    pub fn labels(&self, input: usize, k_index: usize) -> Vec<i64> {
        array(|data, len, err| unsafe { stk_result_labels(self.0, input, k_index, data, len, err) })
    }

    pub fn validity(&self, input: usize, k_index: usize) -> String {
        let mut validity = ptr::null();
        call(|err| unsafe { stk_result_validity(self.0, input, k_index, &mut validity, err) }).unwrap();
        text(validity)
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

impl Counts {
    pub fn new(labels: &[u64], n: u64) -> Result<Self, Failed> {
        Self::from(|out, err| unsafe { stk_counts_new(labels.as_ptr(), labels.len(), n, out, err) })
    }

    pub fn labels(&self) -> Vec<u64> {
        array(|data, len, err| unsafe { stk_counts_labels(self.0, data, len, err) })
    }

    pub fn certify(
        &self,
        label: usize,
        k: usize,
        sigma: f64,
        alpha: f64,
        bound: stk_bound,
        slack: f64,
    ) -> Result<stk_summary, Failed> {
        let mut summary = empty_summary();
        let size = size_of::<stk_summary>();
        call(|err| unsafe {
            stk_counts_certify(self.0, label, k, sigma, alpha, bound, slack, &mut summary, size, err)
        })?;
        Ok(summary)
    }

    #[allow(clippy::too_many_arguments)] // As the function has.
    pub fn certify_with(
        &self,
        label: usize,
        k: usize,
        sigma: f64,
        alpha: f64,
        allocation: Option<&str>,
        validity: Option<&str>,
        slack: f64,
    ) -> Result<stk_summary, Failed> {
        let (allocation, validity) = (allocation.map(c), validity.map(c));
        let pointer = |text: &Option<CString>| text.as_ref().map_or(ptr::null(), |text| text.as_ptr());
        let (allocation, validity) = (pointer(&allocation), pointer(&validity));
        let mut summary = empty_summary();
        let (out, size) = (&raw mut summary, size_of::<stk_summary>());
        call(|err| unsafe {
            stk_counts_certify_with(self.0, label, k, sigma, alpha, allocation, validity, slack, out, size, err)
        })?;
        Ok(summary)
    }

    pub fn guarantee(
        &self,
        pilot: Option<&Self>,
        k: usize,
        sigma: f64,
        alpha: f64,
        slack: f64,
    ) -> Result<Guaranteed, Failed> {
        self.guarantee_with(pilot, k, sigma, alpha, None, slack)
    }

    pub fn guarantee_with(
        &self,
        pilot: Option<&Self>,
        k: usize,
        sigma: f64,
        alpha: f64,
        validity: Option<&str>,
        slack: f64,
    ) -> Result<Guaranteed, Failed> {
        let room = k.min(1 << 20);
        let (mut labels, mut each, mut kept) = (vec![i64::MIN; room], vec![f64::NAN; room], vec![f64::NAN; room]);
        let mut guarantee = empty_guarantee();
        let (out, size) = (&raw mut guarantee, size_of::<stk_guarantee>());
        let (a, b, d) = (labels.as_mut_ptr(), each.as_mut_ptr(), kept.as_mut_ptr());
        let pilot = pilot.map_or(ptr::null(), |pilot| pilot.0.cast_const());
        let validity = validity.map(c);
        let kind = validity.as_ref().map_or(ptr::null(), |kind| kind.as_ptr());
        call(|err| unsafe {
            stk_counts_guarantee_with(self.0, pilot, k, sigma, alpha, kind, slack, a, b, d, out, size, err)
        })?;
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
