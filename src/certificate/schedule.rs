//! How the statements of an alpha budget share it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How the statements of a budget share its total. The shares of any number of statements add to at most the total.
///
/// Written `even:1000` (of 1000 statements), `slow`, `square` and `asked`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Schedule {
    /// A known number m of statements: total/m each.
    Even {
        /// m, at least 1.
        statements: u64,
    },
    /// Any number of statements; the i-th takes total (1/log2(i + 1) - 1/log2(i + 2)). The shares fall little faster
    /// than 1/i, so that late statements still have some: 0.37 of the total for the first, 3.2e-4 for the 100th, 3.6e-9
    /// for the millionth.
    Slow,
    /// Any number of statements; the i-th takes total 6/(pi^2 i^2): 0.61 and 0.15 of the total for the first two, and
    /// less than [`Schedule::Slow`] gives for all others (6.1e-5 for the 100th, 6.1e-13 for the millionth).
    Square,
    /// Each statement takes what it asks for, while there is enough.
    Asked,
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Even { statements } => write!(f, "even:{statements}"),
            Self::Slow => f.pad("slow"),
            Self::Square => f.pad("square"),
            Self::Asked => f.pad("asked"),
        }
    }
}

impl FromStr for Schedule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse =
            || Error::argument("schedule", format!("\"{text}\" is none of even:STATEMENTS, slow, square, asked"));
        match (text, text.strip_prefix("even:")) {
            ("slow", _) => Ok(Self::Slow),
            ("square", _) => Ok(Self::Square),
            ("asked", _) => Ok(Self::Asked),
            (_, Some(statements)) => Ok(Self::Even { statements: statements.parse().map_err(|_| refuse())? }),
            _ => Err(refuse()),
        }
    }
}

/// One of `statements` even shares, rounded down.
pub(super) fn even(total: f64, statements: u64) -> f64 {
    if statements == 1 { total } else { (total / statements as f64).next_down() }
}

/// 1/log2(i + 1) - 1/log2(i + 2), rounded down: by the logarithm of (i + 2)/(i + 1), since the difference would cancel.
/// The terms up to the m-th telescope to 1 - 1/log2(m + 2).
pub(super) fn slow(i: u64) -> f64 {
    let i = i as f64;
    let exact = std::f64::consts::LN_2 * (1.0 / (i + 1.0)).ln_1p() / ((i + 1.0).ln() * (i + 2.0).ln());
    exact * (1.0 - 1e-14)
}

/// 6/(pi^2 i^2), rounded down; all of them add to 1.
pub(super) fn square(i: u64) -> f64 {
    let i = i as f64 * std::f64::consts::PI;
    6.0 / (i * i) * (1.0 - 1e-14)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_read_as_it_is_written() {
        for schedule in [Schedule::Even { statements: 7 }, Schedule::Slow, Schedule::Square, Schedule::Asked] {
            assert_eq!(schedule.to_string().parse::<Schedule>().unwrap(), schedule);
        }
        for text in ["", "even", "even:", "even:-1", "even:1.5", "Slow", "asked:0.1"] {
            assert_eq!(text.parse::<Schedule>().unwrap_err().field(), Some("schedule"), "{text}");
        }
    }
}
