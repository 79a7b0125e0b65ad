//! `stk_counts`: what counts say.

use std::ffi::c_char;

use super::counts::{stk_counts, to_label, to_labels};
use super::error::stk_error;
use super::ffi::{FfiResult, call};
use super::request::{
    STK_BOUND_ALLOCATION, STK_BOUND_AUTO, STK_BOUND_BINOCP, STK_BOUND_RANKED, STK_BOUND_SIMUEM, bound_from, stk_bound,
};
use super::status::{STK_NO_LABEL, stk_status};
use super::summary::stk_summary;
use crate::Error;
use crate::certificate::{self, Certificate, Prediction};
use crate::smoothed::Bounding;
use crate::stats::{Allocation, Bound, Validity};

/// The l2 radius within which `label` stays in the smoothed classifier's top k, with probability at least 1 - alpha if the
/// label was fixed before the rows were drawn (given, or chosen from other rows). Pure; safe from any thread.
///
/// For a number of rows that was fixed beforehand, too: counts of rows that a rule ended (stk_request_set_rule) would be certified
/// falsely far more often than alpha; take stk_counts_certify_with and what stk_result_validity says for them.
///
/// @param counts Not NULL; from 1 to 10^12 rows.
/// @param label The label, below the number of labels.
/// @param k The size of the top set, from 1 to the number of labels less 1.
/// @param sigma Standard deviation of the noise, in the units of the input; from 1e-100 to 1e100.
/// @param alpha Failure probability, from 1e-100 to 0.5; of counts drawn with exact noise the alpha_left of their summary, or of
/// stk_model_noise_cost.
/// @param bound STK_BOUND_RANKED, STK_BOUND_SIMUEM or STK_BOUND_BINOCP.
/// @param radius_slack Taken off the radius, finite, 0 or more: the radius_slack of the summary the counts came with, or of
/// stk_model_noise_cost.
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
    call!(err, |args, counts| {
        let counts = counts.shared()?;
        let out = args.out_sized(out, out_size, "out")?;
        let bound = bound_from(bound)?;
        check_slack(radius_slack)?;
        let certificate = certificate::certify(counts, label, k, sigma, alpha, bound)?.shrunk_by(radius_slack);
        let summary = stk_summary { radius_slack, n: counts.n(), ..stk_summary::EMPTY };
        certified(summary, &certificate).write(out);
        Ok(())
    })
}

/// As stk_counts_certify, with alpha spent as said, and with bounds for one number of rows or for all of them at once. Pure;
/// safe from any thread.
///
/// Not only the label but the allocation must have been fixed before the rows were drawn.
///
/// @param counts Not NULL; from 1 to 10^12 rows.
/// @param label The label, below the number of labels.
/// @param k The size of the top set, from 1 to the number of labels less 1.
/// @param sigma Standard deviation of the noise, in the units of the input; from 1e-100 to 1e100.
/// @param alpha Failure probability, from 1e-100 to 0.5.
/// @param allocation As for stk_request_set_allocation, but not "auto". May be NULL: "ranked".
/// @param validity "fixed": for a number of rows that was fixed beforehand, not for rows that a rule ended; "anytime": the certificates of all looks at
/// growing counts are true at once, so any may be taken, whatever made the rows end; "anytime:N": so too, for at most N rows, with N
/// fixed beforehand and half of alpha for the N-th row alone, which is what the rule steps:E takes with N the n of its request
/// (stk_result_validity), never the number of rows that came of it;
/// "randomized:U": as fixed, a little larger
/// on average, by a uniform U above 0 and at most 1 that was drawn independently of the rows. May be NULL: "fixed".
/// @param radius_slack Taken off the radius, finite, 0 or more: the radius_slack of the summary the counts came with, or of
/// stk_model_noise_cost.
/// @param out Not NULL. As for stk_counts_certify.
/// @param out_size sizeof *out: fields beyond it are not written, bytes beyond this library's struct become 0.
/// @param err May be NULL.
/// @return STK_STATUS_OK (also when nothing is certified: radius 0, abstain 1); STK_STATUS_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_certify_with(
    counts: *const stk_counts,
    label: usize,
    k: usize,
    sigma: f64,
    alpha: f64,
    allocation: *const c_char,
    validity: *const c_char,
    radius_slack: f64,
    out: *mut stk_summary,
    out_size: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, counts| {
        let counts = counts.shared()?;
        let out = args.out_sized(out, out_size, "out")?;
        let allocation: Allocation =
            args.text_or_null(allocation, "allocation")?.map_or(Ok(Allocation::default()), str::parse)?;
        let validity = args.text_or_null(validity, "validity")?.map_or(Ok(Validity::default()), str::parse)?;
        check_slack(radius_slack)?;
        let found = certificate::certify_with(counts, label, k, sigma, alpha, &allocation, validity)?;
        let summary = stk_summary { radius_slack, n: counts.n(), ..stk_summary::EMPTY };
        certified(summary, &found.shrunk_by(radius_slack)).write(out);
        Ok(())
    })
}

/// The smoothed classifier's top-k set, or an abstention. Pure; safe from any thread. For a number of rows that was fixed
/// beforehand: what a rule settled is told by the result of its call.
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
    call!(err, |args, counts| {
        let counts = counts.shared()?;
        let out = args.out_sized(out, out_size, "out")?;
        let prediction = certificate::predict(counts, k, alpha)?;
        if let Some(labels) = args.out_array(labels, k, "labels")? {
            labels.set(&to_labels(&prediction.top));
        }
        let summary = stk_summary { n: counts.n(), alpha, alpha_left: alpha, ..stk_summary::EMPTY };
        predicted(summary, &prediction).write(out);
        Ok(())
    })
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
        alpha_left: certificate.alpha,
        n_certified: certificate.n,
        uniform: match certificate.validity {
            Validity::Randomized(uniform) => uniform.value(),
            Validity::Fixed | Validity::Anytime | Validity::AnytimeTo(_) => 0.0,
        },
        bound: spent_bound(&certificate.allocation),
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

pub(super) fn check_slack(radius_slack: f64) -> FfiResult {
    if radius_slack >= 0.0 && radius_slack.is_finite() {
        return Ok(());
    }
    let message = format!("must be a finite number, 0 or more, got {radius_slack:?}");
    Err(Error::argument("radius_slack", message).into())
}

fn bound_to(bound: Bound) -> stk_bound {
    match bound {
        Bound::Ranked => STK_BOUND_RANKED,
        Bound::SimuEm => STK_BOUND_SIMUEM,
        Bound::BinoCp => STK_BOUND_BINOCP,
    }
}

/// What a request asks for: one of the three, auto, or a allocation of alpha that is none of them.
pub(super) fn asked_bound(bound: &Bounding) -> stk_bound {
    match bound {
        Bounding::Auto => STK_BOUND_AUTO,
        Bounding::As(allocation) => spent_bound(allocation),
    }
}

fn spent_bound(allocation: &Allocation) -> stk_bound {
    allocation.bound().map_or(STK_BOUND_ALLOCATION, bound_to)
}
