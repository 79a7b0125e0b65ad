//! `stk_counts`.

use super::error::stk_error;
use super::ffi::{Answer, Handle, call, free, get, opaque};
use super::library::STK_NO_LABEL;
use super::request::{bound_from, stk_bound};
use super::status::stk_status;
use super::summary::stk_summary;
use crate::Error;
use crate::certificate::{self, Certificate, Prediction};
use crate::smoothed::{Bounding, Guarantee};
use crate::stats::{Bound, Counts, Spending};

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
    call!(err, |args| Ok(args.exclusive(counts, "counts")?.add(args.shared(other, "other")?)?))
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
    call!(err, |args| {
        let counts = args.shared(counts, "counts")?;
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

/// The l2 radius within which `label` stays in the smoothed classifier's top k, with probability at least 1 - alpha if the
/// label was fixed before the rows were drawn (given, or chosen from other rows). Pure; safe from any thread.
///
/// @param counts Not NULL; from 1 to 10^12 rows.
/// @param label The label, below the number of labels.
/// @param k The size of the top set, from 1 to the number of labels less 1.
/// @param sigma Standard deviation of the noise, in the units of the input; finite, above 0.
/// @param alpha Failure probability, from 1e-100 to 0.5.
/// @param bound One of the STK_BOUND_ constants.
/// @param radius_slack Taken off the radius, finite, 0 or more: the radius_slack of the summary the counts came with.
/// @param out Not NULL. Gets the summary; status, label, k, n, radius, p_lower, p_upper, sigma, alpha, bound say what was found.
/// @param out_size sizeof *out: fields beyond it are not written, bytes beyond this library's struct become 0.
/// @param err May be NULL.
/// @return STK_STATUS_OK (also when nothing is certified: radius 0, abstain 1); STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_certify(
    counts: *const stk_counts,
    label: usize,
    k: usize,
    sigma: f64,
    alpha: f64,
    bound: stk_bound,
    radius_slack: f64,
    out: *mut stk_summary,
    out_size: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args| {
        let counts = args.shared(counts, "counts")?;
        let out = args.out_sized(out, out_size, "out")?;
        let bound = bound_from(bound)?;
        if !(radius_slack >= 0.0 && radius_slack.is_finite()) {
            let message = format!("must be a finite number, 0 or more, got {radius_slack}");
            return Err(Error::argument("radius_slack", message).into());
        }
        let certificate = certificate::certify(counts, label, k, sigma, alpha, bound)?.shrunk_by(radius_slack);
        let summary = stk_summary { radius_slack, n: counts.n(), ..stk_summary::EMPTY };
        certified(summary, &certificate).write(out);
        Ok(())
    })
}

/// The smoothed classifier's top-k set, or an abstention. Pure; safe from any thread.
///
/// @param counts Not NULL; from 1 to 10^12 rows.
/// @param k The size of the set, from 1 to the number of labels less 1.
/// @param alpha Failure probability, from 1e-100 to 0.5.
/// @param labels Room for k labels; may be NULL. Gets the labels with the largest counts, descending, also when abstaining.
/// @param out Not NULL. Gets the summary; status, label (the most frequent), k, n, p_value, alpha, abstain say what was found.
/// @param out_size sizeof *out: fields beyond it are not written, bytes beyond this library's struct become 0.
/// @param err May be NULL.
/// @return STK_STATUS_OK (also when abstaining); STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_predict(
    counts: *const stk_counts,
    k: usize,
    alpha: f64,
    labels: *mut i64,
    out: *mut stk_summary,
    out_size: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args| {
        let counts = args.shared(counts, "counts")?;
        let out = args.out_sized(out, out_size, "out")?;
        let prediction = certificate::predict(counts, k, alpha)?;
        if let Some(labels) = args.out_array(labels, k, "labels")? {
            labels.set(&to_labels(&prediction.top));
        }
        let summary = stk_summary { n: counts.n(), alpha, ..stk_summary::EMPTY };
        predicted(summary, &prediction).write(out);
        Ok(())
    })
}

/// Frees counts.
///
/// @param counts May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_free(counts: *mut stk_counts) {
    free!(counts);
}

/// The certificate's part of a summary.
pub(super) fn certified(summary: stk_summary, certificate: &Certificate) -> stk_summary {
    stk_summary {
        k: certificate.k as u64,
        label: to_label(certificate.label),
        radius: certificate.radius,
        p_lower: certificate.p_lower.p,
        p_upper: certificate.p_upper.p,
        sigma: certificate.sigma,
        alpha: certificate.alpha,
        bound: spent_bound(&certificate.spending),
        certified: certificate.certified().into(),
        abstain: (!certificate.certified()).into(),
        ..summary
    }
}

/// The prediction's part of a summary.
pub(super) fn predicted(summary: stk_summary, prediction: &Prediction) -> stk_summary {
    stk_summary {
        k: prediction.top.len() as u64,
        label: prediction.top.first().map_or(STK_NO_LABEL, |&label| to_label(label)),
        p_value: prediction.p_value,
        abstain: prediction.abstain.into(),
        ..summary
    }
}

/// The part of a summary of the guarantees for an answer: of the whole set.
pub(super) fn guaranteed(summary: stk_summary, guarantee: &Guarantee) -> stk_summary {
    let set = &guarantee.set;
    stk_summary {
        k: set.labels.len() as u64,
        label: set.labels.first().map_or(STK_NO_LABEL, |&label| to_label(label)),
        radius: set.radius,
        p_lower: set.p_lower.p,
        p_upper: set.p_upper.p,
        certified: (set.radius > 0.0).into(),
        abstain: (set.radius <= 0.0).into(),
        ..summary
    }
}

pub(super) fn bound_to(bound: Bound) -> stk_bound {
    match bound {
        Bound::Ranked => super::request::STK_BOUND_RANKED,
        Bound::SimuEm => super::request::STK_BOUND_SIMUEM,
        Bound::BinoCp => super::request::STK_BOUND_BINOCP,
    }
}

/// What a request asks for: one of the three, auto, or a spending of alpha that is none of them.
pub(super) fn asked_bound(bound: &Bounding) -> stk_bound {
    match bound {
        Bounding::Auto => super::request::STK_BOUND_AUTO,
        Bounding::As(spending) => spent_bound(spending),
    }
}

fn spent_bound(spending: &Spending) -> stk_bound {
    spending.bound().map_or(super::request::STK_BOUND_SPENDING, bound_to)
}

pub(super) fn to_label(label: usize) -> i64 {
    i64::try_from(label).unwrap_or(STK_NO_LABEL)
}

pub(super) fn to_labels(labels: &[usize]) -> Vec<i64> {
    labels.iter().map(|&label| to_label(label)).collect()
}

/// The label that C gave: none for STK_NO_LABEL.
pub(super) fn from_label(label: i64, input: usize) -> Answer<Option<usize>> {
    if label == STK_NO_LABEL {
        return Ok(None);
    }
    let refuse = || Error::argument("label", format!("input {input}: {label} is neither a label nor STK_NO_LABEL"));
    Ok(Some(usize::try_from(label).map_err(|_| refuse())?))
}
