//! How the failure probability alpha of one certificate is spent on the bounds it is made of.

use std::fmt;
use std::str::FromStr;

use super::range::{check_label, check_part};
use super::{Prob, Tally, Validity, check_alpha, check_k};
use crate::{Error, Result};

/// How alpha is spent, as a value that is chosen before the samples are drawn, recorded, and applied to their counts.
///
/// All hold for a label fixed before the counts were seen; so must be the allocation, the names in it included: given,
/// or chosen from other samples ([`certificate::auto`](crate::certificate::auto)).
///
/// Written `ranked`, `ranked:0.75`, `simuem`, `binocp`, `pooled:0.75` and `pooled:0.75:3,7`.
#[derive(Clone, Debug, PartialEq)]
pub enum Allocation {
    /// One bound for the label and one for each of its k strongest rivals. Tighter than the other two whenever k + 1 <
    /// c and the rivals are not one label.
    ///
    /// The k rivals with the largest true probabilities are fixed, though unknown: with probability 1 - k alpha/(k + 1)
    /// the bounds of all of them hold, and then the sorted bounds of all rivals dominate the sorted probabilities.
    Ranked {
        /// The label's share of alpha, in (0, 1); the k rivals share the rest equally. `None`: 1/(k + 1) for each.
        label_share: Option<f64>,
    },
    /// SimuEM of the paper: alpha/c for each of the c labels.
    SimuEm,
    /// BinoCP of the paper: alpha for the label; every rival is bounded by 1 minus the label's lower bound.
    BinoCp,
    /// One bound for the label and one for the *sum* of rivals: the t = k - j strongest of all but the label and j < k
    /// `named` ones. Should the label leave the top k, at least t labels that are not named reach it.
    Pooled {
        /// The label's share of alpha, in (0, 1); the sum has the rest.
        label_share: f64,
        /// The named rivals, ascending: those thought likelier than the others. May be empty.
        named: Vec<usize>,
    },
}

impl Default for Allocation {
    fn default() -> Self {
        Self::Ranked { label_share: None }
    }
}

/// Upper bounds of what the rivals have.
#[derive(Clone, Debug, PartialEq)]
pub enum RivalBounds {
    /// Of each of the k strongest rivals, ascending.
    Each(Vec<Prob>),
    /// Of the sum of `size` rivals, so many of which must reach the label to push it out of the top k.
    Sum {
        /// The sum's bound.
        sum: Prob,
        /// How many rivals the sum has.
        size: usize,
    },
}

/// What an allocation of alpha makes of counts: bounds that are all true at once with probability at least 1 - alpha.
#[derive(Clone, Debug, PartialEq)]
pub struct SpentBounds {
    /// Bound of the label's probability.
    pub label: Prob,
    /// Bounds of its rivals'.
    pub rivals: RivalBounds,
}

/// What of counts an allocation looks at.
pub(crate) struct RivalCounts<'a> {
    /// The label's count.
    pub own: u64,
    /// The counts of the rivals that are bounded one by one, or summed; ascending.
    pub rivals: &'a [u64],
    /// Samples without a label: any rival may have had them.
    pub invalid: u64,
    pub n: u64,
    pub classes: usize,
}

impl Allocation {
    /// The allocations without parameters, the default first: `ranked`, and the paper's `simuem` and `binocp`.
    pub const PLAIN: [Self; 3] = [Self::Ranked { label_share: None }, Self::SimuEm, Self::BinoCp];

    /// What an allocation is written as.
    pub(crate) const FORMS: &str = "ranked, ranked:SHARE, simuem, binocp, pooled:SHARE, pooled:SHARE:LABEL,LABEL,...";

