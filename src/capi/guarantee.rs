//! `stk_guarantee`, and the guarantees that counts give.

use std::ffi::c_char;

use super::counts::{stk_counts, to_label, to_labels};
use super::counts_certify::check_slack;
use super::error::stk_error;
use super::ffi::{OutSized, call};
use super::status::{STK_NO_LABEL, stk_status};
use super::summary::stk_summary;
use crate::Error;
use crate::certificate::Inference;
use crate::smoothed::Guarantee;
use crate::stats::Validity;

/// What holds around an input for the k labels that are returned for it. Each radius, and the radii of all labels together, are
/// a statement at alpha of their own: several that are read together are all true with probability at least 1 minus the sum
/// of their alphas. Its size may grow at its end within an ABI version: functions that fill one take the size that the caller
/// knows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct stk_guarantee {
    /// Bytes that this library filled: sizeof(stk_guarantee) of the older of the two sides.
    pub struct_size: u64,
    /// The number of labels.
    pub k: u64,
    /// Rows that certify: fewer than were counted where one of several k had a larger set_radius at an earlier look of a rule; the
    /// counts of that look are in the JSON of the result (`earlier`).
    pub n: u64,
    /// Rows of their own that chose the labels; 0: they are those most frequent among the n rows, which is paid for out of alpha.
    pub n0: u64,
    /// Standard deviation of the noise, in the units of the input.
    pub sigma: f64,
    /// Failure probability of each statement, all in all.
    pub alpha: f64,
    /// What rounding the input took off every radius, in the units of the input.
    pub radius_slack: f64,
    /// The l2 radius within which the set of the k labels does not change, 0 for none.
    pub set_radius: f64,
    /// The l2 radius within which the first label stays the likeliest, 0 for none.
    pub first_radius: f64,
    /// The l2 radius within which the k labels stay the likeliest, in their order, 0 for none.
    pub ranking_radius: f64,
}

impl stk_guarantee {
    /// Of what was asked, where there is no answer: nothing is guaranteed.
    pub(super) const EMPTY: Self = Self {
        struct_size: 0,
        k: 0,
        n: 0,
        n0: 0,
        sigma: 0.0,
        alpha: 0.0,
        radius_slack: 0.0,
        set_radius: 0.0,
        first_radius: 0.0,
        ranking_radius: 0.0,
    };

    /// With the radii of a guarantee.
    pub(super) fn holding(self, guarantee: &Guarantee) -> Self {
        Self {
            k: guarantee.labels().len() as u64,
            n: guarantee.set.n,
            set_radius: guarantee.set.radius,
            first_radius: guarantee.first.radius,
            ranking_radius: guarantee.ranking.radius,
            ..self
        }
    }

    /// Writes as many whole fields as the caller has room for, and zeros behind them.
    pub(super) fn write(mut self, out: OutSized<Self>) {
        // Every field has 8 bytes.
        let filled = out.size().min(size_of::<Self>()) / 8 * 8;
        self.struct_size = filled as u64;
        out.set(&self, filled);
    }
}

/// The part of a summary: of the whole set.
pub(super) fn guaranteed(summary: stk_summary, guarantee: &Guarantee) -> stk_summary {
    let set = &guarantee.set;
    stk_summary {
        k: set.labels.len() as u64,
        label: set.labels.first().map_or(STK_NO_LABEL, |&label| to_label(label)),
        radius: set.radius,
        p_lower: set.p_lower.p,
        p_upper: set.p_upper.p,
        n_certified: set.n,
        certified: (set.radius > 0.0).into(),
        abstain: (set.radius <= 0.0).into(),
        ..summary
    }
}

/// The radius of each label.
pub(super) fn label_radii(guarantee: &Guarantee) -> Vec<f64> {
    guarantee.each.labels.iter().map(|label| label.radius).collect()
}

/// The radius within which at least 1, 2, .. k labels stay.
pub(super) fn kept_radii(guarantee: &Guarantee) -> Vec<f64> {
    guarantee.kept.iter().map(|kept| kept.as_ref().map_or(f64::INFINITY, |kept| kept.radius)).collect()
}

