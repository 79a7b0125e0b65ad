//! When the certificate of a label is good enough.

use super::rule::{Decision, Look, Rule, Terms, leave_undecided, look_after};
use crate::certificate::certify::radius_of;
use crate::certificate::{Certificate, certify_with, plan};
use crate::noise::family::Gaussian;
use crate::stats::{Allocation, Counts, Validity};
use crate::{Error, Result};

/// One of the statements that the same rows are to give: a k, and how its alpha is spent. Each is at alpha on its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The size of the top set.
    pub k: usize,
    /// How alpha is spent; fixed before the rows, like the label.
    pub allocation: Allocation,
}

/// What became of a statement.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// The size of the top set.
    pub k: usize,
    /// What was decided.
    pub decision: Decision,
    /// The certificate of the look that decided, its slack taken off; of the last look, where nothing was decided. `None`
    /// before the first look, and under [`Rule::Fixed`] before the last row.
    pub certificate: Option<Certificate>,
}

/// Decides when rows are enough to certify a label. Not for [`Rule::Predict`].
#[derive(Clone, Debug)]
pub struct CertifyJudge {
    terms: Terms,
    label: usize,
    noise: Gaussian,
    slack: f64,
    statements: Vec<Statement>,
    verdicts: Vec<Verdict>,
    /// The first number of rows that can certify, and the first that can refute where that is fewer.
    first: u64,
    refuting: u64,
    seen: u64,
    /// For each statement the radius that the last look asked for; and how many looks there were.
    asked: Vec<f64>,
    looks: u64,
}

/// What a computed radius may be short of the exact one for its bounds, in units of sigma, with room.
pub(super) const RADIUS_ERROR: f64 = 2e-9;

impl CertifyJudge {
    /// A judge of certificates of `label`, fixed beforehand, under noise of standard deviation `sigma`. `slack`, what the noise
    /// grid takes off every radius ([`Certificate::shrunk_by`]), is counted in.
    ///
    /// # Errors
    /// `InvalidArgument` when a term, sigma, the label or a allocation is out of range, the slack is not a number from 0 up, there
    /// is no statement, or the rule is [`Rule::Predict`].
    pub fn new(terms: &Terms, label: usize, sigma: f64, slack: f64, statements: Vec<Statement>) -> Result<Self> {
        terms.check()?;
        let noise = Gaussian::new(sigma)?;
        terms.rule.check_at(sigma)?;
        if !(slack >= 0.0 && slack.is_finite()) {
            return Err(Error::argument("slack", format!("{slack} must be a finite number from 0 up")));
        }
        if terms.rule == Rule::Predict {
            return Err(Error::argument("rule", "predict settles a top-k set; it certifies no label"));
        }
        if statements.is_empty() {
            return Err(Error::argument("k", "there must be at least one k"));
        }
        for Statement { k, allocation } in &statements {
            allocation.check(label, *k, terms.classes, terms.alpha)?;
        }
        let open = |statement: &Statement| Verdict { k: statement.k, decision: Decision::Open, certificate: None };
        let verdicts = statements.iter().map(open).collect();
        let mut judge = Self {
            terms: *terms,
            label,
            noise,
            slack,
            statements,
            verdicts,
            first: terms.n_max,
            refuting: terms.n_max,
            seen: 0,
            asked: Vec::new(),
            looks: 0,
        };
        judge.asked = vec![f64::NAN; judge.statements.len()];
        if terms.rule != Rule::Fixed {
            judge.first = judge.first_useful()?;
            judge.refuting = judge.first_refuting()?;
        }
        Ok(judge)
    }

    /// The number of rows of the next look, after one at `n` (0 before the first); `n_max` at last.
    pub fn next_look(&self, n: u64) -> u64 {
        let next = look_after(n, self.refuting, self.terms.n_max);
        // The first look that can certify is never passed over: a label that no row contradicts is decided there.
        if n < self.first { next.min(self.first) } else { next }
    }

    /// Looks at the counts of all rows so far, and decides each statement that can be. Any number of rows will do, those of
    /// [`CertifyJudge::next_look`] or others; but not fewer than at the look before.
    ///
    /// # Errors
    /// `InvalidData` when the counts do not fit the number of labels, are of no row, or of fewer or more than they may be.
    pub fn look(&mut self, counts: &Counts) -> Result<Look> {
        self.check(counts)?;
        self.seen = counts.n();
        self.looks += 1;
        let last = counts.n() == self.terms.n_max;
        for (i, Statement { k, allocation }) in self.statements.iter().enumerate() {
            if self.verdicts[i].decision != Decision::Open {
                continue;
            }
            let (decision, certificate) = match self.terms.rule {
                Rule::Fixed if !last => continue,
                Rule::Fixed => (Decision::Complete, self.certificate(counts, *k, allocation)?),
                _ => {
                    let certificate = self.certificate(counts, *k, allocation)?;
                    let asked = self.asked(certificate.radius);
                    // What n_max rows could reach changes little from look to look.
                    let ahead =
                        asked != self.asked[i] || self.looks.is_multiple_of(4) || counts.n() > self.terms.n_max / 2;
                    let decision = self.decide(counts, *k, allocation, certificate.radius, ahead)?;
                    self.asked[i] = asked;
                    (decision, certificate)
                }
            };
            let decision = if last && decision == Decision::Open { Decision::Undecided } else { decision };
            self.verdicts[i] = Verdict { k: *k, decision, certificate: Some(certificate) };
        }
        Ok(Look::after(self.verdicts.iter().map(|verdict| verdict.decision)))
    }

