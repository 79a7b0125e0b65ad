//! `stk_counts`.

use super::error::stk_error;
use super::ffi::{FfiResult, Handle, call, free, get, opaque};
use super::status::{STK_NO_LABEL, stk_status};
use crate::Error;
use crate::stats::Counts;

/// How many of n noisy rows were given each label. What it says of certificates and predictions needs no model.
pub struct stk_counts(Handle<Counts>);
opaque!(stk_counts holds Counts);

/// Makes counts.
///
/// @param labels `classes` counts, by label. Not NULL. Copied.
/// @param classes How many labels there are, at least 1.
/// @param n Rows drawn, with and without a label: at least the sum of the counts; 0 means that sum.
/// @param out Not NULL. Gets the counts; free them with stk_counts_free.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_ARGUMENT for NULL; STK_STATUS_INVALID_DATA when there is no label or the counts
/// add to more than n or than 64 bits hold.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_new(
    labels: *const u64,
    classes: usize,
    n: u64,
    out: *mut *mut stk_counts,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args| {
        let out = args.out(out, "out")?;
        let labels = args.array(labels, classes, "labels")?.to_vec();
        out.give(if n == 0 { Counts::complete(labels)? } else { Counts::new(labels, n)? });
        Ok(())
    })
}

/// Adds the counts of a disjoint range of samples. Exclusive use of `counts`.
///
/// @param counts Not NULL. Unchanged on failure.
/// @param other Not NULL, and not `counts` itself.
/// @param err May be NULL.
/// @return STK_STATUS_OK; STK_STATUS_INVALID_DATA when the numbers of labels differ or a sum overflows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_add(
    counts: *mut stk_counts,
    other: *const stk_counts,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |_, counts, other| Ok(counts.exclusive()?.add(other.shared()?)?))
}

/// The counts, by label.
///
/// @param counts Not NULL.
/// @param labels Not NULL. Gets an array that lives until `counts` is added to or freed.
/// @param classes Not NULL. Gets its length.
/// @param err May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_labels(
    counts: *const stk_counts,
    labels: *mut *const u64,
    classes: *mut usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, counts| {
        let counts = counts.shared()?;
        let (labels, classes) = (args.out(labels, "labels")?, args.out(classes, "classes")?);
        labels.set(counts.labels().as_ptr());
        classes.set(counts.classes());
        Ok(())
    })
}

/// The rows drawn, with and without a label.
///
/// @param counts May be NULL: 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_n(counts: *const stk_counts) -> u64 {
    get!(counts, 0, Counts::n)
}

/// Frees counts.
///
/// @param counts May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_free(counts: *mut stk_counts) {
    free!(counts);
}

pub(super) fn to_label(label: usize) -> i64 {
    i64::try_from(label).unwrap_or(STK_NO_LABEL)
}

pub(super) fn to_labels(labels: &[usize]) -> Vec<i64> {
    labels.iter().map(|&label| to_label(label)).collect()
}

/// The label that C gave: none for STK_NO_LABEL.
pub(super) fn from_label(label: i64, input: usize) -> FfiResult<Option<usize>> {
    if label == STK_NO_LABEL {
        return Ok(None);
    }
    let refuse = || Error::argument("label", format!("input {input}: {label} is neither a label nor STK_NO_LABEL"));
    Ok(Some(usize::try_from(label).map_err(|_| refuse())?))
}
