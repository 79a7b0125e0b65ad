//! When the guarantee for an answer is good enough: its set of k labels stays.

use super::certify::RADIUS_ERROR;
use super::rule::{Decision, Look, Rule, Terms, check_counts, leave_undecided, look_after};
use crate::certificate::plan::first_true;
use crate::certificate::{Inference, Returned, SetCertificate, certify_set, top_k_radius};
use crate::noise::family::Gaussian;
use crate::stats::{Counts, Prob, check_alpha};
use crate::{Error, Result};

/// What became of one k.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AnswerVerdict {
    /// The number of labels that are returned.
    pub k: usize,
    /// What was decided of the radius of their set.
    pub decision: Decision,
    /// The certificate of the set, of the look that decided, its slack taken off; of the last look, where nothing was decided.
    /// `None` before the first look.
    pub certificate: Option<SetCertificate>,
}

/// Decides when rows are enough to guarantee answers: whether their sets stay within the radius of [`Rule::Radius`], or when
/// further rows would add no more to their radii than [`Rule::Tolerance`]. All other guarantees, by [`Inference::ANYTIME`] and
/// the counts of any look, hold too.
///
/// The labels are those most frequent among pilot rows: labels that the very rows chose would be shown to be the most likely ones
/// by a test that holds for one number of rows only.
#[derive(Clone, Debug)]
pub struct AnswerJudge {
    terms: Terms,
    noise: Gaussian,
    slack: f64,
    answers: Vec<Returned>,
    verdicts: Vec<AnswerVerdict>,
    /// The first number of rows that can certify, and the first that can refute where that is fewer.
    first: u64,
    refuting: u64,
    seen: u64,
}

/// The two counts that the radius of a set rests on: its least frequent label's, and the most frequent one's outside.
struct Edge {
    inside: u64,
    outside: u64,
}

impl AnswerJudge {
    /// A judge of the answers that `pilot` gives for every k in `ks`, under noise of standard deviation `sigma`. `slack`, what the
    /// noise grid takes off every radius, is counted in.
    ///
    /// # Errors
    /// `InvalidArgument` when a term, sigma or a k is out of range, the slack is not a number from 0 up, there is no k, or the rule
    /// is neither [`Rule::Radius`] nor [`Rule::Tolerance`]; `InvalidData` when the pilot has another number of labels.
    pub fn new(terms: &Terms, pilot: &Counts, ks: &[usize], sigma: f64, slack: f64) -> Result<Self> {
        terms.check()?;
        let noise = Gaussian::new(sigma)?;
        if !(slack >= 0.0 && slack.is_finite()) {
            return Err(Error::argument("slack", format!("{slack} must be a finite number from 0 up")));
        }
        if !matches!(terms.rule, Rule::Radius(_) | Rule::Tolerance(_)) {
            let message = format!("{} is not for an answer: give radius:R or tolerance:E", terms.rule);
            return Err(Error::argument("rule", message));
        }
        if pilot.classes() != terms.classes {
            let message = format!("has {} labels, where there are {}", pilot.classes(), terms.classes);
            return Err(Error::data("pilot", message));
        }
        if ks.is_empty() {
            return Err(Error::argument("k", "there must be at least one k"));
        }
        let answers: Vec<Returned> = ks.iter().map(|&k| Returned::pilot(pilot, k)).collect::<Result<_>>()?;
        // Its shares may be too small where alpha itself is not.
        check_alpha(0.5 * terms.alpha / terms.classes as f64)?;
        let open = |&k: &usize| AnswerVerdict { k, decision: Decision::Open, certificate: None };
        let verdicts = ks.iter().map(open).collect();
        let n_max = terms.n_max;
        let mut judge = Self { terms: *terms, noise, slack, answers, verdicts, first: n_max, refuting: n_max, seen: 0 };
        judge.first = judge.first_useful()?;
        judge.refuting = judge.first_refuting()?;
        Ok(judge)
    }

    /// The number of rows of the next look, after one at `n` (0 before the first); `n_max` at last.
    pub fn next_look(&self, n: u64) -> u64 {
        let next = look_after(n, self.refuting, self.terms.n_max);
        if n < self.first { next.min(self.first) } else { next }
    }

