//! Counts that know what they are: a tally of labels with all that decides what it proves.
//!
//! [`Counts`] carries the noise and what its rounding costs, why the samples ended, which samples they are, and of
//! which model and input. `certify`, `predict` and `guarantee` ([`crate::certificate`]), [`Counts::add`],
//! [`Counts::to_json`] and [`Counts::from_json`] are its only doors.

mod assumed;
mod counted;
mod draws;
mod ending;
mod json;
mod memory;
mod perturbation;
mod ranges;
mod rule;
mod stated;
mod subject;

pub use assumed::Assumed;
pub use counted::Counts;
pub use draws::{Draw, Draws};
pub use ending::Ending;
pub use json::CountsForm;
pub(crate) use memory::Memory;
pub use perturbation::Perturbation;
pub use ranges::Ranges;
pub use rule::{Rule, Tolerance};
pub use stated::Stated;
pub use subject::Subject;
