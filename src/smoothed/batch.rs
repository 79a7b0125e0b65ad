//! Work that was submitted as one: tasks about many inputs, or a range of samples of one input.

use std::ops::{Deref, Range};

use super::flight::Flight;
use super::origin::Origin;
use super::{Outcome, Pending};
use crate::Error;
use crate::counts::{Counts, Ending};
use crate::sampler::JobHandle;

/// Tasks about many inputs, under way. Dropping it cancels them.
#[derive(Debug)]
pub struct Batch {
    // Declared first: cancels all at once before each is dropped.
    flight: Flight,
    pending: Vec<Pending>,
}

impl Deref for Batch {
    type Target = Flight;

    fn deref(&self) -> &Flight {
        &self.flight
    }
}

impl Batch {
    pub(super) fn new(flight: Flight, pending: Vec<Pending>) -> Self {
        Self { flight, pending }
    }

    /// Waits for the end: the outcome of every input, in order. Some may have an answer where others were cut short.
    pub fn wait(mut self) -> Vec<Outcome> {
        self.take_outcomes()
    }

    /// The tasks, each under way or ended; none once the outcomes were taken.
    pub fn tasks(&self) -> &[Pending] {
        &self.pending
    }

    /// As [`Batch::wait`], and keeps what shows how far the work came. Gives nothing the second time.
    pub fn take_outcomes(&mut self) -> Vec<Outcome> {
        self.flight.wait();
        std::mem::take(&mut self.pending).into_iter().map(Pending::wait).collect()
    }
}

/// A range of samples of one input, under way. Dropping it cancels it.
#[derive(Debug)]
pub struct Draw {
    flight: Flight,
    handle: JobHandle,
    origin: Origin,
    samples: Range<u64>,
}

/// What came of drawing a range of samples.
#[derive(Clone, Debug)]
pub struct Sampled {
    /// Their counts; cut short where some are missing.
    pub counts: Counts,
    /// Why some are missing, where they are: the draw was cancelled, late, or a run of the model failed.
    pub early_stop: Option<Error>,
}

impl Deref for Draw {
    type Target = Flight;

    fn deref(&self) -> &Flight {
        &self.flight
    }
}

impl Draw {
    pub(super) fn new(flight: Flight, handle: JobHandle, origin: Origin, samples: Range<u64>) -> Self {
        Self { flight, handle, origin, samples }
    }

    /// Waits for the end.
    pub fn wait(self) -> Sampled {
        self.flight.wait();
        let drawn = self.handle.wait();
        let ending = if drawn.stopped.is_some() { Ending::CutShort } else { Ending::Fixed };
        Sampled { counts: self.origin.counts(drawn.tally, self.samples, ending), early_stop: drawn.stopped }
    }
}