    /// Looks at the counts of all rows so far, without the pilot's, and decides each answer that can be. Any number of rows will
    /// do, but not fewer than at the look before.
    ///
    /// # Errors
    /// `InvalidData` when the counts do not fit the number of labels, are of no row, or of fewer or more than they may be.
    pub fn look(&mut self, counts: &Counts) -> Result<Look> {
        check_counts(counts, &self.terms, self.seen)?;
        self.seen = counts.n();
        let last = counts.n() == self.terms.n_max;
        for i in 0..self.answers.len() {
            if self.verdicts[i].decision != Decision::Open {
                continue;
            }
            let certificate = self.certificate(counts, &self.answers[i])?;
            let decision = self.decide(counts, &self.answers[i], certificate.radius)?;
            let decision = if last && decision == Decision::Open { Decision::Undecided } else { decision };
            self.verdicts[i] = AnswerVerdict { k: self.verdicts[i].k, decision, certificate: Some(certificate) };
        }
        Ok(Look::after(self.verdicts.iter().map(|verdict| verdict.decision)))
    }

    /// Ends the rows at these counts, whatever the rule: a deadline, a cancel. What is still open is then undecided; its
    /// certificate is sound.
    ///
    /// # Errors
    /// As [`AnswerJudge::look`]; without any row nothing is looked at.
    pub fn close(&mut self, counts: &Counts) -> Result<()> {
        if counts.n() > 0 {
            let _ = self.look(counts)?;
        }
        leave_undecided(self.verdicts.iter_mut().map(|verdict| &mut verdict.decision));
        Ok(())
    }

    /// What became of each k so far, in their order.
    pub fn verdicts(&self) -> &[AnswerVerdict] {
        &self.verdicts
    }

    fn certificate(&self, counts: &Counts, answer: &Returned) -> Result<SetCertificate> {
        let found = certify_set(counts, answer, self.noise.sigma(), self.terms.alpha, &Inference::ANYTIME)?;
        Ok(found.shrunk_by(self.slack))
    }

    fn decide(&self, counts: &Counts, answer: &Returned, radius: f64) -> Result<Decision> {
        match self.terms.rule {
            Rule::Radius(asked) if radius >= asked => Ok(Decision::Certified),
            Rule::Radius(asked) if self.refutes(counts, answer, asked)? => Ok(Decision::Refuted),
            Rule::Radius(asked) if self.most(counts, answer)? < asked => Ok(Decision::Undecided),
            Rule::Tolerance(tolerance) => {
                let gain = if counts.n() == self.terms.n_max {
                    0.0
                } else if radius > 0.0 {
                    self.projected(counts, answer)? - radius
                } else {
                    // Frequencies that certify nothing may yet turn: only the limit ends this.
                    let limit = self.limit(&edge(counts, answer), answer, counts.n())?;
                    if limit <= 0.0 {
                        return Ok(Decision::Refuted);
                    }
                    limit
                };
                let tolerance = tolerance.absolute(self.noise.sigma());
                Ok(if gain <= tolerance { Decision::Reached } else { Decision::Open })
            }
            _ => Ok(Decision::Open),
        }
    }

    /// Whether no number of rows could bring the set's radius to `asked`, but with probability alpha.
    fn refutes(&self, counts: &Counts, answer: &Returned, asked: f64) -> Result<bool> {
        let (edge, n) = (edge(counts, answer), counts.n());
        let share = |count: u64| Prob { p: count as f64 / n as f64, q: (n - count) as f64 / n as f64 };
        // Where the frequencies themselves reach it, so does the limit.
        let reached = self.radius(share(edge.inside), share(edge.outside))? >= asked;
        Ok(!reached && self.limit(&edge, answer, n)? < asked)
    }

    /// What no number of rows could bring the radius above, but with probability alpha: alpha/2 for the k labels' bounds from
    /// above, alpha/2 for the others' from below, so that the least and the greatest of them are among those that hold.
    fn limit(&self, edge: &Edge, answer: &Returned, n: u64) -> Result<f64> {
        let (k, half) = (answer.labels().len(), (0.5 * self.terms.alpha).next_down());
        let each = |labels: usize| (half / labels as f64).next_down();
        let inside = (Inference::ANYTIME.upper)(edge.inside, n, each(k))?;
        let outside = (Inference::ANYTIME.lower)(edge.outside, n, each(self.terms.classes - k))?;
        let radius = top_k_radius(&self.noise, inside, &[outside])?.radius;
        Ok(if radius > 0.0 { radius + RADIUS_ERROR * self.noise.sigma() } else { 0.0 } - self.slack)
    }

