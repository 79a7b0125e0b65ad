//! Whether the labels that a model itself gives agree with the scores that are read of it.
//!
//! scikit-learn's SVC, as it is exported for two classes, gives scores of which the lower one belongs to its label.
//! Whoever reads the scores certifies the opposite of what the model says.

use std::collections::BTreeSet;

use super::core::Core;
use super::labels::NO_LABEL;
use super::options::ModelOptions;
use super::probe_rows::{LABEL_ROWS, Row, Rows};
use super::reading::Settled;
use super::signature::{BatchDim, Reading};
use super::types::{ElementType, ValueKind};
use crate::Result;

/// Compares every further output that holds a label per row with the scores that are read, on rows with values from
/// `low` on, where the highest score leads by more than the share `tolerance`. A contradiction is refused; where the
/// output was asked for, it is what the user should know.
pub(super) fn check(
    core: &Core,
    batch: BatchDim,
    low: f32,
    settled: &Settled,
    tolerance: f64,
    options: &ModelOptions,
) -> Result<Option<String>> {
    let (interface, read) = (&core.opened.interface, &core.mapping.output);
    let further = interface.outputs.iter().filter(|output| output.name != *read);
    let labels = further.filter(|output| {
        use ElementType::{Int32, Int64, String};
        matches!(output.kind, ValueKind::Tensor { element: Int64 | Int32 | String, .. })
    });
    let labels = labels.collect::<Vec<_>>();
    if settled.reading == Reading::Label || labels.is_empty() {
        return Ok(None);
    }
    let many = match batch {
        BatchDim::Fixed(rows) => rows,
        BatchDim::Dynamic => LABEL_ROWS,
    };
    let starts = (0..LABEL_ROWS).step_by(many);
    let mut rows = Rows::of_output(core, read, many, low)?;
    let scores = starts.clone().map(|start| rows.scores(|place| Row::Sized(start + place)));
    let scores = scores.collect::<std::result::Result<Vec<_>, _>>().map_err(|reason| rows.failed(&reason))?.concat();
    let tops = clear_tops(settled, &scores, tolerance);
    for output in labels {
        let mut rows = Rows::of_output(core, &output.name, many, low)?;
        let own = starts.clone().map(|start| rows.texts(|place| Row::Sized(start + place)));
        let own = own.collect::<std::result::Result<Vec<_>, _>>().map_err(|reason| rows.failed(&reason))?.concat();
        if own.len() != tops.len() {
            // Not one label per row.
            continue;
        }
        let answers = tops.iter().copied().zip(own).filter(|(top, _)| *top != NO_LABEL).collect();
        let names = settled.class_names.as_deref();
        let contradictions = contradictions(answers, names, settled.classes);
        if contradictions.is_empty() {
            continue;
        }
        let class = |top: u32| names.map_or_else(|| top.to_string(), |names| names[top as usize].clone());
        let shown = contradictions.iter().take(3).map(|(top, own)| format!("{own} where they say {}", class(*top)));
        let message = format!(
            "the model's own labels (output {}) contradict its scores (output {read}) on rows that were tried: the label \
             is {}",
            output.name,
            shown.collect::<Vec<_>>().join(", ")
        );
        if options.output.is_some() {
            return Ok(Some(format!("{message}; the scores count, as they were asked for")));
        }
        let labels = match output.kind {
            ValueKind::Tensor { element: ElementType::String, .. } => {
                "for the labels, export them as integers".to_owned()
            }
            _ => format!("--output {} --classes {} reads the labels", output.name, settled.classes),
        };
        let boundary = match settled.reading {
            Reading::Binary { .. } => ", another --threshold may agree with the labels",
            _ => "",
        };
        let message = format!("{message}; choose: {labels}, --output {read} says that the scores are meant{boundary}");
        return Err(interface.refuse(message).with_field("output"));
    }
    Ok(None)
}

/// The label of each row of scores; none where it leads by no more than the share `tolerance`.
fn clear_tops(settled: &Settled, scores: &[f64], tolerance: f64) -> Vec<u32> {
    let apart = |a: f64, b: f64| b == f64::NEG_INFINITY || a - b > tolerance * a.abs().max(b.abs());
    let clear = |row: &[f64], label: u32| match settled.reading {
        Reading::Binary { threshold } => apart(row[0].max(threshold), row[0].min(threshold)),
        _ => (0_u32..).zip(row).all(|(other, &score)| other == label || apart(row[label as usize], score)),
    };
    let labels = settled.labels(scores).into_iter().zip(scores.chunks_exact(settled.columns()));
    labels.map(|(label, row)| if label != NO_LABEL && clear(row, label) { label } else { NO_LABEL }).collect()
}

