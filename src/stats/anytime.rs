//! Confidence bounds that hold at all numbers of samples at once (a confidence sequence), rounded outward.
//!
//! Mates of [`binomial`](super::binomial): the same arguments, but the statement "p is at least the bound" is true at
//! *every* look with probability at least 1 - `alpha`, so that a look at the counts may decide whether to go on.
//!
//! The bound is the p0 at which a mixture of likelihood ratios against p0 reaches 1/alpha (Robbins, Annals of
//! Mathematical Statistics 41, 1970; Ville's inequality). The alternatives are p = p0 + u (1 - p0), with u drawn from
//! `PARTS` (below):
//!
//! M(s, f; p0) = E_u (1 - u)^f (1 + u (1 - p0)/p0)^s for s successes and f failures.
//!
//! Every factor of M has mean at most 1 under every p <= p0, so M is a supermartingale that starts at 1; and M falls in
//! p0, so what it rejects is all below one root. `docs/statistics.md` has the proof, the choice of `PARTS` and the
//! error.

use super::binomial::first_guess;
use super::tail::{Odds, Precision, Tail, Value, deviance};
use super::{Prob, check_alpha, check_trials};
use crate::{Error, ErrorKind, Result};

/// The outward margin, relative to min(p, 1 - p).
const MARGIN: f64 = 1e-12;

/// A part of the distribution of u.
#[derive(Clone, Copy)]
enum Part {
    /// u = 1 - v, a single point.
    Point(f64),
    /// The density b (1 - u)^(b - 1), b a whole number.
    Beta(u64),
}

/// The distribution of u with the parts' weights, which add to 1.
const PARTS: [(f64, Part); 5] = [
    (8.0 / 64.0, Part::Point(0.0)),
    (9.0 / 64.0, Part::Point(1.0 / 16.0)),
    (9.0 / 64.0, Part::Point(1.0 / 2.0)),
    (22.0 / 64.0, Part::Beta(1)),
    (16.0 / 64.0, Part::Beta(8)),
];

/// The lower bound of the success probability from `successes` in `trials` trials that holds at all numbers of trials
/// at once; 0 at no success.
///
/// With probability at least 1 - `alpha` it does not exceed the success probability at any number of trials. `p` is
/// never above and `q` never below the exact value, and both are within 2e-12 of it relative to min(p, q). Never above
/// [`binomial::lower`](super::binomial::lower) by more than that rounding.
///
/// # Errors
/// As [`binomial::lower`](super::binomial::lower).
///
/// ```
/// use smoothtopk::stats::{anytime, binomial};
/// let (at_all_n, at_one_n) = (anytime::lower(990, 1000, 0.001)?, binomial::lower(990, 1000, 0.001)?);
/// assert!(at_all_n.p < at_one_n.p && at_all_n.p > 0.97);
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub fn lower(successes: u64, trials: u64, alpha: f64) -> Result<Prob> {
    check_alpha(alpha)?;
    check_trials(trials)?;
    let Some(failures) = trials.checked_sub(successes) else {
        return Err(Error::argument("successes", format!("{successes} successes in {trials} trials")));
    };
    if successes == 0 {
        return Ok(Prob::ZERO);
    }
    let Odds { p, q } = solve(successes, failures, alpha)?;
    Ok(Prob { p, q }.lowered(MARGIN))
}

/// The upper bound, 1 - `lower(trials - successes, trials, alpha)`: 1 when every trial succeeded.
///
/// # Errors
/// As [`lower`].
pub fn upper(successes: u64, trials: u64, alpha: f64) -> Result<Prob> {
    let Some(failures) = trials.checked_sub(successes) else {
        return Err(Error::argument("successes", format!("{successes} successes in {trials} trials")));
    };
    Ok(lower(failures, trials, alpha)?.complement())
}

/// The p-value, rounded up, of the one-sided test that `a` is no more likely than `b`, from `a` and `b` samples of
/// each: with probability at least 1 - alpha it stays above alpha at all looks if the hypothesis is true. 1 when `a <=
/// b`.
///
/// # Errors
/// `InvalidArgument` when `a + b` exceeds [`MAX_TRIALS`](super::MAX_TRIALS).
pub fn one_sided_half(a: u64, b: u64) -> Result<f64> {
    if a <= b {
        // Every alternative is above 1/2, where each likelihood ratio is then at most 1.
        return Ok(1.0);
    }
    check_trials(a.saturating_add(b))?;
    Ok(p_value(ln_capital_half(a, b)))
}

