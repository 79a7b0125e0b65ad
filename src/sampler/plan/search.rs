//! Looking for the fastest plan: a quick scan over batch sizes, then the best of them in turns.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch_plan::{Measured, Plan, PlanResult};
use super::cache::PlanCache;
use super::key::Key;
use super::machine;
use super::slices::Contender;
use crate::sampler::BaseClassifier;
use crate::{Error, Result, log};

/// How a plan is looked for.
///
/// ```
/// use std::sync::Arc;
/// use smoothtopk::model::{Model, ModelOptions};
/// use smoothtopk::sampler::{BaseClassifier, Search};
///
/// let model = Model::open("demo/digits_mlp_sigma0.25.onnx", &ModelOptions::default())?;
/// let model: Arc<dyn BaseClassifier> = Arc::new(model);
/// let found = Search { threads: Some(2), cache: None, ..Search::default() }.run(&model)?;
/// assert_eq!(found.plan.threads, 2);
/// # Ok::<(), smoothtopk::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Search {
    /// Threads that each run batches; `None`: one for each usable core ([`Plan::usable_threads`]), or for every second
    /// one where that is faster, as it may be where two threads share a core.
    pub threads: Option<usize>,
    /// How long may be measured. Kept but for the first batch size, which is always measured.
    pub budget: Duration,
    /// The largest batch, in rows, at least 1.
    pub most: usize,
    /// Bytes that the plan may use in all: the threads' input buffers, and what runs hold meanwhile as far as the
    /// classifier says. While plans take turns, their buffers may take twice as much.
    pub memory: u64,
    /// Where plans are kept: what an earlier search found on this machine is not measured again. `None`: nowhere.
    pub cache: Option<PlanCache>,
}

/// The least memory that a plan may use where little is left.
const LEAST_MEMORY: u64 = 64 << 20;
/// What a plan may use where there is plenty: larger batches gain nothing on any processor seen.
const MOST_MEMORY: u64 = 1 << 30;

/// Slices of the scan, and of the contenders that take turns.
const SCAN: Duration = Duration::from_millis(15);
const TURN: Duration = Duration::from_millis(30);
/// The scan ends when so many batch sizes in a row are slower than the best by this; where a slice takes no longer than
/// it is meant to, a disturbance may have made two of them slow.
const HOPELESS: f64 = 0.9;
const HOPELESS_IN_A_ROW: [usize; 2] = [2, 4];
/// The share of the budget that the scan may take, and how many batch sizes may take more.
const SCAN_SHARE: f64 = 0.6;
const SCAN_LEAST: usize = 3;
/// How many plans take turns at most.
const CONTENDERS: usize = 5;
/// Where one plan's slices differ by more than this, the machine was busy, and what was found may be far from the best.
const SETTLED: f64 = 0.7;
/// A larger batch must be faster by this much to be worth its memory and its delay.
const WORTH: f64 = 1.005;
/// Below this many cores, no two of them are one core with two threads that could be left idle with profit.
const MANY_CORES: usize = 4;

impl Default for Search {
    /// All usable cores, 1.8 seconds, any batch within a quarter of the memory that is available (cgroup limits
    /// respected), at most 1 GiB; plans are kept in the user's cache folder ([`PlanCache::user`]).
    fn default() -> Self {
        let memory = machine::available_memory().map_or(MOST_MEMORY, |bytes| bytes / 4);
        Self {
            threads: None,
            budget: Duration::from_millis(1800),
            most: usize::MAX,
            memory: memory.clamp(LEAST_MEMORY, MOST_MEMORY),
            cache: PlanCache::user(),
        }
    }
}

