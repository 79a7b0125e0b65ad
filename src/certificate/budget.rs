//! An alpha that many certificates share: a data set's, or a day's of requests.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::schedule::{Schedule, even, slow, square};
use crate::stats::{MAX_ALPHA, check_alpha};
use crate::{Error, Result};

/// The part of a budget that one statement may spend.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Share {
    /// Which statement, from 1.
    pub statement: u64,
    /// The failure probability it may be made at.
    pub alpha: f64,
}

/// A budget as it stands, to be kept over a restart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BudgetState {
    /// The alpha that all statements share.
    pub total: f64,
    /// How they share it.
    pub schedule: Schedule,
    /// How many shares have been drawn.
    pub drawn: u64,
    /// What they add to, rounded up.
    pub spent: f64,
}

/// An alpha that certificates draw theirs from. It can be drawn from by many threads at once.
///
/// With every statement made at the alpha of a share of its own, drawn before the samples it rests on:
/// - family-wise: the probability that any of them is wrong is at most the total (Boole's inequality);
/// - expected: the expected number of wrong ones is at most what was spent, and so at most the total.
///
/// Neither needs the statements to be independent, nor their number to be chosen independently of what earlier ones
/// said. Under a stopping rule a certificate and a refutation are two statements: a share is then their alpha together
/// when each is asked for at half of it. A total from 1 up still bounds the expected number, and says nothing
/// family-wise.
///
/// A share is spent when it is drawn, whether or not a statement comes of it: samples that were seen cannot be unseen.
/// A server that may stop at any moment draws a number of shares ahead ([`draw_many`](Self::draw_many)), writes down
/// [`state`](Self::state) and only then uses them; what it had not used when it stopped is lost, never spent twice.
///
/// ```
/// use smoothtopk::certificate::{AlphaBudget, Schedule};
/// let budget = AlphaBudget::new(0.01, Schedule::Even { statements: 2 })?;
/// let first = budget.draw()?;
/// assert!(first.alpha <= 0.005 && first.alpha > 0.0049);
/// let resumed = AlphaBudget::resume(budget.state())?;
/// assert_eq!(resumed.draw()?.statement, 2);
/// assert!(resumed.draw().is_err()); // exhausted
/// # Ok::<(), smoothtopk::Error>(())
/// ```
#[derive(Debug)]
pub struct AlphaBudget {
    state: Mutex<BudgetState>,
}

impl AlphaBudget {
    /// A budget of which nothing is spent.
    ///
    /// # Errors
    /// `InvalidArgument` when `total` is not a positive number up to 1e12, or a statement's share with
    /// [`Schedule::Even`] is outside [[`MIN_ALPHA`](crate::stats::MIN_ALPHA), [`MAX_ALPHA`]].
    pub fn new(total: f64, schedule: Schedule) -> Result<Self> {
        Self::resume(BudgetState { total, schedule, drawn: 0, spent: 0.0 })
    }

    /// The budget as it stood when `state` was taken.
    ///
    /// # Errors
    /// As [`AlphaBudget::new`]; `InvalidData` when the state is not one that a budget can be in.
    pub fn resume(state: BudgetState) -> Result<Self> {
        if !(state.total > 0.0 && state.total <= 1e12) {
            return Err(Error::argument(
                "total",
                format!("{:e} is not an alpha to share: it must be positive", state.total),
            ));
        }
        if let Schedule::Even { statements } = state.schedule {
            if statements == 0 {
                return Err(Error::argument("statements", "there must be at least 1 statement"));
            }
            check_alpha(even(state.total, statements))
                .map_err(|error| error.prefixed("the share of one statement: "))?;
            if state.drawn > statements {
                return Err(Error::data("drawn", format!("{} shares of {statements} were drawn", state.drawn)));
            }
        }
        if !(0.0..=state.total).contains(&state.spent) || (state.drawn == 0) != (state.spent == 0.0) {
            let message =
                format!("{} shares of a total of {:e} cannot add to {:e}", state.drawn, state.total, state.spent);
            return Err(Error::data("spent", message));
        }
        Ok(Self { state: Mutex::new(state) })
    }

    /// Draws the next statement's share.
    ///
    /// # Errors
    /// `InvalidArgument` when the budget is exhausted (all statements made, or a share below
    /// [`MIN_ALPHA`](crate::stats::MIN_ALPHA)), and with [`Schedule::Asked`], which wants [`draw_of`](Self::draw_of).
    /// Nothing is then spent.
    pub fn draw(&self) -> Result<Share> {
        let mut state = self.lock();
        let (next, share) = state.after_draw()?;
        *state = next;
        Ok(share)
    }

    /// Draws the shares of the next `number` statements, all or none.
    ///
    /// # Errors
    /// As [`draw`](Self::draw).
    pub fn draw_many(&self, number: usize) -> Result<Vec<Share>> {
        let mut state = self.lock();
        let mut next = *state;
        let mut shares = Vec::new();
        for _ in 0..number {
            let (after, share) = next.after_draw()?;
            next = after;
            shares.push(share);
        }
        *state = next;
        Ok(shares)
    }

