//! False certificates, on purpose: what `--cfg smoothtopk_unsound` puts in the place of the bounds, so that `verify` can be seen
//! to find them (`make test-verify`). Cargo features are unified over a build and could turn this on unseen; a cfg cannot.

use super::Certificate;
use crate::stats::spending::{RivalBounds, SpentBounds};
use crate::stats::{Counts, Prob};

/// Frequencies in the place of confidence bounds; half a row keeps them off 0 and 1, where radii are infinite.
pub(super) fn frequencies(counts: &Counts, label: usize, k: usize, _: SpentBounds) -> SpentBounds {
    let frequency = |count: u64| {
        let p = (count as f64 + 0.5) / (counts.n() as f64 + 1.0);
        Prob { p, q: 1.0 - p }
    };
    let mut rivals: Vec<u64> =
        counts.labels().iter().enumerate().filter(|&(other, _)| other != label).map(|(_, &count)| count).collect();
    rivals.sort_unstable();
    let rivals = rivals[rivals.len() - k..].iter().map(|&count| frequency(count)).collect();
    SpentBounds { label: frequency(counts.labels()[label]), rivals: RivalBounds::Each(rivals) }
}

/// Twice the radius.
pub(super) fn doubled(certificate: Certificate) -> Certificate {
    Certificate { radius: 2.0 * certificate.radius, ..certificate }
}