/// ln M of `a` successes and `b` failures against p0 = 1/2; below 0 where the samples speak for the hypothesis.
pub(crate) fn ln_capital_half(a: u64, b: u64) -> f64 {
    if a == 0 && b == 0 { 0.0 } else { Capital::new(a, b).at(Odds { p: 0.5, q: 0.5 }).0 }
}

/// The p-value of a capital, 1 over it, rounded up.
pub(crate) fn p_value(ln_capital: f64) -> f64 {
    // The error of ln M is a few roundings of its size; 1e-11 covers it while the p-value is a normal number.
    ((1.0 + 1e-11) * (-ln_capital).exp()).clamp(f64::MIN_POSITIVE, 1.0)
}

/// The p0 with M(s, f; p0) = 1/alpha, for s >= 1.
fn solve(successes: u64, failures: u64, alpha: f64) -> Result<Odds> {
    let target = -alpha.ln();
    let trials = successes + failures;
    // Any start left of the frequency does; this one is near the root.
    let start = alpha / (1.0 + trials as f64).sqrt();
    let capital = Capital::new(successes, failures);
    let mut odds = first_guess(successes as f64, failures as f64, start.max(1e-150));
    for _ in 0..500 {
        let (ln_capital, slope) = capital.at(odds);
        // ln M is convex and falls in the log-odds: from anywhere a Newton step lands left of the root, and from there
        // the iteration climbs to it.
        let step = (target - ln_capital) / slope;
        odds = odds.shifted(step.max(-100.0));
        // The error that is left is below |slope| step^2.
        if (slope.abs() + 1.0) * step * step < 1e-15 {
            return Ok(odds);
        }
    }
    Err(Error::new(
        ErrorKind::Internal,
        format!("the anytime bound of {successes} in {trials} at {alpha:e} was not found"),
    ))
}

/// M of some counts as a function of p0. What does not depend on p0 is worked out once.
struct Capital {
    successes: u64,
    failures: u64,
    /// The parts with the logarithms of their weights.
    parts: [(f64, Ratio); PARTS.len()],
}

/// The likelihood ratio of the counts under one part.
enum Ratio {
    Point(f64),
    Beta(Beta),
}

impl Capital {
    fn new(successes: u64, failures: u64) -> Self {
        let parts = PARTS.map(|(weight, part)| {
            let ratio = match part {
                Part::Point(v) => Ratio::Point(v),
                Part::Beta(b) => Ratio::Beta(Beta::new(successes, failures, b)),
            };
            (weight.ln(), ratio)
        });
        Self { successes, failures, parts }
    }

    /// ln M at p0 = `odds`, and its slope in the log-odds of p0.
    fn at(&self, odds: Odds) -> (f64, f64) {
        let parts = self.parts.each_ref().map(|(ln_weight, ratio)| {
            let (ln, slope) = match ratio {
                Ratio::Point(v) => point(self.successes, self.failures, odds, *v),
                Ratio::Beta(beta) => beta.at(odds),
            };
            (ln + ln_weight, slope)
        });
        let largest = parts.iter().map(|&(ln, _)| ln).fold(f64::NEG_INFINITY, f64::max);
        let (sum, slope) = parts.iter().fold((0.0, 0.0), |(sum, slopes), &(ln, slope)| {
            let share = (ln - largest).exp();
            (sum + share, slopes + share * slope)
        });
        (largest + sum.ln(), slope / sum)
    }
}

/// ln of the likelihood ratio of p0 + (1 - v)(1 - p0) against p0, and its slope.
fn point(successes: u64, failures: u64, odds: Odds, v: f64) -> (f64, f64) {
    let s = successes as f64;
    if v == 0.0 {
        return if failures > 0 { (f64::NEG_INFINITY, 0.0) } else { (deviance(successes, 0, odds), -s * odds.q) };
    }
    // 1 - p of the alternative is v (1 - p0).
    let (p, q) = (odds.p + (1.0 - v) * odds.q, v * odds.q);
    let other = if p <= q { Odds::from_smaller(p, true) } else { Odds::from_smaller(q, false) };
    (deviance(successes, failures, odds) - deviance(successes, failures, other), -s * (1.0 - v) * odds.q / p)
}

