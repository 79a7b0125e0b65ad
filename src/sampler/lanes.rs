//! The rows that wait for a worker, lane by lane.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::sampler::progress::{JobState, Taken};
use crate::sampler::queue::Segment;

/// Waiting jobs: first come, first served within a lane; lanes take turns, a batch each, so that a long job of one client
/// does not keep the others waiting.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: VecDeque<Lane>,
    /// Rows not yet handed out, but for those of jobs that were stopped.
    rows: u128,
}

struct Lane {
    id: u64,
    jobs: VecDeque<Arc<JobState>>,
}

impl Lanes {
    pub fn rows(&self) -> u128 {
        self.rows
    }

    pub fn push(&mut self, job: Arc<JobState>) {
        self.lane_of(&job).push_back(job);
    }

    /// Takes up a job again whose next rows were released: before those of its lane that came after it.
    pub fn push_again(&mut self, job: Arc<JobState>) {
        self.lane_of(&job).push_front(job);
    }

    /// The jobs of the job's lane, which it is about to join.
    fn lane_of(&mut self, job: &JobState) -> &mut VecDeque<Arc<JobState>> {
        self.rows += u128::from(job.left());
        let id = job.lane();
        let at = self.lanes.iter().position(|lane| lane.id == id).unwrap_or_else(|| {
            self.lanes.push_back(Lane { id, jobs: VecDeque::new() });
            self.lanes.len() - 1
        });
        &mut self.lanes[at].jobs
    }

    /// Rows for a batch of at most `room`, from the lane whose turn it is and, where that runs dry, from those behind it.
    pub fn take(&mut self, mut room: u64) -> Vec<Segment> {
        let mut segments = Vec::new();
        while let Some(mut lane) = self.lanes.pop_front() {
            while room > 0
                && let Some(job) = lane.jobs.front()
            {
                let Taken { pilot, samples, left } = job.take(room);
                let rows = samples.end - samples.start;
                room -= rows;
                self.rows = self.rows.saturating_sub(u128::from(rows));
                if rows > 0 {
                    segments.push(Segment { job: Arc::clone(job), pilot, samples });
                }
                if rows == 0 || left == 0 {
                    // All handed out up to the next look, or stopped (a stopped job's rows are taken off the total by
                    // `remove_stopped`).
                    lane.jobs.pop_front();
                }
            }
            if !lane.jobs.is_empty() {
                self.lanes.push_back(lane);
            }
            if room == 0 {
                return segments;
            }
        }
        // Nothing is left, whatever a stopped job's rows were still counted as.
        self.rows = 0;
        segments
    }

    pub fn remove_stopped(&mut self) {
        for lane in &mut self.lanes {
            lane.jobs.retain(|job| !job.is_stopped());
        }
        self.lanes.retain(|lane| !lane.jobs.is_empty());
        self.rows = self.lanes.iter().flat_map(|lane| &lane.jobs).map(|job| u128::from(job.left())).sum();
    }

    pub fn drain(&mut self) -> Vec<Arc<JobState>> {
        self.rows = 0;
        self.lanes.drain(..).flat_map(|lane| lane.jobs).collect()
    }
}