    /// Draws `alpha` for one statement, with [`Schedule::Asked`]. It must not depend on the samples of that statement.
    ///
    /// # Errors
    /// `InvalidArgument` when less is left, when `alpha` is outside [[`MIN_ALPHA`](crate::stats::MIN_ALPHA),
    /// [`MAX_ALPHA`]], and with a schedule that gives each statement its share. Nothing is then spent.
    pub fn draw_of(&self, alpha: f64) -> Result<Share> {
        check_alpha(alpha)?;
        let mut state = self.lock();
        if state.schedule != Schedule::Asked {
            return Err(Error::argument(
                "schedule",
                "this budget gives each statement its share: draw without an alpha",
            ));
        }
        let (next, share) = state.after(alpha)?;
        *state = next;
        Ok(share)
    }

    /// The budget as it stands.
    pub fn state(&self) -> BudgetState {
        *self.lock()
    }

    /// What is not spent, rounded down.
    pub fn left(&self) -> f64 {
        let BudgetState { total, spent, .. } = self.state();
        (total - spent).next_down().max(0.0)
    }

    /// A thread that panicked while it held the lock left a state that is whole: it is replaced in one assignment.
    fn lock(&self) -> MutexGuard<'_, BudgetState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BudgetState {
    fn after_draw(&self) -> Result<(Self, Share)> {
        let i = self.drawn.saturating_add(1);
        let alpha = match self.schedule {
            Schedule::Even { statements } if self.drawn >= statements => {
                return Err(Error::argument("budget", format!("exhausted: all {statements} statements were made")));
            }
            Schedule::Even { statements } => even(self.total, statements),
            Schedule::Slow => self.total * slow(i),
            Schedule::Square => self.total * square(i),
            Schedule::Asked => {
                return Err(Error::argument(
                    "schedule",
                    "this budget gives each statement what it asks for: say how much",
                ));
            }
        };
        // A single bound takes no more; what is above it stays in the budget.
        let alpha = alpha.min(MAX_ALPHA);
        check_alpha(alpha).map_err(|error| error.prefixed("exhausted: "))?;
        self.after(alpha)
    }

    /// The state after `alpha` was spent.
    fn after(&self, alpha: f64) -> Result<(Self, Share)> {
        let sum = sum_up(self.spent, alpha);
        let spent = match self.schedule {
            Schedule::Asked if sum > self.total => {
                let Self { total, spent, .. } = self;
                let message = format!("exhausted: {spent:e} of {total:e} is spent, too much for another {alpha:e}");
                return Err(Error::argument("budget", message));
            }
            Schedule::Asked => sum,
            // The shares themselves add to no more than the total, their rounded sum might.
            Schedule::Even { .. } | Schedule::Slow | Schedule::Square => sum.min(self.total),
        };
        let drawn = self.drawn.checked_add(1).ok_or_else(|| Error::argument("budget", "2^64 - 1 shares were drawn"))?;
        Ok((Self { drawn, spent, ..*self }, Share { statement: drawn, alpha }))
    }
}

/// a + b for a, b >= 0, the next float up where it is not exact.
fn sum_up(a: f64, b: f64) -> f64 {
    let sum = a + b;
    let (large, small) = if a > b { (a, b) } else { (b, a) };
    // What was lost, exactly (Dekker).
    if small - (sum - large) > 0.0 { sum.next_up() } else { sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_add_to_at_most_one_and_to_nearly_all() {
        let (mut of_slow, mut of_square) = (0.0, 0.0);
        for i in 1..=1_000_000 {
            (of_slow, of_square) = (sum_up(of_slow, slow(i)), sum_up(of_square, square(i)));
        }
        let telescoped = 1.0 - 1.0 / 1_000_002f64.log2();
        assert!((of_slow - telescoped).abs() < 1e-9 && of_slow < 1.0);
        assert!(of_square < 1.0 && of_square > 1.0 - 1.1e-6);
        assert!((slow(1_000_000) / 3.63e-9 - 1.0).abs() < 1e-2 && slow(u64::MAX) > 0.0);
        assert!((2..1000).all(|i| slow(i) < slow(i - 1) && (slow(i) > square(i)) == (i > 2)));
    }

    #[test]
    fn sums_are_exact_or_rounded_up() {
        assert_eq!(sum_up(0.25, 0.5), 0.75);
        assert_eq!(sum_up(1.0, 1e-30), 1f64.next_up());
        assert_eq!(sum_up(1e-30, 1.0), 1f64.next_up());
        // 0.1 + 0.2 rounds up by itself.
        assert_eq!(sum_up(0.1, 0.2), 0.1 + 0.2);
    }
}
