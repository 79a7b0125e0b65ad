//! When the certificate of a label is good enough.

use super::judge::{Judge, Statements, first_for_any};
use super::look::{Decision, look_after};
use super::terms::Terms;
use crate::certificate::label::{certify, radius_of};
use crate::certificate::{Basis, Certificate, plan};
use crate::counts::Rule;
use crate::perturbation::{Family, Shift};
use crate::stats::allocation::SpentBounds;
use crate::stats::{Allocation, Prob, Tally};
use crate::{Error, Result};

/// One of the statements that the same samples are to give: a k, and how its alpha is split. Each is at alpha on its
/// own.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The size of the top set.
    pub k: usize,
    /// How alpha is split; fixed before the samples, like the label.
    pub allocation: Allocation,
}

/// Decides when samples are enough to certify a label. Not for [`Rule::Predict`].
pub type CertifyJudge = Judge<LabelStatements, Certificate>;

/// Certificates of one label.
#[derive(Clone, Debug)]
pub struct LabelStatements {
    terms: Terms,
    label: usize,
    basis: Basis,
    statements: Vec<Statement>,
    /// The first number of samples that can certify, and the first that can refute where that is fewer.
    first: u64,
    refuting: u64,
    /// For each statement the radius that the last look asked for; and how many looks there were.
    asked: Vec<f64>,
    looks: u64,
}

/// A bound that is to be no smaller than it is, raised by more than what rounding can cost radii that are multiples of
/// a unit: a whole one.
pub(super) fn raised<F: Shift>(noise: &F, bound: Prob) -> Prob {
    match noise.per_unit() {
        Some(_) => Prob { p: (bound.p + 1e-12).min(1.0), q: (bound.q - 1e-12).max(0.0) },
        None => bound,
    }
}

/// What a computed radius may be short of the exact one for its bounds, in units of the noise's scale, with room.
pub(super) const RADIUS_ERROR: f64 = 2e-9;

impl CertifyJudge {
    /// A judge of certificates of `label`, fixed beforehand, under `noise`, whose rounding takes `radius_cost` off
    /// every radius.
    ///
    /// # Errors
    /// `InvalidArgument` when a term, the label or an allocation is out of range, the cost is not a number from 0 up,
    /// there is no statement, or the rule is [`Rule::Predict`].
    pub fn new(
        terms: &Terms,
        label: usize,
        noise: impl Into<Family>,
        radius_cost: f64,
        statements: Vec<Statement>,
    ) -> Result<Self> {
        let basis = terms.basis(noise.into(), radius_cost)?;
        if terms.rule == Rule::Predict {
            return Err(Error::argument("rule", "predict settles a top-k set; it certifies no label"));
        }
        if statements.is_empty() {
            return Err(Error::argument("k", "there must be at least one k"));
        }
        for Statement { k, allocation } in &statements {
            allocation.check(label, *k, terms.classes, terms.alpha)?;
        }
        let (first, refuting, asked) = (terms.n_max, terms.n_max, vec![f64::NAN; statements.len()]);
        let mut of_label =
            LabelStatements { terms: *terms, label, basis, statements, first, refuting, asked, looks: 0 };
        if terms.rule != Rule::Fixed {
            of_label.first = of_label.first_useful()?;
            of_label.refuting = of_label.first_refuting()?;
        }
        Ok(Self::of(terms, of_label))
    }
}

impl Statements for LabelStatements {
    type Found = Certificate;

    fn ks(&self) -> Vec<usize> {
        self.statements.iter().map(|statement| statement.k).collect()
    }

    fn begin(&mut self, _: &Tally) -> Result<()> {
        self.looks += 1;
        Ok(())
    }

    fn decide(&mut self, i: usize, terms: &Terms, tally: &Tally) -> Result<(Decision, Certificate)> {
        let Statement { k, ref allocation } = self.statements[i];
        let certificate = self.certificate(tally, k, allocation)?;
        if terms.rule == Rule::Fixed {
            return Ok((Decision::Complete, certificate));
        }
        let asked = self.asked(certificate.radius);
        // What n_max samples could reach changes little from look to look.
        let ahead = asked != self.asked[i] || self.looks.is_multiple_of(4) || tally.n() > terms.n_max / 2;
        let decision = self.judged(tally, k, allocation, certificate.radius, ahead)?;
        self.asked[i] = asked;
        Ok((decision, certificate))
    }

    fn next_look(&self, n: u64, n_max: u64) -> u64 {
        let next = look_after(n, self.refuting, n_max);
        // The first look that can certify is never passed over: a label that no sample contradicts is decided there.
        if n < self.first { next.min(self.first) } else { next }
    }
}

impl LabelStatements {
    fn certificate(&self, tally: &Tally, k: usize, allocation: &Allocation) -> Result<Certificate> {
        certify(&self.basis, tally, self.label, k, allocation)
    }

    /// The radius that is to be reached next, by one that is certified.
    fn asked(&self, radius: f64) -> f64 {
        match self.terms.rule {
            Rule::Radius(asked) => asked,
            Rule::Steps(step) if radius > 0.0 => {
                let next = step * ((radius / step).floor() + 1.0);
                // The quotient may round down from a whole number.
                if next > radius { next } else { next + step }
            }
            // The first step is to be certified at all.
            _ => f64::MIN_POSITIVE,
        }
    }

