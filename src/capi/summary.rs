//! `stk_summary`.

use std::mem::offset_of;

use super::ffi::OutSized;
use super::status::stk_status;

/// What came of one input for one k. Its size may grow at its end within an ABI version: functions that fill one take the
/// size that the caller knows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct stk_summary {
    /// Bytes that this library filled: sizeof(stk_summary) of the older of the two sides.
    pub struct_size: u64,
    /// Rows counted, with and without a label.
    pub n: u64,
    /// Selection rows counted; 0 where there are none.
    pub n0: u64,
    /// The size of the top set.
    pub k: u64,
    /// certify: the label certified. predict: the most frequent label. STK_NO_LABEL where there is none.
    pub label: i64,
    /// certify: the certified l2 radius in the units of the input, 0 for none. predict: 0.
    pub radius: f64,
    /// certify: lower confidence bound of the label's probability. Otherwise 0.
    pub p_lower: f64,
    /// certify: upper confidence bound of the summed probability of the rivals that limit the radius. Otherwise 1.
    pub p_upper: f64,
    /// predict: p-value of the test at the boundary of the top set. Otherwise 1.
    pub p_value: f64,
    /// Standard deviation of the noise, in the units of the input; 0 where no noise was involved.
    pub sigma: f64,
    /// Failure probability of the statement.
    pub alpha: f64,
    /// Step of the grid that the input and the noise are rounded to; 0 where it is not known.
    pub grid: f64,
    /// What that rounding took off the radius, in the units of the input.
    pub radius_slack: f64,
    /// From the first row to the last, in seconds.
    pub seconds: f64,
    /// Seed of the noise.
    pub seed: u64,
    /// Job key of the input.
    pub key: u64,
    /// stk_status of this input: STK_STATUS_OK, or why it has no answer.
    pub status: stk_status,
    /// stk_bound.
    pub bound: i32,
    /// 1: the radius is above 0. Otherwise 0.
    pub certified: u8,
    /// 1: no prediction (predict), or no certificate (certify). Otherwise 0.
    pub abstain: u8,
    /// 0.
    pub reserved: [u8; 6],
}

/// Where each field ends.
const FIELD_ENDS: [usize; 21] = [
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
        assert_eq!(size_of::<stk_summary>(), 16 * 8 + 2 * 4 + 8);
        assert!(FIELD_ENDS.is_sorted_by(|a, b| a < b));
    }
}