impl Search {
    /// The plan that was kept, or else the fastest one found: the noise, the model, the top label and the counts of a
    /// job are measured together. Among plans that are as fast to within half a percent, the one of the smallest batch.
    ///
    /// A cache that cannot be read or written is said in the log and otherwise as good as none. What was found on a
    /// machine so busy that one plan's slices differ by 30 % is used, but not kept.
    ///
    /// # Errors
    /// `InvalidArgument` when there is no thread or `most` is 0; as [`crate::sampler::Sampler::new`], and whatever a
    /// run fails with.
    pub fn run(&self, classifier: &Arc<dyn BaseClassifier>) -> Result<Measured> {
        let threads = self.threads.unwrap_or_else(Plan::usable_threads);
        Plan { batch: classifier.fixed_batch().unwrap_or(1), threads }.check(classifier.as_ref())?;
        if self.most == 0 {
            return Err(Error::argument("most", "must be at least 1"));
        }
        let key = classifier.identity().map(|identity| Key::new(identity, threads, self.threads.is_some(), self.most));
        let cache = self.cache.as_ref().zip(key);
        if let Some((cache, key)) = &cache
            && let Some(kept) = cache.load(key)
            && kept.measured.plan.check(classifier.as_ref()).is_ok()
            && kept.bytes <= self.memory
        {
            log::debug(format_args!(
                "the batch plan is the one kept in {}: {:?}",
                cache.folder().display(),
                kept.measured
            ));
            return Ok(kept.measured);
        }
        let found = Scan::new(self, classifier, threads).best()?;
        log::debug(format_args!("measured {:?}", found.measured));
        match &cache {
            Some((cache, key)) if found.settled => cache.store(key, &found),
            Some(_) => {
                log::info(format_args!("the batch plan is not kept: the machine was too busy to tell plans apart"))
            }
            None => {}
        }
        Ok(found.measured)
    }
}

impl Plan {
    /// The fastest plan found for `threads` threads within `budget`, not looked up and not kept: [`Search`] with these.
    ///
    /// # Errors
    /// As [`Search::run`].
    pub fn measure(classifier: &Arc<dyn BaseClassifier>, threads: usize, budget: Duration) -> Result<Measured> {
        Self::measure_up_to(classifier, threads, budget, usize::MAX)
    }

    /// As [`Plan::measure`], with batches of at most `most` rows, where `most` is at least 1.
    ///
    /// # Errors
    /// As [`Plan::measure`].
    pub fn measure_up_to(
        classifier: &Arc<dyn BaseClassifier>,
        threads: usize,
        budget: Duration,
        most: usize,
    ) -> Result<Measured> {
        Search { threads: Some(threads), budget, most, cache: None, ..Search::default() }.run(classifier)
    }
}

struct Scan<'a> {
    search: &'a Search,
    classifier: &'a Arc<dyn BaseClassifier>,
    threads: usize,
    start: Instant,
    /// What the classifier's runs held before any of ours.
    held_before: u64,
    contenders: Vec<Contender>,
}

impl<'a> Scan<'a> {
    fn new(search: &'a Search, classifier: &'a Arc<dyn BaseClassifier>, threads: usize) -> Self {
        let held_before = classifier.run_bytes().unwrap_or(0);
        Self { search, classifier, threads, start: Instant::now(), held_before, contenders: Vec::new() }
    }

    fn best(mut self) -> Result<PlanResult> {
        self.scan()?;
        self.keep_the_best()?;
        self.fewer_threads()?;
        self.take_turns()?;
        let rates: Vec<_> = self.contenders.iter().map(|contender| (contender.plan, contender.best)).collect();
        let (plan, rows_per_second) = worthiest(&rates);
        let measured = Measured { plan, rows_per_second, cached: false };
        let bytes = plan.buffer_bytes(self.classifier.elements()).saturating_add(self.held());
        let settled = self.contenders.iter().all(|contender| contender.worst >= contender.best * SETTLED);
        self.contenders.clear();
        // Larger batches than the one chosen were run.
        self.classifier.release();
        Ok(PlanResult { measured, bytes, settled })
    }

    /// What runs of the largest batch so far hold at once.
    fn held(&self) -> u64 {
        self.classifier.run_bytes().unwrap_or(0).saturating_sub(self.held_before)
    }

    fn left(&self) -> Duration {
        self.search.budget.saturating_sub(self.start.elapsed())
    }

