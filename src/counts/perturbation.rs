//! The noise that samples were drawn with, and what its rounding costs.

use serde::{Deserialize, Serialize};

use crate::noise::{Noise, times_up};
use crate::perturbation::Family;
use crate::{Error, Result};

/// A family of noise with its parameter, how it was made, and what that costs every statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Perturbation {
    /// The family with its parameter.
    #[serde(with = "super::json::text")]
    pub noise: Family,
    /// How samples are made of random bits, with the version of its layout; `assumed` for bare numbers.
    pub method: String,
    /// The step of the grid that input and noise lie on; 0 where it is not known.
    pub step: f64,
    /// Elements of the input; 0 where that is not known.
    pub elements: usize,
    /// What rounding the input and the attacked input can add to a perturbation: taken off every radius, in its units.
    pub radius_cost: f64,
    /// A bound of each sample's distance from exact noise (total variation): taken off alpha, sample by sample.
    pub alpha_cost: f64,
}

/// The method of bare numbers.
pub(super) const ASSUMED: &str = "assumed";

impl Perturbation {
    /// What `noise` does to an input of `elements` elements.
    pub fn of(noise: &Noise, elements: usize) -> Self {
        Self {
            noise: noise.family(),
            method: noise.method().to_owned(),
            step: noise.mode().step(),
            elements,
            radius_cost: noise.radius_cost(elements),
            alpha_cost: noise.total_variation(elements),
        }
    }

    /// Noise of bare numbers, whose rounding takes `radius_cost` off every radius.
    pub(super) fn assumed(noise: Family, radius_cost: f64) -> Result<Self> {
        if !(radius_cost >= 0.0 && radius_cost.is_finite()) {
            let message = format!("must be a finite number, 0 or more, got {radius_cost:?}");
            return Err(Error::argument("radius_cost", message));
        }
        noise.check_settled()?;
        Ok(Self { noise, method: ASSUMED.to_owned(), step: 0.0, elements: 0, radius_cost, alpha_cost: 0.0 })
    }

    /// Whether the noise is that of bare numbers.
    pub fn is_assumed(&self) -> bool {
        self.method == ASSUMED
    }

    /// Refuses costs that are not those of the noise: a file that was damaged or edited.
    pub(super) fn check(&self) -> Result<()> {
        if self.is_assumed() {
            let Self { noise, radius_cost, .. } = *self;
            return if *self == Self::assumed(noise, radius_cost)? { Ok(()) } else { Err(self.wrong()) };
        }
        let noise = Noise::remade(self.noise, &self.method, self.step).map_err(|_| self.wrong())?;
        if *self == Self::of(&noise, self.elements) { Ok(()) } else { Err(self.wrong()) }
    }

    fn wrong(&self) -> Error {
        let message = format!(
            "the costs of {} by \"{}\" are not what this noise costs: the file is damaged",
            self.noise, self.method
        );
        Error::data("perturbation", message)
    }

    /// What is left of `alpha` when the distance of `samples` samples from exact noise is paid for.
    ///
    /// # Errors
    /// `InvalidArgument` when that takes more than half of alpha.
    pub fn alpha_left(&self, alpha: f64, samples: u64) -> Result<f64> {
        let paid = times_up(samples as f64, self.alpha_cost).min(1.0);
        if paid == 0.0 {
            return Ok(alpha);
        }
        let left = (alpha - paid).next_down();
        if left < 0.5 * alpha {
            let message = format!(
                "{alpha:e} is too small for {samples} samples of {} elements: the noise's distance from an exact one alone comes \
                 to {paid:e}",
                self.elements
            );
            return Err(Error::argument("alpha", message));
        }
        Ok(left)
    }
}
