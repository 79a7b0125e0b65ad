//! Certified accuracy as a function of the radius.

use std::path::{Path, PathBuf};

use smoothtopk::perturbation::Norm;
use smoothtopk::record::LabelSource;

use crate::run_dir::{Example, Manifest, ReadRun, Row};

/// A run and its curves.
pub struct Run {
    /// Short, and different from every other run's.
    pub name: String,
    pub manifest: Option<Manifest>,
    /// Where it is.
    pub path: PathBuf,
    /// Whether true labels are known. Without them a curve is the share certified, right or wrong.
    pub labelled: bool,
    pub curves: Vec<Curve>,
    /// Of a RUN folder.
    pub examples: Vec<Example>,
    /// Of a single file.
    pub rows: Vec<Row>,
    /// Its examples that could not be certified, with the reasons.
    pub failed: Vec<String>,
}

/// The rows of one k, as what certified accuracy depends on.
pub struct Curve {
    /// None for a file that does not say.
    pub k: Option<usize>,
    /// Examples so far.
    pub examples: usize,
    /// Examples for which nothing was certified.
    pub abstained: usize,
    /// The radii of the examples that count (correct, or certified where no label is known), ascending.
    radii: Vec<f64>,
}

impl Run {
    /// Runs with their curves, named apart.
    pub fn all(read: &[ReadRun]) -> Vec<Self> {
        let same = |name: &str| read.iter().filter(|run| run.name == name).count() > 1;
        let shown = |path: &Path| path.display().to_string();
        let mut runs: Vec<Self> = Vec::new();
        for run in read {
            let mut name = if same(&run.name) { shown(&run.path) } else { run.name.clone() };
            let repeats = runs.iter().filter(|other| other.name == name).count();
            if repeats > 0 {
                name = format!("{name} ({})", repeats + 1);
            }
            let given = run.manifest.as_ref().is_some_and(|manifest| manifest.label_source == LabelSource::Given);
            let labels = run.rows.iter().map(|row| row.label);
            let labelled =
                given || labels.chain(run.examples.iter().map(|example| example.label)).any(|label| label.is_some());
            let curves = match &run.manifest {
                None => vec![Curve::new(None, &run.rows, labelled)],
                Some(manifest) => {
                    let row =
                        |i, example| if manifest.guarantee { set_row(example, i) } else { Example::row(example, i) };
                    let of_k = |(i, &k): (usize, &usize)| {
                        let rows: Vec<Row> = run.examples.iter().map(|example| row(i, example)).collect();
                        Curve::new(Some(k), &rows, labelled)
                    };
                    manifest.request.k.iter().enumerate().map(of_k).collect()
                }
            };
            let (manifest, examples, failed) = (run.manifest.clone(), run.examples.clone(), run.failed.clone());
            let (path, rows) = (run.path.clone(), run.rows.clone());
            runs.push(Self { name, path, manifest, labelled, curves, examples, rows, failed });
        }
        runs
    }

    /// The norm of its radii; l2 where that is not known.
    pub fn norm(&self) -> Norm {
        self.manifest.as_ref().map_or(Norm::L2, |manifest| manifest.perturbation.noise.norm())
    }

    /// The name of that norm; empty where it is not known.
    pub fn norm_name(&self) -> String {
        self.manifest.as_ref().map(|_| self.norm().to_string()).unwrap_or_default()
    }

    /// A radius of one of its examples in another norm, rounded down; none where no ball of that norm lies inside.
    pub fn within(&self, radius: f64, other: Norm) -> Option<f64> {
        let perturbation = &self.manifest.as_ref()?.perturbation;
        perturbation.noise.norm().within(radius, other, perturbation.elements)
    }

    /// The k of a RUN folder.
    pub fn ks(&self) -> &[usize] {
        self.manifest.as_ref().map_or(&[], |manifest| &manifest.request.k)
    }

    /// Whether the curves are about returned sets rather than about a label.
    pub fn of_answers(&self) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| manifest.guarantee)
    }

    /// The examples that the whole run is to have, where the run says.
    pub fn total(&self) -> Option<usize> {
        self.manifest.as_ref().map(|manifest| manifest.examples)
    }
}

impl Run {
    /// What a RUN says of an example for its i-th k.
    pub fn row(&self, example: &Example, i: usize) -> Row {
        if self.of_answers() { set_row(example, i) } else { example.row(i) }
    }
}

/// The row of a returned set: it is correct where it is certified and holds the true label.
fn set_row(example: &Example, i: usize) -> Row {
    let found = example.guarantees.get(i).filter(|found| found.set_radius > 0.0);
    let correct = found.is_some_and(|found| example.label.is_some_and(|label| found.labels.contains(&label)));
    let predict = found.and_then(|found| found.labels.first().copied());
    Row { predict, radius: found.map_or(0.0, |found| found.set_radius), correct, ..example.row(i) }
}

impl Curve {
    pub fn new(k: Option<usize>, rows: &[Row], labelled: bool) -> Self {
        let counts = |row: &&Row| if labelled { row.correct } else { row.predict.is_some() };
        let mut radii: Vec<f64> = rows.iter().filter(counts).map(|row| row.radius).collect();
        radii.sort_by(f64::total_cmp);
        let abstained = rows.iter().filter(|row| row.predict.is_none()).count();
        Self { k, examples: rows.len(), abstained, radii }
    }

