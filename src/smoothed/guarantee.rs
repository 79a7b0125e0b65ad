//! Guarantees for the answer that is returned: all k labels, and what they are to each other.

use crate::certificate::{
    EachCertificate, Inference, OrderCertificate, Returned, SetCertificate, certify_each, certify_kept, certify_order,
    certify_set,
};
use crate::stats::{Counts, check_trials};
use crate::{Error, Result};

/// What holds around an input for the k labels that are returned for it. Each field is a statement of its own at the request's
/// alpha; several read together are all true with probability at least 1 minus the sum of their alphas.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Guarantee {
    /// Every label stays in the top k within a radius of its own, all at once.
    pub each: EachCertificate,
    /// The set does not change.
    pub set: SetCertificate,
    /// For e = 1, 2, .. k: at least e of the labels stay. `None` where that is so for any perturbation, because too few labels
    /// are outside to push more out.
    pub kept: Vec<Option<SetCertificate>>,
    /// The first label stays the first.
    pub first: OrderCertificate,
    /// The whole ranking stays, and its boundary with the rest.
    pub ranking: OrderCertificate,
}

impl Guarantee {
    /// The k labels, the likeliest first.
    pub fn labels(&self) -> &[usize] {
        &self.ranking.labels
    }

    /// From counts of a number of rows that was fixed beforehand: of the k labels with the largest counts of the `pilot`, which
    /// is of other rows, where there is one, else of these very counts. `slack` is taken off every radius.
    ///
    /// # Errors
    /// `InvalidArgument` when k is not in 1..c, sigma not a positive number, `alpha` or a share of it out of range, or there is
    /// no row; `InvalidData` when the pilot has another number of labels.
    pub fn new(counts: &Counts, pilot: Option<&Counts>, k: usize, sigma: f64, alpha: f64, slack: f64) -> Result<Self> {
        Self::with(counts, pilot, k, sigma, alpha, slack, &Inference::FIXED)
    }

    /// As [`Guarantee::new`], with other bounds: by [`Inference::ANYTIME`] the guarantees of all looks at growing counts are true at
    /// once, statement by statement.
    ///
    /// # Errors
    /// As [`Guarantee::new`].
    pub fn with(
        counts: &Counts,
        pilot: Option<&Counts>,
        k: usize,
        sigma: f64,
        alpha: f64,
        slack: f64,
        inference: &Inference,
    ) -> Result<Self> {
        let returned = match pilot {
            Some(pilot) if pilot.classes() != counts.classes() => {
                let message = format!("has {} labels, the counts have {}", pilot.classes(), counts.classes());
                return Err(Error::data("pilot", message));
            }
            Some(pilot) => {
                check_trials(pilot.n()).map_err(|error| error.with_field("pilot"))?;
                Returned::pilot(pilot, k)?
            }
            None => Returned::same_counts(counts, k)?,
        };
        let outside = counts.classes() - k;
        let kept = |e: usize| match k - e + 1 > outside {
            true => Ok(None),
            false => {
                certify_kept(counts, &returned, e, sigma, alpha, inference).map(|kept| Some(kept.shrunk_by(slack)))
            }
        };
        let guarantee = Self {
            each: certify_each(counts, &returned, sigma, alpha, inference)?.shrunk_by(slack),
            set: certify_set(counts, &returned, sigma, alpha, inference)?.shrunk_by(slack),
            kept: (1..=k).map(kept).collect::<Result<_>>()?,
            first: certify_order(counts, &returned, 1, sigma, alpha, inference)?.shrunk_by(slack),
            ranking: certify_order(counts, &returned, k, sigma, alpha, inference)?.shrunk_by(slack),
        };
        #[cfg(smoothtopk_unsound)]
        let guarantee = guarantee.doubled();
        Ok(guarantee)
    }

    /// False on purpose, for `make test-verify` alone.
    #[cfg(smoothtopk_unsound)]
    fn doubled(mut self) -> Self {
        let of_labels = self.each.labels.iter_mut().map(|label| &mut label.radius);
        let of_sets = self.kept.iter_mut().flatten().chain([&mut self.set]).map(|set| &mut set.radius);
        let of_orders = [&mut self.first, &mut self.ranking].map(|order| &mut order.radius);
        of_labels.chain(of_sets).chain(of_orders).for_each(|radius| *radius *= 2.0);
        self
    }
}