/// The part with density b (1 - u)^(b - 1): b P(Bin(N, p0) <= s)/((f + b) P(Bin(N, p0) = s)) for N = s + f + b.
struct Beta {
    b: u64,
    successes: u64,
    failures: u64,
    /// The tail above s; none where f + b = 1.
    above: Option<Tail>,
    /// The tail up to s, of the failures; none where s = 0.
    below: Option<Tail>,
}

impl Beta {
    fn new(successes: u64, failures: u64, b: u64) -> Self {
        let m = failures + b - 1;
        let above = (m > 0).then(|| Tail::new(successes + 1, m));
        let below = (successes > 0).then(|| Tail::new(failures + b, successes));
        Self { b, successes, failures, above, below }
    }

    /// Its logarithm and its slope.
    fn at(&self, odds: Odds) -> (f64, f64) {
        const PRECISION: Precision = Precision::LogOdds(4e-15);
        let &Self { b, successes, failures, .. } = self;
        let Odds { p, q } = odds;
        let Some(below) = &self.below else {
            return ((b as f64 / (failures + b) as f64).ln(), 0.0);
        };
        let n = successes + 1;
        let ln_front = (b as f64 * p).ln();
        let Value { ln_tail, slope, lambda } = match &self.above {
            None => {
                let slope = n as f64 * q;
                Value { ln_tail: -deviance(n, 0, odds), slope, lambda: slope - p }
            }
            Some(above) if p * (n + failures + b - 1) as f64 <= n as f64 => above.at(odds, PRECISION),
            Some(_) => {
                // The same from the other tail, which is then the smaller one: b p over its slope.
                let Value { slope, lambda, .. } = below.at(odds.swapped(), PRECISION);
                return (ln_front - slope.ln(), q + lambda - slope);
            }
        };
        // With the upper tail T = P(Bin(N, p0) > s), T slope = n (1 - p0) P(Bin(N, p0) = n): the part is b p (1 - T)/(T
        // slope).
        let (tail, rest) = (ln_tail.exp(), -ln_tail.exp_m1());
        (ln_front + rest.ln() - ln_tail - slope.ln(), q - lambda - slope * tail / rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_to_one() {
        assert_eq!(PARTS.iter().map(|(weight, _)| weight).sum::<f64>(), 1.0);
    }

    /// The capital against the trapezoidal rule, and its slope against a difference.
    #[test]
    fn capital_is_the_mixture() {
        for (s, f) in [(0u64, 7u64), (1, 0), (1, 5), (7, 0), (30, 2), (200, 90), (3, 40)] {
            for p0 in [0.01, 0.2, 0.5, 0.63, 0.9] {
                let odds = Odds { p: p0, q: 1.0 - p0 };
                let steps = 200_000;
                let capital = Capital::new(s, f);
                let (ln, slope) = capital.at(odds);
                // Over the capital itself, which may be too large for a number of its own.
                let times = |count: u64, ln: f64| if count == 0 { 0.0 } else { count as f64 * ln };
                let ratio = |u: f64| (times(f, (-u).ln_1p()) + times(s, (u * odds.q / odds.p).ln_1p()) - ln).exp();
                let mut sum = 0.0;
                for (weight, part) in &PARTS {
                    sum += weight
                        * match *part {
                            Part::Point(v) => ratio(1.0 - v),
                            Part::Beta(b) => (0..steps)
                                .map(|i| {
                                    let u = (f64::from(i) + 0.5) / f64::from(steps);
                                    b as f64 * (1.0 - u).powi(b as i32 - 1) * ratio(u) / f64::from(steps)
                                })
                                .sum(),
                        };
                }
                assert!((sum - 1.0).abs() < 1e-6, "{s} {f} {p0}: {sum}");
                let (above, _) = capital.at(odds.shifted(1e-6));
                assert!(((above - ln) / 1e-6 - slope).abs() < 1e-4 * (1.0 + slope.abs()), "{s} {f} {p0}: {slope}");
            }
        }
    }
}