    /// The share of examples that count with a radius of at least `radius`; none without examples.
    pub fn accuracy(&self, radius: f64) -> Option<f64> {
        let below = self.radii.partition_point(|&r| r < radius);
        self.share(self.radii.len() - below)
    }

    /// The share of examples for which nothing was certified.
    pub fn abstention(&self) -> Option<f64> {
        self.share(self.abstained)
    }

    /// The mean over all examples of the radius, 0 for those that do not count (the field's ACR).
    pub fn average_radius(&self) -> Option<f64> {
        (self.examples > 0).then(|| self.radii.iter().fold(0.0, |sum, radius| sum + radius) / self.examples as f64)
    }

    /// The median over all examples of the radius, 0 for those that do not count; the lower one of two.
    pub fn median_radius(&self) -> Option<f64> {
        let zeros = self.examples - self.radii.len();
        let middle = self.examples.checked_sub(1)? / 2;
        Some(middle.checked_sub(zeros).map_or(0.0, |i| self.radii[i]))
    }

    /// The largest radius that counts, 0 for none.
    pub fn largest(&self) -> f64 {
        self.radii.last().copied().unwrap_or(0.0)
    }

    /// The curve's corners: after each radius, the share that is left. Radii ascend strictly.
    pub fn steps(&self) -> Vec<(f64, f64)> {
        let mut steps: Vec<(f64, f64)> = Vec::new();
        for (i, &radius) in self.radii.iter().enumerate() {
            let left = (self.radii.len() - 1 - i) as f64 / self.examples as f64;
            match steps.last_mut() {
                Some(last) if last.0 == radius => last.1 = left,
                _ => steps.push((radius, left)),
            }
        }
        steps
    }

    fn share(&self, examples: usize) -> Option<f64> {
        (self.examples > 0).then(|| examples as f64 / self.examples as f64)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn row(label: Option<usize>, predict: Option<usize>, radius: f64) -> Row {
        Row { idx: 0, label, predict, radius, correct: predict.is_some() && predict == label, time: Duration::ZERO }
    }

    #[test]
    fn accuracy_counts_correct_rows_with_a_radius_of_at_least_r() {
        let rows = [
            row(Some(1), Some(1), 0.5),
            row(Some(1), Some(2), 0.9),
            row(Some(1), None, 0.0),
            row(Some(1), Some(1), 0.25),
            row(Some(1), Some(1), 0.5),
        ];
        let curve = Curve::new(Some(1), &rows, true);
        let at = |radius| curve.accuracy(radius).expect("examples");
        assert_eq!([at(0.0), at(0.25), at(0.250_000_1), at(0.5), at(0.51)], [0.6, 0.6, 0.4, 0.4, 0.0]);
        assert_eq!(curve.abstention(), Some(0.2));
        assert_eq!(curve.average_radius(), Some(0.25));
        assert_eq!(curve.median_radius(), Some(0.25));
        assert_eq!(curve.steps(), [(0.25, 0.4), (0.5, 0.0)]);
        assert_eq!(curve.largest(), 0.5);
    }

    #[test]
    fn without_labels_the_share_certified_counts() {
        let rows = [row(None, Some(3), 0.5), row(None, None, 0.0)];
        let curve = Curve::new(None, &rows, false);
        assert_eq!(curve.accuracy(0.0), Some(0.5));
        assert_eq!(curve.median_radius(), Some(0.0));
    }

    #[test]
    fn a_set_counts_where_it_is_certified_and_holds_the_true_label() {
        let example = |label: Option<usize>, set: f64| {
            let found = serde_json::json!({
                "k": 2, "labels": [3, 5], "decision": "complete", "label_radii": [set, set], "set_radius": set,
                "kept_radii": [set, set], "first_radius": 0.0, "ranking_radius": 0.0, "validity": "fixed",
                "alpha_left": 0.001,
                "radius_cost": 0.0, "n": 100, "counts": null,
            });
            let guarantees = vec![serde_json::from_value(found).expect("a guarantee")];
            Example {
                idx: 0,
                file: None,
                label,
                samples: 100,
                counts: Vec::new(),
                line: 0,
                time: Duration::ZERO,
                certificates: Vec::new(),
                guarantees,
                label_sets: Vec::new(),
            }
        };
        let curve = |examples: &[Example], labelled| {
            let rows: Vec<Row> = examples.iter().map(|example| set_row(example, 0)).collect();
            Curve::new(Some(2), &rows, labelled)
        };
        let examples = [example(Some(5), 0.5), example(Some(4), 0.7), example(Some(3), 0.0), example(Some(3), 0.25)];
        let of_labelled = curve(&examples, true);
        assert_eq!([0.0, 0.3, 0.6].map(|radius| of_labelled.accuracy(radius)), [Some(0.5), Some(0.25), Some(0.0)]);
        assert_eq!(of_labelled.abstention(), Some(0.25));
        let of_others = curve(&[example(None, 0.5), example(None, 0.0)], false);
        assert_eq!(of_others.accuracy(0.5), Some(0.5));
    }

    #[test]
    fn no_examples_give_no_numbers() {
        let curve = Curve::new(Some(1), &[], true);
        assert_eq!((curve.accuracy(0.0), curve.average_radius(), curve.median_radius()), (None, None, None));
        assert_eq!(curve.largest(), 0.0);
    }
}
