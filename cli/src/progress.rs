//! Progress of long work, on stderr: a bar on a terminal, plain lines otherwise.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a line is written where there is no terminal, and how often the bar's words change.
const LINE_EVERY: Duration = Duration::from_secs(5);
const WORDS_EVERY: Duration = Duration::from_millis(200);

/// Counts samples and examples as they are finished, from any thread, and shows them.
#[derive(Debug)]
pub struct Progress {
    total: u64,
    /// Examples that an earlier run of the command finished; they say nothing of today's speed.
    resumed: u64,
    samples_per_example: u64,
    shown: Shown,
    started: Instant,
    done: AtomicU64,
    samples: AtomicU64,
    failed: AtomicU64,
    /// What is counted as certified, and for each k of how many examples.
    what: &'static str,
    certified: Vec<(usize, AtomicU64)>,
    /// Invalid samples of the finished examples.
    invalid: AtomicU64,
    stopped: Mutex<Stopped>,
    last: Mutex<Instant>,
}

/// Examples whose samples a rule ended.
#[derive(Debug, Default)]
struct Stopped {
    /// Of each.
    samples: Vec<u64>,
    decided: u64,
}

#[derive(Debug)]
enum Shown {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

impl Progress {
    /// Progress through `total` examples; `quiet` shows nothing.
    pub fn new(total: usize, quiet: bool) -> Self {
        // A terminal that cannot move its cursor gets lines too.
        let bar = || Some(bar(total as u64)).filter(|bar| !bar.is_hidden());
        let shown = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Shown::Nothing,
            (false, false) => Shown::Lines,
            (false, true) => bar().map_or(Shown::Lines, Shown::Bar),
        };
        Self {
            total: total as u64,
            resumed: 0,
            samples_per_example: 0,
            shown,
            started: Instant::now(),
            done: AtomicU64::new(0),
            samples: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            what: "",
            certified: Vec::new(),
            invalid: AtomicU64::new(0),
            stopped: Mutex::default(),
            last: Mutex::new(Instant::now()),
        }
    }

    /// Counts `done` of the total as finished before. They count for the bar, not for the speed.
    #[must_use]
    pub fn resumed(mut self, done: usize) -> Self {
        self.resumed = done as u64;
        if let Shown::Bar(bar) = &self.shown {
            bar.set_position(self.resumed);
        }
        self
    }

    /// The samples that an example takes: makes the time left known before the first example is done.
    #[must_use]
    pub fn samples_per_example(mut self, samples: u64) -> Self {
        self.samples_per_example = samples;
        self
    }

    /// Says for each k of how many examples `what` is true.
    #[must_use]
    pub fn counting(mut self, what: &'static str, ks: &[usize]) -> Self {
        self.what = what;
        self.certified = ks.iter().map(|&k| (k, AtomicU64::new(0))).collect();
        self
    }

    /// Counts samples that were run.
    pub fn samples(&self, samples: u64) {
        self.samples.fetch_add(samples, Relaxed);
        self.show_now_and_then();
    }

    /// Counts invalid samples of a finished example.
    pub fn invalid(&self, samples: u64) {
        self.invalid.fetch_add(samples, Relaxed);
    }

    /// Counts an example that was finished; `certified` says for each k whether it was, where that was the question.
    pub fn example_done(&self, certified: &[bool]) {
        for ((_, examples), &certified) in self.certified.iter().zip(certified) {
            examples.fetch_add(u64::from(certified), Relaxed);
        }
        self.one_more();
    }

    /// Counts an example that could not be read.
    pub fn example_failed(&self) {
        self.failed.fetch_add(1, Relaxed);
        self.one_more();
    }

    fn one_more(&self) {
        self.done.fetch_add(1, Relaxed);
        if let Shown::Bar(bar) = &self.shown {
            bar.set_position(self.resumed + self.done.load(Relaxed));
        }
        self.show_now_and_then();
    }

    /// Counts an example whose samples a rule ended; `decided` says whether that was by a decision.
    pub fn example_stopped(&self, samples: u64, decided: bool) {
        let mut stopped = self.stopped();
        stopped.samples.push(samples);
        stopped.decided += u64::from(decided);
    }

    fn stopped(&self) -> MutexGuard<'_, Stopped> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the last state and ends the bar. To be called once, when the work is done or given up.
    pub fn finish(&self) {
        match &self.shown {
            Shown::Bar(bar) => {
                bar.set_message(self.words());
                bar.abandon();
            }
            Shown::Lines => self.say_line(),
            Shown::Nothing => {}
        }
        // Also where nothing else is shown: a model that fails is not one that is unsure.
        let invalid = self.invalid.load(Relaxed);
        if invalid > 0 {
            say!(
                "warning: {invalid} of {} samples are invalid (scores that are NaN or infinite): they count against every answer",
                self.samples.load(Relaxed)
            );
        }
    }

    fn show_now_and_then(&self) {
        let every = match self.shown {
            Shown::Bar(_) => WORDS_EVERY,
            Shown::Lines => LINE_EVERY,
            Shown::Nothing => return,
        };
        // Another thread that holds the lock is showing it right now.
        let Ok(mut last) = self.last.try_lock() else { return };
        if last.elapsed() < every {
            return;
        }
        *last = Instant::now();
        match &self.shown {
            Shown::Bar(bar) => bar.set_message(self.words()),
            Shown::Lines => self.say_line(),
            Shown::Nothing => {}
        }
    }