    /// Refuses an allocation that does not fit a certificate of `label` for the top `k` of `classes` labels at `alpha`.
    ///
    /// # Errors
    /// `InvalidArgument` when a share is not in (0, 1), a named rival is the label or no label, names are not ascending
    /// or not fewer than k, k is not in 1..c, or alpha or a share of it is outside the range of [`check_alpha`].
    pub fn check(&self, label: usize, k: usize, classes: usize, alpha: f64) -> Result<()> {
        let refuse = |message: String| Err(Error::argument("allocation", message));
        check_label(label, classes, "label")?;
        self.shares(alpha, k, classes)?;
        let Self::Pooled { named, .. } = self else { return Ok(()) };
        if named.len() >= k {
            return refuse(format!("{self} names {} rivals: it must name fewer than k = {k}", named.len()));
        }
        if named.contains(&label) {
            return refuse(format!("{self} names label {label} as a rival of itself"));
        }
        match named.iter().find(|&&rival| rival >= classes) {
            Some(&rival) => check_label(rival, classes, "allocation"),
            None if named.windows(2).any(|pair| pair[0] >= pair[1]) => {
                refuse(format!("{self} must name its rivals in ascending order, each once"))
            }
            None => Ok(()),
        }
    }

    /// The failure probability of the label's bound and that of each bound of rivals, both rounded down; the second is
    /// 0 where there is none.
    fn shares(&self, alpha: f64, k: usize, classes: usize) -> Result<(f64, f64)> {
        check_k(k, classes)?;
        check_alpha(alpha)?;
        let (label_share, rivals) = match *self {
            Self::Ranked { label_share: None } => {
                return even(alpha, k as f64 + 1.0);
            }
            Self::SimuEm => {
                return even(alpha, classes as f64);
            }
            Self::BinoCp => return Ok((alpha, 0.0)),
            Self::Ranked { label_share: Some(share) } => (share, k as f64),
            Self::Pooled { label_share, .. } => (label_share, 1.0),
        };
        check_share(label_share)?;
        // More than the roundings of both products.
        let down = alpha * (1.0 - 8.0 * f64::EPSILON);
        let shares = (down * label_share, down * (1.0 - label_share) / rivals);
        check_part(shares.0, alpha)?;
        check_part(shares.1, alpha)?;
        Ok(shares)
    }

    /// The failure probability of each bound of single labels, for a set of `labels` of them and the top `k`; rounded
    /// down. The k likeliest other labels are fixed, though unknown, as the rivals of one label are.
    pub(crate) fn share_for_set(&self, alpha: f64, labels: usize, k: usize, classes: usize) -> Result<f64> {
        check_k(k, classes)?;
        check_alpha(alpha)?;
        let bounds = match self {
            Self::Ranked { label_share: None } => labels + k.min(classes - labels),
            Self::SimuEm => classes,
            _ => {
                let message = format!("{self} is for one label: certificates of a set of labels take ranked or simuem");
                return Err(Error::argument("allocation", message));
            }
        };
        Ok(even(alpha, bounds as f64)?.0)
    }

    /// The label's bound from below and its rivals' from above, all true at once with probability at least 1 - `alpha`:
    /// with [`Validity::Fixed`] at the number of samples fixed beforehand, with [`Validity::Anytime`] at all numbers of
    /// samples at once (with [`Validity::AnytimeTo`] up to the last).
    ///
    /// # Errors
    /// As [`Allocation::check`]; `InvalidArgument` when no sample or more than [`MAX_TRIALS`](super::MAX_TRIALS)
    /// samples were drawn.
    pub fn bounds(
        &self,
        counts: &Tally,
        label: usize,
        k: usize,
        alpha: f64,
        validity: Validity,
    ) -> Result<SpentBounds> {
        counts.check_one_label()?;
        self.check(label, k, counts.classes(), alpha)?;
        self.bounds_of(&self.tally(counts, label, k, &mut Vec::new()), k, alpha, validity)
    }

