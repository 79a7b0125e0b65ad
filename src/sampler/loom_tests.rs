//! The scheduler under loom: every interleaving of its locks, up to a number of preemptions, ends without a deadlock, a
//! lost row or a hook called twice. `make test-loom`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{HostWorker, Ledger, Limits, WorkQueue};
use crate::noise::{Grid, Purpose};
use crate::sampler::job::JobStopper;
use crate::sampler::progress::{JobState, LabelCounter};
use crate::sampler::{BaseClassifier, BatchRunner, Job, JobHandle, Lane, Watch};
use crate::stats::Tally;
use crate::{Error, ErrorKind, Result};

/// Gives every row label 0.
struct Zero;
struct ZeroRunner(Vec<f32>);

impl BaseClassifier for Zero {
    fn elements(&self) -> usize {
        1
    }
    fn classes(&self) -> usize {
        2
    }
    fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>> {
        Ok(Box::new(ZeroRunner(vec![0.0; batch])))
    }
}

impl BatchRunner for ZeroRunner {
    fn rows_mut(&mut self, rows: usize) -> &mut [f32] {
        &mut self.0[..rows]
    }
    fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()> {
        labels[..rows].fill(0);
        Ok(())
    }
}

struct Model {
    queue: Arc<WorkQueue>,
    ledger: Arc<Ledger>,
    workers: Vec<loom::thread::JoinHandle<()>>,
    ended: Arc<AtomicUsize>,
}

impl Model {
    fn new(workers: usize, batch: usize) -> Self {
        let queue = Arc::new(WorkQueue::new(workers, false));
        let spawn = |index| {
            let worker = HostWorker::new(Arc::new(Zero), Arc::clone(&queue), index, batch).unwrap();
            loom::thread::spawn(move || worker.run())
        };
        let workers = (0..workers).map(spawn).collect();
        Self { queue, ledger: Arc::new(Ledger::new(Limits::default(), 1)), workers, ended: Arc::default() }
    }

    fn submit(&self, rows: u64, lane: &Lane) -> JobHandle {
        self.submit_job(job(rows).lane(lane))
    }

    fn submit_job(&self, job: Job) -> JobHandle {
        let ended = Arc::clone(&self.ended);
        let hook = move || {
            ended.fetch_add(1, Ordering::Relaxed);
        };
        self.ledger.admit(1).unwrap().use_one(&self.ledger);
        let state = Arc::new(JobState::new(
            job.samples,
            job.watch,
            LabelCounter::new(2, None),
            &self.ledger,
            Some(Box::new(hook)),
        ));
        let stopper = JobStopper { state: Arc::clone(&state), queue: Arc::downgrade(&self.queue) };
        self.queue.push(state);
        JobHandle { stopper }
    }

    fn close(self) -> usize {
        self.queue.close();
        for worker in self.workers {
            worker.join().unwrap();
        }
        self.ended.load(Ordering::Relaxed)
    }
}

fn job(rows: u64) -> Job {
    let grid = Grid::for_range(1.0, 0.25).unwrap();
    Job::on_grid(&[0.0], 0.25, grid, 1, Purpose::Estimate).unwrap().samples(0..rows)
}

/// Looks after every row, and has enough after two.
struct Two;

impl Watch for Two {
    fn next_look(&mut self, rows: u64) -> u64 {
        rows + 1
    }
    fn look(&mut self, counts: &Tally) -> bool {
        counts.n() < 2
    }
}

/// All interleavings with at most this many preemptions.
fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

#[test]
fn two_workers_draw_every_row_once() {
    check(2, || {
        let model = Model::new(2, 2);
        let job = model.submit(3, &Lane::new());
        let drawn = job.wait();
        assert_eq!((drawn.tally.labels(), drawn.tally.n(), drawn.stopped), (&[3, 0][..], 3, None));
        assert_eq!(model.close(), 1);
    });
}

#[test]
fn two_lanes_both_end() {
    check(2, || {
        let model = Model::new(1, 2);
        let (first, second) = (model.submit(3, &Lane::new()), model.submit(1, &Lane::new()));
        assert_eq!(second.wait().complete().unwrap().n(), 1);
        assert_eq!(first.wait().complete().unwrap().n(), 3);
        assert_eq!(model.close(), 2);
    });
}

#[test]
fn cancelling_at_any_moment_ends_the_job_once() {
    check(3, || {
        let model = Model::new(1, 1);
        let job = model.submit(2, &Lane::new());
        let stopper = job.stopper();
        let canceller = loom::thread::spawn(move || {
            JobStopper::stop_all(&[stopper], &Error::new(ErrorKind::Cancelled, "cancelled"));
        });
        let drawn = job.wait();
        match drawn.stopped {
            None => assert_eq!(drawn.tally.n(), 2),
            Some(error) => assert!(error.kind() == ErrorKind::Cancelled && drawn.tally.n() < 2),
        }
        canceller.join().unwrap();
        assert_eq!(model.close(), 1);
    });
}

#[test]
fn closing_at_any_moment_ends_the_job_once() {
    check(3, || {
        let model = Model::new(1, 1);
        let job = model.submit(2, &Lane::new());
        let waiter = loom::thread::spawn(move || job.wait());
        assert_eq!(model.close(), 1);
        let drawn = waiter.join().unwrap();
        assert!(drawn.stopped.is_some() || drawn.tally.n() == 2);
    });
}

#[test]
fn a_watched_job_draws_what_its_watch_asks_for() {
    check(2, || {
        let model = Model::new(2, 2);
        let (watched, other) = (model.submit_job(job(9).watched(Two)), model.submit(1, &Lane::new()));
        let drawn = watched.wait();
        assert_eq!((drawn.tally.n(), drawn.stopped), (2, None));
        assert_eq!(other.wait().complete().unwrap().n(), 1);
        assert_eq!(model.close(), 2);
    });
}

#[test]
fn closing_at_any_moment_ends_a_watched_job_once() {
    check(3, || {
        let model = Model::new(1, 1);
        let job = model.submit_job(job(9).watched(Two));
        let waiter = loom::thread::spawn(move || job.wait());
        assert_eq!(model.close(), 1);
        let drawn = waiter.join().unwrap();
        assert!(drawn.stopped.is_some() || drawn.tally.n() == 2);
    });
}
