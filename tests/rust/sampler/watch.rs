//! Jobs that are looked at while they draw: looks see exactly the first samples, for any batch and number of threads,
//! and an early end leaves the device to other jobs.

use std::sync::{Arc, Mutex};

use smoothtopk::noise::{Grid, Purpose};
use smoothtopk::sampler::{Job, Lane, Sampler, Watch};
use smoothtopk::stats::Tally;
use smoothtopk::{Error, ErrorKind};

use super::{SIGMA, draw, job, sampler};

/// Looks at given numbers of rows, keeps what it sees, and has enough at `enough` rows.
struct Looks {
    at: Vec<u64>,
    enough: u64,
    seen: Arc<Mutex<Vec<Tally>>>,
}

impl Looks {
    fn new(at: &[u64], enough: u64) -> (Self, Arc<Mutex<Vec<Tally>>>) {
        let seen = Arc::<Mutex<Vec<Tally>>>::default();
        (Self { at: at.to_vec(), enough, seen: Arc::clone(&seen) }, seen)
    }
}

impl Watch for Looks {
    fn pilot(&mut self, counts: &Tally) {
        self.seen.lock().unwrap().push(counts.clone());
    }
    fn next_look(&mut self, rows: u64) -> u64 {
        self.at.iter().copied().find(|&at| at > rows).unwrap_or(u64::MAX)
    }
    fn look(&mut self, counts: &Tally) -> bool {
        self.seen.lock().unwrap().push(counts.clone());
        counts.n() < self.enough
    }
}

fn first(key: u64, rows: u64) -> Tally {
    draw(&sampler(1, 1), [job(key, 0..rows)]).remove(0)
}

#[test]
fn looks_see_the_first_samples_whatever_the_batch_and_threads() {
    let at = [1, 5, 64, 65, 300];
    let expected: Vec<_> = at.iter().map(|&rows| first(3, rows)).collect();
    for (batch, threads) in [(1, 1), (1, 3), (7, 2), (64, 2), (5000, 4)] {
        let sampler = sampler(batch, threads);
        let others: Vec<_> = (10..15).map(|key| sampler.submit(job(key, 0..700)).unwrap()).collect();
        let (looks, seen) = Looks::new(&at, 300);
        let drawn = sampler.submit(job(3, 0..10_000).watched(looks)).unwrap().wait();
        assert_eq!(drawn.stopped, None);
        assert_eq!(drawn.tally, expected[4], "batch {batch}, {threads} threads");
        assert_eq!(*seen.lock().unwrap(), expected, "batch {batch}, {threads} threads");
        for other in others {
            assert_eq!(other.wait().complete().unwrap().n(), 700);
        }
    }
}

#[test]
fn the_last_sample_is_looked_at_and_ends_the_job() {
    for samples in [1, 2, 100] {
        let (looks, seen) = Looks::new(&[40, 200], u64::MAX);
        let drawn = sampler(8, 2).submit(job(1, 0..samples).watched(looks)).unwrap().wait();
        assert_eq!(drawn.complete().unwrap(), first(1, samples));
        let sizes: Vec<_> = seen.lock().unwrap().iter().map(Tally::n).collect();
        assert_eq!(sizes, if samples > 40 { vec![40, samples] } else { vec![samples] });
    }
    let (looks, seen) = Looks::new(&[40], 0);
    assert_eq!(sampler(8, 2).submit(job(1, 0..0).watched(looks)).unwrap().wait().tally.n(), 0);
    assert!(seen.lock().unwrap().is_empty());
}

