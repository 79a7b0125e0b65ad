//! Rows whose noise no kernel makes: made on the host, and run on the device from the host's memory.

use crate::Result;
use crate::model::{Model, NO_LABEL, Runner};
use crate::sampler::queue::WorkQueue;
use crate::sampler::segment::Segment;

pub(super) struct HostRows {
    batch: usize,
    /// Made for the first such rows.
    runner: Option<Runner>,
    labels: Vec<u32>,
}

impl HostRows {
    /// For batches of `batch` rows.
    pub fn new(batch: usize) -> Self {
        Self { batch, runner: None, labels: Vec::new() }
    }

    /// Draws a segment's rows, and gives them back to their job.
    pub fn draw(&mut self, segment: &Segment, model: &Model, queue: &WorkQueue) {
        let mut start = segment.samples.start;
        while start < segment.samples.end {
            let samples = start..segment.samples.end.min(start + self.batch as u64);
            start = samples.end;
            let part = Segment { samples, ..segment.clone() };
            match self.classify(&part, model) {
                Ok(()) => {
                    if part.job.give_back(part.pilot, part.samples.start, &self.labels) {
                        queue.push(part.job);
                    }
                }
                Err(error) => part.job.give_up(part.rows() as u64, error),
            }
        }
    }

    fn classify(&mut self, part: &Segment, model: &Model) -> Result<()> {
        let runner = match &mut self.runner {
            Some(runner) => runner,
            none => none.insert(model.runner(self.batch)?),
        };
        let (rows, elements) = (part.rows(), model.signature().elements);
        let centre = part.job.centre()?;
        for (sample, row) in part.samples.clone().zip(runner.rows_mut(rows).chunks_exact_mut(elements)) {
            part.job.fill(part.pilot, sample, &centre, row)?;
        }
        self.labels.clear();
        self.labels.resize(rows, NO_LABEL);
        runner.run(rows, &mut self.labels)
    }
}
