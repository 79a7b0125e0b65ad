//! Records: those of a RUN, and others.

use std::path::Path;

use smoothtopk::certificate::{Query, Randomized};
use smoothtopk::counts::Counts;
use smoothtopk::record::Record;
use smoothtopk::smoothed::AllocationChoice;
use smoothtopk::stats::randomized::Uniform;
use smoothtopk::stats::{Allocation, check_k};
use smoothtopk::{Error, Result};

use super::args::{Args, refuse_plain_options};
use super::table::Table;
use crate::number::number;
use crate::run_dir::{Entry, MANIFEST, Manifest, Records};

/// The certificates of a RUN.
pub fn of_run(args: &Args, folder: &Path, table: &mut Table) -> Result<()> {
    let manifest = Manifest::load(&folder.join(MANIFEST))?;
    for entry in Records::open(folder, &manifest)? {
        let Entry { record, counts, .. } = entry?;
        of_record(args, &record, &counts, record.index.unwrap_or_default(), table)?;
    }
    if let Some(total) = manifest.alpha_total {
        let own = &manifest.request;
        let other_alpha = args.alpha.is_some_and(|alpha| alpha != own.alpha);
        if other_alpha || args.allocation.is_some() || args.k.iter().any(|k| !own.k.contains(k)) {
            say!("note: these statements are not among those that share the RUN's alpha of {}", number(total));
        }
    }
    Ok(())
}

/// The certificates of one record, for each k.
pub fn of_record(args: &Args, record: &Record, counts: &Counts, idx: usize, table: &mut Table) -> Result<()> {
    refuse_plain_options(args)?;
    if args.label.is_some() {
        return Err(Error::argument("label", "a record has its own: leave --label out"));
    }
    if counts.base_k().is_some() {
        let message = "are of sets of labels, and certify sets of true labels: the radii are in the record, and in the labels_k files \
                       of its RUN";
        return Err(Error::argument("counts", message));
    }
    if record.task == "certify_answer" {
        let message = "are of guarantees for an answer: no label was fixed before these samples, so they certify none; the radii are \
                       in the record, and in the answer_k files of its RUN";
        return Err(Error::argument("counts", message));
    }
    if args.alpha.is_some() && counts.perturbation().noise.is_enumerated() {
        let message = format!("{} classifies all of its rows: leave --alpha out", counts.perturbation().noise);
        return Err(Error::argument("alpha", message));
    }
    table.assume(counts);
    let ks = if args.k.is_empty() { &record.request.k } else { &args.k };
    for &k in ks {
        check_k(k, counts.classes())?;
        let radius = match record.label.filter(|_| record.status == "OK") {
            Some(label) => radius(args, record, counts, label, k)?,
            // The time was too short for a look.
            None => 0.0,
        };
        table.add(idx, k, radius, counts);
    }
    Ok(())
}

fn radius(args: &Args, record: &Record, counts: &Counts, label: usize, k: usize) -> Result<f64> {
    let own = record.certificates.iter().position(|found| found.k == k);
    let found = own.map(|i| &record.certificates[i]);
    let uniform = found.and_then(|found| found.uniform()).map(Uniform::new).transpose()?;
    let query = Query {
        k,
        alpha: args.alpha.unwrap_or(record.request.alpha),
        allocation: match &args.allocation {
            Some(allocation) => allocation.clone(),
            None => own_allocation(record, own, k)?,
        },
        randomized: uniform.map_or(Randomized::No, Randomized::By),
        ..Query::of_label(label)
    };
    let last = counts.certify(&query)?.radius;
    match own.filter(|_| found.is_some_and(|found| found.counts.is_some())) {
        // Bounds that hold at all looks are true at both.
        Some(i) => Ok(record.counts_of(i)?.certify(&query)?.radius.max(last)),
        None => Ok(last),
    }
}

/// How alpha was split for this k, or is for every k.
fn own_allocation(record: &Record, own: Option<usize>, k: usize) -> Result<Allocation> {
    if let Some(i) = own {
        return record.certificates[i].allocation.parse();
    }
    match record.request.allocation.parse()? {
        AllocationChoice::As(allocation) => Ok(allocation),
        AllocationChoice::Auto => {
            let ks = &record.request.k;
            let message =
                format!("pilot samples chose how alpha is split for k = {ks:?} alone, not for {k}: give --allocation");
            Err(Error::argument("k", message))
        }
    }
}