    /// The radius that two probabilities or bounds of them give the set.
    fn radius(&self, inside: Prob, outside: Prob) -> Result<f64> {
        Ok(top_k_radius(&self.noise, inside, &[outside])?.radius - self.slack)
    }

    /// The radius that counts of `n` rows with this edge certify.
    fn certified(&self, edge: &Edge, n: u64) -> Result<f64> {
        // The halves that the set's certificate has of alpha.
        let half = 0.5 * self.terms.alpha;
        let inside = (Inference::ANYTIME.lower)(edge.inside, n, half)?;
        self.radius(inside, (Inference::ANYTIME.upper)(edge.outside, n, half)?)
    }

    /// The radius at `n_max`, should the frequencies stay what they are.
    fn projected(&self, counts: &Counts, answer: &Returned) -> Result<f64> {
        let (n, n_max) = (counts.n(), self.terms.n_max);
        let scale = |count: u64| (u128::from(count) * u128::from(n_max) / u128::from(n)) as u64;
        let Edge { inside, outside } = edge(counts, answer);
        self.certified(&Edge { inside: scale(inside), outside: scale(outside) }, n_max)
    }

    /// The radius at `n_max`, should all further rows raise the least frequent of the answer's labels.
    fn most(&self, counts: &Counts, answer: &Returned) -> Result<f64> {
        let mut inside: Vec<u64> = answer.labels().iter().map(|&label| counts.labels()[label]).collect();
        inside.sort_unstable();
        let rows = self.terms.n_max - counts.n();
        // The level to which that many rows fill the lowest labels up.
        let mut below = 0;
        let level = inside.iter().enumerate().map(|(i, &count)| {
            below += count;
            (rows + below) / (i as u64 + 1)
        });
        let level = level.min().unwrap_or(0);
        let outside = edge(counts, answer).outside;
        self.certified(&Edge { inside: level, outside }, self.terms.n_max)
    }

    /// The smallest number of rows at which something can be decided in favour of an answer whose labels share all rows evenly,
    /// or `n_max`.
    fn first_useful(&self) -> Result<u64> {
        let asked = if let Rule::Radius(radius) = self.terms.rule { radius } else { 0.0 };
        let mut first = self.terms.n_max;
        for answer in &self.answers {
            let reaches = |n: u64| -> Result<bool> {
                let inside = n / answer.labels().len() as u64;
                let radius = self.certified(&Edge { inside, outside: 0 }, n)?;
                Ok(radius > 0.0 && radius >= asked)
            };
            if reaches(first)? {
                first = first_true(1, first, reaches)?;
            }
        }
        Ok(first)
    }

    /// The smallest number of rows at which an answer can be refuted, all rows having one other label; at most `first`.
    fn first_refuting(&self) -> Result<u64> {
        let asked = if let Rule::Radius(radius) = self.terms.rule { radius } else { f64::MIN_POSITIVE };
        let mut refuting = self.first;
        for answer in &self.answers {
            let refutes = |n: u64| Ok(self.limit(&Edge { inside: 0, outside: n }, answer, n)? < asked);
            if refutes(refuting)? {
                refuting = first_true(1, refuting, refutes)?;
            }
        }
        Ok(refuting)
    }
}

fn edge(counts: &Counts, answer: &Returned) -> Edge {
    let mut is_inside = vec![false; counts.classes()];
    answer.labels().iter().for_each(|&label| is_inside[label] = true);
    let (mut inside, mut outside) = (u64::MAX, 0);
    for (&count, is_inside) in counts.labels().iter().zip(is_inside) {
        if is_inside {
            inside = inside.min(count);
        } else {
            outside = outside.max(count);
        }
    }
    // Rows without a label may have been anyone's outside.
    Edge { inside, outside: outside + counts.invalid() }
}