    /// With the time, in UTC, for logs.
    fn say_line(&self) {
        say!("{} {}", humantime::format_rfc3339_seconds(SystemTime::now()), self.line());
    }

    fn line(&self) -> String {
        format!("{}/{} examples, {}", self.resumed + self.done.load(Relaxed), self.total, self.words())
    }

    fn words(&self) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        let mut words = format!("{} samples/s", short(self.samples.load(Relaxed) as f64 / seconds.max(1e-9)));
        match self.seconds_left(seconds) {
            Some(left) if left > 0.0 => words += &format!(", {} left", clock(left)),
            Some(_) => words += &format!(", took {}", clock(seconds)),
            None => {}
        }
        let failed = self.failed.load(Relaxed);
        words
            + &self.certified_words(self.done.load(Relaxed) - failed)
            + &self.stopped().words()
            + &if failed > 0 { format!(", {failed} failed") } else { String::new() }
    }

    /// `, certified 12/20`; `, certified 12/20 at k = 1, 19/20 at k = 3`; of many k the first and the last.
    fn certified_words(&self, of: u64) -> String {
        let share = |(_, examples): &(usize, AtomicU64)| format!("{}/{of}", examples.load(Relaxed));
        let at = |of_k: &(usize, AtomicU64)| format!("{} at k = {}", share(of_k), of_k.0);
        match &self.certified[..] {
            _ if of == 0 => String::new(),
            [] => String::new(),
            [one] => format!(", {} {}", self.what, share(one)),
            [first, .., last] => format!(", {} {}, {}", self.what, at(first), at(last)),
        }
    }

    /// The time left, from the samples where their number is known, else from the examples.
    fn seconds_left(&self, seconds: f64) -> Option<f64> {
        let todo = self.total.saturating_sub(self.resumed);
        let done = self.done.load(Relaxed);
        if done >= todo {
            return Some(0.0);
        }
        let (all, so_far) = match self.samples_per_example {
            0 => (todo as f64, done as f64),
            samples => (todo as f64 * samples as f64, self.samples.load(Relaxed) as f64),
        };
        (so_far > 0.0).then(|| (seconds * (all - so_far) / so_far).max(1.0))
    }
}

impl Stopped {
    /// `, mean 812 samples, median 120; 92% decided`, once there is one.
    fn words(&self) -> String {
        if self.samples.is_empty() {
            return String::new();
        }
        let mut samples = self.samples.clone();
        let (_, &mut median, _) = samples.select_nth_unstable((self.samples.len() - 1) / 2);
        let mean = samples.iter().map(|&samples| samples as f64).sum::<f64>() / samples.len() as f64;
        let decided = 100.0 * self.decided as f64 / samples.len() as f64;
        format!(", mean {mean:.0} samples, median {median}; {decided:.0}% decided")
    }
}

fn bar(total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} examples, {msg}");
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.tick();
    bar
}

/// A number in at most four characters and a unit.
fn short(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{:.1}M", v / 1e6),
        v if v >= 1e4 => format!("{:.0}k", v / 1e3),
        v if v >= 1e3 => format!("{:.1}k", v / 1e3),
        v => format!("{v:.0}"),
    }
}

/// Seconds as h:mm:ss.
fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silent(total: usize) -> Progress {
        Progress::new(total, true)
    }

    #[test]
    fn counts_from_many_threads_add() {
        let progress = silent(4000).counting("certified", &[1, 3]);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let progress = &progress;
                scope.spawn(move || {
                    for _ in 0..1000 {
                        progress.samples(10);
                        progress.example_done(&[thread == 0, true]);
                    }
                });
            }
        });
        assert_eq!(progress.samples.load(Relaxed), 40_000);
        assert!(progress.line().starts_with("4000/4000 examples, "), "{}", progress.line());
        assert!(progress.line().ends_with("certified 1000/4000 at k = 1, 4000/4000 at k = 3"), "{}", progress.line());
    }

    #[test]
    fn time_left_comes_from_samples_where_they_are_known() {
        let progress = silent(10).resumed(5).samples_per_example(100);
        assert_eq!(progress.seconds_left(1.0), None);
        progress.samples(50);
        assert_eq!(progress.seconds_left(10.0), Some(90.0));
        for _ in 0..5 {
            progress.example_done(&[]);
        }
        assert_eq!(progress.seconds_left(10.0), Some(0.0));
        assert!(progress.line().starts_with("10/10 examples"));
        assert!(!progress.line().contains("certified"));
    }

    #[test]
    fn time_left_comes_from_examples_otherwise() {
        let progress = silent(10);
        assert_eq!(progress.seconds_left(1.0), None);
        progress.example_failed();
        assert_eq!(progress.seconds_left(2.0), Some(18.0));
        assert!(progress.line().ends_with(", 1 failed"), "{}", progress.line());
    }

    #[test]
    fn samples_that_a_rule_ended_are_summed_up() {
        let progress = silent(4);
        assert!(!progress.line().contains("decided"));
        for (samples, decided) in [(100, true), (120, true), (3000, false), (40, true)] {
            progress.example_stopped(samples, decided);
        }
        assert!(progress.line().ends_with(", mean 815 samples, median 100; 75% decided"), "{}", progress.line());
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [(0.0, "0"), (999.4, "999"), (1234.0, "1.2k"), (12_345.0, "12k"), (1_234_567.0, "1.2M")] {
            assert_eq!(short(value), text);
        }
        assert_eq!(clock(3661.4), "1:01:01");
    }
}
