//! From counts to statements: the doors of [`Counts`].

use super::positions::largest_patch;
use super::{AnswerLabels, Basis, Certificate, Guarantee, LabelSetCertificate, Prediction, Query, Randomized};
use super::{certify_label_set, label, predict};
use crate::counts::{Counts, Ending};
use crate::noise::Purpose;
use crate::stats::randomized::Uniform;
use crate::stats::{Allocation, Validity, check_k, check_trials};
use crate::{Error, Result};

impl Counts {
    /// The radius within which the label stays in the smoothed classifier's top k, with probability at least 1 - alpha
    /// over the samples. What the noise costs is off it, and the bounds are those that hold for how the samples ended:
    /// the certificate's basis says which.
    ///
    /// The radius is never above the exact one for the counts, and within 1e-9 of the noise's scale of it.
    ///
    /// # Errors
    /// `InvalidArgument` when the label is not below c, k not in 1..c, alpha or a share of it out of range, or
    /// randomized bounds are asked for without a seed or for samples that looks ended; `InvalidData` when the samples
    /// were cut short, or chose or predicted labels (by their purpose, or by [`Counts::predict`] or
    /// [`Counts::guarantee`] before).
    ///
    /// ```
    /// use smoothtopk::certificate::Query;
    /// use smoothtopk::counts::{Assumed, Counts};
    /// use smoothtopk::perturbation::Gaussian;
    /// let labels = vec![2, 2, 334, 93642, 2, 5279, 737, 0, 2, 0];
    /// let counts = Counts::assuming(labels, None, Assumed::fixed(Gaussian::new(0.25)?))?;
    /// let certificate = counts.certify(&Query { k: 3, ..Query::of_label(3) })?;
    /// assert!(certificate.radius > 0.54 && certificate.basis.assumed);
    /// # Ok::<(), smoothtopk::Error>(())
    /// ```
    pub fn certify(&self, query: &Query) -> Result<Certificate> {
        self.check_given()?;
        let mut basis = Basis::of(self, query.alpha)?;
        if let Some(uniform) = self.uniform(query)? {
            if basis.validity != Validity::Fixed {
                let message = "bounds can be randomized for a number of samples that was fixed beforehand only";
                return Err(Error::argument("randomized", message));
            }
            basis.validity = Validity::Randomized(uniform);
        }
        self.see();
        let certificate = label::certify(&basis, self.tally(), query.label, query.k, &query.allocation)?;
        Ok(Certificate { radius: certificate.radius.max(self.largest_patch(query.label, query.k)), ..certificate })
    }

    /// How many of a set of true labels stay in the smoothed classifier's top k, and how far, with probability at least
    /// 1 - alpha over the samples: [`certify_label_set`]. The only statement about counts of sets of labels.
    ///
    /// # Errors
    /// As [`certify_label_set`]; `InvalidData` as [`Counts::certify`].
    pub fn certify_label_set(
        &self,
        labels: &[usize],
        k: usize,
        alpha: f64,
        allocation: &Allocation,
    ) -> Result<LabelSetCertificate> {
        self.check_given()?;
        let basis = Basis::of(self, alpha)?;
        self.see();
        certify_label_set(&basis, self.tally(), labels, k, allocation)
    }

    /// Refuses samples that chose labels, where labels were to be fixed before them.
    fn check_given(&self) -> Result<()> {
        for (purpose, did) in
            [(Purpose::Select, "chose"), (Purpose::Predict, "predicted"), (Purpose::Answer, "answered")]
        {
            if self.draws().has_purpose(purpose) {
                let message = format!(
                    "are of samples that {did} labels, and cannot certify a label as if it had been fixed before them: ask for the \
                     guarantee, or certify by other samples"
                );
                return Err(Error::data("counts", message));
            }
        }
        // All rows there are say the same, whoever looks first.
        if self.has_chosen() && self.ending() != Ending::Enumerated {
            let message = "chose or predicted labels already, and cannot certify a label as if it had been fixed before them: \
                           certify before you predict, ask for the guarantee, or certify by other samples";
            return Err(Error::data("counts", message));
        }
        Ok(())
    }

