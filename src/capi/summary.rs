//! `stk_summary`.

use std::mem::offset_of;

use super::decision::{STK_DECISION_NONE, stk_decision};
use super::ffi::OutSized;
use super::request_noise::{STK_GENERATOR_NONE, stk_generator};
use super::status::stk_status;
use super::validity::{self, STK_VALIDITY_NONE, stk_validity};
use crate::certificate::Basis;

/// What came of one input for one k, with what the statement rests on. Its size may grow at its end within an ABI
/// version: functions that fill one take the size that the caller knows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct stk_summary {
    /// Bytes that this library filled: sizeof(stk_summary) of the older of the two sides.
    pub struct_size: u64,
    /// Samples counted, valid and invalid: those of the last look, under a rule.
    pub n: u64,
    /// Samples of their own that selected a label, labels or an allocation; 0 where there are none.
    pub n0: u64,
    /// The size of the top set.
    pub k: u64,
    /// certify: the label certified. Otherwise the first label of the answer. STK_NO_LABEL where there is none.
    pub label: i64,
    /// certify: the certified radius, in the norm of the noise and the units of the input, or in pixels, 0 for none.
    /// Numbers of pixels, and multiples of 1/Q of "split", are attained: perturbations of that size are certified, too;
    /// else those below it. certify_answer: the radius within which the whole set stays. predict: 0.
    pub radius: f64,
    /// certify: lower confidence bound of the label's probability. certify_answer: of the summed probability of the
    /// labels of the set that limit the radius. Otherwise 0.
    pub p_lower: f64,
    /// certify: upper confidence bound of the summed probability of the rivals that limit the radius. Otherwise 1.
    pub p_upper: f64,
    /// predict: p-value of the test at the boundary of the top set; under a rule one that holds at all looks at once.
    /// Otherwise 1.
    pub p_value: f64,
    /// The parameter of the noise: sigma of Gaussian, lambda of uniform noise, in the units of the input; pixels kept,
    /// pixels of a side, splits.
    pub noise_scale: f64,
    /// Failure probability of the statement, all in all; 0 of enumerated noise.
    pub alpha: f64,
    /// What was left of alpha for the bounds, when the distance of exact noise from its ideal was paid for: alpha but
    /// for exact noise. It is taken already.
    pub alpha_left: f64,
    /// What rounding took off the radius, in the units of the input. It is taken already.
    pub radius_cost: f64,
    /// Step of the grid that the input and the noise are on; 0 where it is not known.
    pub grid: f64,
    /// From the first sample to the last, in seconds; 0 where it does not come from a model.
    pub seconds: f64,
    /// Stream of the input under the seed or key; 0 where it does not come from a model.
    pub stream: u64,
    /// Samples drawn, those after the last look among them, those of n0 not; 0 where it does not come from a model.
    pub samples_drawn: u64,
    /// certify, certify_answer: the samples that this k's statement rests on: n, or fewer, where one of several k had a
    /// larger radius at an earlier look. predict: n. 0 where there is no answer.
    pub n_certified: u64,
    /// STK_VALIDITY_RANDOMIZED: the uniform, above 0 and at most 1; with it as the query's uniform and
    /// STK_RANDOMIZED_BY stk_counts_certify gives the radius again. Otherwise 0.
    pub uniform: f64,
    /// STK_VALIDITY_ANYTIME_TO: the last number of samples. Otherwise 0.
    pub validity_last: u64,
    /// stk_status of this input: STK_STATUS_OK, or why it has no answer.
    pub status: stk_status,
    /// stk_decision: what the rule decided.
    pub decision: stk_decision,
    /// stk_status: why the samples ended before the rule was done with them; STK_STATUS_OK where they did not. An
    /// answer that has STK_STATUS_DEADLINE_EXCEEDED here is sound.
    pub early_stop: stk_status,
    /// stk_validity: for which samples the bounds hold.
    pub validity: stk_validity,
    /// stk_generator of the noise, of which enumerated noise takes nothing; STK_GENERATOR_NONE where it does not come
    /// from a model.
    pub generator: stk_generator,
    /// Points a unit of the grid of exact noise; 0 where the noise is not exact, or it does not come from a model.
    pub levels: u32,
    /// 1: the radius is above 0. Otherwise 0.
    pub certified: u8,
    /// 1: no prediction (predict), or no certificate (certify, certify_answer). Otherwise 0.
    pub abstain: u8,
    /// 1: it rests on what the caller stated of bare numbers (stk_counts_assumptions). Otherwise 0.
    pub assumed: u8,
    /// 0.
    pub reserved: [u8; 5],
}

