//! Examples whose samples are being drawn, and how many of them at once.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use smoothtopk::certificate::stop::Rule;
use smoothtopk::sampler::Plan;
use smoothtopk::smoothed::{Batch, Control, Outcome, Pending, Request, SmoothedClassifier, Task};
use smoothtopk::{Error, ErrorKind, Result};

/// An example under way.
pub struct InFlight {
    pub index: usize,
    work: Work,
    /// Samples that progress has counted.
    reported: u64,
}

enum Work {
    /// In the order of the examples.
    InTurn(Box<Pending>),
    /// With a deadline of its own.
    Timed(Batch),
}

impl InFlight {
    /// Queues example `index`, whose index is its stream; a part of its samples, where one is given.
    pub fn start(
        smoothed: &SmoothedClassifier,
        input: &[f32],
        index: usize,
        task: Task,
        request: &Request,
        part: Option<Range<u64>>,
        timeout: Option<Duration>,
    ) -> Result<Self> {
        let work = match (timeout, part) {
            (None, Some(part)) => {
                Work::InTurn(Box::new(smoothed.submit_part(input, task, request, index as u64, part)?))
            }
            (None, None) => Work::InTurn(Box::new(smoothed.submit(input, task, request, index as u64)?)),
            (Some(_), _) => {
                let control = Control { timeout, ..Control::default() };
                Work::Timed(smoothed.submit_batch(input, &[task], request, index as u64, control)?)
            }
        };
        Ok(Self { index, work, reported: 0 })
    }

    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        match &self.work {
            Work::InTurn(pending) => pending.wait_timeout(timeout),
            Work::Timed(batch) => batch.wait_timeout(timeout),
        }
    }

    pub fn is_finished(&self) -> bool {
        match &self.work {
            Work::InTurn(pending) => pending.is_finished(),
            Work::Timed(batch) => batch.is_finished(),
        }
    }

    /// Samples since the last call.
    pub fn new_samples(&mut self) -> u64 {
        let samples = match &self.work {
            Work::InTurn(pending) => pending.samples_done(),
            Work::Timed(batch) => batch.samples_done(),
        };
        samples - std::mem::replace(&mut self.reported, samples)
    }

    pub fn wait(self) -> Result<Outcome> {
        match self.work {
            Work::InTurn(pending) => Ok(pending.wait()),
            Work::Timed(batch) => {
                let outcome = batch.wait().pop();
                outcome.ok_or_else(|| Error::new(ErrorKind::Internal, "an example without an outcome"))
            }
        }
    }
}

/// How many examples are drawn at once: enough that their samples fill every thread's batches.
pub struct Window {
    /// Samples that should be waiting to be drawn.
    wanted: u64,
    /// The most examples, finished ones that wait for the front one among them.
    most: usize,
    rule: Rule,
    /// Samples of an example with a fixed n.
    fixed: u64,
    /// Examples finished, and their samples.
    examples: u64,
    samples: u64,
}

/// A rule looks first after some 10 to 50 samples, then again whenever a sixteenth has been added; only samples up to
/// the next look can be drawn.
const LEAST: u64 = 16;
const LOOK_SHARE: u64 = 16;
/// What inputs in flight may hold, in bytes, and how many there may be.
const MEMORY: usize = 64 << 20;
const MOST: usize = 512;

impl Window {
    pub fn new(plan: &Plan, request: &Request, elements: usize, timeout: Option<Duration>) -> Self {
        // The time of an example is its own: no other takes from it.
        let most = if timeout.is_some() { 1 } else { (MEMORY / (4 * elements.max(1))).clamp(2, MOST) };
        let wanted = (2 * plan.batch * plan.threads) as u64;
        Self { wanted, most, rule: request.rule, fixed: request.n, examples: 0, samples: 0 }
    }

    /// Counts an example that took so many samples.
    pub fn finished(&mut self, samples: u64) {
        self.examples += 1;
        self.samples += samples;
    }

    /// Examples that should be under way, from the samples that examples took so far.
    fn target(&self) -> usize {
        let each = match self.rule {
            Rule::Fixed => self.fixed.max(1),
            _ => (self.samples / self.examples.max(1) / LOOK_SHARE).max(LEAST),
        };
        // One more, so that there is one when the front one ends.
        usize::try_from(2 + self.wanted / each).unwrap_or(usize::MAX).min(self.most)
    }

    /// Whether another example should be queued.
    pub fn has_room(&self, running: &VecDeque<InFlight>) -> bool {
        running.len() < self.most && running.iter().filter(|example| !example.is_finished()).count() < self.target()
    }
}

#[cfg(test)]
mod tests {
    use smoothtopk::perturbation::Gaussian;

    use super::*;

    fn window(rule: Rule, n: u64, elements: usize, timeout: Option<Duration>) -> Window {
        let request = Request { rule, n, ..Request::new(Gaussian::new(0.25).unwrap()) };
        Window::new(&Plan { batch: 64, threads: 2 }, &request, elements, timeout)
    }

    #[test]
    fn as_many_examples_are_under_way_as_fill_the_batches() {
        assert_eq!(window(Rule::Fixed, 100_000, 64, None).target(), 2);
        assert_eq!(window(Rule::Fixed, 64, 64, None).target(), 6);
        let mut early = window(Rule::Radius(0.5), 100_000, 64, None);
        // Nothing known: as if every example ended at its first look.
        assert_eq!(early.target(), 18);
        for _ in 0..10 {
            early.finished(16 * 64);
        }
        assert_eq!(early.target(), 6);
        early.finished(10_000_000);
        assert_eq!(early.target(), 2);
        assert_eq!(window(Rule::Radius(0.5), 100_000, 64, Some(Duration::from_secs(1))).target(), 1);
        assert_eq!(window(Rule::Radius(0.5), 100_000, 10_000_000, None).target(), 2);
    }
}
