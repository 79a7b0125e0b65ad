//! False certificates, on purpose: what `--cfg smoothtopk_unsound` puts in the place of the bounds, so that `verify` can be seen
//! to find them (`make test-verify`). Cargo features are unified over a build and could turn this on unseen; a cfg cannot.

use super::Certificate;
use crate::Result;
use crate::stats::allocation::{RivalBounds, SpentBounds};
use crate::stats::{Counts, Prob};

/// A frequency in the place of a confidence bound; half a row keeps it off 0 and 1, where radii are infinite.
pub(super) fn frequency(successes: u64, trials: u64, _alpha: f64) -> Result<Prob> {
    let p = (successes as f64 + 0.5) / (trials as f64 + 1.0);
    Ok(Prob { p, q: 1.0 - p })
}

/// Frequencies in the place of all bounds.
pub(super) fn frequencies(counts: &Counts, label: usize, k: usize, bounds: SpentBounds) -> SpentBounds {
    let frequency = |count: u64| frequency(count, counts.n(), 0.0).unwrap_or(bounds.label);
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
