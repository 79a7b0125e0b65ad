//! Numbers of samples by label.

use crate::{Error, Result};

/// How many of `n` noisy samples were given each label: numbers alone. What they may be used for is known to
/// [`Counts`](crate::counts::Counts).
///
/// `n` may exceed the sum: samples whose scores were not finite are *invalid*. They count against every certificate, as
/// samples of whichever rival they would help most: what is certified holds whatever labels they might have had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    labels: Vec<u64>,
    n: u64,
    /// The rest of `n`, but where the counts are only expected, or of many labels a sample.
    invalid: u64,
    /// The most labels that a sample may have, where that is not one.
    base_k: Option<usize>,
}

impl Tally {
    /// Counts of `labels.len()` labels among `n` samples.
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
                Err(Error::data("n", format!("the counts add to {sum}, more than the n = {n} samples drawn")))
            }
            Some(sum) => Ok(Self::of(labels, n, n - sum)),
        }
    }

    /// Counts where every sample has a label: `n` is their sum.
    ///
    /// # Errors
    /// As [`Tally::new`].
    pub fn complete(labels: Vec<u64>) -> Result<Self> {
        let n = labels
            .iter()
            .try_fold(0u64, |sum, &count| sum.checked_add(count))
            .ok_or_else(|| Error::data("counts", "the counts add to more than 2^64 - 1"))?;
        Self::new(labels, n)
    }

    /// Counts of a base classifier that gives each sample a set of at most `base_k` labels, none among them: `invalid`
    /// of the `n` samples had no finite scores, and may have had any set. What is for one label a sample refuses them.
    ///
    /// # Errors
    /// `InvalidArgument` when `base_k` is not in 1..=c; `InvalidData` when there is no label, or the counts are more
    /// than valid samples can have.
    pub fn of_sets(labels: Vec<u64>, n: u64, invalid: u64, base_k: usize) -> Result<Self> {
        if labels.is_empty() {
            return Err(Error::data("counts", "there must be a count for at least one label"));
        }
        if base_k == 0 || base_k > labels.len() {
            let message = format!("{base_k} is not a number of labels from 1 to {}", labels.len());
            return Err(Error::argument("base_k", message));
        }
        let valid = n.checked_sub(invalid);
        let valid = valid.ok_or_else(|| Error::data("n", format!("is {n}, and {invalid} samples are invalid")))?;
        if let Some(&count) = labels.iter().find(|&&count| count > valid) {
            return Err(Error::data("counts", format!("have {count} samples of a label, and {valid} are valid")));
        }
        let sum: u128 = labels.iter().map(|&count| u128::from(count)).sum();
        if sum > u128::from(valid) * base_k as u128 {
            let message = format!(
                "add to {sum}: {valid} valid samples of at most {base_k} labels have no more than their product"
            );
            return Err(Error::data("counts", message));
        }
        Ok(Self { base_k: Some(base_k), ..Self::of(labels, n, invalid) })
    }

    /// Counts of samples that were tallied one by one, each a set of at most `base_k` different labels or invalid.
    pub(crate) fn tallied_sets(labels: Vec<u64>, n: u64, invalid: u64, base_k: usize) -> Self {
        debug_assert!(labels.iter().all(|&count| count <= n - invalid));
        Self { base_k: Some(base_k), ..Self::of(labels, n, invalid) }
    }

    /// The most labels that the base classifier gives a sample, where it gives sets of labels.
    pub fn base_k(&self) -> Option<usize> {
        self.base_k
    }

    /// Refuses counts of sets of labels, where a statement is about one label a sample.
    pub(crate) fn check_one_label(&self) -> Result<()> {
        match self.base_k {
            None => Ok(()),
            Some(base_k) => {
                let message = format!(
                    "are of a base classifier that gives up to {base_k} labels a sample: this statement is about one label a \
                     sample; certify a set of labels"
                );
                Err(Error::data("counts", message))
            }
        }
    }

    /// Counts of samples that were tallied one by one, which therefore cannot add to more than `n`.
    pub(crate) fn tallied(labels: Vec<u64>, n: u64) -> Self {
        let sum = labels.iter().sum::<u64>();
        debug_assert!(sum <= n);
        Self::of(labels, n, n - sum)
    }

    /// Counts that `n` samples would have, rounded label by label, so that they need not add to the valid samples.
    ///
    /// # Errors
    /// As [`Tally::new`].
    pub(crate) fn expected(labels: Vec<u64>, n: u64, invalid: u64) -> Result<Self> {
        let counts = Self::new(labels, n)?;
        Ok(Self { invalid: invalid.min(counts.invalid), ..counts })
    }

    fn of(labels: Vec<u64>, n: u64, invalid: u64) -> Self {
        Self { labels, n, invalid, base_k: None }
    }

    /// The counts, by label.
    pub fn labels(&self) -> &[u64] {
        &self.labels
    }

    /// The number of labels, c.
    pub fn classes(&self) -> usize {
        self.labels.len()
    }

    /// The number of samples drawn, valid and invalid.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The samples that have no label.
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
        if self.base_k != other.base_k {
            let shown = |base_k: Option<usize>| base_k.map_or("one label".to_owned(), |k| format!("up to {k} labels"));
            let message = format!("are of {} a sample, not {}", shown(other.base_k), shown(self.base_k));
            return Err(Error::data("counts", message));
        }
        let overflow = || Error::data("counts", "the sums overflow 64 bits");
        let n = self.n.checked_add(other.n).ok_or_else(overflow)?;
        let labels = self.labels.iter().zip(&other.labels).map(|(a, b)| a + b).collect();
        *self = Self { labels, n, invalid: self.invalid + other.invalid, ..*self };
        Ok(())
    }
}
