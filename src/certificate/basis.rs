//! What a statement rests on, beside the numbers.

use super::search::less_cost;
use crate::counts::Counts;
use crate::perturbation::Family;
use crate::stats::{Validity, check_alpha};
use crate::{Error, Result};

/// What a statement rests on: the noise, the number of samples, alpha, and what was taken off for the noise's rounding.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Basis {
    /// The noise. Radii are in its norm, in the units of the input.
    pub noise: Family,
    /// The samples, valid and invalid.
    pub n: u64,
    /// The failure probability of the statement, all in all; 0 where all samples that there are were classified.
    pub alpha: f64,
    /// What was left of it for bounds, when the noise's distance from an exact one was paid for.
    pub alpha_left: f64,
    /// What rounding took off every radius.
    pub radius_cost: f64,
    /// Which bounds it rests on: those that hold for how the samples ended.
    pub validity: Validity,
    /// Whether it rests on what a caller stated of bare numbers.
    pub assumed: bool,
}

impl Basis {
    /// The basis of statements at `alpha` from counts, with the bounds that are valid for them.
    ///
    /// # Errors
    /// `InvalidData` when the counts were cut short; `InvalidArgument` when alpha is out of range, or too small for
    /// what the noise costs.
    pub fn of(counts: &Counts, alpha: f64) -> Result<Self> {
        let noise = counts.perturbation().noise;
        let alpha = if noise.is_enumerated() { 0.0 } else { alpha };
        if !noise.is_enumerated() {
            check_alpha(alpha)?;
        }
        Ok(Self {
            noise,
            n: counts.n(),
            alpha,
            alpha_left: counts.alpha_left(alpha)?,
            radius_cost: counts.perturbation().radius_cost,
            validity: counts.validity()?,
            assumed: counts.is_assumed(),
        })
    }

    /// The basis of statements from bare numbers: `n` samples of this noise, whose bounds shall be of this kind.
    pub fn assuming(noise: impl Into<Family>, n: u64, alpha: f64, validity: Validity) -> Self {
        Self { noise: noise.into(), n, alpha, alpha_left: alpha, radius_cost: 0.0, validity, assumed: true }
    }

    /// Refuses numbers that are out of range, and bounds that are not the noise's.
    pub(super) fn check(&self) -> Result<()> {
        self.noise.check_settled()?;
        if self.noise.is_enumerated() != (self.validity == Validity::Exact) {
            let message =
                format!("{}: all samples of enumerated noise are classified, and only of such noise", self.noise);
            return Err(Error::argument("validity", message));
        }
        if self.validity != Validity::Exact {
            check_alpha(self.alpha_left)?;
        }
        if self.radius_cost >= 0.0 && self.radius_cost.is_finite() {
            return Ok(());
        }
        let message = format!("{} must be a finite number from 0 up", self.radius_cost);
        Err(Error::argument("radius_cost", message))
    }

    /// Refuses a part of an enumerated family's rows.
    pub(super) fn check_rows(&self, n: u64) -> Result<()> {
        match self.noise.rows() {
            Some(rows) if rows != n => {
                Err(Error::argument("n", format!("{} has {rows} rows, and all are needed: got {n}", self.noise)))
            }
            _ => Ok(()),
        }
    }

    /// A radius without what rounding costs, rounded down.
    pub(super) fn less_cost(&self, radius: f64) -> f64 {
        less_cost(radius, self.radius_cost)
    }
}