    /// Batch sizes from 1 on, doubled as long as that may pay.
    fn scan(&mut self) -> Result<()> {
        let fixed = self.classifier.fixed_batch();
        let (mut batch, mut hopeless) = (fixed.unwrap_or(1), 0);
        loop {
            let mut contender = Contender::start(self.classifier, Plan { batch, threads: self.threads })?;
            let rate = contender.slice(SCAN)?;
            hopeless = if self.is_hopeless(rate)? { hopeless + 1 } else { 0 };
            let cheap = contender.takes(SCAN) < 2 * SCAN;
            // The next size takes twice as long a round, and runs one to start and one to measure at least.
            let next = contender.takes(SCAN) * 4;
            self.contenders.push(contender);
            batch *= 2;
            let plan = Plan { batch, threads: self.threads };
            let bytes = plan.buffer_bytes(self.classifier.elements()).saturating_add(2 * self.held());
            let share = if self.contenders.len() < SCAN_LEAST { 1.0 } else { SCAN_SHARE };
            let until = self.search.budget.mul_f64(share);
            if fixed.is_some()
                || hopeless >= HOPELESS_IN_A_ROW[usize::from(cheap)]
                || batch > self.search.most
                || bytes > self.search.memory
                || self.start.elapsed() + next > until
            {
                return Ok(());
            }
        }
    }

    /// Whether a size is far slower than the best one before it, which is measured again: it may have had a quiet
    /// moment.
    fn is_hopeless(&mut self, rate: f64) -> Result<bool> {
        match self.contenders.iter_mut().max_by(|a, b| a.best.total_cmp(&b.best)) {
            Some(best) if rate < best.best * HOPELESS => Ok(rate < best.slice(SCAN)? * HOPELESS),
            _ => Ok(false),
        }
    }

    /// Lets go of all but the fastest, after a second slice for each that is cheap: the first may have been disturbed.
    fn keep_the_best(&mut self) -> Result<()> {
        for contender in &mut self.contenders {
            if contender.takes(SCAN) < 2 * SCAN {
                contender.slice(SCAN)?;
            }
        }
        self.contenders.sort_by(|a, b| b.best.total_cmp(&a.best));
        let least = self.contenders[0].best * HOPELESS;
        self.contenders.retain(|contender| contender.best >= least);
        self.contenders.truncate(CONTENDERS);
        Ok(())
    }

    /// A thread on every second core, where the number is not given: two threads of one core share its arithmetic and
    /// its cache.
    fn fewer_threads(&mut self) -> Result<()> {
        if self.search.threads.is_some() || self.threads < MANY_CORES {
            return Ok(());
        }
        let Plan { batch, .. } = self.contenders[0].plan;
        self.contenders.truncate(CONTENDERS - 1);
        self.contenders.push(Contender::start(self.classifier, Plan { batch, threads: self.threads / 2 })?);
        Ok(())
    }

    /// Slices in turn until the time is up, so that what else the machine does slows all alike.
    fn take_turns(&mut self) -> Result<()> {
        loop {
            for index in 0..self.contenders.len() {
                if self.contenders[index].takes(TURN) > self.left() {
                    return Ok(());
                }
                self.contenders[index].slice(TURN)?;
            }
            if self.contenders.len() == 1 {
                return Ok(());
            }
        }
    }
}

/// The smallest of the plans that are as fast as any, to within what is worth nothing.
fn worthiest(rates: &[(Plan, f64)]) -> (Plan, f64) {
    let top = rates.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    let worthy = rates.iter().filter(|(_, rate)| rate * WORTH >= top);
    let smallest = worthy.min_by_key(|(plan, _)| plan.batch * plan.threads);
    *smallest.unwrap_or_else(|| unreachable!("the first batch size is always measured"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_plans_as_fast_as_any_the_smallest_is_taken() {
        let plan = |batch| Plan { batch, threads: 2 };
        let rates = [(plan(8), 100.0), (plan(4), 99.8), (plan(2), 99.0), (plan(16), 100.2)];
        assert_eq!(worthiest(&rates), (plan(4), 99.8));
        assert_eq!(worthiest(&rates[2..]), (plan(16), 100.2));
        let half = Plan { batch: 8, threads: 1 };
        assert_eq!(worthiest(&[(plan(8), 100.0), (half, 100.0)]), (half, 100.0));
    }
}
