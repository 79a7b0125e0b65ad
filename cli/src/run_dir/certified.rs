//! Whether a record says what its counts prove: every certificate is worked out again.

use smoothtopk::certificate::{Query, Randomized};
use smoothtopk::counts::{Counts, Draw};
use smoothtopk::perturbation::Shift;
use smoothtopk::record::{CertificateRecord, GuaranteeRecord, LabelSetRecord, LabelSource, Record};
use smoothtopk::stats::randomized::Uniform;
use smoothtopk::{Error, Result};

use super::Manifest;

/// How far a number may be from the one that is worked out again, in units of the noise's scale: other machines round
/// otherwise.
const CLOSE: f64 = 1e-9;

/// Whether what a record says must follow from its counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It is worked out again, and must be the same.
    Needed,
    /// It is taken as it stands.
    Waived,
}

/// Refuses a record that is not one of the RUN, or whose certificates are not those of its counts.
///
/// # Errors
/// `InvalidData` with the field that is not as it must be.
pub fn check(record: &Record, counts: &Counts, manifest: &Manifest, proof: Proof) -> Result<()> {
    let wrong = |field: &str, message: String| Err(Error::data(field, message));
    if record.request != manifest.request {
        return wrong("request", "is not the RUN's, which its manifest has".into());
    }
    let ks = if record.status == "OK" { &manifest.request.k[..] } else { &[] };
    let none = &[][..];
    let (labels, answers, sets) = match (manifest.reading.base_k, manifest.guarantee) {
        (Some(_), _) => (none, none, ks),
        (None, true) => (none, ks, none),
        (None, false) => (ks, none, none),
    };
    if !record.label_sets.iter().map(|found| found.k).eq(sets.iter().copied()) {
        return wrong("label_sets", format!("must be those for k = {sets:?}"));
    }
    if counts.base_k() != manifest.reading.base_k {
        return wrong("base_k", "is not the RUN's, which its manifest has".into());
    }
    if !record.certificates.iter().map(|found| found.k).eq(labels.iter().copied()) {
        return wrong("certificates", format!("must be those for k = {labels:?}"));
    }
    if !record.guarantees.iter().map(|found| found.k).eq(answers.iter().copied()) {
        return wrong("guarantees", format!("must be those for k = {answers:?}"));
    }
    if counts.classes() != manifest.reading.classes {
        return wrong("counts", format!("have {} labels, not {}", counts.classes(), manifest.reading.classes));
    }
    if record.label_source != manifest.label_source {
        return wrong("label_source", "is not the RUN's, which its manifest has".into());
    }
    let earlier = (0..ks.len()).map(|i| record.counts_of(i)).collect::<Result<Vec<_>>>()?;
    if earlier.iter().chain([counts]).any(|counts| *counts.perturbation() != manifest.perturbation) {
        return wrong("perturbation", "is not the RUN's, which its manifest has".into());
    }
    let pilot = record.selection.clone().map(Counts::try_from).transpose()?;
    // Whose index is its stream: the record of one example is not that of another.
    let own = |draw: &Draw| {
        let source = (&draw.generator, &draw.secret_sha256) == (&manifest.generator, &manifest.secret_sha256);
        source && record.index.is_some_and(|index| draw.stream == index as u64)
    };
    let draws = earlier.iter().chain([counts]).chain(&pilot).flat_map(|counts| counts.draws().list(false));
    if let Some(other) = draws.into_iter().find(|draw| !own(draw)) {
        let stream = other.stream;
        return wrong(
            "draws",
            format!("are of the stream {stream} or of another secret, not of this example of the RUN"),
        );
    }
    for found in &record.certificates {
        if found.radius < 0.0 || found.certified != (found.radius > 0.0) {
            let (k, radius, certified) = (found.k, found.radius, found.certified);
            return wrong("radius", format!("of k = {k} is {radius}, and certified is {certified}"));
        }
    }
    if record.label_sets.iter().any(|found| found.labels != record.label_sets[0].labels) {
        return wrong("label_sets", "are of other true labels for each k".into());
    }
    for GuaranteeRecord { k, labels, label_radii, kept_radii, .. } in &record.guarantees {
        if [labels.len(), label_radii.len(), kept_radii.len()] != [*k; 3] {
            return wrong("guarantees", format!("have lists of another length than k = {k}"));
        }
    }
    if proof == Proof::Waived {
        return Ok(());
    }
    for (i, found) in record.certificates.iter().enumerate() {
        label(record, found, &earlier[i])?;
    }
    for (i, found) in record.label_sets.iter().enumerate() {
        label_set(record, found, &earlier[i])?;
    }
    for (i, found) in record.guarantees.iter().enumerate() {
        answer(record, found, pilot.as_ref(), &earlier[i])?;
    }
    Ok(())
}

