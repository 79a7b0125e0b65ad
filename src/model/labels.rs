//! From a model's output to labels.

use half::{bf16, f16};

use super::raw::Data;

/// The label of a row that has none: a score is NaN, or the highest is infinite. Such a row counts against every
/// certificate.
pub const NO_LABEL: u32 = u32::MAX;

/// What stands in the places of a row that has fewer labels than places.
pub const NO_FURTHER_LABEL: u32 = u32::MAX - 1;

/// A score, widened without loss.
trait Score: Copy {
    fn wide(self) -> f64;
}
impl Score for f32 {
    fn wide(self) -> f64 {
        self.into()
    }
}
impl Score for f64 {
    fn wide(self) -> f64 {
        self
    }
}
impl Score for f16 {
    fn wide(self) -> f64 {
        self.into()
    }
}
impl Score for bf16 {
    fn wide(self) -> f64 {
        self.into()
    }
}

/// Index of the highest score, the lowest among equals. A score of -inf, as a mask gives, is below all others.
fn top<S: Score>(scores: &[S]) -> u32 {
    let (mut best, mut label, mut nan) = (f64::NEG_INFINITY, NO_LABEL, false);
    for (i, score) in (0_u32..).zip(scores) {
        let score = score.wide();
        nan |= score.is_nan();
        if score > best {
            (best, label) = (score, i);
        }
    }
    if best.is_finite() && !nan { label } else { NO_LABEL }
}

/// The labels of the highest scores that are above the threshold, one in each of the `places`; the lowest index first
/// among equals. A score of -inf is above none. [`NO_LABEL`] in the first place of a row that has no labels as [`top`]
/// has none, [`NO_FURTHER_LABEL`] in places that are left over.
fn highest<S: Score>(scores: &[S], threshold: f64, places: &mut [u32]) {
    places.fill(NO_FURTHER_LABEL);
    if top(scores) == NO_LABEL {
        places.fill(NO_LABEL);
        return;
    }
    let mut found = 0;
    for (i, &score) in (0_u32..).zip(scores) {
        let score = score.wide();
        let at = |label: u32| scores[label as usize].wide();
        if score <= threshold || (found == places.len() && score <= at(places[found - 1])) {
            continue;
        }
        let place = places[..found].partition_point(|&label| at(label) >= score);
        found = (found + 1).min(places.len());
        places[place..found].rotate_right(1);
        places[place] = i;
    }
}

fn above<S: Score>(score: S, threshold: f64) -> u32 {
    let score = score.wide();
    if score.is_finite() { u32::from(score > threshold) } else { NO_LABEL }
}

/// What to say of a label outside `0..classes`: a rival without a count would be overlooked.
fn outside(label: i64, classes: usize) -> String {
    format!(
        "it gave label {label} outside 0..{classes}: the number of classes must cover every label that it can give, and labels below \
         0 have to be mapped to 0 and above when it is exported"
    )
}

/// As `outside`, where it is only known that there was such a label.
#[cfg(feature = "cuda")]
pub(crate) fn outside_somewhere(classes: usize) -> String {
    format!(
        "it gave labels outside 0..{classes}: the number of classes must cover every label that it can give, and labels below 0 have \
         to be mapped to 0 and above when it is exported"
    )
}

/// Top label of each row of scores, `classes` to a row.
pub(super) fn from_scores(data: &Data<'_>, classes: usize, labels: &mut [u32]) {
    fn each<S: Score>(scores: &[S], classes: usize, labels: &mut [u32]) {
        for (label, row) in labels.iter_mut().zip(scores.chunks_exact(classes)) {
            *label = top(row);
        }
    }
    match data {
        Data::F32(scores) => each(scores, classes, labels),
        Data::F64(scores) => each(scores, classes, labels),
        Data::F16(scores) => each(scores, classes, labels),
        Data::BF16(scores) => each(scores, classes, labels),
        // The signature allows floating-point scores only.
        Data::I64(_) | Data::I32(_) => labels.fill(NO_LABEL),
    }
}

