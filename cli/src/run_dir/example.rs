//! What a RUN says of one example.

use std::time::Duration;

use smoothtopk::record::{CertificateRecord, GuaranteeRecord, Record};

use super::Row;

/// What a RUN says of one example, without its counts.
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
    /// From the first sample to the last.
    pub time: Duration,
    /// For each k; none where the time was too short for a look, or guarantees were certified.
    pub certificates: Vec<CertificateRecord>,
    /// For each k; none where the time was too short for a look, or a label was certified.
    pub guarantees: Vec<GuaranteeRecord>,
}

impl Example {
    /// From a record of a RUN, whose counts have so many samples.
    pub fn new(record: Record, samples: u64) -> Self {
        let (mut certificates, mut guarantees) = (record.certificates, record.guarantees);
        certificates.iter_mut().for_each(|found| found.counts = None);
        guarantees.iter_mut().for_each(|found| found.counts = None);
        let time = Duration::try_from_secs_f64(record.seconds).unwrap_or_default();
        let idx = record.index.unwrap_or_default();
        Self { idx, file: record.file, label: record.true_label, samples, time, certificates, guarantees }
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

    /// For each k whether its label, or its set of labels, is certified.
    pub fn certified(&self) -> Vec<bool> {
        let sets = self.guarantees.iter().map(|found| found.set_radius > 0.0);
        self.certificates.iter().map(|found| found.certified).chain(sets).collect()
    }
}
