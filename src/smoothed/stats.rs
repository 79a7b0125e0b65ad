//! What a smoothed classifier has done and has under way, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Answer;
use crate::sampler::SamplerStats;

/// What a smoothed classifier has done since it was made, and has under way. The rate between two readings is that of
/// `sampler.samples` to `elapsed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Since it was made, on the monotonic clock.
    pub elapsed: Duration,
    /// Samples and jobs.
    pub sampler: SamplerStats,
    /// Statements that were handed out: one for each input and k whose prediction did not abstain, or whose radius is
    /// above 0.
    pub answers: u64,
    /// Those handed out for an input and k that abstained.
    pub abstentions: u64,
}

/// The statements that were handed out.
#[derive(Debug, Default)]
pub(super) struct Statements {
    answers: AtomicU64,
    abstentions: AtomicU64,
}

impl Statements {
    pub(super) fn count(&self, answer: &Answer) {
        let (all, abstained) = match answer {
            Answer::Predictions(list) => (list.len(), list.iter().filter(|found| found.abstain).count()),
            Answer::Certificates(list) => (list.len(), list.iter().filter(|found| !found.certified()).count()),
            Answer::Counted => (0, 0),
            Answer::Guarantees(list) => (list.len(), list.iter().filter(|found| !found.set.certified()).count()),
        };
        self.answers.fetch_add((all - abstained) as u64, Ordering::Relaxed);
        self.abstentions.fetch_add(abstained as u64, Ordering::Relaxed);
    }

    pub(super) fn numbers(&self) -> (u64, u64) {
        (self.answers.load(Ordering::Relaxed), self.abstentions.load(Ordering::Relaxed))
    }
}