/// Label 1 where the row's score is greater than the threshold.
pub(super) fn from_threshold(data: &Data<'_>, threshold: f64, labels: &mut [u32]) {
    fn each<S: Score>(scores: &[S], threshold: f64, labels: &mut [u32]) {
        for (label, &score) in labels.iter_mut().zip(scores) {
            *label = above(score, threshold);
        }
    }
    match data {
        Data::F32(scores) => each(scores, threshold, labels),
        Data::F64(scores) => each(scores, threshold, labels),
        Data::F16(scores) => each(scores, threshold, labels),
        Data::BF16(scores) => each(scores, threshold, labels),
        Data::I64(_) | Data::I32(_) => labels.fill(NO_LABEL),
    }
}

/// The labels of each row of scores, `classes` to a row, `places` places to a row.
pub(super) fn from_score_sets(
    data: &Data<'_>,
    classes: usize,
    threshold: Option<f64>,
    places: usize,
    labels: &mut [u32],
) {
    fn each<S: Score>(scores: &[S], classes: usize, threshold: f64, places: usize, labels: &mut [u32]) {
        for (labels, row) in labels.chunks_exact_mut(places).zip(scores.chunks_exact(classes)) {
            highest(row, threshold, labels);
        }
    }
    let threshold = threshold.unwrap_or(f64::NEG_INFINITY);
    match data {
        Data::F32(scores) => each(scores, classes, threshold, places, labels),
        Data::F64(scores) => each(scores, classes, threshold, places, labels),
        Data::F16(scores) => each(scores, classes, threshold, places, labels),
        Data::BF16(scores) => each(scores, classes, threshold, places, labels),
        Data::I64(_) | Data::I32(_) => labels.fill(NO_LABEL),
    }
}

/// Labels that the model gives itself; what is wrong, where one is outside `0..classes`.
pub(super) fn from_labels(data: &Data<'_>, classes: usize, labels: &mut [u32]) -> Result<(), String> {
    fn each<T: Copy + Into<i64>>(given: &[T], classes: usize, labels: &mut [u32]) -> Result<(), String> {
        for (label, &given) in labels.iter_mut().zip(given) {
            let given = given.into();
            *label = match u32::try_from(given) {
                Ok(given) if (given as usize) < classes => given,
                _ => return Err(outside(given, classes)),
            };
        }
        Ok(())
    }
    match data {
        Data::I64(given) => each(given, classes, labels),
        Data::I32(given) => each(given, classes, labels),
        // The signature allows integers only.
        _ => {
            labels.fill(NO_LABEL);
            Ok(())
        }
    }
}

/// All values, widened: what the load check compares.
pub(super) fn widen(data: &Data<'_>) -> Vec<f64> {
    match data {
        Data::F32(values) => values.iter().map(|value| value.wide()).collect(),
        Data::F64(values) => values.to_vec(),
        Data::F16(values) => values.iter().map(|value| value.wide()).collect(),
        Data::BF16(values) => values.iter().map(|value| value.wide()).collect(),
        Data::I64(values) => values.iter().map(|&value| value as f64).collect(),
        Data::I32(values) => values.iter().map(|&value| value.into()).collect(),
    }
}

/// Top label of each row of a function's scores, `classes` to a row.
pub(crate) fn of_scores(scores: &[f32], classes: usize, labels: &mut [u32]) {
    from_scores(&Data::F32(scores), classes, labels);
}

