//! The rows that wait for a worker, lane by lane.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::sampler::lane::Lane;
use crate::sampler::progress::{JobState, Taken};
use crate::sampler::segment::Segment;

/// Every so many batches, the lane that has waited longest is served.
const OLDEST_EVERY: u64 = 4;
/// The same for lanes without a row yet while requests are given up: most of the oldest are about to be.
const UNBEGUN_EVERY: u64 = 32;

/// Waiting jobs, lane by lane.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: Vec<Queue>,
    /// That of jobs which were given none.
    default: Lane,
    /// Rows not yet handed out, but for those of jobs that were stopped.
    rows: u128,
    /// The turns given so far, and the batches.
    turns: u64,
    batches: u64,
    /// Whether deadlines passed of jobs in their first rows, since there was last none that had not begun.
    overloaded: bool,
}

struct Queue {
    lane: Lane,
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
        let lane = job.lane().unwrap_or(&self.default).clone();
        let at = self.lanes.iter().position(|queue| queue.lane.is(&lane)).unwrap_or_else(|| {
            // A lane that was away while its counts were looked at keeps its place.
            if lane.turn() == 0 {
                lane.set_turn(self.next_turn());
            }
            self.lanes.push(Queue { lane, jobs: VecDeque::new() });
            self.lanes.len() - 1
        });
        &mut self.lanes[at].jobs
    }

    fn next_turn(&mut self) -> u64 {
        self.turns += 1;
        self.turns
    }

    /// Rows for a batch of at most `room`, from the lane whose turn it is and, where that runs dry, from those behind
    /// it.
    pub fn take(&mut self, mut room: u64) -> Vec<Segment> {
        let mut segments = Vec::new();
        self.batches += 1;
        let oldest = self.batches.is_multiple_of(OLDEST_EVERY);
        while room > 0
            && let Some(at) = self.next_lane(oldest)
        {
            let turn = self.next_turn();
            // Whose turn it is anyhow keeps it: it has not jumped the queue.
            let oldest = oldest && self.next_lane(false) != Some(at);
            let queue = &mut self.lanes[at];
            let level = queue.lane.level();
            // The oldest lane has the batch whole; another until it has had its share of rows.
            let mut share = if oldest { room } else { room.min(queue.lane.left()) };
            while share > 0
                && let Some(job) = queue.jobs.front()
            {
                let Taken { pilot, samples, left } = job.take(share);
                let rows = samples.end - samples.start;
                (room, share) = (room - rows, share - rows);
                self.rows = self.rows.saturating_sub(u128::from(rows));
                queue.lane.serve(rows);
                if rows > 0 {
                    segments.push(Segment { job: Arc::clone(job), pilot, samples });
                }
                if rows == 0 || left == 0 {
                    // All handed out up to the next look, or stopped (a stopped job's rows are taken off the total by
                    // `remove_stopped`).
                    queue.jobs.pop_front();
                }
            }
            if oldest || queue.lane.level() > level {
                queue.lane.set_turn(turn);
            }
            if queue.jobs.is_empty() {
                self.lanes.swap_remove(at);
            }
        }
        if self.lanes.is_empty() {
            // Nothing is left, whatever a stopped job's rows were still counted as.
            self.rows = 0;
        }
        self.overloaded = self.overloaded && self.lanes.iter().any(|queue| queue.lane.served() == 0);
        segments
    }

    /// The lane that is next: the one that has waited longest of all, or of those that had the fewest rows.
    fn next_lane(&self, oldest: bool) -> Option<usize> {
        let unbegun = oldest && self.batches.is_multiple_of(UNBEGUN_EVERY);
        let rank = |Queue { lane, .. }: &Queue| match lane.level() {
            0 if self.overloaded && lane.served() == 0 && !unbegun => (0, true, u64::MAX - lane.turn()),
            _ if oldest => (0, false, lane.turn()),
            level => (level, false, lane.turn()),
        };
        (0..self.lanes.len()).min_by_key(|&at| rank(&self.lanes[at]))
    }

    pub fn remove_stopped(&mut self) {
        for Queue { lane, jobs } in &mut self.lanes {
            // A job that its host no longer wants says nothing of how long others wait.
            self.overloaded |= lane.level() == 0 && jobs.iter().any(|job| job.is_late());
            jobs.retain(|job| !job.is_stopped());
        }
        self.lanes.retain(|queue| !queue.jobs.is_empty());
        self.rows = self.lanes.iter().flat_map(|queue| &queue.jobs).map(|job| u128::from(job.left())).sum();
    }

    pub fn drain(&mut self) -> Vec<Arc<JobState>> {
        self.rows = 0;
        self.lanes.drain(..).flat_map(|queue| queue.jobs).collect()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::noise::{Grid, Purpose};
    use crate::sampler::Job;
    use crate::{Error, ErrorKind};

    fn job_state(job: Job) -> JobState {
        JobState::new(job.samples, job.watch, 2, None)
    }

    fn push(lanes: &mut Lanes, key: u64, rows: u64, lane: &Lane) {
        let grid = Grid::for_range(1.0, 0.25).unwrap();
        let job = Job::on_grid(&[key as f32], 0.25, grid, 1, Purpose::Estimate).unwrap();
        lanes.push(Arc::new(job_state(job.samples(100 * key..100 * key + rows).lane(lane))));
    }

    /// The key of the job, and the rows, of each part of the next batch.
    fn take(lanes: &mut Lanes, room: u64) -> Vec<(u64, usize)> {
        lanes.take(room).iter().map(|segment| (segment.samples.start / 100, segment.rows())).collect()
    }

    #[test]
    fn lanes_of_one_level_are_served_one_after_the_other_and_long_ones_step_back() {
        let (mut lanes, [a, b]) = (Lanes::default(), [Lane::new(), Lane::new()]);
        push(&mut lanes, 1, 90, &a);
        push(&mut lanes, 2, 12, &b);
        assert_eq!(take(&mut lanes, 10), [(1, 10)]);
        assert_eq!(take(&mut lanes, 10), [(1, 10)], "within its first rows a lane keeps its turn");
        assert_eq!(take(&mut lanes, 30), [(1, 12), (2, 12), (1, 6)], "then those with fewer rows come first");
        push(&mut lanes, 3, 4, &Lane::new());
        assert_eq!(take(&mut lanes, 8), [(1, 8)], "every fourth batch goes to the lane that has waited longest");
        assert_eq!(take(&mut lanes, 8), [(3, 4), (1, 4)]);
        assert_eq!(lanes.rows(), 40);
        assert_eq!(take(&mut lanes, 100), [(1, 14), (1, 26)]);
        assert_eq!((take(&mut lanes, 100), lanes.rows()), (vec![], 0));
    }

    #[test]
    fn a_lane_whose_turn_it_is_keeps_it_through_every_batch() {
        let mut lanes = Lanes::default();
        for key in 1..5 {
            push(&mut lanes, key, 13, &Lane::new());
        }
        let served: Vec<u64> = (0..26).flat_map(|_| take(&mut lanes, 2)).map(|part| part.0).collect();
        assert!(served.is_sorted(), "{served:?}");
    }

    #[test]
    fn no_lane_waits_for_ever() {
        let (mut lanes, long) = (Lanes::default(), Lane::new());
        push(&mut lanes, 1, 99, &long);
        assert_eq!(take(&mut lanes, 40).len(), 2);
        let mut served = 0;
        for key in 2..42 {
            push(&mut lanes, key, 8, &Lane::new());
            served += take(&mut lanes, 8).iter().filter(|part| part.0 == 1).map(|part| part.1).sum::<usize>();
        }
        assert!(served >= 50, "{served}");
    }

    /// Stops the first job, as one that is late or otherwise.
    fn stop_first(lanes: &mut Lanes, kind: ErrorKind) {
        lanes.lanes[0].jobs[0].stop(Error::new(kind, "stopped"));
        lanes.remove_stopped();
    }

    #[test]
    fn when_jobs_are_late_the_newest_is_begun_and_finished_first() {
        let mut lanes = Lanes::default();
        for (key, rows) in [(1, 9), (2, 8), (3, 8), (4, 8)] {
            push(&mut lanes, key, rows, &Lane::new());
        }
        assert_eq!(take(&mut lanes, 1), [(1, 1)], "in order, before that");
        stop_first(&mut lanes, ErrorKind::DeadlineExceeded);
        assert_eq!(take(&mut lanes, 4), [(4, 4)]);
        push(&mut lanes, 5, 8, &Lane::new());
        assert_eq!(take(&mut lanes, 8), [(4, 4), (5, 4)]);
        assert_eq!(take(&mut lanes, 6), [(5, 4), (3, 2)], "what was begun, and then the newer one");
        assert_eq!(take(&mut lanes, 20), [(3, 6), (2, 8)]);
        for key in 6..8 {
            push(&mut lanes, key, 8, &Lane::new());
        }
        assert_eq!(take(&mut lanes, 8), [(6, 8)], "in order again, once none was left to begin");
    }

    #[test]
    fn a_job_that_is_cancelled_changes_no_order_and_a_long_one_keeps_none_from_coming_back() {
        let mut lanes = Lanes::default();
        push(&mut lanes, 1, 99, &Lane::new());
        assert_eq!(take(&mut lanes, 40).iter().map(|part| part.1).sum::<usize>(), 40, "it has had its first rows");
        let late = Lane::new();
        for kind in [ErrorKind::Cancelled, ErrorKind::DeadlineExceeded] {
            push(&mut lanes, 2, 8, &late);
            lanes.lanes[1].jobs[0].stop(Error::new(kind, "stopped"));
            lanes.remove_stopped();
            assert_eq!(lanes.overloaded, kind == ErrorKind::DeadlineExceeded);
            for key in 3..5 {
                push(&mut lanes, key, 8, &Lane::new());
            }
            // No batch of the oldest.
            lanes.batches = 0;
            let first = if lanes.overloaded { 4 } else { 3 };
            assert_eq!(take(&mut lanes, 8), [(first, 8)]);
            assert_eq!(take(&mut lanes, 8).len(), 1);
        }
        assert!(!lanes.overloaded && !lanes.lanes.is_empty(), "only the long job is left");
    }

    #[test]
    fn jobs_without_a_lane_share_one_in_order() {
        let mut lanes = Lanes::default();
        for key in 1..4 {
            let grid = Grid::for_range(1.0, 0.25).unwrap();
            let job = Job::on_grid(&[0.0], 0.25, grid, 1, Purpose::Estimate).unwrap();
            lanes.push(Arc::new(job_state(job.samples(100 * key..100 * key + 5))));
        }
        assert_eq!(take(&mut lanes, 12), [(1, 5), (2, 5), (3, 2)]);
    }
}
