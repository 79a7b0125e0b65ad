//! Sets of sample indices, kept as intervals.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A set of sample indices, as disjoint intervals: a million shards that follow each other are one interval.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<[u64; 2]>", try_from = "Vec<[u64; 2]>")]
pub struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// The indices of one range.
    pub fn of(range: Range<u64>) -> Self {
        let mut ranges = Self::default();
        ranges.insert(range);
        ranges
    }

    /// The intervals, ascending; neighbours are one.
    pub fn iter(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.0.iter().map(|(&start, &end)| start..end)
    }

    /// How many indices there are.
    pub fn len(&self) -> u64 {
        self.iter().map(|range| range.end - range.start).sum()
    }

    /// Whether there is no index.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first interval of `other` that has an index of these.
    pub fn overlap(&self, other: &Self) -> Option<Range<u64>> {
        other.iter().find(|range| self.meets(range))
    }

    /// Adds the indices of others, which are disjoint from these.
    pub(super) fn add(&mut self, other: &Self) {
        other.iter().for_each(|range| self.insert(range));
    }

    fn meets(&self, range: &Range<u64>) -> bool {
        self.0.range(..range.end).next_back().is_some_and(|(_, &end)| end > range.start)
    }

    /// Adds a range that is disjoint from these.
    fn insert(&mut self, range: Range<u64>) {
        if range.is_empty() {
            return;
        }
        let (mut start, mut end) = (range.start, range.end);
        if let Some((&before, &its_end)) = self.0.range(..=start).next_back()
            && its_end == start
        {
            self.0.remove(&before);
            start = before;
        }
        if let Some(its_end) = self.0.remove(&end) {
            end = its_end;
        }
        self.0.insert(start, end);
    }
}

impl From<Ranges> for Vec<[u64; 2]> {
    fn from(ranges: Ranges) -> Self {
        ranges.iter().map(|range| [range.start, range.end]).collect()
    }
}

impl TryFrom<Vec<[u64; 2]>> for Ranges {
    type Error = Error;

    fn try_from(pairs: Vec<[u64; 2]>) -> Result<Self> {
        let mut ranges = Self::default();
        for [start, end] in pairs {
            if start >= end || ranges.meets(&(start..end)) {
                let message = format!("[{start}, {end}] is empty, or shares samples with another range");
                return Err(Error::data("samples", message));
            }
            ranges.insert(start..end);
        }
        Ok(ranges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_one_and_overlaps_are_found() {
        let mut ranges = Ranges::of(10..20);
        for range in [30..40, 0..10, 20..30] {
            assert_eq!(ranges.overlap(&Ranges::of(range.clone())), None);
            ranges.insert(range);
        }
        assert_eq!(Vec::from(ranges.clone()), [[0, 40]]);
        assert_eq!(ranges.len(), 40);
        ranges.insert(50..51);
        for range in [39..50, 0..1, 5..6, 50..60, 0..100] {
            assert!(ranges.overlap(&Ranges::of(range.clone())).is_some(), "{range:?}");
        }
        assert_eq!(ranges.overlap(&Ranges::of(40..50)), None);
    }

    #[test]
    fn a_million_ranges_in_any_order_merge_quickly() {
        let mut ranges = Ranges::default();
        // An odd factor visits every shard once, in a scattered order.
        for i in 0..1u64 << 20 {
            let shard = i.wrapping_mul(0x9E37_79B1) & 0xF_FFFF;
            ranges.insert(shard * 100..shard * 100 + 100);
        }
        assert_eq!(Vec::from(ranges), [[0, 100 << 20]]);
    }

    #[test]
    fn what_is_read_must_be_disjoint() {
        assert!(serde_json::from_str::<Ranges>("[[0,5],[5,9]]").is_ok_and(|ranges| ranges.len() == 9));
        for text in ["[[0,5],[4,9]]", "[[5,5]]", "[[6,5]]"] {
            assert!(serde_json::from_str::<Ranges>(text).is_err(), "{text}");
        }
    }
}
