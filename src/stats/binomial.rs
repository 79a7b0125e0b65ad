//! Exact (Clopper-Pearson) confidence bounds and the two-sided binomial test, rounded outward.

use super::tail::{Odds, Precision, Tail, Value};
use super::{Prob, check_alpha, check_trials, normal};
use crate::{Error, ErrorKind, Result};

/// The outward margin, relative to min(p, 1 - p): over four times the error that `docs/statistics.md` bounds, and with
/// it below the 1e-12 that is promised.
const MARGIN: f64 = 4e-13;

/// The Clopper-Pearson lower bound: the `alpha`-quantile of Beta(n, N - n + 1) for n successes in N trials, 0 at n = 0.
///
/// With probability at least 1 - `alpha` it does not exceed the success probability. `p` is never above and `q` never
/// below the exact value, and both are within 1e-12 of it relative to min(p, q).
///
/// # Errors
/// `InvalidArgument` unless `successes <= trials`, 1 <= `trials` <= [`MAX_TRIALS`](super::MAX_TRIALS) and `alpha` is in
/// [[`MIN_ALPHA`](super::MIN_ALPHA), [`MAX_ALPHA`](super::MAX_ALPHA)].
///
/// ```
/// use smoothtopk::stats::binomial;
/// let bound = binomial::lower(100_000, 100_000, 0.001)?;
/// assert!((bound.p - 0.001f64.powf(1e-5)).abs() < 1e-12);
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub fn lower(successes: u64, trials: u64, alpha: f64) -> Result<Prob> {
    check_alpha(alpha)?;
    check_trials(trials)?;
    if successes > trials {
        return Err(Error::argument("successes", format!("{successes} successes in {trials} trials")));
    }
    let exact = match (successes, trials - successes) {
        (0, _) => return Ok(Prob::ZERO),
        // T(p) = p^N.
        (n, 0) => power(alpha.ln() / n as f64),
        // T(p) = 1 - (1 - p)^N.
        (1, _) => power((-alpha).ln_1p() / trials as f64).complement(),
        (n, m) => {
            let Odds { p, q } = solve(n, m, alpha)?;
            Prob { p, q }
        }
    };
    Ok(exact.lowered(MARGIN))
}

/// The Clopper-Pearson upper bound, 1 - `lower(trials - successes, trials, alpha)`: 1 when every trial succeeded.
///
/// `p` is never below and `q` never above the exact value, and both are within 1e-12 of it relative to min(p, q).
///
/// # Errors
/// As [`lower`].
pub fn upper(successes: u64, trials: u64, alpha: f64) -> Result<Prob> {
    let Some(failures) = trials.checked_sub(successes) else {
        return Err(Error::argument("successes", format!("{successes} successes in {trials} trials")));
    };
    Ok(lower(failures, trials, alpha)?.complement())
}

/// The p-value of the two-sided binomial test that `a` and `b` are equally likely, min(1, 2 P(Bin(a + b, 1/2) >= max(a,
/// b))), rounded up; 1 when `a == b`.
///
/// Where it underflows the smallest normal number is returned. Never below the exact value, and within 1e-10 relative
/// of it.
///
/// # Errors
/// `InvalidArgument` when `a + b` exceeds [`MAX_TRIALS`](super::MAX_TRIALS).
pub fn two_sided_half(a: u64, b: u64) -> Result<f64> {
    if a == b {
        return Ok(1.0);
    }
    let (n, m) = (a.max(b), a.min(b));
    check_trials(n.saturating_add(m))?;
    let ln_tail = if m == 0 {
        -(n as f64) * std::f64::consts::LN_2
    } else {
        Tail::new(n, m).at(Odds { p: 0.5, q: 0.5 }, Precision::Relative(1e-12)).ln_tail
    };
    // Errors of ln T: a few roundings of its size, plus the continued fraction's; 1e-11 covers both while T is a normal
    // number (tested up to N = 10^12).
    let up = 1.0 + 1e-11;
    Ok((2.0 * up * ln_tail.exp()).clamp(f64::MIN_POSITIVE, 1.0))
}

/// The p-value of [`two_sided_half`] that `a` is the likelier one; 1 where `b` is no smaller.
///
/// # Errors
/// As [`two_sided_half`].
pub fn leads(a: u64, b: u64) -> Result<f64> {
    if a > b { two_sided_half(a, b) } else { Ok(1.0) }
}

/// e^`ln_p` for `ln_p` < 0, with its complement.
fn power(ln_p: f64) -> Prob {
    Prob { p: ln_p.exp(), q: -ln_p.exp_m1() }
}

/// The odds at which n of n + m trials are the alpha-quantile, for n >= 2 and m >= 1.
fn solve(n: u64, m: u64, alpha: f64) -> Result<Odds> {
    const ENOUGH: f64 = 1e-4;
    let tail = Tail::new(n, m);
    let ln_alpha = alpha.ln();
    let mut odds = first_guess(n as f64, m as f64, alpha);
    for _ in 0..200 {
        let Value { ln_tail, slope, lambda, .. } = tail.at(odds, Precision::LogOdds(4e-15));
        // ln T is increasing and concave in the log-odds, so a Newton step from anywhere lands at or left of the root
        // and from there the iteration climbs to it: no bracket is needed. Close by, the series to third order is used.
        let newton = (ln_alpha - ln_tail) / slope;
        let bend = 0.5 * (lambda - slope);
        let spread = (n as f64 + m as f64 + 1.0) * odds.p * odds.q;
        let twist = (4.0 * bend * bend - spread - 2.0 * slope * bend) / 6.0;
        let (first, second) = ((bend * newton).abs(), (twist * newton * newton).abs());
        let step = if first < 0.2 && second < 0.1 {
            newton * (1.0 - bend * newton + (2.0 * bend * bend - twist) * newton * newton)
        } else {
            newton
        };
        odds = odds.shifted(step);
        // What the series leaves out is below 1e-11 of the step, itself below 1e-4.
        if newton.abs() < ENOUGH && first < ENOUGH && second < ENOUGH * ENOUGH {
            return Ok(odds);
        }
    }
    Err(Error::new(
        ErrorKind::Internal,
        format!("the Clopper-Pearson bound of {n} in {n} + {m} at {alpha:e} was not found"),
    ))
}

/// Carter's approximation of the quantile of Fisher's z (Biometrika 34, 1947, as in AS 109), never above n/N.
pub(super) fn first_guess(n: f64, m: f64, alpha: f64) -> Odds {
    let z = -normal::quantile(alpha);
    let b = m + 1.0;
    let (s, t) = (1.0 / (2.0 * n - 1.0), 1.0 / (2.0 * b - 1.0));
    let h = 2.0 / (s + t);
    let r = (z * z - 3.0) / 6.0;
    let w = z * (h + r).sqrt() / h - (t - s) * (r + 5.0 / 6.0 - 2.0 / (3.0 * h));
    Odds::from_log_odds(((n / b).ln() - 2.0 * w).min((n / m).ln()))
}
