//! Statements from numbers alone, one call each: for tests of the statistics under the doors that users take.
#![allow(dead_code)]

use smoothtopk::Result;
use smoothtopk::certificate::{self, AnswerLabels, Basis, BoundFunctions, Certificate, Question, auto};
use smoothtopk::certificate::{EachCertificate, OrderCertificate, SetCertificate};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::{Allocation, Tally, Validity};

fn basis(sigma: f64, n: u64, alpha: f64, validity: Validity) -> Result<Basis> {
    Ok(Basis::assuming(Gaussian::new(sigma)?, n, alpha, validity))
}

/// The certificate of a label by a number of samples that was fixed beforehand.
pub fn certify(
    tally: &Tally,
    label: usize,
    k: usize,
    sigma: f64,
    alpha: f64,
    allocation: &Allocation,
) -> Result<Certificate> {
    certify_with(tally, label, k, sigma, alpha, allocation, Validity::Fixed)
}

/// By bounds of any kind.
pub fn certify_with(
    tally: &Tally,
    label: usize,
    k: usize,
    sigma: f64,
    alpha: f64,
    allocation: &Allocation,
    validity: Validity,
) -> Result<Certificate> {
    certificate::certify(&basis(sigma, tally.n(), alpha, validity)?, tally, label, k, allocation)
}

/// The allocation that a pilot promises most of.
pub fn choose(pilot: &Tally, label: usize, k: usize, n: u64, alpha: f64, validity: Validity) -> Result<Allocation> {
    auto::choose(pilot, label, k, &basis(1.0, n, alpha, validity)?)
}

fn ask<Statement>(
    tally: &Tally,
    labels: &AnswerLabels,
    sigma: f64,
    alpha: f64,
    bounds: &BoundFunctions,
    statement: impl Fn(&Question<'_>) -> Result<Statement>,
) -> Result<Statement> {
    let basis = basis(sigma, tally.n(), alpha, Validity::Fixed)?;
    statement(&Question::new(&basis, tally, labels)?.with_bounds(*bounds))
}

/// [`Question::each`].
pub fn certify_each(
    tally: &Tally,
    labels: &AnswerLabels,
    sigma: f64,
    alpha: f64,
    bounds: &BoundFunctions,
) -> Result<EachCertificate> {
    ask(tally, labels, sigma, alpha, bounds, |question| question.each())
}

/// [`Question::set`].
pub fn certify_set(
    tally: &Tally,
    labels: &AnswerLabels,
    sigma: f64,
    alpha: f64,
    bounds: &BoundFunctions,
) -> Result<SetCertificate> {
    ask(tally, labels, sigma, alpha, bounds, |question| question.set())
}

/// [`Question::kept`].
pub fn certify_kept(
    tally: &Tally,
    labels: &AnswerLabels,
    at_least: usize,
    sigma: f64,
    alpha: f64,
    bounds: &BoundFunctions,
) -> Result<SetCertificate> {
    ask(tally, labels, sigma, alpha, bounds, |question| question.kept(at_least))
}

/// [`Question::order`].
pub fn certify_order(
    tally: &Tally,
    labels: &AnswerLabels,
    places: usize,
    sigma: f64,
    alpha: f64,
    bounds: &BoundFunctions,
) -> Result<OrderCertificate> {
    ask(tally, labels, sigma, alpha, bounds, |question| question.order(places))
}
