//! The order of rows beside a model of it: what docs/design.md promises ("Who is served first?", "What happens under
//! overload?"), in the fewest words, with no thought of speed. Whatever comes, is taken, looked at and stopped, in
//! whichever order, both hand out the same rows.

use std::cmp::Reverse;
use std::sync::Arc;

use proptest::prelude::*;

use super::{Lanes, OLDEST_EVERY, UNBEGUN_EVERY, job_state};
use crate::noise::{Grid, Purpose};
use crate::sampler::progress::JobState;
use crate::sampler::segment::Segment;
use crate::sampler::{Job, Lane, Watch};
use crate::stats::Tally;
use crate::{Error, ErrorKind};

#[derive(Default)]
struct Model {
    lanes: Vec<ModelLane>,
    /// By arrival.
    jobs: Vec<ModelJob>,
    turns: u64,
    batches: u64,
    overloaded: bool,
}

#[derive(Clone, Default)]
struct ModelLane {
    served: u64,
    turn: u64,
}

#[derive(Clone, Copy)]
struct ModelJob {
    lane: usize,
    given: u64,
    released: u64,
    rows: u64,
    look_every: u64,
    stopped: bool,
}

impl ModelJob {
    fn left(&self) -> u64 {
        if self.stopped { 0 } else { self.released - self.given }
    }
}

impl ModelLane {
    /// The level, and the rows that are left in it.
    fn level(&self) -> (u32, u64) {
        let (mut level, mut end) = (0, 32);
        while self.served >= end {
            (level, end) = (level + 1, 2 * end);
        }
        (level, end - self.served)
    }
}

impl Model {
    fn waits(&self, lane: usize) -> bool {
        self.jobs.iter().any(|job| job.lane == lane && job.left() > 0)
    }

    fn next(&self, oldest: bool) -> Option<usize> {
        let newest_first = self.overloaded && !(oldest && self.batches.is_multiple_of(UNBEGUN_EVERY));
        let rank = |&lane: &usize| {
            let ModelLane { served, turn } = self.lanes[lane];
            let level = if oldest { 0 } else { self.lanes[lane].level().0 };
            let last = newest_first && served == 0;
            let (old, new) = if last { (0, turn) } else { (turn, 0) };
            (level, last, old, Reverse(new))
        };
        (0..self.lanes.len()).filter(|&lane| self.waits(lane)).min_by_key(rank)
    }

    fn joins(&mut self, lane: usize) {
        if self.lanes[lane].turn == 0 {
            self.turns += 1;
            self.lanes[lane].turn = self.turns;
        }
    }

    fn take(&mut self, mut room: u64) -> Vec<(usize, u64)> {
        self.batches += 1;
        let oldest = self.batches.is_multiple_of(OLDEST_EVERY);
        let mut taken = Vec::new();
        while room > 0
            && let Some(lane) = self.next(oldest)
        {
            let jumped = oldest && self.next(false) != Some(lane);
            let (level, left) = self.lanes[lane].level();
            let mut share = if jumped { room } else { room.min(left) };
            for (i, job) in self.jobs.iter_mut().enumerate().filter(|(_, job)| job.lane == lane) {
                let rows = share.min(job.left());
                if rows > 0 {
                    taken.push((i, rows));
                }
                job.given += rows;
                self.lanes[lane].served += rows;
                (room, share) = (room - rows, share - rows);
            }
            if jumped || self.lanes[lane].level().0 > level {
                self.turns += 1;
                self.lanes[lane].turn = self.turns;
            }
        }
        self.overloaded &= (0..self.lanes.len()).any(|lane| self.lanes[lane].served == 0 && self.waits(lane));
        taken
    }
}

/// Looks after every so many rows, and never has enough.
struct Every(u64);