    /// The radius of what is known of each place of a window; 0 for other noise, and where that is not known.
    fn largest_patch(&self, label: usize, k: usize) -> f64 {
        let noise = &self.perturbation().noise;
        let found = self.votes().and_then(|votes| largest_patch(noise, votes, self.classes(), label, k));
        found.unwrap_or_default().into()
    }

    /// The smoothed classifier's top-k set, or an abstention; wrong with probability at most `alpha` over the samples.
    ///
    /// # Errors
    /// `InvalidArgument` when k is not in 1..c or alpha out of range; `InvalidData` when the samples were cut short, or
    /// looks ended them: the test holds for a number that was fixed beforehand.
    pub fn predict(&self, k: usize, alpha: f64) -> Result<Prediction> {
        self.tally().check_one_label()?;
        let basis = Basis::of(self, alpha)?;
        if basis.validity == Validity::Exact {
            self.see();
            return predict::of_all_rows(self.tally(), k);
        }
        if basis.validity != Validity::Fixed {
            let message = "were ended by looks at them, and the test of a top-k set holds for a number fixed beforehand: take \
                           the answer of the rule predict, or the guarantee with a pilot";
            return Err(Error::data("counts", message));
        }
        self.choose();
        predict::predict(self.tally(), k, basis.alpha_left)
    }

    /// What holds around the input for k labels: those most frequent among the `pilot`'s samples, or, without one,
    /// among these very samples, which is paid for out of alpha.
    ///
    /// # Errors
    /// `InvalidArgument` when k is not in 1..c, or alpha or a share of it out of range; `InvalidData` when the samples
    /// were cut short, or the pilot has samples of these, or is of another model or input.
    pub fn guarantee(&self, pilot: Option<&Self>, k: usize, alpha: f64) -> Result<Guarantee> {
        self.tally().check_one_label()?;
        let labels = match pilot {
            None => AnswerLabels::same_counts(self.tally(), k)?,
            Some(pilot) => {
                self.check_comparable(pilot).map_err(|error| error.with_field("pilot"))?;
                check_trials(pilot.n()).map_err(|error| error.with_field("pilot"))?;
                AnswerLabels::pilot(pilot.tally(), k)?
            }
        };
        let basis = Basis::of(self, alpha)?;
        pilot.unwrap_or(self).choose();
        self.see();
        let mut guarantee = Guarantee::new(&basis, self.tally(), &labels)?;
        for found in &mut guarantee.each.labels {
            found.radius = found.radius.max(self.largest_patch(found.label, k));
        }
        // While e labels stay by their own radii, at least e do; while all stay, so does the set.
        let mut radii: Vec<f64> = guarantee.each.labels.iter().map(|found| found.radius).collect();
        radii.sort_by(|a, b| b.total_cmp(a));
        if self.votes().is_some() {
            let kept =
                guarantee.kept.iter_mut().zip(&radii).filter_map(|(kept, radius)| Some((kept.as_mut()?, radius)));
            kept.for_each(|(kept, radius)| kept.radius = kept.radius.max(*radius));
            guarantee.set.radius = guarantee.set.radius.max(guarantee.each.radius_of_all());
        }
        Ok(guarantee)
    }

    /// The uniform of randomized bounds, where they are asked for.
    fn uniform(&self, query: &Query) -> Result<Option<Uniform>> {
        match query.randomized {
            Randomized::No => Ok(None),
            Randomized::By(uniform) => Ok(Some(uniform)),
            Randomized::FromSeed => {
                check_k(query.k, self.classes())?;
                let none = || {
                    let message = "the uniform of randomized bounds comes from the seed or key of the samples, which these counts do \
                                   not hold: give the uniform that their certificate names";
                    Error::argument("randomized", message)
                };
                let (source, stream) = self.draws().first_source().ok_or_else(none)?;
                Ok(Some(Uniform::from_bits(source.bits_beside_rows(stream, query.k as u64))))
            }
        }
    }
}
