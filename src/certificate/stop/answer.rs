//! When the guarantee for an answer is good enough: its set of k labels stays.

use super::certify::{RADIUS_ERROR, raised};
use super::judge::{Judge, Statements, first_for_any};
use super::look::{Decision, look_after};
use super::terms::Terms;
use crate::certificate::{AnswerLabels, Basis, BoundFunctions, Question, SetCertificate, top_k_radius};
use crate::counts::Rule;
use crate::perturbation::{Family, Shift};
use crate::stats::{Prob, Tally, check_alpha};
use crate::{Error, Result};

/// Decides when samples are enough to guarantee answers: whether their sets stay within the radius of [`Rule::Radius`],
/// or when further samples would add no more to their radii than [`Rule::Tolerance`]. All other guarantees from the
/// counts of any look hold too.
///
/// The labels are those most frequent among pilot samples: labels that the very samples chose would be shown to be the
/// most likely ones by a test that holds for one number of samples only.
pub type AnswerJudge = Judge<AnswerStatements, SetCertificate>;

/// Certificates of the sets of answers.
#[derive(Clone, Debug)]
pub struct AnswerStatements {
    terms: Terms,
    basis: Basis,
    answers: Vec<AnswerLabels>,
    /// The first number of samples that can certify, and the first that can refute where that is fewer.
    first: u64,
    refuting: u64,
}

/// The two counts that the radius of a set rests on: its least frequent label's, and the most frequent one's outside.
struct Edge {
    inside: u64,
    outside: u64,
}

impl AnswerJudge {
    /// A judge of the answers that `pilot` gives for every k in `ks`, under `noise`, whose rounding takes `radius_cost`
    /// off every radius.
    ///
    /// # Errors
    /// `InvalidArgument` when a term or a k is out of range, the cost is not a number from 0 up, there is no k, or the
    /// rule is neither [`Rule::Radius`] nor [`Rule::Tolerance`]; `InvalidData` when the pilot has another number of
    /// labels.
    pub fn new(terms: &Terms, pilot: &Tally, ks: &[usize], noise: impl Into<Family>, radius_cost: f64) -> Result<Self> {
        let basis = terms.basis(noise.into(), radius_cost)?;
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
        let answers: Vec<AnswerLabels> = ks.iter().map(|&k| AnswerLabels::pilot(pilot, k)).collect::<Result<_>>()?;
        // Its shares may be too small where alpha itself is not.
        check_alpha(0.5 * terms.alpha / terms.classes as f64)?;
        let n_max = terms.n_max;
        let mut of_answers = AnswerStatements { terms: *terms, basis, answers, first: n_max, refuting: n_max };
        of_answers.first = of_answers.first_useful()?;
        of_answers.refuting = of_answers.first_refuting()?;
        Ok(Self::of(terms, of_answers))
    }
}

impl Statements for AnswerStatements {
    type Found = SetCertificate;

    fn ks(&self) -> Vec<usize> {
        self.answers.iter().map(|answer| answer.labels().len()).collect()
    }

    fn decide(&mut self, i: usize, _: &Terms, tally: &Tally) -> Result<(Decision, SetCertificate)> {
        let answer = &self.answers[i];
        let certificate = Question::new(&self.basis, tally, answer)?.set()?;
        Ok((self.judged(tally, answer, certificate.radius)?, certificate))
    }

    fn next_look(&self, n: u64, n_max: u64) -> u64 {
        let next = look_after(n, self.refuting, n_max);
        if n < self.first { next.min(self.first) } else { next }
    }
}