    /// What is left to hope for: the label's bound from *above* and its rivals' from *below*, all true at once with
    /// probability at least 1 - `alpha`. The radius they give is the most that this allocation can reach with any
    /// number of samples.
    ///
    /// The label has alpha/2 (alpha, where no rival is bounded), every rival alpha/(2(c - 1)).
    ///
    /// # Errors
    /// As [`Allocation::bounds`].
    pub fn opposite_bounds(
        &self,
        counts: &Tally,
        label: usize,
        k: usize,
        alpha: f64,
        validity: Validity,
    ) -> Result<SpentBounds> {
        self.check(label, k, counts.classes(), alpha)?;
        let mut rivals = Vec::new();
        let RivalCounts { own, rivals, invalid, n, classes } = self.tally(counts, label, k, &mut rivals);
        if matches!(self, Self::BinoCp) {
            let label = validity.upper(own, n, alpha)?;
            return Ok(SpentBounds { label, rivals: RivalBounds::Each(vec![label.complement(); k]) });
        }
        let half = (0.5 * alpha).next_down();
        let each = (half / (classes as f64 - 1.0)).next_down();
        check_part(each, alpha)?;
        let label = validity.upper(own, n, half)?;
        let lower = |count: u64| validity.lower(count, n, each);
        let rivals = if let Self::Pooled { .. } = self {
            // A sum has the samples without a label once; which of its labels' bounds they would be in is left open: in
            // none. Rounded down by more than the sum's error.
            let p = distinct(rivals, lower)?.iter().map(|lower| lower.p).sum::<f64>() * (1.0 - 1e-10);
            RivalBounds::Sum { sum: Prob { p, q: 1.0 - p }, size: rivals.len() }
        } else {
            // What the bounds approach as samples are added has the samples without a label with every rival.
            RivalBounds::Each(distinct(rivals, |count| lower(count + invalid))?)
        };
        Ok(SpentBounds { label, rivals })
    }

    /// The frequencies in the bounds' place: no opposite bounds give a smaller radius.
    pub(crate) fn frequencies(&self, counts: &Tally, label: usize, k: usize) -> SpentBounds {
        let mut rivals = Vec::new();
        let RivalCounts { own, rivals, invalid, n, .. } = self.tally(counts, label, k, &mut rivals);
        let share = |count: u64| Prob { p: count as f64 / n as f64, q: (n - count) as f64 / n as f64 };
        let label = share(own);
        let rivals = match self {
            Self::BinoCp => RivalBounds::Each(vec![label.complement(); k]),
            Self::Ranked { .. } | Self::SimuEm => {
                RivalBounds::Each(rivals.iter().map(|&count| share(count + invalid)).collect())
            }
            Self::Pooled { .. } => {
                RivalBounds::Sum { sum: share(rivals.iter().sum::<u64>() + invalid), size: rivals.len() }
            }
        };
        SpentBounds { label, rivals }
    }

    /// As [`Allocation::bounds`], from the counts that matter.
    pub(crate) fn bounds_of(
        &self,
        tally: &RivalCounts,
        k: usize,
        alpha: f64,
        validity: Validity,
    ) -> Result<SpentBounds> {
        let &RivalCounts { own, rivals, invalid, n, classes } = tally;
        let (label_alpha, rival_alpha) = self.shares(alpha, k, classes)?;
        let label = validity.lower(own, n, label_alpha)?;
        let rivals = match self {
            Self::BinoCp => RivalBounds::Each(vec![label.complement(); k]),
            Self::Ranked { .. } | Self::SimuEm => {
                RivalBounds::Each(distinct(rivals, |count| validity.upper(count + invalid, n, rival_alpha))?)
            }
            Self::Pooled { .. } => {
                let sum = validity.upper(rivals.iter().sum::<u64>() + invalid, n, rival_alpha)?;
                RivalBounds::Sum { sum, size: rivals.len() }
            }
        };
        Ok(SpentBounds { label, rivals })
    }

    /// The counts that this allocation looks at; `rivals` is where they are kept.
    fn tally<'a>(&self, counts: &Tally, label: usize, k: usize, rivals: &'a mut Vec<u64>) -> RivalCounts<'a> {
        let (named, size): (&[usize], usize) = match self {
            Self::BinoCp => (&[], 0),
            Self::Ranked { .. } | Self::SimuEm => (&[], k),
            Self::Pooled { named, .. } => (named, k - named.len()),
        };
        rivals.extend(
            counts.labels().iter().enumerate().filter(|(i, _)| *i != label && !named.contains(i)).map(|(_, n)| n),
        );
        keep_largest(rivals, size);
        let (invalid, n, classes) = (counts.invalid(), counts.n(), counts.classes());
        RivalCounts { own: counts.labels()[label], rivals, invalid, n, classes }
    }
}

