//! The rows that wait for a worker, lane by lane.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::sampler::lane::{Lane, LaneId};
use crate::sampler::order::{Order, Place};
use crate::sampler::progress::{JobState, Taken};
use crate::sampler::segment::Segment;

/// Every so many batches, the lane that has waited longest is served.
const OLDEST_EVERY: u64 = 4;
/// The same for lanes without a row yet while requests are given up: most of the oldest are about to be.
const UNBEGUN_EVERY: u64 = 32;

/// Waiting jobs, lane by lane. A job comes, goes and gives rows in time that grows with the logarithm of their number.
#[derive(Default)]
pub(super) struct Lanes {
    /// Those with a job that waits.
    lanes: HashMap<LaneId, Queue>,
    order: Order,
    /// That of jobs which were given none.
    default: Lane,
    /// Rows not yet handed out.
    rows: u128,
    /// The jobs that came, the turns given so far, and the batches.
    arrivals: u64,
    turns: u64,
    batches: u64,
    /// Whether deadlines passed of jobs in their first rows, since there was last none that had not begun.
    overloaded: bool,
}

struct Queue {
    lane: Lane,
    /// Where `Lanes::order` has it.
    place: Place,
    /// By their arrival.
    jobs: BTreeMap<u64, Arc<JobState>>,
}

impl Lanes {
    pub fn rows(&self) -> u128 {
        self.rows
    }

    /// Takes a job in, or takes it up again when its next rows were released: behind those of its lane that came before
    /// it, and before those that came after it.
    pub fn push(&mut self, job: Arc<JobState>) {
        if job.is_stopped() {
            // It was not here when the stopped were removed.
            return;
        }
        self.rows += u128::from(job.left());
        let arrival = job.arrival(|| {
            self.arrivals += 1;
            self.arrivals
        });
        let lane = job.lane().unwrap_or(&self.default);
        let queue = match self.lanes.entry(lane.id()) {
            Entry::Occupied(queue) => queue.into_mut(),
            Entry::Vacant(free) => {
                // A lane that was away while its counts were looked at keeps its place.
                if lane.turn() == 0 {
                    self.turns += 1;
                    lane.set_turn(self.turns);
                }
                let place = Place::of(lane);
                self.order.insert(place);
                free.insert(Queue { lane: lane.clone(), place, jobs: BTreeMap::new() })
            }
        };
        queue.jobs.insert(arrival, job);
    }

    /// Rows for a batch of at most `room`, from the lane whose turn it is and, where that runs dry, from those behind
    /// it.
    pub fn take(&mut self, mut room: u64) -> Vec<Segment> {
        let mut segments = Vec::new();
        self.batches += 1;
        let oldest = self.batches.is_multiple_of(OLDEST_EVERY);
        while room > 0
            && let Some(next) = self.next_lane(oldest)
        {
            // Whose turn it is anyhow keeps it: it has not jumped the queue.
            let jumped = oldest && self.next_lane(false) != Some(next);
            room -= self.serve(next, room, jumped, &mut segments);
        }
        self.overloaded = self.overloaded && self.order.any_unbegun();
        segments
    }

    /// Hands out at most `most` rows of a lane, and says how many: one that jumped the queue has them all, another
    /// until it has had its share.
    fn serve(&mut self, lane: LaneId, most: u64, jumped: bool, segments: &mut Vec<Segment>) -> u64 {
        let Some(queue) = self.lanes.get_mut(&lane) else { return 0 };
        let level = queue.lane.level();
        let share = if jumped { most } else { most.min(queue.lane.left()) };
        let mut served = 0;
        while served < share
            && let Some(job) = queue.jobs.first_entry()
        {
            let Taken { pilot, samples, left } = job.get().take(share - served);
            let rows = samples.end - samples.start;
            served += rows;
            self.rows -= u128::from(rows);
            if rows > 0 {
                segments.push(Segment { job: Arc::clone(job.get()), pilot, samples });
            }
            if rows == 0 || left == 0 {
                // All handed out up to the next look, or stopped.
                self.rows -= u128::from(left);
                job.remove();
            }
        }
        queue.lane.serve(served);
        if jumped || queue.lane.level() > level {
            self.turns += 1;
            queue.lane.set_turn(self.turns);
        }
        self.settle(lane);
        served
    }

