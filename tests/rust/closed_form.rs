//! An independent check of the whole way from input to radius: classifiers that cut the space by parallel planes, whose
//! smoothed probabilities and exact distances are known in closed form.
//!
//! False-alarm rate: the binomial limits are at 5.5 standard deviations for about 70 counts, and the certificates are
//! at alpha = 1e-6 for about 35 labels: below 1e-4 in all, once, since the seeds are fixed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use smoothtopk::certificate::Query;
use smoothtopk::model::{Model, ModelOptions};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::sampler::Plan;
use smoothtopk::smoothed::{Control, Request, SmoothedClassifier};
use smoothtopk::stats::{Allocation, normal};

const N: u64 = 100_000;
const ALPHA: f64 = 1e-6;

struct Case {
    model: PathBuf,
    direction: Vec<f64>,
    cuts: Vec<f64>,
    rows: Vec<Vec<f32>>,
    labels: Vec<usize>,
    options: ModelOptions,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    let table: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("cases.json")).unwrap()).unwrap();
    let floats = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    };
    table
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, case)| case["closed_form"].is_object())
        .map(|(name, case)| Case {
            model: folder.join(name),
            direction: floats(&case["closed_form"]["direction"]),
            cuts: floats(&case["closed_form"]["cuts"]),
            rows: case["rows"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| floats(row).iter().map(|&x| x as f32).collect())
                .collect(),
            labels: case["labels"].as_array().unwrap().iter().map(|label| label.as_u64().unwrap() as usize).collect(),
            options: ModelOptions { threshold: case["options"]["threshold"].as_f64(), ..ModelOptions::default() },
        })
        .collect()
}

impl Case {
    /// Where the row lies along the planes' normal, and how long that normal is.
    fn position(&self, row: &[f32]) -> (f64, f64) {
        let along = self.direction.iter().zip(row).map(|(a, &b)| a * f64::from(b)).sum();
        (along, self.direction.iter().map(|a| a * a).sum::<f64>().sqrt())
    }

    /// The smoothed probabilities of the labels: label j lies between cut j-1 and cut j.
    fn probabilities(&self, along: f64, spread: f64) -> Vec<f64> {
        let below: Vec<f64> = self.cuts.iter().map(|cut| normal::cdf((cut - along) / spread)).collect();
        let above: Vec<f64> = self.cuts.iter().map(|cut| normal::cdf((along - cut) / spread)).collect();
        (0..=self.cuts.len())
            .map(|label| match (label.checked_sub(1), below.get(label)) {
                (None, Some(below)) => *below,
                (Some(lower), None) => above[lower],
                (Some(lower), Some(below)) if *below < 0.5 => below - (1.0 - above[lower]),
                (Some(lower), Some(_)) => above[lower] - above[label],
                (None, None) => 1.0,
            })
            .collect()
    }

    /// How far `along` must move for the label to leave the smoothed top k, found by a fine search both ways.
    fn distance(&self, along: f64, spread: f64, label: usize, k: usize) -> f64 {
        let inside = |at: f64| {
            let p = self.probabilities(at, spread);
            p.iter().enumerate().filter(|&(other, &q)| other != label && q > p[label]).count() < k
        };
        let step = spread * 1e-4;
        (1..200_000u32)
            .map(|i| f64::from(i) * step)
            .find(|r| !inside(along + r) || !inside(along - r))
            .unwrap_or(f64::INFINITY)
    }
}

#[test]
fn counts_and_radii_agree_with_the_closed_form() {
    let cases = cases();
    assert!(cases.len() >= 2, "the test models with a closed form are gone");
    let mut close = 0;
    for case in &cases {
        let model = Arc::new(Model::open(&case.model, &case.options).unwrap());
        let classes = model.signature().classes;
        assert_eq!(classes, case.cuts.len() + 1);
        let g = SmoothedClassifier::new(model, Plan { batch: 256, threads: 2 }).unwrap();
        for sigma in [0.25, 1.0] {
            let request = Request { input_max: 2.0, ..Request::new(Gaussian::new(sigma).unwrap()).seeded(5) };
            for (key, row) in case.rows.iter().enumerate() {
                let (along, length) = case.position(row);
                let spread = sigma * length;
                let p = case.probabilities(along, spread);
                let counts =
                    g.submit_samples(row, 0..N, &request, key as u64, Control::default()).unwrap().wait().counts;
                for (label, (&count, &p)) in counts.labels().iter().zip(&p).enumerate() {
                    let limit = 5.5 * (N as f64 * p * (1.0 - p)).sqrt() + 3.0;
                    let off = (count as f64 - N as f64 * p).abs();
                    assert!(off < limit, "{:?} row {key} label {label}: {count} of {N}, p = {p}", case.model);
                }
                let base = case.labels[key];
                for k in 1..classes {
                    for allocation in Allocation::PLAIN {
                        let query = Query { k, alpha: ALPHA, allocation, ..Query::of_label(base) };
                        let certificate = counts.certify(&query).unwrap();
                        let exact = case.distance(along, spread, base, k) / length;
                        assert!(
                            certificate.radius <= exact,
                            "{:?} row {key} k {k} {}: {} > {exact}",
                            case.model,
                            query.allocation,
                            certificate.radius
                        );
                        // One plane: the theorem is tight, and only the bounds' width is lost.
                        if classes == 2 && exact < 1.5 * sigma {
                            let lost = (exact - certificate.radius) / sigma;
                            assert!(lost < 0.05, "{}: {} of {exact}", query.allocation, certificate.radius);
                            close += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(close >= 9, "too few radii were near enough to be compared from below: {close}");
}
