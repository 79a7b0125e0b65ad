//! Counts from bare numbers, with what is assumed of them.

use super::{Counts, Draws, Ending, Perturbation, Subject};
use crate::perturbation::Family;
use crate::stats::{Tally, Validity};
use crate::{Error, Result};

/// What is assumed of numbers that do not say it themselves: those of a paper, or of a loop of one's own. Beside it is
/// assumed that the samples are independent, and of one model and input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assumed {
    /// The noise.
    pub noise: Family,
    /// What rounding takes off every radius, in the units of the input.
    pub radius_cost: f64,
    /// Why the samples ended.
    pub ending: Ending,
}

impl Assumed {
    /// This noise, a number of samples that was fixed beforehand, and no cost of rounding.
    pub fn fixed(noise: impl Into<Family>) -> Self {
        Self { noise: noise.into(), radius_cost: 0.0, ending: Ending::Fixed }
    }

    /// The same for samples that looks ended, at most `last` of them where that was fixed beforehand.
    pub fn looks(noise: impl Into<Family>, last: Option<u64>) -> Self {
        Self { ending: Ending::Looks { rule: None, last }, ..Self::fixed(noise) }
    }
}

impl Counts {
    /// Counts of `labels.len()` labels from bare numbers. `n` is how many samples were drawn, valid and invalid; the
    /// sum of the counts where it is `None`. Certificates say that they rest on what is assumed.
    ///
    /// # Errors
    /// As [`Tally::new`]; `InvalidArgument` when the radius cost is not a finite number from 0 up, or there are more
    /// samples than the last number.
    pub fn assuming(labels: Vec<u64>, n: Option<u64>, assumed: Assumed) -> Result<Self> {
        let tally = match n {
            Some(n) => Tally::new(labels, n)?,
            None => Tally::complete(labels)?,
        };
        Self::assuming_tally(tally, assumed)
    }

    /// Counts from a tally that may be of sets of labels ([`Tally::of_sets`]), as [`Counts::assuming`].
    ///
    /// # Errors
    /// As [`Counts::assuming`].
    pub fn assuming_tally(tally: Tally, assumed: Assumed) -> Result<Self> {
        if let Ending::Looks { last: Some(last), .. } = assumed.ending
            && tally.n() > last
        {
            let message = format!("\"anytime:{last}\" ends before {} samples", tally.n());
            return Err(Error::argument("validity", message));
        }
        let perturbation = Perturbation::assumed(assumed.noise, assumed.radius_cost)?;
        let ending = match (assumed.noise.rows(), assumed.ending) {
            (Some(_), Ending::Fixed | Ending::Enumerated) => Ending::Enumerated,
            (Some(_), _) => {
                let message = format!("all rows of {} are classified: no look ends them", assumed.noise);
                return Err(Error::argument("validity", message));
            }
            (None, ending) => ending,
        };
        let counts = Self::new(tally, perturbation, ending, Draws::default(), Subject::default().into());
        counts.check_rows()?;
        Ok(counts)
    }

    /// What is assumed, in words; nothing for counts that this library drew.
    pub fn assumptions(&self) -> Vec<String> {
        if !self.is_assumed() {
            return Vec::new();
        }
        let ending = match self.ending().validity() {
            Ok(Validity::Exact) => format!("these are all {} rows", self.n()),
            Ok(Validity::Fixed) => format!("their number, {}, was fixed before they were drawn", self.n()),
            Ok(_) => "looks at the counts may have ended them".to_owned(),
            Err(_) => "they were cut short".to_owned(),
        };
        let cost = match self.perturbation().radius_cost {
            0.0 => "rounding the noise costs nothing".to_owned(),
            cost => format!("rounding the noise takes {cost} off every radius"),
        };
        let invalid = match self.tally().invalid() {
            0 => "every sample has a label".to_owned(),
            invalid => format!("{invalid} of the samples have no label"),
        };
        let invalid = match (self.base_k(), self.invalid()) {
            (None, _) => invalid,
            (Some(base_k), 0) => format!("every sample is a set of at most {base_k} labels"),
            (Some(base_k), none) => format!("every sample but {none} is a set of at most {base_k} labels"),
        };
        vec![
            match self.perturbation().noise {
                noise if noise.is_enumerated() => format!("the samples are the rows of {noise}, each once"),
                noise => format!("the samples are independent, and of the noise {noise}"),
            },
            ending,
            invalid,
            cost,
        ]
    }
}