fn altered(k: usize, what: &str, found: &str, proven: &str) -> Error {
    let message = format!("of k = {k} is {found}, and its counts give {proven}: the record was altered");
    Error::data(what, message)
}

/// The numbers of a record, each beside the one that its counts give.
fn compare(k: usize, scale: f64, numbers: &[(&str, f64, f64)]) -> Result<()> {
    let close = |found: f64, proven: f64| found == proven || (found - proven).abs() <= CLOSE * (scale + proven.abs());
    match numbers.iter().find(|(_, found, proven)| !close(*found, *proven)) {
        None => Ok(()),
        Some((what, found, proven)) => Err(altered(k, what, &found.to_string(), &proven.to_string())),
    }
}

fn label(record: &Record, found: &CertificateRecord, counts: &Counts) -> Result<()> {
    let &CertificateRecord { k, label, .. } = found;
    let fixed = match record.label_source {
        LabelSource::Given => record.true_label,
        _ => record.label,
    };
    if Some(label) != fixed {
        let fixed = fixed.map_or_else(|| "none".to_owned(), |label| label.to_string());
        let message =
            format!("of k = {k} is {label}, and {fixed} was fixed before the samples: the record was altered");
        return Err(Error::data("label", message));
    }
    let randomized = found.uniform().map(Uniform::new).transpose()?.map_or(Randomized::No, Randomized::By);
    let allocation = found.allocation.parse()?;
    let query = Query { label, k, alpha: record.request.alpha, allocation, randomized };
    let proven = counts.certify(&query)?;
    let scale = proven.basis.noise.scale();
    compare(
        k,
        scale,
        &[
            ("radius", found.radius, proven.radius),
            ("radius_cost", found.radius_cost, proven.basis.radius_cost),
            ("alpha_left", found.alpha_left, proven.basis.alpha_left),
            ("n", found.n as f64, proven.basis.n as f64),
            ("p_lower", found.p_lower, proven.p_lower.p),
            ("p_upper", found.p_upper, proven.p_upper.p),
        ],
    )
}

fn label_set(record: &Record, found: &LabelSetRecord, counts: &Counts) -> Result<()> {
    let proven = counts.certify_label_set(&found.labels, found.k, record.request.alpha, &found.allocation.parse()?)?;
    if found.radii.len() != proven.radii.len() || found.base_k != proven.base_k {
        return Err(altered(found.k, "label_sets", &format!("{:?}", found.radii), &format!("{:?}", proven.radii)));
    }
    let mut numbers = vec![
        ("radius_cost", found.radius_cost, proven.basis.radius_cost),
        ("alpha_left", found.alpha_left, proven.basis.alpha_left),
        ("n", found.n as f64, proven.basis.n as f64),
    ];
    numbers.extend(found.radii().zip(&proven.radii).map(|(found, &proven)| ("radii", found, proven)));
    compare(found.k, proven.basis.noise.scale(), &numbers)
}

fn answer(record: &Record, found: &GuaranteeRecord, pilot: Option<&Counts>, counts: &Counts) -> Result<()> {
    let GuaranteeRecord { k, ref labels, ref label_radii, ref kept_radii, .. } = *found;
    let proven = counts.guarantee(pilot, k, record.request.alpha)?;
    if proven.labels() != labels {
        return Err(altered(k, "labels", &format!("{labels:?}"), &format!("{:?}", proven.labels())));
    }
    let endless = |radius: Option<f64>| radius.unwrap_or(f64::INFINITY);
    let mut numbers = vec![
        ("set_radius", found.set_radius, proven.set.radius),
        ("first_radius", found.first_radius, proven.first.radius),
        ("ranking_radius", found.ranking_radius, proven.ranking.radius),
        ("radius_cost", found.radius_cost, proven.basis().radius_cost),
        ("alpha_left", found.alpha_left, proven.basis().alpha_left),
        ("n", found.n as f64, proven.basis().n as f64),
    ];
    let each = label_radii.iter().zip(&proven.each.labels);
    numbers.extend(each.map(|(&found, proven)| ("label_radii", found, proven.radius)));
    let kept = kept_radii.iter().zip(&proven.kept);
    numbers.extend(
        kept.map(|(&found, proven)| {
            ("kept_radii", endless(found), endless(proven.as_ref().map(|proven| proven.radius)))
        }),
    );
    compare(k, proven.basis().noise.scale(), &numbers)
}