    /// The decision at a radius whose cost is taken off; `ahead`: also by what the samples up to `n_max` could bring.
    fn judged(&self, counts: &Tally, k: usize, allocation: &Allocation, radius: f64, ahead: bool) -> Result<Decision> {
        let asked = self.asked(radius);
        match self.terms.rule {
            Rule::Radius(_) if radius >= asked => Ok(Decision::Certified),
            Rule::Radius(_) if self.refutes(counts, k, allocation, asked)? => Ok(Decision::Refuted),
            Rule::Radius(_) if ahead && self.is_beyond(counts, k, allocation, asked)? => Ok(Decision::Undecided),
            Rule::Steps(_) if self.refutes(counts, k, allocation, asked)? => {
                Ok(if radius > 0.0 { Decision::Reached } else { Decision::Refuted })
            }
            Rule::Steps(_) if ahead && self.is_beyond(counts, k, allocation, asked)? => {
                Ok(if radius > 0.0 { Decision::Reached } else { Decision::Undecided })
            }
            Rule::Tolerance(tolerance) => {
                let tolerance = tolerance.absolute(self.basis.noise.scale());
                let gain = if counts.n() == self.terms.n_max {
                    0.0
                } else if radius > 0.0 {
                    self.projected(counts, k, allocation)? - radius
                } else {
                    // Frequencies that certify nothing may yet turn: only the limit ends this.
                    let limit = self.limit(counts, k, allocation)?;
                    if limit <= 0.0 {
                        return Ok(Decision::Refuted);
                    }
                    limit
                };
                Ok(if gain <= tolerance { Decision::Reached } else { Decision::Open })
            }
            _ => Ok(Decision::Open),
        }
    }

    /// Whether no number of samples could bring the radius to `asked`, but with probability alpha.
    fn refutes(&self, counts: &Tally, k: usize, allocation: &Allocation, asked: f64) -> Result<bool> {
        // Where the frequencies themselves reach it, so does the limit: its bounds, half of a look's cost, are not
        // needed.
        let reached = radius_of(&self.basis.noise, &allocation.frequencies(counts, self.label, k))?.radius
            - self.basis.radius_cost
            >= asked;
        Ok(!reached && self.limit(counts, k, allocation)? < asked)
    }

    /// What no number of samples could bring the radius above, but with probability alpha; negative where none could
    /// certify anything, by what the cost takes off 0.
    fn limit(&self, counts: &Tally, k: usize, allocation: &Allocation) -> Result<f64> {
        let bounds = allocation.opposite_bounds(counts, self.label, k, self.basis.alpha_left, self.basis.validity)?;
        let radius =
            radius_of(&self.basis.noise, &SpentBounds { label: raised(&self.basis.noise, bounds.label), ..bounds })?
                .radius;
        Ok(if radius > 0.0 { radius + RADIUS_ERROR * self.basis.noise.scale() } else { 0.0 } - self.basis.radius_cost)
    }

    /// The radius at `n_max`, should the frequencies stay what they are.
    fn projected(&self, counts: &Tally, k: usize, allocation: &Allocation) -> Result<f64> {
        let n_max = self.terms.n_max;
        let scale = |count: u64| (u128::from(count) * u128::from(n_max) / u128::from(counts.n())) as u64;
        let labels = counts.labels().iter().map(|&count| scale(count)).collect();
        self.at_n_max(labels, scale(counts.invalid()), k, allocation)
    }

    /// Whether no samples up to `n_max` could bring the radius to `asked`, not even if all further ones had the label.
    fn is_beyond(&self, counts: &Tally, k: usize, allocation: &Allocation, asked: f64) -> Result<bool> {
        let mut labels = counts.labels().to_vec();
        labels[self.label] += self.terms.n_max - counts.n();
        Ok(self.at_n_max(labels, counts.invalid(), k, allocation)? < asked)
    }

    fn at_n_max(&self, labels: Vec<u64>, invalid: u64, k: usize, allocation: &Allocation) -> Result<f64> {
        let counts = Tally::expected(labels, self.terms.n_max, invalid)?;
        Ok(self.certificate(&counts, k, allocation)?.radius)
    }

    /// The smallest number of samples at which something can be decided in the label's favour, or `n_max`.
    fn first_useful(&self) -> Result<u64> {
        let asked = if let Rule::Radius(radius) = self.terms.rule { radius } else { 0.0 };
        first_for_any(self.statements.len(), self.terms.n_max, |i, n| {
            let Statement { k, ref allocation } = self.statements[i];
            let radius = plan::largest_radius(&Basis { n, ..self.basis }, k, allocation, self.terms.classes)?;
            Ok(radius > 0.0 && radius >= asked)
        })
    }

    /// The smallest number of samples at which a statement can be refuted, all samples having one other label; at most
    /// `first`.
    fn first_refuting(&self) -> Result<u64> {
        let asked = if let Rule::Radius(radius) = self.terms.rule { radius } else { f64::MIN_POSITIVE };
        first_for_any(self.statements.len(), self.first, |i, n| {
            let Statement { k, ref allocation } = self.statements[i];
            let named: &[usize] = if let Allocation::Pooled { named, .. } = allocation { named } else { &[] };
            let mut labels = vec![0; self.terms.classes];
            let rival = (0..labels.len()).find(|label| *label != self.label && !named.contains(label));
            rival.into_iter().for_each(|rival| labels[rival] = n);
            Ok(self.limit(&Tally::new(labels, n)?, k, allocation)? < asked)
        })
    }
}
