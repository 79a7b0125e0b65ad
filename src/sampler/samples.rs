//! Which samples a job draws.

use std::ops::Range;

use crate::noise::{Noise, Purpose};
use crate::sampler::centre::Centre;
use crate::sampler::lane::Lane;

/// Which samples: around what, with which noise, and their range.
#[derive(Debug)]
pub(super) struct Samples {
    pub(super) centre: Centre,
    pub(super) noise: Noise,
    pub(super) key: u64,
    pub(super) purpose: Purpose,
    /// Rows that are drawn for [`Purpose::Select`].
    pub(super) pilot: u64,
    pub(super) range: Range<u64>,
    pub(super) lane: Option<Lane>,
}

impl Samples {
    /// The pilot's rows and the others.
    pub(super) fn rows(&self) -> u64 {
        self.pilot.saturating_add(self.range.end.saturating_sub(self.range.start))
    }
}
