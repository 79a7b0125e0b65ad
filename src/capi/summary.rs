//! `stk_summary`.

use std::mem::offset_of;

use super::decision::{STK_DECISION_NONE, stk_decision};
use super::ffi::OutSized;
use super::request_noise::{STK_GENERATOR_NONE, stk_generator};
use super::status::stk_status;

/// What came of one input for one k. Its size may grow at its end within an ABI version: functions that fill one take the
/// size that the caller knows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct stk_summary {
    /// Bytes that this library filled: sizeof(stk_summary) of the older of the two sides.
    pub struct_size: u64,
    /// Rows counted, with and without a label: those of the last look, under a rule.
    pub n: u64,
    /// Selection rows counted; 0 where there are none.
    pub n0: u64,
    /// The size of the top set.
    pub k: u64,
    /// certify: the label certified. Otherwise the first label of the answer. STK_NO_LABEL where there is none.
    pub label: i64,
    /// certify: the certified l2 radius in the units of the input, 0 for none. certify_answer: the radius within which the whole
    /// set stays. predict: 0.
    pub radius: f64,
    /// certify: lower confidence bound of the label's probability. certify_answer: of the summed probability of the labels of
    /// the set that limit the radius. Otherwise 0.
    pub p_lower: f64,
    /// certify: upper confidence bound of the summed probability of the rivals that limit the radius. Otherwise 1.
    pub p_upper: f64,
    /// predict: p-value of the test at the boundary of the top set; under a rule one that holds at all looks at once. Otherwise
    /// 1.
    pub p_value: f64,
    /// Standard deviation of the noise, in the units of the input; 0 where no noise was involved.
    pub sigma: f64,
    /// Failure probability of the statement, all in all.
    pub alpha: f64,
    /// Step of the grid that the input and the noise are on; 0 where it is not known.
    pub grid: f64,
    /// What rounding the input took off the radius, in the units of the input.
    pub radius_slack: f64,
    /// From the first row to the last, in seconds.
    pub seconds: f64,
    /// Seed of the noise; 0 where the generator has a key instead.
    pub seed: u64,
    /// Job key of the input.
    pub key: u64,
    /// stk_status of this input: STK_STATUS_OK, or why it has no answer.
    pub status: stk_status,
    /// stk_bound. certify: how alpha was spent; STK_BOUND_ALLOCATION: stk_result_allocation tells. Otherwise as requested, and not
    /// used.
    pub bound: i32,
    /// 1: the radius is above 0. Otherwise 0.
    pub certified: u8,
    /// 1: no prediction (predict), or no certificate (certify, certify_answer). Otherwise 0.
    pub abstain: u8,
    /// 0.
    pub reserved: [u8; 6],
    /// certify: the rows that this k's certificate rests on: n, or fewer, where one of several k had a larger radius at an
    /// earlier look. Otherwise n where there is an answer.
    pub n_certified: u64,
    /// Rows drawn, those after the last look among them, selection rows not; 0 where no model was involved.
    pub samples_drawn: u64,
    /// What is left of alpha for the bounds, after what the noise's distance from an exact Gaussian costs: alpha but for exact
    /// noise. The alpha that gives the radius again from the counts.
    pub alpha_left: f64,
    /// stk_decision: what the rule decided.
    pub decision: stk_decision,
    /// stk_status: why the rows ended before the rule was done with them; STK_STATUS_OK where they did not. An answer that has
    /// STK_STATUS_DEADLINE_EXCEEDED here is sound.
    pub cut: stk_status,
    /// stk_generator of the noise.
    pub generator: stk_generator,
    /// Points a unit of the grid of exact noise; 0 where the noise is not exact.
    pub levels: u32,
    /// certify: the uniform of randomized bounds, above 0 and at most 1, with which stk_counts_certify_with gives the radius again
    /// ("randomized:U"). 0 where the bounds are not randomized.
    pub uniform: f64,
}

/// Where each field ends.
const FIELD_ENDS: [usize; 29] = [
    offset_of!(stk_summary, n),
    offset_of!(stk_summary, n0),
    offset_of!(stk_summary, k),
    offset_of!(stk_summary, label),
    offset_of!(stk_summary, radius),
    offset_of!(stk_summary, p_lower),
    offset_of!(stk_summary, p_upper),
    offset_of!(stk_summary, p_value),
    offset_of!(stk_summary, sigma),
    offset_of!(stk_summary, alpha),
    offset_of!(stk_summary, grid),
    offset_of!(stk_summary, radius_slack),
    offset_of!(stk_summary, seconds),
    offset_of!(stk_summary, seed),
    offset_of!(stk_summary, key),
    offset_of!(stk_summary, status),
    offset_of!(stk_summary, bound),
    offset_of!(stk_summary, certified),
    offset_of!(stk_summary, abstain),
    offset_of!(stk_summary, reserved),
    offset_of!(stk_summary, n_certified),
    offset_of!(stk_summary, samples_drawn),
    offset_of!(stk_summary, alpha_left),
    offset_of!(stk_summary, decision),
    offset_of!(stk_summary, cut),
    offset_of!(stk_summary, generator),
    offset_of!(stk_summary, levels),
    offset_of!(stk_summary, uniform),
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
        sigma: 0.0,
        alpha: 0.0,
        grid: 0.0,
        radius_slack: 0.0,
        seconds: 0.0,
        seed: 0,
        key: 0,
        status: 0,
        bound: 0,
        certified: 0,
        abstain: 1,
        reserved: [0; 6],
        n_certified: 0,
        samples_drawn: 0,
        alpha_left: 0.0,
        decision: STK_DECISION_NONE,
        cut: 0,
        generator: STK_GENERATOR_NONE,
        levels: 0,
        uniform: 0.0,
    };

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
        assert_eq!(size_of::<stk_summary>(), 16 * 8 + 2 * 4 + 8 + 3 * 8 + 4 * 4 + 8);
        // What hosts of the first version know.
        assert_eq!(offset_of!(stk_summary, n_certified), 144);
        assert!(FIELD_ENDS.is_sorted_by(|a, b| a < b));
    }
}
