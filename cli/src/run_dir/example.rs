//! What a RUN says of one example.

use std::time::Duration;

use smoothtopk::counts::Counts;
use smoothtopk::record::{CertificateRecord, GuaranteeRecord, LabelSetRecord, Record};

use super::Row;

/// Of how many labels an example keeps the counts: those that people look at.
const MOST_COUNTS: usize = 6;

/// What a RUN says of one example, without all of its counts.
#[derive(Clone, Debug)]
pub struct Example {
    /// Its index in the data.
    pub idx: usize,
    /// Its file, of a folder of images.
    pub file: Option<String>,
    /// Its true label, where it is known.
    pub label: Option<usize>,
    /// The samples that the statements rest on.
    pub samples: u64,
    /// The labels with the largest counts, descending, and after them the true one; with their counts, none of which
    /// is 0.
    pub counts: Vec<(usize, u64)>,
    /// The line of its record, from 1; 0 of an example that was not read from a file.
    pub line: usize,
    /// From the first sample to the last.
    pub time: Duration,
    /// For each k; none where the time was too short for a look, or guarantees were certified.
    pub certificates: Vec<CertificateRecord>,
    /// For each k; none where the time was too short for a look, or a label was certified.
    pub guarantees: Vec<GuaranteeRecord>,
    /// For each k; of a multi-label model only.
    pub label_sets: Vec<LabelSetRecord>,
}

impl Example {
    /// From a record of a RUN, and its counts.
    pub fn new(record: Record, counts: &Counts) -> Self {
        let (mut certificates, mut guarantees) = (record.certificates, record.guarantees);
        certificates.iter_mut().for_each(|found| found.counts = None);
        guarantees.iter_mut().for_each(|found| found.counts = None);
        let time = Duration::try_from_secs_f64(record.seconds).unwrap_or_default();
        let idx = record.index.unwrap_or_default();
        let label = record.true_label;
        let (samples, counts) = (counts.n(), largest(counts.labels(), label));
        let label_sets = record.label_sets;
        Self { idx, file: record.file, label, samples, counts, line: 0, time, certificates, guarantees, label_sets }
    }

    /// The field's row for the i-th k.
    pub fn row(&self, i: usize) -> Row {
        let certified = self.certificates.get(i).filter(|found| found.certified);
        let predict = certified.map(|found| found.label);
        Row {
            idx: self.idx,
            label: self.label,
            predict,
            radius: certified.map_or(0.0, |found| found.radius),
            correct: predict.is_some() && predict == self.label,
            time: self.time,
        }
    }

    /// What was decided for the i-th k.
    pub fn decision(&self, i: usize) -> &str {
        let of_label = self.certificates.get(i).map(|found| &*found.decision);
        of_label.or_else(|| self.guarantees.get(i).map(|found| &*found.decision)).unwrap_or("undecided")
    }

    /// For each k whether its label, its set of labels, or one of its true labels, is certified.
    pub fn certified(&self) -> Vec<bool> {
        let sets = self.guarantees.iter().map(|found| found.set_radius > 0.0);
        let true_labels = self.label_sets.iter().map(|found| found.radii().next().is_some_and(|radius| radius > 0.0));
        self.certificates.iter().map(|found| found.certified).chain(sets).chain(true_labels).collect()
    }
}

/// The labels with the largest counts, the lower label first of two alike, and the true one.
fn largest(counts: &[u64], truth: Option<usize>) -> Vec<(usize, u64)> {
    let mut all: Vec<(usize, u64)> = counts.iter().copied().enumerate().filter(|(_, count)| *count > 0).collect();
    all.sort_unstable_by_key(|&(label, count)| (std::cmp::Reverse(count), label));
    let rest = all.split_off(all.len().min(MOST_COUNTS));
    all.extend(rest.into_iter().find(|(label, _)| Some(*label) == truth));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_counts_and_that_of_the_true_label_are_kept() {
        let counts = [1, 0, 9, 9, 5, 6, 7, 8, 2];
        let largest_six = [(2, 9), (3, 9), (7, 8), (6, 7), (5, 6), (4, 5)];
        assert_eq!(largest(&counts, Some(4)), largest_six);
        assert_eq!(largest(&counts, Some(0)), [&largest_six[..], &[(0, 1)]].concat());
        assert_eq!(largest(&counts, Some(1)), largest_six);
        assert_eq!(largest(&[0, 3], None), [(1, 3)]);
    }
}