    /// Ends the rows at these counts, whatever the rule: a deadline, a cancel. What is still open is then undecided; its
    /// certificate, if the rule gives one before `n_max`, is sound.
    ///
    /// # Errors
    /// As [`CertifyJudge::look`]; without any row nothing is looked at.
    pub fn close(&mut self, counts: &Counts) -> Result<()> {
        if counts.n() > 0 {
            let _ = self.look(counts)?;
        }
        leave_undecided(self.verdicts.iter_mut().map(|verdict| &mut verdict.decision));
        Ok(())
    }

    /// What became of each statement so far, in their order.
    pub fn verdicts(&self) -> &[Verdict] {
        &self.verdicts
    }

    fn validity(&self) -> Validity {
        self.terms.rule.validity(self.terms.n_max)
    }

    fn certificate(&self, counts: &Counts, k: usize, allocation: &Allocation) -> Result<Certificate> {
        let sigma = self.noise.sigma();
        let found = certify_with(counts, self.label, k, sigma, self.terms.alpha, allocation, self.validity())?;
        Ok(found.shrunk_by(self.slack))
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

    /// The decision at a radius whose slack is taken off; `ahead`: also by what the rows up to `n_max` could bring.
    fn decide(&self, counts: &Counts, k: usize, allocation: &Allocation, radius: f64, ahead: bool) -> Result<Decision> {
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
                let tolerance = tolerance.absolute(self.noise.sigma());
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

    /// Whether no number of rows could bring the radius to `asked`, but with probability alpha.
    fn refutes(&self, counts: &Counts, k: usize, allocation: &Allocation, asked: f64) -> Result<bool> {
        // Where the frequencies themselves reach it, so does the limit: its bounds, half of a look's cost, are not needed.
        let reached =
            radius_of(&self.noise, &allocation.frequencies(counts, self.label, k))?.radius - self.slack >= asked;
        Ok(!reached && self.limit(counts, k, allocation)? < asked)
    }

    /// What no number of rows could bring the radius above, but with probability alpha; negative where none could certify
    /// anything, by what the slack takes off 0.
    fn limit(&self, counts: &Counts, k: usize, allocation: &Allocation) -> Result<f64> {
        let bounds = allocation.opposite_bounds(counts, self.label, k, self.terms.alpha, self.validity())?;
        let radius = radius_of(&self.noise, &bounds)?.radius;
        Ok(if radius > 0.0 { radius + RADIUS_ERROR * self.noise.sigma() } else { 0.0 } - self.slack)
    }

    /// The radius at `n_max`, should the frequencies stay what they are.
    fn projected(&self, counts: &Counts, k: usize, allocation: &Allocation) -> Result<f64> {
        let n_max = self.terms.n_max;
        let scale = |count: u64| (u128::from(count) * u128::from(n_max) / u128::from(counts.n())) as u64;
        let labels = counts.labels().iter().map(|&count| scale(count)).collect();
        self.at_n_max(labels, scale(counts.invalid()), k, allocation)
    }

    /// Whether no rows up to `n_max` could bring the radius to `asked`, not even if all further ones had the label.
    fn is_beyond(&self, counts: &Counts, k: usize, allocation: &Allocation, asked: f64) -> Result<bool> {
        let mut labels = counts.labels().to_vec();
        labels[self.label] += self.terms.n_max - counts.n();
        Ok(self.at_n_max(labels, counts.invalid(), k, allocation)? < asked)
    }

    fn at_n_max(&self, labels: Vec<u64>, invalid: u64, k: usize, allocation: &Allocation) -> Result<f64> {
        let counts = Counts::expected(labels, self.terms.n_max, invalid)?;
        Ok(self.certificate(&counts, k, allocation)?.radius)
    }

    /// The smallest number of rows at which something can be decided in the label's favour, or `n_max`.
    fn first_useful(&self) -> Result<u64> {
        let Terms { rule, classes, alpha, n_max } = self.terms;
        let asked = if let Rule::Radius(radius) = rule { (radius + self.slack) / self.noise.sigma() } else { 0.0 };
        let validity = self.validity();
        let mut first = n_max;
        for Statement { k, allocation } in &self.statements {
            let reaches = |n: u64| -> Result<bool> {
                let radius = plan::largest_radius_with(n, *k, 1.0, alpha, allocation, validity, classes)?;
                Ok(radius > 0.0 && radius >= asked)
            };
            if reaches(first)? {
                first = plan::first_true(1, first, reaches)?;
            }
        }
        Ok(first)
    }

    /// The smallest number of rows at which a statement can be refuted, all rows having one other label; at most `first`.
    fn first_refuting(&self) -> Result<u64> {
        let Terms { rule, classes, .. } = self.terms;
        let asked = if let Rule::Radius(radius) = rule { radius } else { f64::MIN_POSITIVE };
        let mut refuting = self.first;
        for Statement { k, allocation } in &self.statements {
            let named: &[usize] = if let Allocation::Pooled { named, .. } = allocation { named } else { &[] };
            let rival = (0..classes).find(|label| *label != self.label && !named.contains(label));
            let refutes = |n: u64| -> Result<bool> {
                let mut labels = vec![0; classes];
                rival.into_iter().for_each(|rival| labels[rival] = n);
                Ok(self.limit(&Counts::new(labels, n)?, *k, allocation)? < asked)
            };
            if refutes(refuting)? {
                refuting = plan::first_true(1, refuting, refutes)?;
            }
        }
        Ok(refuting)
    }

    fn check(&self, counts: &Counts) -> Result<()> {
        super::rule::check_counts(counts, &self.terms, self.seen)
    }
}
