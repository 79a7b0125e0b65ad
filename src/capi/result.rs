//! `stk_result`.

use std::ffi::{CString, c_char};
use std::sync::{Arc, OnceLock};

use super::counts::{to_label, to_labels};
use super::counts_certify::{certified, of_counts, predicted};
use super::decision;
use super::error::stk_error;
use super::ffi::{Failure, FfiResult, Handle, Out, c_string, call, free, get, opaque};
use super::guarantee::{guaranteed, kept_radii, label_radii};
use super::request_noise::generator_of;
use super::status::{
    self, STK_STATUS_CANCELLED, STK_STATUS_DEADLINE_EXCEEDED, STK_STATUS_OK, STK_STATUS_RUN, stk_status,
};
use super::summary::stk_summary;
use crate::Error;
use crate::certificate::Basis;
use crate::counts::Counts;
use crate::log::{self, Level};
use crate::record::{Identity, Record};
use crate::smoothed::{self, NoiseMode, Outcome, Task};

/// What came of a predict, certify or certify_answer: one entry per input and, in it, one per k. Never changes, so it
/// may be read from any number of threads. Outlives its model.
pub struct stk_result(Handle<Results>);
opaque!(stk_result holds Results);

/// What a result handle holds.
pub(super) struct Results {
    entries: Vec<Entry>,
    identity: Arc<Identity>,
    /// What log messages call the work by.
    job: u64,
}

pub(super) struct Entry {
    pub outcome: Outcome,
    /// The labels of each k.
    labels: Vec<Vec<i64>>,
    /// Of guarantees: for each k, the radii of the labels, and of how many stay.
    pub radii: Vec<(Vec<f64>, Vec<f64>)>,
    /// Of certificates: for each k, how alpha was split.
    allocations: Vec<CString>,
    /// The record, without and with the secret.
    records: [OnceLock<CString>; 2],
}

impl Results {
    pub(super) fn new(outcomes: Vec<Outcome>, identity: &Arc<Identity>, job: u64) -> Self {
        let entries = outcomes.into_iter().map(Entry::new).collect();
        Self { entries, identity: Arc::clone(identity), job }
    }

    /// Why the first input without an answer has none, and its stream.
    fn failure(&self) -> Option<(Failure, u64)> {
        let failed = |(i, entry): (usize, &'_ Entry)| {
            Some((i, entry.outcome.stream, entry.outcome.answer.as_ref().err()?.clone()))
        };
        let (i, stream, error) = self.entries.iter().enumerate().find_map(failed)?;
        let error = if self.entries.len() == 1 { error } else { error.prefixed(&format!("input {i}: ")) };
        Some((error.into(), stream))
    }

    pub(super) fn entry(&self, input: usize) -> FfiResult<&Entry> {
        let len = self.entries.len();
        let refuse = || Error::argument("input", format!("must be below {len}, the number of inputs; got {input}"));
        Ok(self.entries.get(input).ok_or_else(refuse)?)
    }

    fn k_len(&self) -> usize {
        // Every input was asked for the same k.
        self.entries.first().map_or(0, |entry| entry.outcome.request.k.len())
    }
}

/// Hands over results. Those that were cut short are handed over with the failure that says so; other failures hand
/// over nothing.
pub(super) fn finish(results: Results, out: Out<*mut stk_result>) -> FfiResult {
    match results.failure() {
        None => {
            out.give(results);
            Ok(())
        }
        Some((failure, stream)) => {
            tell(&failure, results.job, &results.identity, stream);
            if is_partial(&failure) {
                out.give(results);
            }
            Err(failure)
        }
    }
}

/// Logs why work ended early: what its caller asked for is no error.
pub(super) fn tell(failure: &Failure, job: u64, identity: &Identity, stream: u64) {
    let level = match failure.status {
        STK_STATUS_CANCELLED | STK_STATUS_DEADLINE_EXCEEDED => Level::Debug,
        _ => Level::Error,
    };
    let model = identity.short();
    log::log(level, format_args!("job {job}, model {model}, stream {stream}: {}", failure.message));
}

