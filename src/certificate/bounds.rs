//! The confidence bounds that the guarantees for an answer are built from.

use crate::stats::{Prob, Validity, anytime, binomial, exact};
use crate::{Error, Result};

/// Confidence bounds of one event's probability, and the test that parts the top labels from the rest.
/// [`BoundFunctions::FIXED`] is for a number of samples that was fixed beforehand; with [`BoundFunctions::ANYTIME`]
/// every guarantee holds at all numbers of samples at once, so whenever a look at them ends the samples.
///
/// What the functions must keep: each bound fails with probability at most its alpha, rises with the successes, and
/// comes no closer to the frequency when alpha falls.
#[derive(Clone, Copy, Debug)]
pub struct BoundFunctions {
    /// (successes, trials, alpha) to a lower bound of the probability, rounded down.
    pub lower: fn(u64, u64, f64) -> Result<Prob>,
    /// (successes, trials, alpha) to an upper bound of the probability, rounded up.
    pub upper: fn(u64, u64, f64) -> Result<Prob>,
    /// The counts of the j-th label and of the (j+1)-th with all samples that have no label to a p-value, rounded up,
    /// that for every j is at most a with probability at most a if the j labels with the largest counts are not the j
    /// most likely ones ([`predict`](super::predict)). 1 where the second is no smaller.
    pub boundary: fn(u64, u64) -> Result<f64>,
}

impl BoundFunctions {
    /// Clopper-Pearson bounds and Hung and Fithian's test, for a number of samples fixed beforehand.
    pub const FIXED: Self = Self { lower: binomial::lower, upper: binomial::upper, boundary: binomial::leads };

    /// Bounds at all numbers of samples at once. The test has no such form: labels that the same counts chose are never
    /// shown to be the most likely ones, so that what rests on it is not certified; let a pilot choose them.
    pub const ANYTIME: Self = Self { lower: anytime::lower, upper: anytime::upper, boundary: |_, _| Ok(1.0) };

    /// Shares of all samples that there are, which are the probabilities themselves.
    pub const EXACT: Self = Self {
        lower: |successes, trials, _| exact::lower(successes, trials),
        upper: |successes, trials, _| exact::upper(successes, trials),
        boundary: |first, second| Ok(f64::from(u8::from(first <= second))),
    };

    /// The functions of a kind of bounds. Those that hold at all looks also hold at all up to a last one.
    ///
    /// # Errors
    /// `InvalidArgument` for randomized bounds, which are for one label only.
    pub fn of(validity: Validity) -> Result<Self> {
        match validity {
            Validity::Fixed => Ok(Self::FIXED),
            Validity::Anytime | Validity::AnytimeTo(_) => Ok(Self::ANYTIME),
            Validity::Exact => Ok(Self::EXACT),
            Validity::Randomized(_) => {
                Err(Error::argument("randomized", "bounds can be randomized for the certificate of one label only"))
            }
        }
    }

    /// A lower bound for each of many labels, all true at once with probability at least 1 - `alpha` although labels of
    /// tiny probability cost next to nothing: a label of probability p is given the level alpha (p + 1/m)/2.
    ///
    /// The levels of `m` labels (all there are, or m fixed beforehand) add to at most alpha, since their probabilities
    /// add to at most 1. The bound is the least fixed point of b = lower(level(b)), approached from below; every step
    /// on the way is itself sound, because all p below it are rejected at their own level.
    pub(super) fn weighted_lower(&self, successes: u64, trials: u64, alpha: f64, m: usize) -> Result<Prob> {
        // Four roundings at most: 1e-15 is more.
        let level = |p: f64| 0.5 * alpha * (p + 1.0 / m as f64) * (1.0 - 1e-15);
        let mut bound = Prob::ZERO;
        for _ in 0..ROUNDS {
            let next = (self.lower)(successes, trials, level(bound.p))?;
            let settled = next.p <= bound.p * (1.0 + 1e-12);
            if next.p > bound.p {
                bound = next;
            }
            if settled {
                break;
            }
        }
        Ok(bound)
    }
}

impl Default for BoundFunctions {
    fn default() -> Self {
        Self::FIXED
    }
}

/// A round leaves at most about half of the gap, with two successes, and a few percent of it with twenty.
const ROUNDS: usize = 60;

/// The sum of lower bounds, rounded down.
pub(super) fn sum_down(bounds: &[Prob]) -> Prob {
    match bounds {
        [] => Prob::ZERO,
        [one] => *one,
        [first, rest @ ..] => {
            let p = rest.iter().fold(first.p, |sum, bound| (sum + bound.p).next_down()).clamp(0.0, 1.0);
            Prob { p, q: (1.0 - p).next_up().min(1.0) }
        }
    }
}

/// The sum of upper bounds, rounded up.
pub(super) fn sum_up(bounds: &[Prob]) -> Prob {
    match bounds {
        [] => Prob::ZERO,
        [one] => *one,
        [first, rest @ ..] => {
            let p = rest.iter().fold(first.p, |sum, bound| (sum + bound.p).next_up()).min(1.0);
            Prob { p, q: (1.0 - p).next_down().max(0.0) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weighted_bound_solves_its_equation_from_below() {
        let (alpha, m) = (0.001, 10);
        for (successes, trials) in
            [(1, 100), (2, 100), (3, 10_000), (50, 100), (93, 100), (100, 100), (999_990, 1_000_000)]
        {
            let bound = BoundFunctions::FIXED.weighted_lower(successes, trials, alpha, m).unwrap();
            let level = |p: f64| 0.5 * alpha * (p + 0.1);
            let at = binomial::lower(successes, trials, level(bound.p)).unwrap();
            let above = binomial::lower(successes, trials, level(bound.p * (1.0 + 1e-9))).unwrap();
            assert!(bound.p <= at.p && at.p < bound.p * (1.0 + 1e-11), "{successes} of {trials}");
            assert!(above.p < bound.p * (1.0 + 1e-9), "{successes} of {trials}: not the fixed point");
        }
        assert_eq!(BoundFunctions::FIXED.weighted_lower(0, 100, alpha, m).unwrap(), Prob::ZERO);
    }

    #[test]
    fn sums_are_rounded_outward() {
        let tenth = Prob { p: 0.1, q: 0.9 };
        let (down, up) = (sum_down(&[tenth; 3]), sum_up(&[tenth; 3]));
        assert!(down.p < 0.3 && down.q > 0.7 && up.p > 0.3 && up.q < 0.7 && up.p - down.p < 1e-15);
        assert_eq!((sum_down(&[tenth]), sum_up(&[tenth])), (tenth, tenth));
        assert_eq!(sum_up(&[Prob::ONE, tenth]), Prob { p: 1.0, q: 0.0 });
    }
}