/// The guarantees for the k labels that are returned. Pure; safe from any thread. For a number of rows that was fixed beforehand;
/// of rows that a rule ended: stk_counts_guarantee_with.
///
/// @param counts Not NULL; from 1 to 10^12 rows.
/// @param pilot Counts of other rows of the same input, which choose the labels. May be NULL: `counts` choose them, which is
/// paid for out of alpha. Not `counts` itself: that is refused, since its rows are not other rows.
/// @param k The number of labels, from 1 to all labels less 1.
/// @param sigma Standard deviation of the noise, in the units of the input; from 1e-100 to 1e100.
/// @param alpha Failure probability of each statement, from 1e-100 to 0.5.
/// @param radius_slack Taken off every radius, finite, 0 or more: the radius_slack of the summary the counts came with, or of
/// stk_model_noise_cost.
/// @param labels Room for k labels; may be NULL. Gets them, the likeliest first.
/// @param label_radii Room for k radii; may be NULL. Gets, in the order of the labels, the radius within which each stays in
/// the top k. One statement at alpha for all of them.
/// @param kept_radii Room for k radii; may be NULL. Gets at index e - 1 the radius within which at least e of the labels stay in
/// the top k: a statement at alpha each; infinity where so many stay whatever happens, because too few others are there.
/// @param out Not NULL. Gets the rest.
/// @param out_size sizeof *out: fields beyond it are not written, bytes beyond this library's struct become 0.
/// @param err May be NULL.
/// @return STK_STATUS_OK (also when nothing is certified); STK_STATUS_INVALID_ARGUMENT; STK_STATUS_INVALID_DATA when the
/// numbers of labels differ.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_guarantee(
    counts: *const stk_counts,
    pilot: *const stk_counts,
    k: usize,
    sigma: f64,
    alpha: f64,
    radius_slack: f64,
    labels: *mut i64,
    label_radii: *mut f64,
    kept_radii: *mut f64,
    out: *mut stk_guarantee,
    out_size: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    // SAFETY: the caller's promises are the same.
    unsafe {
        stk_counts_guarantee_with(
            counts,
            pilot,
            k,
            sigma,
            alpha,
            std::ptr::null(),
            radius_slack,
            labels,
            label_radii,
            kept_radii,
            out,
            out_size,
            err,
        )
    }
}

/// As stk_counts_guarantee, with bounds for one number of rows or for all of them at once. Pure; safe from any thread.
///
/// @param counts Not NULL; from 1 to 10^12 rows.
/// @param pilot As for stk_counts_guarantee. With "anytime" what needs to be paid for out of alpha without it is not certified.
/// @param k The number of labels, from 1 to all labels less 1.
/// @param sigma Standard deviation of the noise, in the units of the input; from 1e-100 to 1e100.
/// @param alpha Failure probability of each statement, from 1e-100 to 0.5.
/// @param validity "fixed": for a number of rows that was fixed beforehand, not for rows that a rule ended; "anytime": each
/// statement of all looks at growing counts is true at once. May be NULL: "fixed".
/// @param radius_slack As for stk_counts_guarantee.
/// @param labels As for stk_counts_guarantee.
/// @param label_radii As for stk_counts_guarantee.
/// @param kept_radii As for stk_counts_guarantee.
/// @param out Not NULL. Gets the rest.
/// @param out_size sizeof *out: fields beyond it are not written, bytes beyond this library's struct become 0.
/// @param err May be NULL.
/// @return STK_STATUS_OK (also when nothing is certified); STK_STATUS_INVALID_ARGUMENT; STK_STATUS_INVALID_DATA when the
/// numbers of labels differ.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_guarantee_with(
    counts: *const stk_counts,
    pilot: *const stk_counts,
    k: usize,
    sigma: f64,
    alpha: f64,
    validity: *const c_char,
    radius_slack: f64,
    labels: *mut i64,
    label_radii: *mut f64,
    kept_radii: *mut f64,
    out: *mut stk_guarantee,
    out_size: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, counts, pilot| {
        let counts = counts.shared()?;
        let pilot = pilot.shared_or_null()?;
        let validity = args.text_or_null(validity, "validity")?.map_or(Ok(Validity::default()), str::parse)?;
        let out = args.out_sized(out, out_size, "out")?;
        if pilot.is_some_and(|pilot| std::ptr::eq(pilot, counts)) {
            let message = "is the counts themselves: pass NULL where they choose the labels";
            return Err(Error::argument("pilot", message).into());
        }
        check_slack(radius_slack)?;
        let found = Guarantee::with(counts, pilot, k, sigma, alpha, radius_slack, &Inference::of(validity)?)?;
        let labels = args.out_array(labels, k, "labels")?;
        let each = args.out_array(label_radii, k, "label_radii")?;
        let kept = args.out_array(kept_radii, k, "kept_radii")?;
        if let Some(labels) = labels {
            labels.set(&to_labels(found.labels()));
        }
        if let Some(each) = each {
            each.set(&self::label_radii(&found));
        }
        if let Some(kept) = kept {
            kept.set(&self::kept_radii(&found));
        }
        let n0 = pilot.map_or(0, |pilot| pilot.n());
        stk_guarantee { n0, sigma, alpha, radius_slack, ..stk_guarantee::EMPTY }.holding(&found).write(out);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_eight_bytes() {
        assert_eq!(size_of::<stk_guarantee>(), 10 * 8);
    }
}