#[test]
fn a_pilot_is_counted_apart_and_comes_first_where_the_job_is_watched() {
    let select = |rows| {
        let input: Vec<f32> = (0..6).map(|i| ((3 * 7 + i) % 5) as f32 / 4.0).collect();
        let grid = Grid::for_range(1.0, SIGMA).unwrap();
        let job = Job::on_grid(&input, SIGMA, grid, 11, Purpose::Select).unwrap().key(3).samples(0..rows);
        draw(&sampler(4, 1), [job]).remove(0)
    };
    for (batch, threads) in [(1, 1), (16, 2), (500, 3)] {
        let sampler = sampler(batch, threads);
        let unwatched = sampler.submit(job(3, 0..100).pilot(30)).unwrap().wait();
        assert_eq!((unwatched.tally, unwatched.pilot), (first(3, 100), Some(select(30))));
        let (looks, seen) = Looks::new(&[20, 50], 50);
        let handle = sampler.submit(job(3, 0..100).pilot(30).watched(looks)).unwrap();
        let stopper = handle.stopper();
        let watched = handle.wait();
        assert_eq!((watched.tally, watched.pilot), (first(3, 50), Some(select(30))));
        assert_eq!(*seen.lock().unwrap(), [select(30), first(3, 20), first(3, 50)]);
        assert_eq!((stopper.samples_done(), stopper.samples_total()), (80, 80));
    }
}

#[test]
fn rows_of_other_jobs_take_the_place_of_a_job_that_has_enough() {
    let sampler = sampler(16, 2);
    let lanes: [Lane; 4] = Default::default();
    let handles: Vec<_> = (0..40)
        .map(|key| {
            let (looks, _) = Looks::new(&[10, 20, 30], 10 * (key % 3 + 1));
            sampler.submit(job(key, 0..1_000_000_000_000).lane(&lanes[key as usize % 4]).watched(looks)).unwrap()
        })
        .collect();
    for (key, handle) in (0u64..).zip(handles) {
        assert_eq!(handle.wait().complete().unwrap(), first(key, 10 * (key % 3 + 1)));
    }
}

#[test]
fn a_stopped_job_ends_and_what_was_looked_at_is_kept() {
    let sampler = sampler(4, 2);
    let (looks, seen) = Looks::new(&[8], u64::MAX);
    let handle = sampler.submit(job(2, 0..1_000_000_000_000).watched(looks)).unwrap();
    while handle.samples_done() < 8 {
        std::thread::yield_now();
    }
    handle.cancel();
    let drawn = handle.wait();
    assert_eq!(drawn.stopped.map(|error: Error| error.kind()), Some(ErrorKind::Cancelled));
    assert!(drawn.tally.n() >= 8);
    assert_eq!(*seen.lock().unwrap(), [first(2, 8)]);
}

#[test]
fn a_watch_that_panics_ends_its_own_job_alone() {
    struct Panics;
    impl Watch for Panics {
        fn next_look(&mut self, rows: u64) -> u64 {
            rows + 10
        }
        fn look(&mut self, _: &Tally) -> bool {
            panic!("a watch that panics")
        }
    }
    let sampler = sampler(4, 1);
    let other = sampler.submit(job(1, 0..50)).unwrap();
    let drawn = sampler.submit(job(2, 0..50).watched(Panics)).unwrap().wait();
    assert_eq!(drawn.stopped.map(|error| error.kind()), Some(ErrorKind::Internal));
    assert_eq!(drawn.tally, first(2, 10));
    assert_eq!(other.wait().complete().unwrap(), first(1, 50));
}

#[test]
fn dropping_the_sampler_ends_watched_jobs() {
    let sampler: Sampler = sampler(4, 2);
    let handles: Vec<_> = (0..20)
        .map(|key| {
            let (looks, _) = Looks::new(&(1..100_000).collect::<Vec<_>>(), u64::MAX);
            sampler.submit(job(key, 0..1_000_000_000_000).watched(looks)).unwrap()
        })
        .collect();
    std::thread::sleep(std::time::Duration::from_millis(20));
    drop(sampler);
    for handle in handles {
        assert_eq!(handle.wait().stopped.map(|error| error.kind()), Some(ErrorKind::Cancelled));
    }
}
