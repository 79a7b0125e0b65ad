//! Sets of true labels, of a multi-label model.

use smoothtopk::certificate::stop::Rule;
use smoothtopk::certificate::{Basis, LabelSetCertificate, certify_label_set};
use smoothtopk::smoothed::{AllocationChoice, Outcome, Request};
use smoothtopk::stats::{Allocation, Tally};
use smoothtopk::{Error, Result};

use super::args::Args;
use crate::sampling::Sampling;

/// Refuses what certificates of sets of labels do not take.
pub fn check(args: &Args, sampling: &Sampling) -> Result<()> {
    let of_one = |field: &str, what: &str| {
        Err(Error::argument(
            field,
            format!("{what}, and with --base-k sets of true labels are certified: leave it out"),
        ))
    };
    if !sampling.data.has_labels() {
        let message = "has no labels: with --base-k, certificates are about sets of true labels";
        return Err(Error::data("data", message));
    }
    match args {
        _ if args.guarantee => of_one("guarantee", "is about the labels of an answer"),
        _ if args.select => of_one("select", "chooses one label"),
        _ if args.randomized => of_one("randomized", "is for the certificate of one label"),
        _ if args.rule != Rule::Fixed => of_one("rule", "is for one label"),
        _ if args.sample_shard.is_some() => of_one("sample-shard", "is for one label"),
        _ => Ok(()),
    }
}

/// Refuses examples without a label, and shares of alpha that are too small, before any sample.
pub fn check_all(request: &Request, sampling: &Sampling) -> Result<()> {
    let signature = sampling.model.signature();
    let tally = Tally::of_sets(vec![0; signature.classes], request.n, 0, 1)?;
    let mut basis = Basis::assuming(request.family, request.n, request.alpha, request.validity());
    if !request.family.is_enumerated() {
        basis.alpha_left = request.alpha_left(signature.elements)?;
    }
    let sets = sampling.examples.iter().map(|&index| (index, sampling.data.labels(index)));
    if let Some((index, _)) = sets.clone().find(|(_, labels)| labels.is_empty()) {
        let message = format!(
            "{} has no true label, so that there is nothing to certify: leave it out",
            sampling.data.name(index)
        );
        return Err(Error::data("labels", message));
    }
    let Some((_, largest)) = sets.max_by_key(|(_, labels)| labels.len()) else { return Ok(()) };
    let check = |&k: &usize| certify_label_set(&basis, &tally, largest, k, allocation(request)?).map(|_| ());
    request.k.iter().try_for_each(check)
}

/// The certificates of an example's labels, for each k; before its record, which says that they were made.
pub fn certify(outcome: &Outcome, labels: &[usize]) -> Result<Vec<LabelSetCertificate>> {
    let request = &outcome.request;
    let certify = |&k| outcome.counts.certify_label_set(labels, k, request.alpha, allocation(request)?);
    request.k.iter().map(certify).collect()
}

fn allocation(request: &Request) -> Result<&Allocation> {
    match &request.allocation {
        AllocationChoice::As(allocation) => Ok(allocation),
        AllocationChoice::Auto => {
            Err(Error::argument("allocation", "auto is for one label: sets of labels take ranked or simuem"))
        }
    }
}