pub(super) fn is_partial(failure: &Failure) -> bool {
    matches!(failure.status, STK_STATUS_CANCELLED | STK_STATUS_DEADLINE_EXCEEDED | STK_STATUS_RUN)
}

impl Entry {
    fn new(outcome: Outcome) -> Self {
        let labels = match &outcome.answer {
            Ok(smoothed::Answer::Predictions(list)) => list.iter().map(|found| to_labels(&found.top)).collect(),
            Ok(smoothed::Answer::Certificates(list)) => list.iter().map(|found| vec![to_label(found.label)]).collect(),
            Ok(smoothed::Answer::Guarantees(list)) => list.iter().map(|found| to_labels(found.labels())).collect(),
            Ok(smoothed::Answer::Counted) | Err(_) => vec![Vec::new(); outcome.request.k.len()],
        };
        let radii = match &outcome.answer {
            Ok(smoothed::Answer::Guarantees(list)) => {
                list.iter().map(|found| (label_radii(found), kept_radii(found))).collect()
            }
            _ => vec![(Vec::new(), Vec::new()); outcome.request.k.len()],
        };
        let allocations = match &outcome.answer {
            Ok(smoothed::Answer::Certificates(list)) => {
                list.iter().map(|found| c_string(&found.allocation.to_string())).collect()
            }
            _ => vec![CString::default(); outcome.request.k.len()],
        };
        Self { outcome, labels, radii, allocations, records: Default::default() }
    }

    /// The counts that the answer for one k rests on; those that were drawn, where there is no answer.
    pub(super) fn counts_of_k(&self, k_index: usize) -> &Counts {
        self.outcome.earlier.get(k_index).and_then(Option::as_ref).unwrap_or(&self.outcome.counts)
    }

    pub(super) fn check_k(&self, k_index: usize) -> FfiResult {
        let len = self.labels.len();
        if k_index < len {
            return Ok(());
        }
        Err(Error::argument("k_index", format!("must be below {len}, the number of k; got {k_index}")).into())
    }

    fn summary(&self, k_index: usize) -> FfiResult<stk_summary> {
        self.check_k(k_index)?;
        let Outcome { answer, counts, selection, request, .. } = &self.outcome;
        let summary = stk_summary {
            n0: selection.as_ref().map_or(0, |counts| counts.n()),
            k: request.k[k_index] as u64,
            alpha: request.alpha,
            seconds: self.outcome.elapsed.as_secs_f64(),
            stream: self.outcome.stream,
            samples_drawn: self.outcome.samples_drawn,
            decision: decision::of(self.outcome.decisions.get(k_index)),
            early_stop: self.outcome.early_stop.as_ref().map_or(STK_STATUS_OK, |error| status::of(error.kind())),
            generator: generator_of(request.generator),
            levels: match request.mode {
                NoiseMode::Exact(grid) => grid.levels(),
                NoiseMode::Grid => 0,
            },
            ..of_counts(counts)
        };
        Ok(match answer {
            Ok(smoothed::Answer::Predictions(list)) => {
                predicted(summary, &list[k_index], &Basis::of(self.counts_of_k(k_index), request.alpha)?)
            }
            Ok(smoothed::Answer::Certificates(list)) => certified(summary, &list[k_index]),
            Ok(smoothed::Answer::Guarantees(list)) => guaranteed(summary, &list[k_index]),
            Ok(smoothed::Answer::Counted) => summary,
            Err(error) => stk_summary {
                status: status::of(error.kind()),
                label: match self.outcome.task {
                    Task::Certify(label) => to_label(label),
                    _ => stk_summary::EMPTY.label,
                },
                ..summary
            },
        })
    }

    fn record(&self, identity: &Identity, secrets: bool) -> *const c_char {
        let json = || c_string(&Record::of(&self.outcome, Some(identity), secrets).to_json());
        self.records[usize::from(secrets)].get_or_init(json).as_ptr()
    }
}

/// The number of inputs.
///
/// @param result May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_result_len(result: *const stk_result) -> usize {
    get!(result, 0, |results| results.entries.len())
}

