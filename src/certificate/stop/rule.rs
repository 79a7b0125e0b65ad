//! What a rule is, and where it looks.

use std::fmt;
use std::str::FromStr;

use crate::stats::{Counts, Validity, check_alpha, check_trials};
use crate::{Error, Result};

/// When the rows of an input are enough.
///
/// Written `fixed`, `radius:0.25`, `steps:0.05`, `tolerance:0.01`, `tolerance:0.01sigma` and `predict`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Rule {
    /// After `n_max` rows, with bounds for that one number of rows.
    #[default]
    Fixed,
    /// As soon as the label is certified at this radius (certified), no number of rows could certify it (refuted), or none up to
    /// `n_max` (undecided).
    Radius(f64),
    /// As soon as the largest multiple of this step that the label is certified at is decided: what a curve of certified accuracy
    /// at such radii asks.
    Steps(f64),
    /// As soon as the rows up to `n_max` are expected to add no more than this to the radius.
    Tolerance(Tolerance),
    /// As soon as the top-k set is settled.
    Predict,
}

/// What a radius may be short of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// In the units of the input.
    Absolute(f64),
    /// In units of sigma.
    Sigmas(f64),
}

impl Tolerance {
    /// In the units of the input.
    pub fn absolute(self, sigma: f64) -> f64 {
        match self {
            Self::Absolute(tolerance) => tolerance,
            Self::Sigmas(share) => share * sigma,
        }
    }
}

impl Rule {
    /// Refuses a radius or a step that is not a finite number above 0, and a tolerance that is not one from 0 up. Whether steps are
    /// wide enough is for [`Rule::check_at`].
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn check(&self) -> Result<()> {
        match *self {
            Self::Radius(radius) if !(radius > 0.0 && radius.is_finite()) => {
                Err(Error::argument("rule", format!("radius:{radius} must be a finite number above 0")))
            }
            Self::Steps(step) if !(step > 0.0 && step.is_finite()) => {
                Err(Error::argument("rule", format!("steps:{step} must be a finite number above 0")))
            }
            Self::Tolerance(Tolerance::Absolute(value) | Tolerance::Sigmas(value))
                if !(value >= 0.0 && value.is_finite()) =>
            {
                Err(Error::argument("rule", format!("tolerance:{value} must be a finite number from 0 up")))
            }
            _ => Ok(()),
        }
    }

    /// The kind of bounds that the rule rests on, for at most `n_max` rows.
    pub fn validity(&self, n_max: u64) -> Validity {
        match self {
            Self::Fixed => Validity::Fixed,
            // What is not decided by n_max is seldom decided by better bounds there, and every decision before would pay for them;
            // and a tolerance would not be reached before them.
            Self::Radius(_) | Self::Tolerance(_) | Self::Predict => Validity::Anytime,
            // Many labels of a curve take all rows, and are to be certified as far as a fixed number of rows would.
            Self::Steps(_) => Validity::AnytimeTo(n_max),
        }
    }

    /// [`Rule::check`], and that steps are wide enough for noise of standard deviation `sigma`: at least 10^-6 of it, far below
    /// what any number of rows tells apart.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn check_at(&self, sigma: f64) -> Result<()> {
        self.check()?;
        match *self {
            Self::Steps(step) if step < 1e-6 * sigma => {
                Err(Error::argument("rule", format!("steps:{step} must be at least 1e-6 sigma, {}", 1e-6 * sigma)))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Fixed => f.pad("fixed"),
            Self::Radius(radius) => write!(f, "radius:{radius}"),
            Self::Steps(step) => write!(f, "steps:{step}"),
            Self::Tolerance(Tolerance::Absolute(value)) => write!(f, "tolerance:{value}"),
            Self::Tolerance(Tolerance::Sigmas(value)) => write!(f, "tolerance:{value}sigma"),
            Self::Predict => f.pad("predict"),
        }
    }
}

impl FromStr for Rule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            let forms = "fixed, radius:R, steps:E, tolerance:E, tolerance:Esigma, predict";
            Error::argument("rule", format!("\"{text}\" is none of {forms}"))
        };
        let number = |text: &str| text.parse::<f64>().map_err(|_| refuse());
        let rule = match text.split_once(':') {
            None if text == "fixed" => Self::Fixed,
            None if text == "predict" => Self::Predict,
            Some(("radius", radius)) => Self::Radius(number(radius)?),
            Some(("steps", step)) => Self::Steps(number(step)?),
            Some(("tolerance", value)) => Self::Tolerance(match value.strip_suffix("sigma") {
                Some(share) => Tolerance::Sigmas(number(share)?),
                None => Tolerance::Absolute(number(value)?),
            }),
            _ => return Err(refuse()),
        };
        rule.check()?;
        Ok(rule)
    }
}

/// What certifying and predicting share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Terms {
    /// When to stop.
    pub rule: Rule,
    /// The number of labels, c.
    pub classes: usize,
    /// Probability that a statement is false.
    pub alpha: f64,
    /// The most rows.
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
}

/// What a look at the counts says about the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Look {
    /// Draw on, to the next look.
    GoOn,
    /// All is decided.
    Stop,
}

impl Look {
    /// Whether the rows go on after these decisions.
    pub(super) fn after(mut decisions: impl Iterator<Item = Decision>) -> Self {
        if decisions.any(|decision| decision == Decision::Open) { Self::GoOn } else { Self::Stop }
    }
}

/// Ends what is still open: no further row will be looked at.
pub(super) fn leave_undecided<'a>(decisions: impl Iterator<Item = &'a mut Decision>) {
    decisions.filter(|decision| **decision == Decision::Open).for_each(|decision| *decision = Decision::Undecided);
}

/// What came of one k.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Nothing yet.
    Open,
    /// The fixed number of rows was drawn.
    Complete,
    /// `radius`: certified at the radius asked for.
    Certified,
    /// `radius`: no number of rows could certify that radius. `tolerance`, `steps`: none could certify any. Wrong with probability
    /// at most alpha.
    Refuted,
    /// `tolerance`: more rows are expected to add no more than the tolerance. `steps`: no number of rows, or none up to `n_max`,
    /// could bring the radius to the next step.
    Reached,
    /// `predict`: the top-k set is settled.
    Settled,
    /// The rows ended without a decision: at `n_max`, before it by a deadline, or as soon as what was left of them could decide
    /// nothing. What is given with it is sound all the same.
    Undecided,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Certified => "certified",
            Self::Refuted => "refuted",
            Self::Reached => "reached",
            Self::Settled => "settled",
            Self::Undecided => "undecided",
        })
    }
}

/// The look after one at `n` rows: at `first`, then every `n / 32` rows (one at least), at last at `n_max`: 300 looks to 100,000
/// rows, and 1.6 % of the rows too many at a decision on average. In whole numbers, so the same everywhere.
pub(super) fn look_after(n: u64, first: u64, n_max: u64) -> u64 {
    let next = if n < first { first } else { n + (n / 32).max(1) };
    next.min(n_max)
}

/// Refuses counts that cannot be those of a look after one at `seen` rows.
pub(super) fn check_counts(counts: &Counts, terms: &Terms, seen: u64) -> Result<()> {
    let &Terms { classes, n_max, .. } = terms;
    if counts.classes() != classes {
        return Err(Error::data("counts", format!("counts of {} labels, where there are {classes}", counts.classes())));
    }
    let n = counts.n();
    if n == 0 || n < seen || n > n_max {
        return Err(Error::data("n", format!("{n} rows were drawn: a look must be at {} to {n_max}", seen.max(1))));
    }
    Ok(())
}