impl Watch for Every {
    fn next_look(&mut self, rows: u64) -> u64 {
        rows + self.0
    }
    fn look(&mut self, _: &Tally) -> bool {
        true
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push {
        lane: usize,
        rows: u64,
        look_every: u64,
    },
    Take {
        room: u64,
    },
    /// The rows of a job come back, which has it looked at where that is due.
    GiveBack {
        job: prop::sample::Index,
    },
    Stop {
        job: prop::sample::Index,
        late: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0usize..6, 1u64..120, prop_oneof![1u64..40, Just(1000)])
            .prop_map(|(lane, rows, look_every)| Step::Push { lane, rows, look_every }),
        5 => (1u64..60).prop_map(|room| Step::Take { room }),
        3 => any::<prop::sample::Index>().prop_map(|job| Step::GiveBack { job }),
        1 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(job, late)| Step::Stop { job, late }),
    ]
}

fn looked_at(rows: u64, look_every: u64, lane: &Lane) -> Arc<JobState> {
    let grid = Grid::for_range(1.0, 0.25).unwrap();
    let job = Job::on_grid(&[0.0], 0.25, grid, 1, Purpose::Estimate).unwrap();
    job_state(job.samples(0..rows).lane(lane).watched(Every(look_every)))
}

proptest! {
    #[test]
    fn rows_are_handed_out_in_the_order_that_was_promised(steps in prop::collection::vec(step(), 1..200)) {
        let mut lanes = Lanes::default();
        let mut model = Model { lanes: vec![ModelLane::default(); 6], ..Model::default() };
        let names: Vec<Lane> = (0..6).map(|_| Lane::new()).collect();
        let mut states: Vec<Arc<JobState>> = Vec::new();
        // Rows that were handed out and not given back.
        let mut out: Vec<u64> = Vec::new();
        for step in steps {
            match step {
                Step::Push { lane, rows, look_every } => {
                    states.push(looked_at(rows, look_every, &names[lane]));
                    out.push(0);
                    lanes.push(Arc::clone(&states[states.len() - 1]));
                    let released = look_every.min(rows);
                    model.jobs.push(ModelJob { lane, given: 0, released, rows, look_every, stopped: false });
                    model.joins(lane);
                }
                Step::Take { room } => {
                    let place = |job: &Arc<JobState>| states.iter().position(|state| Arc::ptr_eq(state, job)).unwrap();
                    let part = |part: &Segment| (place(&part.job), part.rows() as u64);
                    let taken: Vec<_> = lanes.take(room).iter().map(part).collect();
                    taken.iter().for_each(|&(job, rows)| out[job] += rows);
                    prop_assert_eq!(taken, model.take(room));
                }
                Step::GiveBack { .. } | Step::Stop { .. } if states.is_empty() => {}
                Step::GiveBack { job } => {
                    let job = job.index(states.len());
                    let rows = std::mem::take(&mut out[job]);
                    let ModelJob { lane, given, released, rows: all, look_every, stopped } = model.jobs[job];
                    let looked = rows > 0 && given == released && !stopped && given < all;
                    if rows > 0 && states[job].give_back(false, 0, &vec![0; rows as usize]) {
                        lanes.push(Arc::clone(&states[job]));
                        prop_assert!(looked);
                    } else {
                        prop_assert!(!looked);
                    }
                    if looked {
                        model.jobs[job].released = all.min(given + look_every);
                        model.joins(lane);
                    }
                }
                Step::Stop { job, late } => {
                    let job = job.index(states.len());
                    let kind = if late { ErrorKind::DeadlineExceeded } else { ErrorKind::Cancelled };
                    let waited = model.jobs[job].left() > 0;
                    let few = model.lanes[model.jobs[job].lane].level().0 == 0;
                    if states[job].stop(Error::new(kind, "stopped")).is_some() {
                        lanes.remove(&states[job]);
                        model.jobs[job].stopped = true;
                        model.overloaded |= waited && late && few;
                    }
                }
            }
            prop_assert_eq!(lanes.rows(), model.jobs.iter().map(|job| u128::from(job.left())).sum::<u128>());
        }
        let rest: Vec<_> = lanes.take(u64::MAX).iter().map(|part| part.rows() as u64).collect();
        prop_assert_eq!(rest, model.take(u64::MAX).into_iter().map(|part| part.1).collect::<Vec<_>>());
        prop_assert_eq!((lanes.rows(), lanes.lanes.len(), lanes.order.oldest()), (0, 0, None));
    }
}
