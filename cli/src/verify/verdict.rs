//! Whether there are more breaks than alpha allows.

use smoothtopk::noise::Noise;
use smoothtopk::stats::{MAX_ALPHA, MIN_ALPHA, binomial};
use smoothtopk::{Error, Result};

use super::statement::Kind;

/// The breaks found among the statements of one kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tally {
    pub kind: Kind,
    /// Statements, those that abstain among them.
    pub examples: u64,
    pub certificates: u64,
    pub breaks: u64,
    /// An upper bound of the probability of at least so many false ones, each statement being certified and false with
    /// probability alpha.
    ///
    /// Not each certificate: where most examples abstain, all that do not may be false, and alpha be kept.
    pub p_value: f64,
}

impl Tally {
    pub fn new(kind: Kind, examples: u64, certificates: u64, breaks: u64, alpha: f64) -> Result<Self> {
        Ok(Self { kind, examples, certificates, breaks, p_value: at_least(breaks, examples, alpha)? })
    }

    /// Certificates that alpha lets be false, on average, at most.
    pub fn allowed(&self, alpha: f64) -> f64 {
        self.examples as f64 * alpha
    }
}

/// The false-alarm rate, parted: one half for calling a true certificate broken, the other for calling breaks too many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    /// Of each single test of a point.
    pub test: f64,
    /// Of each kind's tally.
    pub tally: f64,
}

impl Levels {
    /// For at most `tests` tests of points and `tallies` tallies, both at least 1. Sums over all stay at or below
    /// `false_alarm`, however the tests depend on one another (Bonferroni).
    pub fn new(false_alarm: f64, tests: usize, tallies: usize) -> Self {
        let part = |parts: usize| (false_alarm / 2.0 / parts.max(1) as f64).next_down();
        Self { test: part(tests), tally: part(tallies) }
    }

    /// The level of a test of at most so many rows of this noise: what separates them from rows of an exact Gaussian,
    /// of which certificates speak, is paid for.
    ///
    /// # Errors
    /// `InvalidArgument` where that leaves nothing.
    pub fn of_test(&self, noise: &Noise, rows: u64, elements: usize) -> Result<f64> {
        let level = (self.test - noise.extra_alpha(rows, elements)).next_down();
        if level > 0.0 {
            return Ok(level);
        }
        let message = format!(
            "{rows} rows of {elements} elements of exact noise are too far from a Gaussian for a test at {:e}: give fewer rows, or \
             fewer examples by --skip",
            self.test
        );
        Err(Error::argument("n", message))
    }
}

/// An upper bound of P(Bin(n, p) >= successes), within 1e-6 of it, relatively; 1 where it is above 1/2, 1e-100 where
/// below.
///
/// The Clopper-Pearson lower bound L at a is the p at which that probability is a, so it is at most a wherever L >= p;
/// L is rounded down.
pub fn at_least(successes: u64, n: u64, p: f64) -> Result<f64> {
    let holds = |a: f64| Ok(successes > 0 && binomial::lower(successes, n, a)?.p >= p);
    if !holds(MAX_ALPHA)? {
        return Ok(1.0);
    }
    if holds(MIN_ALPHA)? {
        return Ok(MIN_ALPHA);
    }
    let (mut low, mut high) = (MIN_ALPHA, MAX_ALPHA);
    while high > low * (1.0 + 5e-7) {
        let middle = low.sqrt() * high.sqrt();
        if holds(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(high)
}

#[cfg(test)]
mod tests {
    use smoothtopk::noise::{ExactGrid, Grid, Mode, Source};

    use super::super::statement::About;
    use super::*;

    #[test]
    fn p_values_bound_the_binomial_tail_from_above() {
        // Sums of the probability mass, by Python's fractions.
        for (successes, n, p, exact) in [
            (1, 200, 0.001, 0.181_351_170_521_364_3),
            (2, 200, 0.001, 0.017_457_510_966_081_87),
            (4, 200, 0.001, 5.532_262_265_897_833e-05),
            (3, 60, 0.01, 0.022_420_164_788_835_403),
            (60, 60, 0.001, 1e-100),
        ] {
            let bound = at_least(successes, n, p).unwrap();
            assert!(bound >= exact && bound <= exact * (1.0 + 1e-6), "{successes} of {n}: {bound:e}, not {exact:e}");
        }
        assert_eq!(at_least(0, 200, 0.001).unwrap(), 1.0);
        assert_eq!(at_least(1, 200, 0.4).unwrap(), 1.0);
    }

    #[test]
    fn where_most_abstain_all_certificates_may_be_false() {
        let kind = Kind { k: 1, about: About::Label };
        // 1,000 examples, alpha 0.05: 21 that are certified and false are fewer than the 50 that it allows.
        let tally = Tally::new(kind, 1000, 21, 21, 0.05).unwrap();
        assert_eq!((tally.p_value, tally.allowed(0.05)), (1.0, 50.0));
        assert!(Tally::new(kind, 1000, 100, 90, 0.05).unwrap().p_value < 1e-6);
    }

    #[test]
    fn a_test_pays_for_what_separates_exact_noise_from_a_gaussian() {
        let levels = Levels::new(0.001, 3000, 3);
        let noise = |mode| Noise::new(0.25, mode, Source::Philox { seed: 0 }).unwrap();
        let grid = noise(Mode::Grid(Grid::for_range(1.0, 0.25).unwrap()));
        assert!(levels.of_test(&grid, 1_000_000, 150_528).unwrap() > 0.999 * levels.test);
        let exact = noise(Mode::Exact(ExactGrid::pixels()));
        let level = levels.of_test(&exact, 10_000, 3072).unwrap();
        assert!(level > 0.0 && level < levels.test - 0.9 * exact.extra_alpha(10_000, 3072));
        assert_eq!(levels.of_test(&exact, 1_000_000_000, 150_528).unwrap_err().field(), Some("n"));
    }

    #[test]
    fn all_levels_together_are_the_false_alarm_rate() {
        let levels = Levels::new(0.001, 600, 3);
        assert!(levels.test * 600.0 + levels.tally * 3.0 <= 0.001);
        assert!(levels.test * 600.0 + levels.tally * 3.0 > 0.000_999);
    }
}
