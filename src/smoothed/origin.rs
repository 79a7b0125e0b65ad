//! What the counts of one input have in common.

use std::ops::Range;
use std::sync::Arc;

use crate::counts::{Counts, Draws, Ending, Memory, Perturbation, Subject};
use crate::noise::{Noise, Purpose, Source};
use crate::stats::Tally;
use crate::{Error, Result};

/// The noise, stream, model and input of a task: what makes counts of its tallies.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub perturbation: Perturbation,
    source: Source,
    stream: u64,
    purpose: Purpose,
    subject: Arc<Subject>,
    /// What was done with the samples, the pilot's not among them.
    memory: Memory,
}

impl Origin {
    pub(super) fn new(noise: &Noise, stream: u64, purpose: Purpose, subject: &Subject, input: &[f32]) -> Self {
        Self {
            perturbation: Perturbation::of(noise, input.len()),
            source: *noise.source(),
            stream,
            purpose,
            subject: Arc::new(subject.with_input(input)),
            memory: Memory::default(),
        }
    }

    /// The input, unless it is not the one that the counts are of.
    pub(super) fn check_input(&self, input: Vec<f32>) -> Result<Vec<f32>> {
        if self.subject.with_input(&input) == *self.subject {
            return Ok(input);
        }
        Err(Error::data("inputs", "an input changed after it was submitted: keep it as it is until it is released"))
    }

    /// Counts of samples of the range; of all of them, unless they were cut short.
    pub(super) fn counts(&self, tally: Tally, samples: Range<u64>, ending: Ending) -> Counts {
        self.of_purpose(self.purpose, tally, samples, ending)
    }

    /// Counts that a caller gets: those of a task share samples, and remember together what is done with any of them.
    pub(super) fn handed_out(&self, counts: Counts) -> Counts {
        // Of no sample there is nothing to remember, nor a lock to take in a forked process.
        if counts.n() == 0 { counts } else { counts.remembering(&self.memory) }
    }

    /// Counts of the pilot's samples.
    pub(super) fn pilot(&self, tally: Tally, asked: u64) -> Counts {
        let ending = if tally.n() < asked { Ending::CutShort } else { Ending::Fixed };
        self.of_purpose(Purpose::Select, tally, 0..asked, ending)
    }

    fn of_purpose(&self, purpose: Purpose, tally: Tally, samples: Range<u64>, ending: Ending) -> Counts {
        let (draws, ending) = match (self.perturbation.noise.is_enumerated(), ending) {
            (true, Ending::Fixed) => (Draws::default(), Ending::Enumerated),
            (true, ending) => (Draws::default(), ending),
            (false, ending) => (Draws::one(&self.source, self.stream, purpose, samples), ending),
        };
        Counts::new(tally, self.perturbation.clone(), ending, draws, Arc::clone(&self.subject))
    }
}
