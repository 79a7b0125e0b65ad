//! Warnings of requests that no counts at all could satisfy.

use smoothtopk::Result;
use smoothtopk::certificate::stop::Rule;
use smoothtopk::certificate::{Inference, Returned, certify_set, plan};
use smoothtopk::smoothed::{Bounding, Request};
use smoothtopk::stats::randomized::Uniform;
use smoothtopk::stats::{Allocation, Counts, Validity};

use crate::number::number;
use crate::run_dir::Manifest;

/// Says so on stderr when no counts at all could give a certificate, or the one that the rule asks for.
pub fn warn(request: &Request, manifest: &Manifest, guarantee: bool) {
    // The radius that an example must reach for something to come of it.
    let wanted = match request.rule {
        Rule::Radius(radius) => radius,
        _ => 0.0,
    } + manifest.radius_slack;
    let alpha = if manifest.alpha_noise > 0.0 { manifest.alpha - manifest.alpha_noise } else { manifest.alpha };
    let Manifest { n, ref bound, .. } = *manifest;
    let fate = |what| match request.rule {
        Rule::Radius(radius) => format!("no {what} can be certified at {}", number(radius)),
        _ => format!("no {what} will be certified"),
    };
    for &k in &manifest.k {
        if guarantee {
            if set_of_evenly_split(manifest, k, alpha, request).is_ok_and(|radius| radius <= wanted) {
                eprintln!(
                    "warning: with n = {n} and alpha = {} {} at k = {k}: give more rows",
                    number(manifest.alpha),
                    fate("set")
                );
            }
            continue;
        }
        let allocations = match &request.bound {
            Bounding::As(allocation) => vec![allocation.clone()],
            Bounding::Auto => vec![Allocation::default(), Allocation::BinoCp, Allocation::SimuEm],
        };
        let (classes, validity) = (manifest.classes, |n| most_certifying(request, n));
        let reaches = |allocation: &Allocation| {
            let largest = plan::largest_radius_with(n, k, request.sigma, alpha, allocation, validity(n), classes);
            largest.is_ok_and(|radius| radius > wanted)
        };
        if allocations.iter().any(reaches) {
            continue;
        }
        let share = wanted.next_up() / request.sigma;
        let smallest = |allocation| plan::smallest_n_with(k, alpha, allocation, validity, classes, share);
        let smallest: Vec<Result<u64>> = allocations.iter().map(smallest).collect();
        let remedy = match (smallest.iter().flatten().min(), smallest.iter().find_map(|found| found.as_ref().err())) {
            (Some(n), _) => format!("n must be at least {n}"),
            (None, Some(error)) => error.to_string(),
            (None, None) => continue,
        };
        let fate = fate("example");
        eprintln!(
            "warning: with n = {n}, alpha = {} and bound {bound} {fate} at k = {k}: {remedy}",
            number(manifest.alpha)
        );
    }
}

/// The bounds of n rows at most with which the fewest certify: of randomized ones, those of the luckiest uniform.
fn most_certifying(request: &Request, n: u64) -> Validity {
    match Uniform::new(f64::MIN_POSITIVE) {
        Ok(luckiest) if request.randomized => Validity::Randomized(luckiest),
        _ => request.rule.validity(n),
    }
}

/// The set radius where the k labels share all rows evenly, the most that any counts give.
fn set_of_evenly_split(manifest: &Manifest, k: usize, alpha: f64, request: &Request) -> Result<f64> {
    let mut labels = vec![0; manifest.classes];
    let (each, rest) = (manifest.n / k as u64, (manifest.n % k as u64) as usize);
    labels[..k].fill(each);
    labels[..rest].fill(each + 1);
    let counts = Counts::complete(labels)?;
    Ok(certify_set(&counts, &Returned::pilot(&counts, k)?, manifest.sigma, alpha, &Inference::of(request.validity())?)?
        .radius)
}