    /// Brings a lane to the place that it now has, or forgets it where none of its jobs waits.
    fn settle(&mut self, lane: LaneId) {
        let Entry::Occupied(mut queue) = self.lanes.entry(lane) else { return };
        if queue.get().jobs.is_empty() {
            self.order.remove(queue.remove().place);
            return;
        }
        let queue = queue.get_mut();
        let place = Place::of(&queue.lane);
        if place != queue.place {
            self.order.remove(std::mem::replace(&mut queue.place, place));
            self.order.insert(place);
        }
    }

    /// The lane that is next: the one that has waited longest of all, or of those that had the fewest rows.
    fn next_lane(&self, oldest: bool) -> Option<LaneId> {
        match (oldest, self.overloaded) {
            (false, false) => self.order.fewest_rows(),
            (false, true) => self.order.fewest_rows_overloaded(),
            (true, true) if !self.batches.is_multiple_of(UNBEGUN_EVERY) => self.order.oldest_overloaded(),
            (true, _) => self.order.oldest(),
        }
    }

    /// Forgets a job that was stopped, where it waits.
    pub fn remove(&mut self, job: &JobState) {
        let lane = job.lane().unwrap_or(&self.default).id();
        let Some(queue) = self.lanes.get_mut(&lane) else { return };
        if queue.jobs.remove(&job.arrival(|| 0)).is_none() {
            return;
        }
        self.rows -= u128::from(job.left());
        // A job that its host no longer wants says nothing of how long others wait.
        self.overloaded |= queue.lane.level() == 0 && job.is_late();
        self.settle(lane);
    }

    pub fn drain(&mut self) -> Vec<Arc<JobState>> {
        let Self { lanes, order, rows, .. } = self;
        (*order, *rows) = (Order::default(), 0);
        lanes.drain().flat_map(|(_, queue)| queue.jobs.into_values()).collect()
    }
}

/// A job of tests, of two labels.
#[cfg(all(test, not(loom)))]
fn job_state(job: super::Job) -> Arc<JobState> {
    use super::ledger::{Ledger, Limits};
    use super::progress::LabelCounter;
    let ledger = Arc::new(Ledger::new(Limits::default(), 1));
    Arc::new(JobState::new(job.samples, job.watch, LabelCounter::new(2, None), &ledger, None))
}

#[cfg(all(test, not(loom)))]
#[path = "lanes_model.rs"]
mod model;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::noise::{Grid, Purpose};
    use crate::sampler::Job;
    use crate::{Error, ErrorKind};

    fn push(lanes: &mut Lanes, key: u64, rows: u64, lane: &Lane) {
        let grid = Grid::for_range(1.0, 0.25).unwrap();
        let job = Job::on_grid(&[key as f32], 0.25, grid, 1, Purpose::Estimate).unwrap();
        lanes.push(job_state(job.samples(100 * key..100 * key + rows).lane(lane)));
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

    /// Stops the first job of a lane, as one that is late or otherwise.
    fn stop_first(lanes: &mut Lanes, lane: &Lane, kind: ErrorKind) {
        let job = Arc::clone(lanes.lanes[&lane.id()].jobs.first_key_value().unwrap().1);
        job.stop(Error::new(kind, "stopped"));
        lanes.remove(&job);
    }

    #[test]
    fn when_jobs_are_late_the_newest_is_begun_and_finished_first() {
        let (mut lanes, first) = (Lanes::default(), Lane::new());
        push(&mut lanes, 1, 9, &first);
        for key in 2..5 {
            push(&mut lanes, key, 8, &Lane::new());
        }
        assert_eq!(take(&mut lanes, 1), [(1, 1)], "in order, before that");
        stop_first(&mut lanes, &first, ErrorKind::DeadlineExceeded);
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
            stop_first(&mut lanes, &late, kind);
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
            lanes.push(job_state(job.samples(100 * key..100 * key + 5)));
        }
        assert_eq!(take(&mut lanes, 12), [(1, 5), (2, 5), (3, 2)]);
    }
}