/// The number of k of each input.
///
/// @param result May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_result_k_len(result: *const stk_result) -> usize {
    get!(result, 0, Results::k_len)
}

/// What came of one input for one k.
///
/// @param result Not NULL.
/// @param input The input's index, below stk_result_len.
/// @param k_index The index of the k in the request, below stk_result_k_len.
/// @param out Not NULL. Gets the summary.
/// @param out_size sizeof *out: fields beyond it are not written, bytes beyond this library's struct become 0.
/// @param err May be NULL.
/// @return STK_STATUS_OK, whatever the summary's own status; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_result_summary(
    result: *const stk_result,
    input: usize,
    k_index: usize,
    out: *mut stk_summary,
    out_size: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, result| {
        let results = result.shared()?;
        let out = args.out_sized(out, out_size, "out")?;
        results.entry(input)?.summary(k_index)?.write(out);
        Ok(())
    })
}

/// predict: the k labels with the largest counts, descending, also when abstaining. certify: the one label.
/// certify_answer: the k labels that are returned, the likeliest first. None where the input has no answer.
///
/// @param result Not NULL.
/// @param input The input's index, below stk_result_len.
/// @param k_index The index of the k in the request, below stk_result_k_len.
/// @param labels Not NULL. Gets an array that lives as long as the result.
/// @param len Not NULL. Gets its length.
/// @param err May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_result_labels(
    result: *const stk_result,
    input: usize,
    k_index: usize,
    labels: *mut *const i64,
    len: *mut usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, result| {
        let results = result.shared()?;
        let (labels, len) = (args.out(labels, "labels")?, args.out(len, "len")?);
        let entry = results.entry(input)?;
        entry.check_k(k_index)?;
        labels.set(entry.labels[k_index].as_ptr());
        len.set(entry.labels[k_index].len());
        Ok(())
    })
}

/// certify: how alpha was split for the certificate of one k, as stk_query takes it; "auto" was replaced by what it
/// chose.
///
/// @param result Not NULL.
/// @param input The input's index, below stk_result_len.
/// @param k_index The index of the k in the request, below stk_result_k_len.
/// @param allocation Not NULL. Gets a UTF-8 string that lives as long as the result; "" where there is no certificate.
/// @param err May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_result_allocation(
    result: *const stk_result,
    input: usize,
    k_index: usize,
    allocation: *mut *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, result| {
        let results = result.shared()?;
        let allocation = args.out(allocation, "allocation")?;
        let entry = results.entry(input)?;
        entry.check_k(k_index)?;
        allocation.set(entry.allocations[k_index].as_ptr());
        Ok(())
    })
}

/// One input's outcome as a JSON object (format smoothtopk-record 1.0), with all that is needed to check it: the
/// request, what computed it (the model's hash, provider and arithmetic, versions), the counts as stk_counts_json has
/// them, and what follows from them. Numbers parse back to the same values; counts are integers of up to 64 bits. A
/// digest is in the place of the seed or key.
///
/// @param result Not NULL.
/// @param input The input's index, below stk_result_len.
/// @param json Not NULL. Gets a UTF-8 string that lives as long as the result.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_result_json(
    result: *const stk_result,
    input: usize,
    json: *mut *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, result| {
        let results = result.shared()?;
        let json = args.out(json, "json")?;
        json.set(results.entry(input)?.record(&results.identity, false));
        Ok(())
    })
}

/// As stk_result_json, with the seed or key, so that the samples can be drawn again: whoever reads it knows the noise.
/// Keep it from adversaries as long as the seed or key is in use.
///
/// @param result Not NULL.
/// @param input The input's index, below stk_result_len.
/// @param json Not NULL. Gets a UTF-8 string that lives as long as the result.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_result_json_with_secret(
    result: *const stk_result,
    input: usize,
    json: *mut *const c_char,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, result| {
        let results = result.shared()?;
        let json = args.out(json, "json")?;
        json.set(results.entry(input)?.record(&results.identity, true));
        Ok(())
    })
}

/// Frees a result.
///
/// @param result May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_result_free(result: *mut stk_result) {
    free!(result);
}
