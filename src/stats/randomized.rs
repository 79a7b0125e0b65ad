//! Randomized Clopper-Pearson bounds: exact at every success probability, by a uniform that is drawn beside the
//! samples.
//!
//! Source: Stevens, "Fiducial limits of the parameter of a discontinuous distribution", Biometrika 37 (1950); for
//! randomized smoothing Voracek (NeurIPS 2024). For one number of samples fixed beforehand only.

use super::tail::{Odds, Precision, Tail, Value};
use super::{Prob, binomial, check_alpha, check_trials};
use crate::{Error, Result};

/// The outward margin, relative to min(p, 1 - p).
const MARGIN: f64 = 1e-12;

/// A number in (0, 1] that is drawn uniformly, once, before anything is known of the samples, and recorded.
///
/// Kept as a whole number of 2^-53, so that equal values are the same value, and never below the real number that it
/// stands for: a larger u only lowers the bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Uniform(u64);

impl Uniform {
    const ONE: f64 = (1u64 << 53) as f64;

    /// The upper 53 of 64 uniform bits, rounded up.
    pub const fn from_bits(bits: u64) -> Self {
        Self((bits >> 11) + 1)
    }

    /// The number, rounded up to a whole number of 2^-53.
    ///
    /// # Errors
    /// `InvalidArgument` when it is not in (0, 1].
    pub fn new(value: f64) -> Result<Self> {
        if value > 0.0 && value <= 1.0 {
            return Ok(Self((value * Self::ONE).ceil() as u64));
        }
        Err(Error::argument("uniform", format!("{value} is not a number above 0 and at most 1")))
    }

    /// The number.
    pub fn value(self) -> f64 {
        self.0 as f64 / Self::ONE
    }
}

/// The randomized lower bound: the p at which P(Bin(N, p) > n) + u P(Bin(N, p) = n) is `alpha`, for n successes in N
/// trials and u the `uniform`; 0 where no p gives as much as that little, and for n = N no more than at u = 2 `alpha`,
/// so below 1.
///
/// If `uniform` was drawn uniformly and independently of the trials, it does not exceed the success probability with
/// probability at least 1 - `alpha`, and (for n < N) exactly that. It lies between [`binomial::lower`] of n and of n +
/// 1, and is rounded like it, by at most 2e-12 relative to min(p, q).
///
/// # Errors
/// As [`binomial::lower`].
pub fn lower(successes: u64, trials: u64, alpha: f64, uniform: Uniform) -> Result<Prob> {
    check_alpha(alpha)?;
    check_trials(trials)?;
    let Some(failures) = trials.checked_sub(successes) else {
        return Err(Error::argument("successes", format!("{successes} successes in {trials} trials")));
    };
    let (u, n) = (uniform.value(), trials as f64);
    if failures == 0 {
        // u p^N = alpha.
        let ln_p = (alpha.ln() - u.max(2.0 * alpha).ln()) / n;
        return Ok(Prob { p: ln_p.exp(), q: -ln_p.exp_m1() }.lowered(MARGIN));
    }
    if successes == 0 && u >= alpha {
        // The sum is at least u.
        return Ok(Prob::ZERO);
    }
    if successes == 0 {
        // 1 - (1 - u)(1 - p)^N = alpha.
        let ln_q = ((-alpha).ln_1p() - (-u).ln_1p()) / n;
        return Ok(Prob { p: -ln_q.exp_m1(), q: ln_q.exp() }.lowered(MARGIN));
    }
    let (low, high) = (binomial::lower(successes, trials, alpha)?, binomial::lower(successes + 1, trials, alpha)?);
    Ok(solve(successes, failures, alpha, u, low, high).lowered(MARGIN))
}

/// The randomized upper bound, 1 - `lower(trials - successes, trials, alpha, uniform)`.
///
/// # Errors
/// As [`binomial::lower`].
pub fn upper(successes: u64, trials: u64, alpha: f64, uniform: Uniform) -> Result<Prob> {
    let Some(failures) = trials.checked_sub(successes) else {
        return Err(Error::argument("successes", format!("{successes} successes in {trials} trials")));
    };
    Ok(lower(failures, trials, alpha, uniform)?.complement())
}

/// The root between the two plain bounds, by Newton's method in the log-odds, kept in a bracket.
fn solve(successes: u64, failures: u64, alpha: f64, u: f64, low: Prob, high: Prob) -> Prob {
    let log_odds = |prob: Prob| (prob.p / prob.q).ln();
    let width = log_odds(high) - log_odds(low);
    // Offsets from `low` in the log-odds; the plain bounds are themselves rounded, by far less than this.
    let (mut left, mut right) = (-1e-11, width + 1e-11);
    let start = if low.p <= low.q { Odds::from_smaller(low.p, true) } else { Odds::from_smaller(low.q, false) };
    let mut offset = (1.0 - u) * width;
    for _ in 0..200 {
        let (ln_sum, slope) = sum(successes, failures, start.shifted(offset), u);
        let error = alpha.ln() - ln_sum;
        if error > 0.0 {
            left = offset
        } else {
            right = offset
        }
        let newton = error / slope;
        if (slope + 1.0) * newton * newton < 1e-15 || right - left < 1e-15 {
            offset += newton.clamp(left - offset, right - offset);
            break;
        }
        let next = offset + newton;
        offset = if next > left && next < right { next } else { 0.5 * (left + right) };
    }
    let Odds { p, q } = start.shifted(offset);
    Prob { p, q }
}

/// ln(P(X > n) + u P(X = n)) for X of n + m trials at `odds`, m >= 1, and its slope in the log-odds.
fn sum(n: u64, m: u64, odds: Odds, u: f64) -> (f64, f64) {
    let Odds { p, q } = odds;
    let more = n + 1;
    let Value { ln_tail, slope, .. } = if m == 1 {
        // P(X > n) = p^N.
        let ln_p = if q < 0.5 { (-q).ln_1p() } else { p.ln() };
        Value { ln_tail: more as f64 * ln_p, slope: more as f64 * q, lambda: 0.0 }
    } else {
        Tail::new(more, m - 1).at(odds, Precision::LogOdds(4e-15))
    };
    // The mass at n over the tail above it; the slope of its logarithm is n - Np = nq - mp.
    let mass = u * slope / (m as f64 * p);
    let slope = (slope + mass * (n as f64 * q - m as f64 * p)) / (1.0 + mass);
    (ln_tail + mass.ln_1p(), slope)
}