/// A function's labels; what is wrong, where one is outside `0..classes`.
pub(crate) fn of_integers(given: &[i64], classes: usize, labels: &mut [u32]) -> Result<(), String> {
    from_labels(&Data::I64(given), classes, labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_lowest_index_and_nan_or_an_infinite_top_has_no_label() {
        let scores = [
            [1.0, 2.0, 2.0],
            [0.0, -0.0, 0.0],
            [-3.0, -2.0, -2.5],
            [f32::MIN, f32::MIN, f32::MIN],
            [1.0, f32::NAN, 2.0],
            [f32::NAN, 1.0, 2.0],
            [1.0, f32::INFINITY, 2.0],
            [f32::NEG_INFINITY; 3],
            [f32::NEG_INFINITY, 1.0, 0.0],
            [f32::NEG_INFINITY, f32::NAN, 0.0],
            [-1.0, f32::NEG_INFINITY, -1.0],
        ];
        let expected = [1, 0, 1, 0, NO_LABEL, NO_LABEL, NO_LABEL, NO_LABEL, 1, NO_LABEL, 0];
        let flat: [f32; 33] = scores.concat().try_into().unwrap();
        let mut labels = [7; 11];
        from_scores(&Data::F32(&flat), 3, &mut labels);
        assert_eq!(labels, expected);
        let wide = flat.map(f64::from);
        from_scores(&Data::F64(&wide), 3, &mut labels);
        assert_eq!(labels, expected);
        // The least f32 is infinite in 16 bits.
        let narrow = flat.map(|score| if score == f32::MIN { -6e4 } else { score });
        let half = narrow.map(f16::from_f32);
        from_scores(&Data::F16(&half), 3, &mut labels);
        assert_eq!(labels, expected);
        let brain = narrow.map(bf16::from_f32);
        from_scores(&Data::BF16(&brain), 3, &mut labels);
        assert_eq!(labels, expected);
    }

    #[test]
    fn a_set_has_the_highest_scores_above_the_threshold_and_the_lowest_index_among_equals() {
        let (inf, none, no_more) = (f32::INFINITY, NO_LABEL, NO_FURTHER_LABEL);
        let scores = [
            [0.1, 0.9, 0.4, 0.9],
            [0.2, 0.2, 0.2, 0.2],
            [-inf, 0.5, -inf, -inf],
            [0.4, 0.9, f32::NAN, 0.1],
            [inf, 0.9, 0.1, 0.1],
            [-inf; 4],
        ];
        let sets = |places, threshold| {
            let mut labels = vec![7; 6 * places];
            from_score_sets(&Data::F32(&scores.concat()), 4, threshold, places, &mut labels);
            labels
        };
        let rows = |labels: Vec<u32>, places| labels.chunks(places).map(<[u32]>::to_vec).collect::<Vec<_>>();
        let all =
            [vec![1, 3, 2], vec![0, 1, 2], vec![1, no_more, no_more], vec![none; 3], vec![none; 3], vec![none; 3]];
        assert_eq!(rows(sets(3, None), 3), all);
        assert_eq!(sets(1, None), [1, 0, 1, none, none, none], "one place is the top label");
        let above = [vec![1, 3], vec![no_more, no_more], vec![1, no_more], vec![none; 2], vec![none; 2], vec![none; 2]];
        assert_eq!(rows(sets(2, Some(0.4)), 2), above);
        let widened = [1, 3, 2, no_more];
        assert_eq!(sets(4, Some(0.4))[..4], widened, "0.4 in 32 bits is greater than 0.4 in 64");
    }

    #[test]
    fn a_threshold_is_exceeded_not_reached() {
        let mut labels = [7; 5];
        from_threshold(&Data::F32(&[0.5, 0.500_001, -1.0, f32::NAN, f32::INFINITY]), 0.5, &mut labels);
        assert_eq!(labels, [0, 1, 0, NO_LABEL, NO_LABEL]);
    }

    #[test]
    fn labels_outside_the_classes_are_an_error_that_names_them() {
        let mut labels = [7; 2];
        from_labels(&Data::I64(&[0, 2, 3]), 3, &mut labels).unwrap();
        assert_eq!(labels, [0, 2], "what lies beyond the rows is not read");
        for outside in [3, -1, i64::MAX, i64::MIN, 1 << 32] {
            let said = from_labels(&Data::I64(&[0, outside]), 3, &mut labels).unwrap_err();
            assert!(said.contains(&format!("label {outside} ")) && said.contains("0..3"), "{said}");
        }
        from_labels(&Data::I32(&[2, 1]), 3, &mut labels).unwrap();
        assert_eq!(labels, [2, 1]);
        assert!(from_labels(&Data::I32(&[i32::MIN, 0]), 3, &mut labels).unwrap_err().contains("-2147483648"));
    }
}
