//! What the judges share of a request.

use crate::Result;
use crate::certificate::Basis;
use crate::counts::Rule;
use crate::perturbation::{Family, Shift};
use crate::stats::{check_alpha, check_trials};

/// What certifying and predicting share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// When to stop.
    pub rule: Rule,
    /// The number of labels, c.
    pub classes: usize,
    /// Probability that a statement is false.
    pub alpha: f64,
    /// The most samples.
    pub n_max: u64,
}

impl Terms {
    /// Checks the rule, alpha and `n_max`.
    ///
    /// # Errors
    /// `InvalidArgument`, with the field.
    pub fn check(&self) -> Result<()> {
        self.rule.check()?;
        check_alpha(self.alpha)?;
        check_trials(self.n_max)
    }

    /// What certificates under this noise rest on, at most `n_max` samples; alpha is what is left of it for bounds.
    ///
    /// # Errors
    /// `InvalidArgument` when a term is out of range, or the cost is not a number from 0 up.
    pub(super) fn basis(&self, noise: Family, radius_cost: f64) -> Result<Basis> {
        self.check()?;
        self.rule.check_at(noise.scale())?;
        let Self { rule, alpha, n_max, .. } = *self;
        let basis = Basis { radius_cost, ..Basis::assuming(noise, n_max, alpha, rule.validity(n_max)) };
        basis.check()?;
        Ok(basis)
    }
}
