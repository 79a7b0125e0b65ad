//! Walker's alias method with integers only: every outcome's probability is exactly its multiple of 2^-64.
//!
//! Source: Walker, "An Efficient Method for Generating Discrete Random Variables with General Distributions", ACM TOMS
//! 3, 1977; built by Vose's pairing (IEEE Trans. Software Engineering 17, 1991).

use crate::noise::words::Words;

/// Columns of equal probability 2^-bits: column c gives the outcome c where the remaining 64 - bits uniform bits are
/// below its threshold, and its alias elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::noise) struct AliasTable {
    bits: u32,
    /// The leading 32 - bits bits of a column's threshold, then its alias in the lowest `bits` bits.
    entries: Vec<u32>,
    /// The last 32 bits of the thresholds.
    rests: Vec<u32>,
}

/// The largest number of column bits: a table of 2 x 256 KiB.
pub(super) const MAX_BITS: u32 = 16;

impl AliasTable {
    /// A table of outcomes 0, 1, .. with these probabilities, in units of 2^-64: at most 2^[`MAX_BITS`] of them, whose
    /// sum is 2^64.
    pub(super) fn new(cells: &[u64]) -> Self {
        debug_assert_eq!(cells.iter().map(|&cell| u128::from(cell)).sum::<u128>(), 1 << 64);
        let bits = cells.len().next_power_of_two().trailing_zeros().max(1);
        debug_assert!(bits <= MAX_BITS);
        let share = 1u64 << (64 - bits);
        let mut left = cells.to_vec();
        left.resize(1 << bits, 0);
        let mut table = Self { bits, entries: vec![0; left.len()], rests: vec![0; left.len()] };
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..left.len()).filter(|&column| left[column] != share).partition(|&column| left[column] < share);
        for column in 0..left.len() {
            // Of a column that is not paired below both outcomes are its own.
            table.set(column, 0, column);
        }
        // The sum of what is left is the number of open columns times the share, so as long as one is below the share
        // another is above it.
        while let (Some(poor), Some(rich)) = (small.pop(), large.pop()) {
            table.set(poor, left[poor], rich);
            left[rich] -= share - left[poor];
            match left[rich].cmp(&share) {
                std::cmp::Ordering::Less => small.push(rich),
                std::cmp::Ordering::Equal => {}
                std::cmp::Ordering::Greater => large.push(rich),
            }
        }
        debug_assert!(small.is_empty() && large.is_empty());
        table
    }

    /// `threshold` below 2^(64 - bits).
    fn set(&mut self, column: usize, threshold: u64, alias: usize) {
        self.entries[column] = ((threshold >> 32) as u32) << self.bits | alias as u32;
        self.rests[column] = threshold as u32;
    }

    pub(super) fn bits(&self) -> u32 {
        self.bits
    }

    pub(super) fn entries(&self) -> &[u32] {
        &self.entries
    }

    /// The outcome of 64 uniform bits, `second` being the lower half.
    pub(super) fn outcome(&self, first: u32, second: u32) -> u32 {
        let column = first >> (32 - self.bits);
        let entry = self.entries[column as usize];
        let below = (first & (u32::MAX >> self.bits), second) < (entry >> self.bits, self.rests[column as usize]);
        if below { column } else { entry & ((1 << self.bits) - 1) }
    }
}

/// Decides the lanes whose first word leaves it to the second.
#[cold]
#[inline(never)]
pub(super) fn pick_by_second<W: Words>(
    table: &AliasTable,
    source: &W,
    first_block: u32,
    index: usize,
    words: &[u32],
    picked: &mut [u32],
) {
    for ((block, &word), picked) in (first_block..).zip(words).zip(picked) {
        let entry = table.entries[(word >> (32 - table.bits)) as usize];
        if word & (u32::MAX >> table.bits) == entry >> table.bits {
            *picked = table.outcome(word, source.further(block, index));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the columns give each outcome, in units of 2^-64.
    fn totals(table: &AliasTable) -> Vec<u128> {
        let mut totals = vec![0; table.entries.len()];
        for (column, (&entry, &rest)) in table.entries.iter().zip(&table.rests).enumerate() {
            let threshold = u128::from(entry >> table.bits) << 32 | u128::from(rest);
            totals[column] += threshold;
            totals[(entry & ((1 << table.bits) - 1)) as usize] += (1 << (64 - table.bits)) - threshold;
        }
        totals
    }

    proptest! {
        /// Whatever the cells, the table gives each exactly its probability.
        #[test]
        fn every_outcome_has_exactly_its_probability(
            mut cells in prop::collection::vec(
                (0u64..=u64::MAX, 0u32..64).prop_map(|(cell, shift)| cell >> shift),
                1..600,
            )
        ) {
            let mut sum = 0u128;
            for cell in &mut cells {
                *cell = (*cell).min(((1u128 << 64) - sum - 1).min(u128::from(u64::MAX)) as u64);
                sum += u128::from(*cell);
            }
            // The rest of the probability, never 0, and 2^64 at most.
            match u64::try_from((1u128 << 64) - sum) {
                Ok(rest) => cells.push(rest),
                Err(_) => cells = vec![1 << 63; 2],
            }
            let table = AliasTable::new(&cells);
            let totals = totals(&table);
            for (outcome, &total) in totals.iter().enumerate() {
                prop_assert_eq!(total, u128::from(cells.get(outcome).copied().unwrap_or(0)));
            }
        }
    }

    #[test]
    fn the_second_word_decides_where_the_first_is_equal() {
        // Two outcomes: 2^-33 away from a half, so that the threshold has a last part.
        let table = AliasTable::new(&[(1 << 63) - (1 << 31), (1 << 63) + (1 << 31)]);
        assert_eq!(table.bits, 1);
        let lead = table.entries[0] >> 1;
        assert_eq!((lead, table.rests[0]), ((1 << 31) - 1, 1 << 31));
        for (second, outcome) in [(0, 0), ((1 << 31) - 1, 0), (1 << 31, 1), (u32::MAX, 1)] {
            assert_eq!(table.outcome(lead, second), outcome);
        }
        assert_eq!(table.outcome(lead - 1, u32::MAX), 0);
        assert_eq!(table.outcome(1 << 31, 0), 1);
    }
}