/// Keeps the `size` largest, ascending.
fn keep_largest(counts: &mut Vec<u64>, size: usize) {
    let first = counts.len() - size;
    if first > 0 && first < counts.len() {
        counts.select_nth_unstable(first);
    }
    counts.drain(..first);
    counts.sort_unstable();
}

/// The bound of each count, in ascending order; equal counts have equal bounds.
fn distinct(counts: &[u64], bound: impl Fn(u64) -> Result<Prob>) -> Result<Vec<Prob>> {
    let mut bounds: Vec<Prob> = Vec::with_capacity(counts.len());
    for (i, &count) in counts.iter().enumerate() {
        bounds.push(if i > 0 && counts[i - 1] == count { bounds[i - 1] } else { bound(count)? });
    }
    Ok(bounds)
}

/// One of so many equal parts of alpha, rounded down: for the label and for each rival.
fn even(alpha: f64, parts: f64) -> Result<(f64, f64)> {
    let share = (alpha / parts).next_down();
    check_part(share, alpha)?;
    Ok((share, share))
}

fn check_share(share: f64) -> Result<()> {
    if share > 0.0 && share < 1.0 {
        return Ok(());
    }
    Err(Error::argument("allocation", format!("{share} is not a share of alpha: it must be above 0 and below 1")))
}

impl fmt::Display for Allocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ranked { label_share: None } => f.pad("ranked"),
            Self::Ranked { label_share: Some(share) } => write!(f, "ranked:{share}"),
            Self::SimuEm => f.pad("simuem"),
            Self::BinoCp => f.pad("binocp"),
            Self::Pooled { label_share, named } => {
                write!(f, "pooled:{label_share}")?;
                for (i, rival) in named.iter().enumerate() {
                    write!(f, "{}{rival}", if i == 0 { ':' } else { ',' })?;
                }
                Ok(())
            }
        }
    }
}

impl FromStr for Allocation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || Error::argument("allocation", format!("\"{text}\" is none of {}", Self::FORMS));
        if let Some(plain) = Self::PLAIN.into_iter().find(|plain| plain.to_string() == text) {
            return Ok(plain);
        }
        let mut parts = text.split(':');
        let (kind, share, names, rest) = (parts.next(), parts.next(), parts.next(), parts.next());
        if !matches!((kind, names, rest), (Some("ranked"), None, None) | (Some("pooled"), _, None)) {
            return Err(refuse());
        }
        let share: f64 = share.and_then(|share| share.parse().ok()).ok_or_else(refuse)?;
        check_share(share)?;
        match kind {
            Some("ranked") => Ok(Self::Ranked { label_share: Some(share) }),
            _ => {
                let named = match names {
                    None => Vec::new(),
                    Some(names) => {
                        names.split(',').map(|name| name.parse().map_err(|_| refuse())).collect::<Result<_>>()?
                    }
                };
                Ok(Self::Pooled { label_share: share, named })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_counts_keep_ties() {
        let largest = |counts: &[u64], size| {
            let mut counts = counts.to_vec();
            keep_largest(&mut counts, size);
            counts
        };
        assert_eq!(largest(&[5, 9, 1, 0, 9], 2), [9, 9]);
        assert_eq!(largest(&[5, 9, 9, 0, 9], 5), [0, 5, 9, 9, 9]);
        assert!(largest(&[1, 2], 0).is_empty());
    }

    #[test]
    fn shares_never_add_to_more_than_alpha() {
        for share in [1e-9, 0.1, 1.0 / 3.0, 0.5, 0.9, 1.0 - 1e-9] {
            for alpha in [0.5, 0.1, 0.001, 1e-12] {
                let (label, rivals) =
                    Allocation::Pooled { label_share: share, named: Vec::new() }.shares(alpha, 1, 2).unwrap();
                assert!(label + rivals <= alpha && label + rivals > alpha * (1.0 - 1e-14));
                let (label, rivals) = Allocation::Ranked { label_share: Some(share) }.shares(alpha, 3, 5).unwrap();
                assert!(label + 3.0 * rivals <= alpha);
            }
        }
    }
}
