//! What a host's process does to the sampler's threads: signals, and forks.
#![cfg(target_os = "linux")]

use std::path::PathBuf;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};
use smoothtopk::sampler::JobHandle;
use smoothtopk::smoothed::Task;

use super::*;

/// Runs `child` in a forked process, which must end with success within the time.
fn in_a_child(child: impl FnOnce()) {
    // SAFETY: the child only calls what is under test, and ends without running the harness's own ends.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let passed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).is_ok();
            // SAFETY: it does not return.
            unsafe { nix::libc::_exit(i32::from(!passed)) }
        }
        ForkResult::Parent { child } => {
            let start = Instant::now();
            let ended = loop {
                match waitpid(child, Some(WaitPidFlag::WNOHANG)).unwrap() {
                    WaitStatus::StillAlive if start.elapsed() < Duration::from_secs(20) => {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    WaitStatus::StillAlive => {
                        kill(child, Signal::SIGKILL).unwrap();
                        waitpid(child, None).unwrap();
                        panic!("the child hangs");
                    }
                    ended => break ended,
                }
            };
            assert_eq!(ended, WaitStatus::Exited(child, 0));
        }
    }
}

#[test]
fn in_a_forked_child_nothing_waits_and_everything_can_be_dropped() {
    let classifier = Arc::new(Endless { running: Arc::default() });
    let g = SmoothedClassifier::new(classifier, Plan { batch: 4, threads: 2 }).unwrap();
    let request = Request { n: 8, input_max: 200.0, ..Request::new(Gaussian::new(SIGMA).unwrap()).seeded(1) };
    let token = smoothtopk::smoothed::CancelToken::new();
    let control =
        || Control { timeout: Some(Duration::from_secs(3600)), cancel: Some(token.clone()), ..Control::default() };
    let ended = g.submit_batch(&[0.0], &[Task::Predict], &request, 0, control()).unwrap();
    ended.completion().then(Box::new(|| {}));
    ended.wait_done();
    // It keeps both workers.
    let under_way = g.submit_batch(&[100.0, 0.0], &[Task::Predict; 2], &request, 0, control()).unwrap();
    let job = |rows| {
        let grid = Grid::for_range(100.0, SIGMA).unwrap();
        Job::on_grid(&[100.0], SIGMA, grid, 3, Purpose::Estimate).unwrap().samples(0..rows)
    };
    let jobs: Vec<JobHandle> = (0..3).map(|_| g.sampler().submit(job(9)).unwrap()).collect();
    // What a child does with what it was forked with; then the parent goes on with the same.
    let held = std::cell::RefCell::new(Some((g, under_way, ended, jobs)));
    in_a_child(|| {
        let (g, under_way, ended, mut jobs) = held.take().unwrap();
        let forked = |error: Error| assert_eq!(error.kind(), ErrorKind::Forked, "{error}");
        let asked = || g.submit_batch(&[0.0], &[Task::Predict], &request, 0, Control::default());
        forked(asked().unwrap_err());
        forked(g.submit(&[0.0], Task::Predict, &request, 0).unwrap_err());
        forked(g.submit_samples(&[0.0], 0..9, &request, 0, Control::default()).unwrap_err());
        forked(g.sampler().submit(job(9)).unwrap_err());
        forked(g.stats().unwrap_err());
        forked(under_way.check_process().unwrap_err());
        forked(under_way.tasks()[0].latest(0, Duration::MAX).unwrap_err());
        token.set();
        under_way.cancel();
        under_way.wait_done();
        assert!(under_way.is_finished() && under_way.wait_timeout(Duration::MAX));
        under_way.wait_with(|done, _| assert_eq!(done, 0));
        under_way.wait().into_iter().for_each(|outcome| forked(outcome.answer.unwrap_err()));
        forked(ended.wait().remove(0).answer.unwrap_err());
        let handle = jobs.remove(0);
        handle.cancel();
        assert!(handle.is_finished() && handle.wait_timeout(Duration::MAX));
        let drawn = handle.wait();
        assert_eq!((drawn.tally.labels(), drawn.tally.n()), (&[0, 0][..], 0));
        forked(drawn.complete().unwrap_err());
        drop((jobs, g));
    });
    let (g, under_way, ended, jobs) = held.take().unwrap();
    assert!(!under_way.is_finished(), "the child's token and its drops are its own");
    assert!(ended.wait()[0].answer.is_ok());
    under_way.cancel();
    drop((under_way, jobs));
    let asked = g.submit_batch(&[0.0], &[Task::Predict], &request, 0, Control::default()).unwrap();
    assert!(asked.wait()[0].answer.is_ok());
}

#[test]
fn the_threads_block_all_signals_but_those_of_faults() {
    let g = SmoothedClassifier::new(five(None), Plan { batch: 4, threads: 3 }).unwrap();
    let request = Request { n: 10, ..Request::new(Gaussian::new(SIGMA).unwrap()) };
    let control = Control { timeout: Some(Duration::from_secs(9)), ..Control::default() };
    g.submit_batch(&[0.0; 6], &[Task::Predict], &request, 0, control).unwrap().wait();
    // A thread takes its name when it begins to run.
    let tasks = || std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let is_ours =
        |task: &PathBuf| std::fs::read_to_string(task.join("comm")).is_ok_and(|name| name.starts_with("smoothtopk-"));
    wait_until("three workers and the timer run", || tasks().filter(is_ours).count() >= 4);
    for task in tasks().filter(is_ours) {
        let read = |name: &str| std::fs::read_to_string(task.join(name)).unwrap_or_default();
        let faults = [
            Signal::SIGSEGV,
            Signal::SIGBUS,
            Signal::SIGFPE,
            Signal::SIGILL,
            Signal::SIGTRAP,
            Signal::SIGSYS,
            Signal::SIGABRT,
        ];
        let mask = || {
            let status = read("status");
            let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"))?;
            Some(u64::from_str_radix(mask.trim(), 16).unwrap())
        };
        // A new thread blocks everything until it runs.
        let runs = || mask().is_none_or(|mask| mask & (1 << (Signal::SIGSEGV as i32 - 1)) == 0);
        wait_until("it runs", runs);
        // One of another test may end meanwhile.
        let Some(mask) = mask() else { continue };
        for signal in Signal::iterator().filter(|signal| !matches!(signal, Signal::SIGKILL | Signal::SIGSTOP)) {
            let blocked = mask & (1 << (signal as i32 - 1)) != 0;
            assert_eq!(blocked, !faults.contains(&signal), "{signal} in {}", read("comm"));
        }
    }
    // The thread that made them has its own mask as it was.
    let mine = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    assert!(mine.contains("SigBlk:\t0000000000000000"), "{mine}");
}