impl AnswerStatements {
    fn judged(&self, counts: &Tally, answer: &AnswerLabels, radius: f64) -> Result<Decision> {
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
                let tolerance = tolerance.absolute(self.basis.noise.scale());
                Ok(if gain <= tolerance { Decision::Reached } else { Decision::Open })
            }
            _ => Ok(Decision::Open),
        }
    }

    /// Whether no number of samples could bring the set's radius to `asked`, but with probability alpha.
    fn refutes(&self, counts: &Tally, answer: &AnswerLabels, asked: f64) -> Result<bool> {
        let (edge, n) = (edge(counts, answer), counts.n());
        let share = |count: u64| Prob { p: count as f64 / n as f64, q: (n - count) as f64 / n as f64 };
        // Where the frequencies themselves reach it, so does the limit.
        let reached = self.radius(share(edge.inside), share(edge.outside))? >= asked;
        Ok(!reached && self.limit(&edge, answer, n)? < asked)
    }

    /// What no number of samples could bring the radius above, but with probability alpha: alpha/2 for the k labels'
    /// bounds from above, alpha/2 for the others' from below, so that the least and the greatest of them are among
    /// those that hold.
    fn limit(&self, edge: &Edge, answer: &AnswerLabels, n: u64) -> Result<f64> {
        let (k, half) = (answer.labels().len(), (0.5 * self.basis.alpha_left).next_down());
        let each = |labels: usize| (half / labels as f64).next_down();
        let inside = (BoundFunctions::ANYTIME.upper)(edge.inside, n, each(k))?;
        let outside = (BoundFunctions::ANYTIME.lower)(edge.outside, n, each(self.terms.classes - k))?;
        let radius = top_k_radius(&self.basis.noise, raised(&self.basis.noise, inside), &[outside])?.radius;
        Ok(if radius > 0.0 { radius + RADIUS_ERROR * self.basis.noise.scale() } else { 0.0 } - self.basis.radius_cost)
    }

    /// The radius that two probabilities or bounds of them give the set.
    fn radius(&self, inside: Prob, outside: Prob) -> Result<f64> {
        Ok(top_k_radius(&self.basis.noise, inside, &[outside])?.radius - self.basis.radius_cost)
    }

    /// The radius that counts of `n` samples with this edge certify.
    fn certified(&self, edge: &Edge, n: u64) -> Result<f64> {
        // The halves that the set's certificate has of alpha.
        let half = 0.5 * self.basis.alpha_left;
        let inside = (BoundFunctions::ANYTIME.lower)(edge.inside, n, half)?;
        self.radius(inside, (BoundFunctions::ANYTIME.upper)(edge.outside, n, half)?)
    }

    /// The radius at `n_max`, should the frequencies stay what they are.
    fn projected(&self, counts: &Tally, answer: &AnswerLabels) -> Result<f64> {
        let (n, n_max) = (counts.n(), self.terms.n_max);
        let scale = |count: u64| (u128::from(count) * u128::from(n_max) / u128::from(n)) as u64;
        let Edge { inside, outside } = edge(counts, answer);
        self.certified(&Edge { inside: scale(inside), outside: scale(outside) }, n_max)
    }

    /// The radius at `n_max`, should all further samples raise the least frequent of the answer's labels.
    fn most(&self, counts: &Tally, answer: &AnswerLabels) -> Result<f64> {
        let mut inside: Vec<u64> = answer.labels().iter().map(|&label| counts.labels()[label]).collect();
        inside.sort_unstable();
        let rest = self.terms.n_max - counts.n();
        // The level to which that many samples fill the lowest labels up.
        let mut below = 0;
        let level = inside.iter().enumerate().map(|(i, &count)| {
            below += count;
            (rest + below) / (i as u64 + 1)
        });
        let level = level.min().unwrap_or(0);
        let outside = edge(counts, answer).outside;
        self.certified(&Edge { inside: level, outside }, self.terms.n_max)
    }

    /// The smallest number of samples at which something can be decided in favour of an answer whose labels share all
    /// samples evenly, or `n_max`.
    fn first_useful(&self) -> Result<u64> {
        let asked = if let Rule::Radius(radius) = self.terms.rule { radius } else { 0.0 };
        first_for_any(self.answers.len(), self.terms.n_max, |i, n| {
            let inside = n / self.answers[i].labels().len() as u64;
            let radius = self.certified(&Edge { inside, outside: 0 }, n)?;
            Ok(radius > 0.0 && radius >= asked)
        })
    }

    /// The smallest number of samples at which an answer can be refuted, all samples having one other label; at most
    /// `first`.
    fn first_refuting(&self) -> Result<u64> {
        let asked = if let Rule::Radius(radius) = self.terms.rule { radius } else { f64::MIN_POSITIVE };
        first_for_any(self.answers.len(), self.first, |i, n| {
            Ok(self.limit(&Edge { inside: 0, outside: n }, &self.answers[i], n)? < asked)
        })
    }
}

fn edge(counts: &Tally, answer: &AnswerLabels) -> Edge {
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
    // Invalid samples may have been anyone's outside.
    Edge { inside, outside: outside + counts.invalid() }
}
