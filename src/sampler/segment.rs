//! A segment: rows of one job inside a batch.

use std::ops::Range;
use std::sync::Arc;

#[cfg(feature = "cuda")]
use crate::noise::RowNoise;
use crate::sampler::progress::JobState;

/// Rows of one job inside a batch.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub job: Arc<JobState>,
    /// Whether the rows are the pilot's.
    pub pilot: bool,
    pub samples: Range<u64>,
}

impl Segment {
    pub fn rows(&self) -> usize {
        // A segment is never longer than a batch.
        (self.samples.end - self.samples.start) as usize
    }

    /// What a device's kernels make the rows from; none where they cannot, so that the host makes them.
    #[cfg(feature = "cuda")]
    pub fn noise_for_kernels(&self) -> Option<RowNoise> {
        self.job.noise_for_kernels(self.pilot)
    }
}
