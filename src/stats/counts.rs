//! Label counts of a sample.

use super::Validity;
use crate::{Error, Result};

/// How many of `n` noisy rows were given each label.
///
/// `n` may exceed the sum: rows whose scores were not finite have no label. They count against every certificate, as rows of
/// whichever rival they would help most: what is certified holds whatever labels they might have had.
#[derive(Clone, Debug)]
pub struct Counts {
    labels: Vec<u64>,
    n: u64,
    /// Rows without a label: the rest of `n`, but where the counts are only expected.
    invalid: u64,
    /// Whether rows are missing that were to be drawn.
    cut_short: bool,
    /// Where looks at the counts decided how many rows there are, the most that they could have let be drawn: bounds for a number
    /// fixed beforehand are then not valid.
    by_rule_to: Option<u64>,
}

/// What was counted; not why the rows ended.
impl PartialEq for Counts {
    fn eq(&self, other: &Self) -> bool {
        self.labels == other.labels && self.n == other.n
    }
}

impl Eq for Counts {}

impl Counts {
    /// Counts of `labels.len()` labels among `n` rows.
    ///
    /// # Errors
    /// `InvalidData` when there is no label, when the counts overflow 64 bits, or when they add to more than `n`.
    pub fn new(labels: Vec<u64>, n: u64) -> Result<Self> {
        if labels.is_empty() {
            return Err(Error::data("counts", "there must be a count for at least one label"));
        }
        let sum = labels.iter().try_fold(0u64, |sum, &count| sum.checked_add(count));
        match sum {
            None => Err(Error::data("counts", "the counts add to more than 2^64 - 1")),
            Some(sum) if sum > n => {
                Err(Error::data("n", format!("the counts add to {sum}, more than the n = {n} rows drawn")))
            }
            Some(sum) => Ok(Self::of(labels, n, n - sum)),
        }
    }

    /// Counts where every row was given a label: `n` is their sum.
    ///
    /// # Errors
    /// As [`Counts::new`].
    pub fn complete(labels: Vec<u64>) -> Result<Self> {
        let n = labels
            .iter()
            .try_fold(0u64, |sum, &count| sum.checked_add(count))
            .ok_or_else(|| Error::data("counts", "the counts add to more than 2^64 - 1"))?;
        Self::new(labels, n)
    }

    /// Counts of rows that were tallied one by one, which therefore cannot add to more than `n`.
    pub(crate) fn tallied(labels: Vec<u64>, n: u64) -> Self {
        let sum = labels.iter().sum::<u64>();
        debug_assert!(sum <= n);
        Self::of(labels, n, n - sum)
    }

    /// Counts that `n` rows would have, rounded label by label, so that they need not add to the rows with a label.
    ///
    /// # Errors
    /// As [`Counts::new`].
    pub(crate) fn expected(labels: Vec<u64>, n: u64, invalid: u64) -> Result<Self> {
        let counts = Self::new(labels, n)?;
        Ok(Self { invalid: invalid.min(counts.invalid), ..counts })
    }

    fn of(labels: Vec<u64>, n: u64, invalid: u64) -> Self {
        Self { labels, n, invalid, cut_short: false, by_rule_to: None }
    }

    /// The counts, by label.
    pub fn labels(&self) -> &[u64] {
        &self.labels
    }

    /// The number of labels, c.
    pub fn classes(&self) -> usize {
        self.labels.len()
    }

    /// The number of rows drawn, with and without a label.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The same counts, known to be of rows that a look at them ended, or could have ended, before the `last` one. What is said of
    /// them must hold at all numbers of rows at once, or at all up to that one ([`Validity::Anytime`], [`Validity::AnytimeTo`]):
    /// bounds for a fixed number refuse them.
    #[must_use]
    pub fn ended_by_rule(mut self, last: u64) -> Self {
        self.by_rule_to = self.by_rule_to.max(Some(last.max(self.n)));
        self
    }

    /// The same counts, known to lack rows that were to be drawn, since a failure, a deadline or a cancel came first. They certify
    /// nothing: a failure may depend on its row, and of rows that are drawn side by side those that come back first may be of
    /// one kind.
    #[must_use]
    pub fn cut_short(mut self) -> Self {
        self.cut_short = true;
        self
    }

    /// Refuses counts that certify nothing, and bounds that do not hold for whatever ended these rows.
    ///
    /// # Errors
    /// `InvalidData`.
    pub(crate) fn check_allow(&self, validity: Validity) -> Result<()> {
        if self.cut_short {
            let message = "were cut short by a failure, a deadline or a cancel, and which rows came back first may depend on what \
                           they were: such counts are for people to read, and certify and predict nothing";
            return Err(Error::data("counts", message));
        }
        let Some(last) = self.by_rule_to.filter(|&last| !validity.allow_looks(last)) else { return Ok(()) };
        let mut message =
            "were ended by a rule that looked at them, so that a bound for a number of rows fixed beforehand would be \
                           false too often: use bounds for all numbers of rows (validity \"anytime\""
                .to_owned();
        if last < u64::MAX {
            message += &format!(", or \"anytime:{last}\" for the up to {last} of the rule");
        }
        Err(Error::data("counts", message + ")"))
    }

    /// The rows that were given no label.
    pub fn invalid(&self) -> u64 {
        self.invalid
    }

    /// The label with the largest count; the lowest index among equals.
    pub fn top(&self) -> usize {
        // max_by_key returns the last of equals, so go backwards.
        (0..self.labels.len()).rev().max_by_key(|&label| self.labels[label]).unwrap_or(0)
    }

    /// Adds the counts of a disjoint range of samples.
    ///
    /// # Errors
    /// `InvalidData` when the numbers of labels differ or a sum overflows; `self` is then unchanged.
    pub fn add(&mut self, other: &Self) -> Result<()> {
        if self.classes() != other.classes() {
            return Err(Error::data(
                "counts",
                format!("cannot add counts of {} labels to counts of {}", other.classes(), self.classes()),
            ));
        }
        let overflow = || Error::data("counts", "the sums overflow 64 bits");
        let n = self.n.checked_add(other.n).ok_or_else(overflow)?;
        let labels = self.labels.iter().zip(&other.labels).map(|(a, b)| a + b).collect();
        // Rows that are added after a look at the others have no last one that was fixed before them.
        let more = self.n > 0 && other.n > 0;
        let by_rule_to = self.by_rule_to.max(other.by_rule_to);
        let by_rule_to = by_rule_to.map(|last| if more { u64::MAX } else { last.max(n) });
        let invalid = self.invalid + other.invalid;
        let cut_short = self.cut_short || other.cut_short;
        *self = Self { labels, n, invalid, cut_short, by_rule_to };
        Ok(())
    }
}