/// Of a row that was tried: the class of the highest score, and the model's own label.
type Answer = (u32, String);

/// The answers that contradict the scores of `classes` classes; none where they agree. `names` are the classes' own,
/// where the scores have them. Without names a label is the score's index, or the labels are numbered in a way of their
/// own (1 to 3, or by names), which must be in the order of the scores.
fn contradictions(answers: BTreeSet<Answer>, names: Option<&[String]>, classes: usize) -> Vec<Answer> {
    let agrees = |(top, own): &Answer| match names {
        Some(names) => names.get(*top as usize) == Some(own),
        None => own.parse() == Ok(*top),
    };
    if answers.iter().all(agrees) || (names.is_none() && is_renumbered(&answers, classes)) {
        return Vec::new();
    }
    answers.into_iter().filter(|answer| !agrees(answer)).collect()
}

/// Whether each score has a label of its own, in the scores' order. One label alone shows no numbering of its own,
/// unless the scores have none such.
fn is_renumbered(answers: &BTreeSet<Answer>, classes: usize) -> bool {
    let numbers = answers.iter().map(|(top, own)| Some((i64::from(*top), own.parse::<i64>().ok()?)));
    let Some(numbers) = numbers.collect::<Option<BTreeSet<_>>>() else {
        return in_order(answers, |(a, low), (b, high)| a < b && low < high);
    };
    let shown = numbers.len() > 1 || numbers.iter().any(|(_, own)| !(0..classes as i64).contains(own));
    // With room for the labels of the scores between.
    shown
        && in_order(&numbers, |(a, low), (b, high)| a < b && low.checked_add(b - a).is_some_and(|least| least <= *high))
}

fn in_order<T>(sorted: &BTreeSet<T>, follow: impl Fn(&T, &T) -> bool) -> bool {
    sorted.iter().zip(sorted.iter().skip(1)).all(|(before, after)| follow(before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contradict(answers: &[(u32, &str)], names: Option<&[&str]>, classes: usize) -> bool {
        let answers = answers.iter().map(|&(top, own)| (top, own.to_owned())).collect();
        let names = names.map(|names| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        !contradictions(answers, names.as_deref(), classes).is_empty()
    }

    #[test]
    fn labels_that_are_the_scores_or_number_them_in_order_agree() {
        for (answers, classes) in [
            (&[(0, "0"), (1, "1")][..], 2),
            (&[(1, "1")], 2),
            // 1 to 3; -1 and 1; 3, 5 and 8; names in order.
            (&[(0, "1"), (2, "3")], 3),
            (&[(0, "-1"), (1, "1")], 2),
            (&[(0, "-1")], 2),
            (&[(0, "3"), (1, "5"), (2, "8")], 3),
            (&[(1, "5")], 3),
            (&[(0, "setosa"), (2, "virginica")], 3),
            (&[(1, "versicolor")], 3),
            (&[], 2),
        ] {
            assert!(!contradict(answers, None, classes), "{answers:?} of {classes}");
        }
        assert!(!contradict(&[(0, "3"), (1, "1")], Some(&["3", "1"]), 2));
    }

    #[test]
    fn labels_that_are_not_the_highest_scores_contradict() {
        for (answers, classes) in [
            // A machine whose scores are turned round, with both labels seen and with one.
            (&[(0, "1"), (1, "0")][..], 2),
            (&[(0, "1")], 2),
            (&[(1, "0")], 2),
            (&[(0, "1"), (1, "-1")], 2),
            (&[(0, "b"), (1, "a")], 2),
            // One row of many.
            (&[(0, "0"), (0, "1"), (1, "1")], 2),
            (&[(0, "0"), (1, "1"), (2, "1")], 3),
            (&[(0, "a"), (0, "b")], 2),
            // No room for the label of the score between.
            (&[(0, "4"), (2, "5")], 3),
            (&[(0, &i64::MAX.to_string()), (1, &i64::MIN.to_string())], 2),
        ] {
            assert!(contradict(answers, None, classes), "{answers:?} of {classes}");
        }
        assert!(contradict(&[(0, "0")], Some(&["1", "0"]), 2));
        assert!(contradict(&[(0, "0"), (1, "0")], Some(&["0", "1"]), 2));
    }
}