/// Where each field ends.
const FIELD_ENDS: [usize; 30] = [
    offset_of!(stk_summary, n),
    offset_of!(stk_summary, n0),
    offset_of!(stk_summary, k),
    offset_of!(stk_summary, label),
    offset_of!(stk_summary, radius),
    offset_of!(stk_summary, p_lower),
    offset_of!(stk_summary, p_upper),
    offset_of!(stk_summary, p_value),
    offset_of!(stk_summary, noise_scale),
    offset_of!(stk_summary, alpha),
    offset_of!(stk_summary, alpha_left),
    offset_of!(stk_summary, radius_cost),
    offset_of!(stk_summary, grid),
    offset_of!(stk_summary, seconds),
    offset_of!(stk_summary, stream),
    offset_of!(stk_summary, samples_drawn),
    offset_of!(stk_summary, n_certified),
    offset_of!(stk_summary, uniform),
    offset_of!(stk_summary, validity_last),
    offset_of!(stk_summary, status),
    offset_of!(stk_summary, decision),
    offset_of!(stk_summary, early_stop),
    offset_of!(stk_summary, validity),
    offset_of!(stk_summary, generator),
    offset_of!(stk_summary, levels),
    offset_of!(stk_summary, certified),
    offset_of!(stk_summary, abstain),
    offset_of!(stk_summary, assumed),
    offset_of!(stk_summary, reserved),
    size_of::<stk_summary>(),
];

impl stk_summary {
    /// Nothing known.
    pub(super) const EMPTY: Self = Self {
        struct_size: 0,
        n: 0,
        n0: 0,
        k: 0,
        label: -1,
        radius: 0.0,
        p_lower: 0.0,
        p_upper: 1.0,
        p_value: 1.0,
        noise_scale: 0.0,
        alpha: 0.0,
        alpha_left: 0.0,
        radius_cost: 0.0,
        grid: 0.0,
        seconds: 0.0,
        stream: 0,
        samples_drawn: 0,
        n_certified: 0,
        uniform: 0.0,
        validity_last: 0,
        status: 0,
        decision: STK_DECISION_NONE,
        early_stop: 0,
        validity: STK_VALIDITY_NONE,
        generator: STK_GENERATOR_NONE,
        levels: 0,
        certified: 0,
        abstain: 1,
        assumed: 0,
        reserved: [0; 5],
    };

    /// With what a statement rests on.
    pub(super) fn resting_on(self, basis: &Basis) -> Self {
        let (validity, validity_last, uniform) = validity::of(basis.validity);
        Self {
            alpha: basis.alpha,
            alpha_left: basis.alpha_left,
            radius_cost: basis.radius_cost,
            n_certified: basis.n,
            uniform,
            validity_last,
            validity,
            ..self
        }
    }

    /// Writes as many whole fields as the caller has room for, and zeros behind them.
    pub(super) fn write(mut self, out: OutSized<Self>) {
        let room = out.size();
        let filled = FIELD_ENDS.iter().copied().take_while(|&end| end <= room).last().unwrap_or(0);
        self.struct_size = filled as u64;
        out.set(&self, filled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_padding_and_every_field_has_its_end() {
        assert_eq!(size_of::<stk_summary>(), 20 * 8 + 6 * 4 + 8);
        assert!(FIELD_ENDS.is_sorted_by(|a, b| a < b));
    }
}
