//! Warnings of requests that no counts at all can satisfy.

use smoothtopk::Result;
use smoothtopk::certificate::plan::Forecast;
use smoothtopk::certificate::stop::Rule;
use smoothtopk::certificate::{AnswerLabels, Basis, Guarantee, certify};
use smoothtopk::smoothed::{AllocationChoice, Request};
use smoothtopk::stats::randomized::Uniform;
use smoothtopk::stats::{Allocation, Tally, Validity};

use crate::number::number;
use crate::run_dir::Manifest;

/// Says so on stderr when no counts at all can give a certificate, or the one that the rule asks for.
pub fn warn(request: &Request, manifest: &Manifest) -> Result<()> {
    if request.family.is_enumerated() || manifest.reading.base_k.is_some() {
        return Ok(());
    }
    let (n, classes) = (request.n, manifest.reading.classes);
    // The radius that an example must reach for something to come of it.
    let wanted = if let Rule::Radius(radius) = request.rule { radius } else { 0.0 };
    let validity = match Uniform::new(f64::MIN_POSITIVE) {
        Ok(luckiest) if request.randomized => Validity::Randomized(luckiest),
        _ => request.validity(),
    };
    let mut basis = Basis::assuming(request.family, n, request.alpha, validity);
    basis.alpha_left = manifest.perturbation.alpha_left(request.alpha, n)?;
    basis.radius_cost = manifest.perturbation.radius_cost;
    let allocations = match &request.allocation {
        AllocationChoice::As(allocation) => vec![allocation.clone()],
        AllocationChoice::Auto => Allocation::PLAIN.to_vec(),
    };
    for &k in &request.k {
        let at = |what: &str| match request.rule {
            Rule::Radius(radius) => format!("no {what} can be certified at {} at k = {k}", number(radius)),
            _ => format!("no {what} will be certified at k = {k}"),
        };
        let (alpha, allocation) = (number(request.alpha), &request.allocation);
        if manifest.guarantee {
            if set_of_even_counts(&basis, k, classes).is_ok_and(|radius| radius <= wanted) {
                say!("warning: with n = {n} and alpha = {alpha} {}: give more samples", at("set"));
            }
            continue;
        }
        let reaches = |allocation: &Allocation| largest(&basis, k, allocation, classes).is_ok_and(|r| r > wanted);
        if allocations.iter().any(reaches) {
            continue;
        }
        let Basis { alpha_left: left, radius_cost, noise, .. } = basis;
        let forecast = |allocation: &Allocation| {
            let forecast =
                Forecast { radius_cost, rule: request.rule, k, alpha: left, ..Forecast::new(noise, classes) };
            Forecast { allocation: allocation.clone(), ..forecast }.smallest_n(wanted.next_up())
        };
        let smallest: Vec<Result<u64>> = allocations.iter().map(forecast).collect();
        let remedy = match (smallest.iter().flatten().min(), smallest.iter().find_map(|found| found.as_ref().err())) {
            (Some(n), _) => format!("n must be at least {n}"),
            (None, Some(error)) => error.to_string(),
            (None, None) => continue,
        };
        say!("warning: with n = {n}, alpha = {alpha} and allocation {allocation} {}: {remedy}", at("example"));
    }
    Ok(())
}

/// The largest radius that the samples of a basis can certify: the one where all of them give the label.
fn largest(basis: &Basis, k: usize, allocation: &Allocation, classes: usize) -> Result<f64> {
    // The last label, unless an allocation names it as a rival.
    let named = if let Allocation::Pooled { named, .. } = allocation { &named[..] } else { &[] };
    let label = (0..classes).rev().find(|label| !named.contains(label)).unwrap_or(0);
    let mut labels = vec![0; classes];
    labels[label] = basis.n;
    Ok(certify(basis, &Tally::complete(labels)?, label, k, allocation)?.radius)
}

/// The set radius where the k labels share all samples evenly, the most that any counts give.
fn set_of_even_counts(basis: &Basis, k: usize, classes: usize) -> Result<f64> {
    let mut labels = vec![0; classes];
    let (each, rest) = (basis.n / k as u64, (basis.n % k as u64) as usize);
    labels[..k].fill(each);
    labels[..rest].fill(each + 1);
    let tally = Tally::complete(labels)?;
    Ok(Guarantee::new(basis, &tally, &AnswerLabels::pilot(&tally, k)?)?.set.radius)
}
