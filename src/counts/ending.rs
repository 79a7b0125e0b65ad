//! Why samples ended.

use serde::{Deserialize, Serialize};

use super::Rule;
use crate::stats::Validity;
use crate::{Error, Result};

/// Why the samples of counts ended. It decides which bounds are valid for them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", try_from = "Form")]
#[non_exhaustive]
pub enum Ending {
    /// Their number was fixed before they were drawn.
    Fixed,
    /// There are no others: all rows of an enumerated family were classified, each once.
    Enumerated,
    /// Looks at the counts decided when to end.
    Looks {
        /// The rule that looked; none where a person or a program of its own did.
        rule: Option<Rule>,
        /// The largest number of samples that there could have been, fixed beforehand; none where there was no such
        /// number.
        last: Option<u64>,
    },
    /// They are a part of a number of samples that was fixed beforehand. A part certifies and predicts nothing: whoever
    /// looks at it before the others are added has looked, and no one who adds them would know.
    Part {
        /// All samples.
        of: u64,
    },
    /// A failure, a deadline or a cancel came first. Which samples were counted may depend on what they were, so these
    /// counts certify and predict nothing.
    CutShort,
}

/// An ending as it is read. Of an enum whose variant has no fields serde would take any.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    kind: String,
    rule: Option<Rule>,
    last: Option<u64>,
    of: Option<u64>,
}

impl TryFrom<Form> for Ending {
    type Error = Error;

    fn try_from(form: Form) -> Result<Self> {
        match (form.kind.as_str(), form.rule, form.last, form.of) {
            ("fixed", None, None, None) => Ok(Self::Fixed),
            ("enumerated", None, None, None) => Ok(Self::Enumerated),
            ("cut_short", None, None, None) => Ok(Self::CutShort),
            ("part", None, None, Some(of)) => Ok(Self::Part { of }),
            ("looks", rule, last, None) => Ok(Self::Looks { rule, last }),
            (kind, ..) => Err(Error::data("ending", format!("\"{kind}\" is unknown, or has what it cannot have"))),
        }
    }
}

impl Ending {
    /// The bounds that hold for samples that ended so.
    ///
    /// # Errors
    /// `InvalidData` when none do: the counts were cut short.
    pub fn validity(&self) -> Result<Validity> {
        match *self {
            Self::Fixed => Ok(Validity::Fixed),
            Self::Enumerated => Ok(Validity::Exact),
            // A file may name a rule that never looks.
            Self::Looks { rule: Some(rule), last: Some(last) } if rule != Rule::Fixed => Ok(rule.validity(last)),
            Self::Looks { .. } => Ok(Validity::Anytime),
            Self::Part { of } => Err(Error::data(
                "counts",
                format!(
                    "are a part of {of} samples, and certify and predict nothing before the others are added: merge all parts \
                     (smoothtopk merge)"
                ),
            )),
            Self::CutShort => Err(Error::data(
                "counts",
                "were cut short by a failure, a deadline or a cancel, and which samples came first may depend on what they were: \
                 such counts certify and predict nothing; draw the samples again",
            )),
        }
    }

    /// The number of samples whose distance from exact noise is paid for.
    ///
    /// # Errors
    /// `InvalidData` when looks had no last number, so that none was fixed beforehand.
    pub(super) fn most_samples(&self, n: u64) -> Result<u64> {
        match *self {
            Self::Looks { last: None, .. } => Err(Error::data(
                "counts",
                "of exact noise were looked at while they grew, with no largest number fixed beforehand: what the noise costs \
                 is not bounded; say how many there may be before the first look (growing), or draw them by a rule",
            )),
            Self::Looks { last: Some(last), .. } => Ok(last.max(n)),
            Self::Fixed | Self::Enumerated | Self::Part { .. } | Self::CutShort => Ok(n),
        }
    }

    /// Refuses to add a part of a number of samples to anything but another part of it.
    pub(super) fn check_sum(self, other: Self) -> Result<()> {
        let part = |ending: Self| matches!(ending, Self::Part { .. });
        if self == other || !part(self) && !part(other) {
            return Ok(());
        }
        Err(Error::data("counts", "are not parts of one number of samples: add all parts of it first"))
    }

    /// The ending of the `n` samples of two counts that are added. Whoever had seen one of them when the other was
    /// added may have added it for what they saw: `seen` says so.
    pub(super) fn of_sum(self, other: Self, seen: bool, n: u64) -> Self {
        let within = |last: u64| Some(last).filter(|&last| n <= last);
        match (self, other) {
            (Self::CutShort, _) | (_, Self::CutShort) => Self::CutShort,
            (Self::Part { of }, _) | (_, Self::Part { of }) => Self::Part { of },
            (Self::Fixed, Self::Fixed) if !seen => Self::Fixed,
            // A largest number that was fixed before the first look stays one while it is kept.
            (growing @ Self::Looks { rule: None, last: Some(last) }, other)
            | (other, growing @ Self::Looks { rule: None, last: Some(last) })
                if other == Self::Fixed || other == growing =>
            {
                Self::Looks { rule: None, last: within(last) }
            }
            _ => Self::Looks { rule: None, last: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_never_have_the_bounds_of_a_fixed_number() {
        for rule in ["fixed", "predict", "radius:0.25", "steps:0.25", "tolerance:0.1"] {
            let text = format!(r#"{{"kind": "looks", "rule": "{rule}", "last": 1000}}"#);
            let ending: Ending = serde_json::from_str(&text).unwrap();
            assert!(matches!(ending.validity(), Ok(Validity::Anytime | Validity::AnytimeTo(1000))), "{rule}");
        }
    }
    #[test]
    fn a_part_says_of_how_many_and_is_added_to_its_like_alone() {
        let read = |text: &str| serde_json::from_str::<Ending>(text);
        let part = read(r#"{"kind": "part", "of": 9}"#).unwrap();
        assert_eq!(
            (part, serde_json::to_string(&part).unwrap().as_str()),
            (Ending::Part { of: 9 }, r#"{"kind":"part","of":9}"#)
        );
        for text in [r#"{"kind": "part"}"#, r#"{"kind": "fixed", "of": 9}"#, r#"{"kind": "part", "of": 9, "last": 9}"#]
        {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(part.validity().is_err() && part.check_sum(part).is_ok());
        for other in [Ending::Fixed, Ending::CutShort, Ending::Part { of: 8 }, Ending::Looks { rule: None, last: None }]
        {
            assert!(part.check_sum(other).is_err() && other.check_sum(part).is_err(), "{other:?}");
        }
        assert_eq!(part.of_sum(part, true, 9), part);
    }
}
