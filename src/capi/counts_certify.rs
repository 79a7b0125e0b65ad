//! `stk_counts`: what counts say.

use std::ffi::c_char;

use super::counts::{stk_counts, to_label, to_labels};
use super::error::stk_error;
use super::ffi::call;
use super::query::{self, stk_query};
use super::status::STK_NO_LABEL;
use super::status::stk_status;
use super::summary::stk_summary;
use crate::certificate::{Basis, Certificate, Prediction};
use crate::counts::Counts;
use crate::{Error, Result};

/// The radius within which the query's label stays in the smoothed classifier's top k, with probability at least 1 -
/// alpha if what the query holds was fixed before the samples were drawn, or chosen by other samples. What the noise
/// costs is off the radius and off alpha, and the bounds are those that hold for how the samples ended: the summary
/// says which. From counts that stk_model_certify answered with, this gives the radius of the answer, bit for bit.
///
/// Remembers in the counts that a statement was made. Counts that chose or predicted labels (by their purpose, by
/// stk_counts_predict or by stk_counts_guarantee) certify none: certify first, or by other samples. Safe from any
/// thread.
///
/// @param counts Not NULL; of 1 to 10^12 samples.
/// @param query Not NULL.
/// @param out Not NULL. Gets the summary; all of it but what is said to come from a model.
/// @param out_size sizeof *out: fields beyond it are not written, bytes beyond this library's struct become 0.
/// @param err May be NULL.
/// @return STK_STATUS_OK (also when nothing is certified: radius 0, abstain 1); STK_STATUS_INVALID_ARGUMENT for a query
/// that is out of range, has no size of a stk_query, or sets a field that is newer than this library, and for
/// randomized bounds where the samples have no seed or looks ended them; STK_STATUS_INVALID_DATA when the samples were
/// cut short (by a failure, a deadline or a cancel), or are samples that chose, predicted or answered labels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_certify(
    counts: *const stk_counts,
    query: *const stk_query,
    out: *mut stk_summary,
    out_size: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, counts| {
        let counts = &counts.shared()?.counts;
        let query = query::read(args, query)?;
        let out = args.out_sized(out, out_size, "out")?;
        certified(of_counts(counts), &counts.certify(&query)?).write(out);
        Ok(())
    })
}

/// For e = 1, 2, .., the radius within which at least e of a set of true labels are among the smoothed classifier's
/// top k, for all e at once with probability at least 1 - alpha if the set was fixed before the samples were drawn. The
/// only statement about counts of a model that gives each sample a set of labels (stk_model_options_set_base_k). What
/// the noise costs is off the radii. Remembers in the counts that a statement was made. Safe from any thread.
///
/// @param counts Not NULL; of 1 to 10^12 samples.
/// @param labels `labels_len` labels, ascending. Not NULL.
/// @param labels_len At least 1.
/// @param k The size of the top set, from 1 to the number of labels less 1.
/// @param alpha Failure probability, from 1e-100 to 0.5.
/// @param allocation "ranked" or "simuem". May be NULL: "ranked".
/// @param radii Room for `labels_len` numbers. Not NULL. Gets the radius for each e: 0 where nothing is certified, and
/// for e above k; infinity where so many labels stay under any perturbation.
/// @param err May be NULL.
/// @return STK_STATUS_OK (also when nothing is certified); STK_STATUS_INVALID_ARGUMENT; STK_STATUS_INVALID_DATA when
/// the samples were cut short, or are samples that chose, predicted or answered labels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_certify_labels(
    counts: *const stk_counts,
    labels: *const i64,
    labels_len: usize,
    k: usize,
    alpha: f64,
    allocation: *const c_char,
    radii: *mut f64,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, counts| {
        let counts = &counts.shared()?.counts;
        let of = |&label: &i64| {
            usize::try_from(label).map_err(|_| Error::argument("labels", format!("there is no label {label}")))
        };
        let labels: Vec<usize> = args.array(labels, labels_len, "labels")?.iter().map(of).collect::<Result<_>>()?;
        let allocation = args.text_or_null(allocation, "allocation")?.map_or(Ok(Default::default()), str::parse)?;
        let missing = || Error::argument("radii", "must not be NULL");
        let radii = args.out_array(radii, labels_len, "radii")?.ok_or_else(missing)?;
        let mut found = counts.certify_label_set(&labels, k, alpha, &allocation)?.radii;
        found.resize(labels_len, 0.0);
        radii.set(&found);
        Ok(())
    })
}

/// The smoothed classifier's top-k set, or an abstention. For a number of samples that was fixed beforehand: what a
/// rule settled is told by the result of its call. Remembers in the counts that a statement was made. Safe from any
/// thread.
///
/// @param counts Not NULL; of 1 to 10^12 samples.
/// @param k The size of the set, from 1 to the number of labels less 1.
/// @param alpha Failure probability, from 1e-100 to 0.5.
/// @param labels Room for k labels; may be NULL. Gets the labels with the largest counts, descending, also when
/// abstaining.
/// @param out Not NULL. Gets the summary; label is the most frequent one.
/// @param out_size sizeof *out: fields beyond it are not written, bytes beyond this library's struct become 0.
/// @param err May be NULL.
/// @return STK_STATUS_OK (also when abstaining); STK_STATUS_INVALID_ARGUMENT; STK_STATUS_INVALID_DATA when the samples
/// were cut short, or looks ended them.
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
    call!(err, |args, counts| {
        let counts = &counts.shared()?.counts;
        let out = args.out_sized(out, out_size, "out")?;
        let prediction = counts.predict(k, alpha)?;
        let basis = Basis::of(counts, alpha)?;
        if let Some(labels) = args.out_array(labels, k, "labels")? {
            labels.set(&to_labels(&prediction.top));
        }
        predicted(of_counts(counts), &prediction, &basis).write(out);
        Ok(())
    })
}

/// What a summary says of the samples.
pub(super) fn of_counts(counts: &Counts) -> stk_summary {
    let perturbation = counts.perturbation();
    stk_summary {
        n: counts.n(),
        noise_scale: perturbation.noise.parameter(),
        grid: perturbation.step,
        assumed: counts.is_assumed().into(),
        ..stk_summary::EMPTY
    }
}

/// The certificate's part of a summary.
pub(super) fn certified(summary: stk_summary, certificate: &Certificate) -> stk_summary {
    stk_summary {
        k: certificate.k as u64,
        label: to_label(certificate.label),
        radius: certificate.radius,
        p_lower: certificate.p_lower.p,
        p_upper: certificate.p_upper.p,
        certified: certificate.certified().into(),
        abstain: (!certificate.certified()).into(),
        ..summary.resting_on(&certificate.basis)
    }
}

/// The prediction's part of a summary.
pub(super) fn predicted(summary: stk_summary, prediction: &Prediction, basis: &Basis) -> stk_summary {
    stk_summary {
        k: prediction.top.len() as u64,
        label: prediction.top.first().map_or(STK_NO_LABEL, |&label| to_label(label)),
        p_value: prediction.p_value,
        radius_cost: 0.0,
        n_certified: summary.n,
        abstain: prediction.abstain.into(),
        ..summary.resting_on(basis)
    }
}
