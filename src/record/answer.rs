//! What an answer says of one k.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::certificate::stop::Decision;
use crate::certificate::{Certificate, Guarantee, LabelSetCertificate, Prediction, SetCertificate};
use crate::counts::{Counts, CountsForm};
use crate::perturbation::{Family, Norm};
use crate::stats::Validity;

/// A prediction of the top k.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictionRecord {
    /// The size of the set.
    pub k: usize,
    /// What the rule decided.
    pub decision: String,
    /// The k labels with the largest counts, descending, also when abstaining.
    pub labels: Vec<usize>,
    /// The p-value of the test at the boundary of the set; under a rule one that holds at all looks at once.
    pub p_value: f64,
    /// Whether the labels are no prediction.
    pub abstain: bool,
}

/// A certificate of one label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateRecord {
    /// The size of the top set.
    pub k: usize,
    /// The label.
    pub label: usize,
    /// What the rule decided.
    pub decision: String,
    /// The certified radius, in the norm of the noise and the units of the input; 0 for none.
    pub radius: f64,
    /// What the radius is in l1, l2 and linf, rounded down: the largest balls of those norms inside its own. Without
    /// its own norm, and without norms that have no such ball.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub radius_in: BTreeMap<String, f64>,
    /// Whether the radius is above 0.
    pub certified: bool,
    /// Lower bound of the label's probability.
    pub p_lower: f64,
    /// Upper bound of the summed probability of the rivals that limit the radius.
    pub p_upper: f64,
    /// How many rivals that sum has.
    pub set_size: usize,
    /// How alpha was split between the bounds.
    pub allocation: String,
    /// The bounds that were used: `fixed`, `anytime`, `anytime:N` or `randomized:U`.
    pub validity: String,
    /// What the noise's distance from an exact one left of alpha.
    pub alpha_left: f64,
    /// What rounding took off the radius.
    pub radius_cost: f64,
    /// The samples that it rests on.
    pub n: u64,
    /// The counts of the earlier look that it rests on; null where those are the record's.
    pub counts: Option<CountsForm>,
}

/// A certificate of a set of true labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelSetRecord {
    /// The size of the top set.
    pub k: usize,
    /// The true labels, ascending.
    pub labels: Vec<usize>,
    /// The most labels that the base classifier gives a sample.
    pub base_k: usize,
    /// At index e - 1 the radius within which at least e of the labels are among the top k; null where so many are
    /// under any perturbation.
    pub radii: Vec<Option<f64>>,
    /// How alpha was split between the bounds.
    pub allocation: String,
    /// The bounds that were used: `fixed`, `anytime` or `anytime:N`.
    pub validity: String,
    /// What the noise's distance from an exact one left of alpha.
    pub alpha_left: f64,
    /// What rounding took off every radius.
    pub radius_cost: f64,
    /// The samples that it rests on.
    pub n: u64,
}

/// The guarantees for the k labels of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuaranteeRecord {
    /// The number of labels.
    pub k: usize,
    /// The labels, the likeliest first.
    pub labels: Vec<usize>,
    /// What the rule decided.
    pub decision: String,
    /// For each label the radius within which it stays in the top k; all together are one statement.
    pub label_radii: Vec<f64>,
    /// The radius within which the set does not change.
    pub set_radius: f64,
    /// What the set's radius is in other norms, as of a certificate.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set_radius_in: BTreeMap<String, f64>,
    /// At index e - 1 the radius within which at least e labels stay; null where so many stay under any perturbation.
    pub kept_radii: Vec<Option<f64>>,
    /// The radius within which the first label stays the likeliest.
    pub first_radius: f64,
    /// The radius within which the whole ranking stays.
    pub ranking_radius: f64,
    /// The bounds that were used: `fixed`, `anytime` or `anytime:N`.
    pub validity: String,
    /// What the noise's distance from an exact one left of alpha.
    pub alpha_left: f64,
    /// What rounding took off every radius.
    pub radius_cost: f64,
    /// The samples that they rest on.
    pub n: u64,
    /// The counts of the earlier look that they rest on; null where those are the record's.
    pub counts: Option<CountsForm>,
}

/// A radius in the norms beside its own.
fn in_other_norms(noise: &Family, radius: f64, elements: usize) -> BTreeMap<String, f64> {
    let others = Norm::TOLD.into_iter().filter(|&norm| norm != noise.norm());
    others.filter_map(|norm| Some((norm.to_string(), noise.norm().within(radius, norm, elements)?))).collect()
}

impl PredictionRecord {
    pub(super) fn of(prediction: &Prediction, decision: Decision) -> Self {
        Self {
            k: prediction.top.len(),
            decision: decision.to_string(),
            labels: prediction.top.clone(),
            p_value: prediction.p_value,
            abstain: prediction.abstain,
        }
    }
}

impl CertificateRecord {
    pub(super) fn of(
        found: &Certificate,
        decision: Decision,
        earlier: Option<&Counts>,
        elements: usize,
        secrets: bool,
    ) -> Self {
        Self {
            k: found.k,
            label: found.label,
            decision: decision.to_string(),
            radius: found.radius,
            radius_in: in_other_norms(&found.basis.noise, found.radius, elements),
            certified: found.certified(),
            p_lower: found.p_lower.p,
            p_upper: found.p_upper.p,
            set_size: found.set_size,
            allocation: found.allocation.to_string(),
            validity: found.basis.validity.to_string(),
            alpha_left: found.basis.alpha_left,
            radius_cost: found.basis.radius_cost,
            n: found.basis.n,
            counts: earlier.map(|counts| counts.form(secrets)),
        }
    }

    /// The uniform of randomized bounds.
    pub fn uniform(&self) -> Option<f64> {
        match self.validity.parse() {
            Ok(Validity::Randomized(uniform)) => Some(uniform.value()),
            _ => None,
        }
    }
}

impl LabelSetRecord {
    pub(super) fn of(found: &LabelSetCertificate) -> Self {
        let LabelSetCertificate { ref labels, k, base_k, ref radii, ref allocation, basis } = *found;
        Self {
            k,
            labels: labels.clone(),
            base_k,
            radii: radii.iter().map(|&radius| Some(radius).filter(|radius| radius.is_finite())).collect(),
            allocation: allocation.to_string(),
            validity: basis.validity.to_string(),
            alpha_left: basis.alpha_left,
            radius_cost: basis.radius_cost,
            n: basis.n,
        }
    }

    /// The radius for each e, infinity where so many labels stay under any perturbation.
    pub fn radii(&self) -> impl Iterator<Item = f64> {
        self.radii.iter().map(|radius| radius.unwrap_or(f64::INFINITY))
    }
}

impl GuaranteeRecord {
    pub(super) fn of(
        found: &Guarantee,
        decision: Decision,
        earlier: Option<&Counts>,
        elements: usize,
        secrets: bool,
    ) -> Self {
        let radius = |kept: &Option<SetCertificate>| kept.as_ref().map(|kept| kept.radius);
        Self {
            k: found.labels().len(),
            labels: found.labels().to_vec(),
            decision: decision.to_string(),
            label_radii: found.each.labels.iter().map(|label| label.radius).collect(),
            set_radius: found.set.radius,
            set_radius_in: in_other_norms(&found.basis().noise, found.set.radius, elements),
            kept_radii: found.kept.iter().map(radius).collect(),
            first_radius: found.first.radius,
            ranking_radius: found.ranking.radius,
            validity: found.basis().validity.to_string(),
            alpha_left: found.basis().alpha_left,
            radius_cost: found.basis().radius_cost,
            n: found.basis().n,
            counts: earlier.map(|counts| counts.form(secrets)),
        }
    }
}
