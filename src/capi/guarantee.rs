//! `stk_guarantee`, and the guarantees that counts give.

use super::counts::{stk_counts, to_label, to_labels};
use super::error::stk_error;
use super::ffi::{OutSized, call};
use super::status::STK_NO_LABEL;
use super::status::stk_status;
use super::summary::stk_summary;
use super::validity::{self, STK_VALIDITY_NONE, stk_validity};
use crate::Error;
use crate::certificate::Guarantee;

/// What holds around an input for the k labels that are returned for it. Each radius, and the radii of all labels
/// together, are a statement at alpha of their own: several that are read together are all true with probability at
/// least 1 minus the sum of their alphas. Its size may grow at its end within an ABI version: functions that fill one
/// take the size that the caller knows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct stk_guarantee {
    /// Bytes that this library filled: sizeof(stk_guarantee) of the older of the two sides.
    pub struct_size: u64,
    /// The number of labels.
    pub k: u64,
    /// Samples that certify: fewer than were counted where one of several k had a larger set_radius at an earlier look
    /// of a rule; stk_result_counts_of_k gives the counts of that look.
    pub n: u64,
    /// Samples of their own that chose the labels; 0: they are those most frequent among the n samples, which is paid
    /// for out of alpha.
    pub n0: u64,
    /// The parameter of the noise, in the units of the input: sigma of Gaussian, lambda of uniform noise.
    pub noise_scale: f64,
    /// Failure probability of each statement, all in all.
    pub alpha: f64,
    /// What was left of alpha for the bounds, when the distance of exact noise from its ideal was paid for. It is taken
    /// already.
    pub alpha_left: f64,
    /// What rounding took off every radius, in the units of the input. It is taken already.
    pub radius_cost: f64,
    /// The radius within which the set of the k labels does not change, 0 for none.
    pub set_radius: f64,
    /// The radius within which the first label stays the likeliest, 0 for none.
    pub first_radius: f64,
    /// The radius within which the k labels stay the likeliest, in their order, 0 for none.
    pub ranking_radius: f64,
    /// STK_VALIDITY_ANYTIME_TO: the last number of samples. Otherwise 0.
    pub validity_last: u64,
    /// stk_validity: for which samples the bounds hold.
    pub validity: stk_validity,
    /// 1: it rests on what the caller stated of bare numbers (stk_counts_assumptions). Otherwise 0.
    pub assumed: u8,
    /// 0.
    pub reserved: [u8; 3],
}

impl stk_guarantee {
    /// Of what was asked, where there is no answer: nothing is guaranteed.
    pub(super) const EMPTY: Self = Self {
        struct_size: 0,
        k: 0,
        n: 0,
        n0: 0,
        noise_scale: 0.0,
        alpha: 0.0,
        alpha_left: 0.0,
        radius_cost: 0.0,
        set_radius: 0.0,
        first_radius: 0.0,
        ranking_radius: 0.0,
        validity_last: 0,
        validity: STK_VALIDITY_NONE,
        assumed: 0,
        reserved: [0; 3],
    };

    /// With the radii of a guarantee, and what it rests on.
    pub(super) fn holding(self, guarantee: &Guarantee) -> Self {
        let basis = guarantee.basis();
        let (validity, validity_last, _) = validity::of(basis.validity);
        Self {
            k: guarantee.labels().len() as u64,
            n: basis.n,
            noise_scale: basis.noise.parameter(),
            alpha: basis.alpha,
            alpha_left: basis.alpha_left,
            radius_cost: basis.radius_cost,
            set_radius: guarantee.set.radius,
            first_radius: guarantee.first.radius,
            ranking_radius: guarantee.ranking.radius,
            validity_last,
            validity,
            assumed: basis.assumed.into(),
            ..self
        }
    }

    /// Writes as many whole fields as the caller has room for, and zeros behind them.
    pub(super) fn write(mut self, out: OutSized<Self>) {
        // Fields have 8 bytes, or share 8.
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
        certified: set.certified().into(),
        abstain: (!set.certified()).into(),
        ..summary.resting_on(&set.basis)
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

/// The guarantees for the k labels that are returned: those most frequent among the pilot's samples or, without a
/// pilot, among these very samples, which is paid for out of alpha. The bounds are those that hold for how the samples
/// ended. Remembers in the counts that a statement was made. Safe from any thread.
///
/// @param counts Not NULL; of 1 to 10^12 samples.
/// @param pilot Counts of other samples of the same model and input, which choose the labels. May be NULL: `counts`
/// choose them; where looks ended the samples, what needs to be paid for out of alpha is then not certified.
/// @param k The number of labels, from 1 to all labels less 1.
/// @param alpha Failure probability of each statement, from 1e-100 to 0.5.
/// @param labels Room for k labels; may be NULL. Gets them, the likeliest first.
/// @param label_radii Room for k radii; may be NULL. Gets, in the order of the labels, the radius within which each
/// stays in the top k. One statement at alpha for all of them.
/// @param kept_radii Room for k radii; may be NULL. Gets at index e - 1 the radius within which at least e of the
/// labels stay in the top k: a statement at alpha each; infinity where so many stay whatever happens, because too few
/// others are there.
/// @param out Not NULL. Gets the rest.
/// @param out_size sizeof *out: fields beyond it are not written, bytes beyond this library's struct become 0.
/// @param err May be NULL.
/// @return STK_STATUS_OK (also when nothing is certified); STK_STATUS_INVALID_ARGUMENT, also when the pilot is `counts`
/// itself; STK_STATUS_INVALID_DATA when the samples were cut short, or when the pilot has samples of `counts`, is of
/// another model or input, or is of bare numbers where `counts` are not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn stk_counts_guarantee(
    counts: *const stk_counts,
    pilot: *const stk_counts,
    k: usize,
    alpha: f64,
    labels: *mut i64,
    label_radii: *mut f64,
    kept_radii: *mut f64,
    out: *mut stk_guarantee,
    out_size: usize,
    err: *mut *mut stk_error,
) -> stk_status {
    call!(err, |args, counts, pilot| {
        let counts = &counts.shared()?.counts;
        let pilot = pilot.shared_or_null()?.map(|held| &held.counts);
        let out = args.out_sized(out, out_size, "out")?;
        // Of bare numbers nothing else tells that they are the same samples.
        if pilot.is_some_and(|pilot| std::ptr::eq(pilot, counts)) {
            let message = "is the counts themselves: pass NULL where they choose the labels";
            return Err(Error::argument("pilot", message).into());
        }
        let found = counts.guarantee(pilot, k, alpha)?;
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
        stk_guarantee { n0, ..stk_guarantee::EMPTY }.holding(&found).write(out);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_padding() {
        assert_eq!(size_of::<stk_guarantee>(), 13 * 8);
    }
}
