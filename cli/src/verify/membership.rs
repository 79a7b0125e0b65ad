//! Tests of whether any of some labels is among the smoothed classifier's top k at a point, from counts of fresh rows.
//!
//! p_j is the probability of label j under the noise. Label l is in the top k where fewer than k rivals j have p_j >=
//! p_l. Both tests compare two labels at a time by the sign test: among the rows that gave j or l, the number of those
//! that gave j is Bin(m, p_j/(p_j + p_l)).

use smoothtopk::Result;
use smoothtopk::stats::{Tally, binomial};

/// The p-value, rounded up, for "all `labels` are out of the top k": that each of these k `rivals`, none of them among
/// the labels, is at least as likely as every label.
///
/// The rivals must not have been chosen by `counts`. If a label is in the top k, at least one of any k rivals, so one
/// of these, is less likely than it; its own sign test's p-value is then at or below a with probability at most a, and
/// the largest p-value of all is not below it. No correction for k or for the labels is needed (an intersection-union
/// test).
pub fn p_out(counts: &Tally, labels: &[usize], rivals: &[usize], k: usize) -> Result<f64> {
    if rivals.len() < k {
        // Too few labels are left to put these out.
        return Ok(1.0);
    }
    let count = |label: usize| counts.labels()[label];
    let pairs = rivals.iter().flat_map(|&rival| labels.iter().map(move |&label| (rival, label)));
    pairs
        .into_iter()
        .try_fold(0.0, |worst: f64, (rival, label)| Ok(worst.max(more_likely(count(rival), count(label))?)))
}

/// The p-value, rounded up, for "`label` is in the top k": that it is more likely than every other label but these k -
/// 1
/// `allowed` ones, which must not have been chosen by `counts`.
///
/// If the label is out of the top k, k rivals are at least as likely, and one of them is not among the k - 1 allowed.
/// Rows without a label may have been that one's.
pub fn p_in(counts: &Tally, label: usize, allowed: &[usize]) -> Result<f64> {
    let rest = (0..counts.classes()).filter(|other| *other != label && !allowed.contains(other));
    let count = |label: usize| counts.labels()[label];
    rest.into_iter()
        .try_fold(0.0, |worst: f64, other| Ok(worst.max(more_likely(count(label), count(other) + counts.invalid())?)))
}

/// The rivals of `labels` with the largest counts, descending; the lowest index first among equals.
pub fn strongest_rivals(counts: &Tally, labels: &[usize], how_many: usize) -> Vec<usize> {
    let mut rivals: Vec<usize> = (0..counts.classes()).filter(|other| !labels.contains(other)).collect();
    rivals.sort_by_key(|&rival| std::cmp::Reverse(counts.labels()[rival]));
    rivals.truncate(how_many);
    rivals
}

/// The most rows that one of these labels has.
pub fn most(counts: &Tally, labels: &[usize]) -> u64 {
    labels.iter().map(|&label| counts.labels()[label]).max().unwrap_or(0)
}

/// The fewest rows with which [`p_out`] can be at or below `level`: those that each of k rivals needs against a label
/// with none.
pub fn least_rows(k: usize, level: f64) -> Result<u64> {
    let mut rows = 1;
    while more_likely(rows, 0)? > level {
        rows += 1;
    }
    Ok(rows.saturating_mul(k as u64))
}

/// P(Bin(a + b, 1/2) >= a), rounded up: the p-value for the label with `a` rows being the more likely one. 1 where a <=
/// b.
fn more_likely(a: u64, b: u64) -> Result<f64> {
    if a <= b { Ok(1.0) } else { Ok(binomial::two_sided_half(a, b)? / 2.0) }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn counts(labels: &[u64]) -> Tally {
        Tally::complete(labels.to_vec()).unwrap()
    }

    #[test]
    fn p_values_are_those_of_the_sign_test() {
        // P(Bin(4, 1/2) >= 4) = 1/16; the p-value is rounded up by 1e-11.
        let near = |p: f64, exact: f64| p >= exact && p < exact * (1.0 + 1e-10);
        assert!(near(p_out(&counts(&[0, 4, 9]), &[0], &[1], 1).unwrap(), 1.0 / 16.0));
        // The weaker of two rivals decides, and the stronger of two labels.
        assert!(near(p_out(&counts(&[0, 4, 9]), &[0], &[2, 1], 2).unwrap(), 1.0 / 16.0));
        assert_eq!(p_out(&counts(&[4, 4, 9]), &[0], &[1, 2], 2).unwrap(), 1.0);
        assert!(near(p_out(&counts(&[0, 0, 4, 9]), &[0, 1], &[3, 2], 2).unwrap(), 1.0 / 16.0));
        assert_eq!(p_out(&counts(&[0, 4, 4, 9]), &[0, 1], &[3, 2], 2).unwrap(), 1.0);
        assert_eq!(
            p_out(&counts(&[0, 0, 9]), &[0, 1], &[2], 2).unwrap(),
            1.0,
            "one rival puts nothing out of the top 2"
        );
        assert!(near(p_in(&counts(&[4, 0, 9]), 0, &[2]).unwrap(), 1.0 / 16.0));
        assert_eq!(p_in(&counts(&[4, 0, 9]), 0, &[1]).unwrap(), 1.0);
        assert_eq!(strongest_rivals(&counts(&[5, 9, 9, 1]), &[1], 2), [2, 0]);
        assert_eq!(strongest_rivals(&counts(&[5, 9, 9, 1]), &[1, 2], 2), [0, 3]);
        assert_eq!((most(&counts(&[5, 9, 2]), &[0, 2]), most(&counts(&[5]), &[])), (5, 0));
        // 2^-10 = 0.00098, and the p-value is rounded up.
        assert_eq!((least_rows(1, 0.001).unwrap(), least_rows(3, 0.001).unwrap()), (10, 30));
        assert!(p_out(&counts(&[0, 10, 10, 10]), &[0], &[1, 2, 3], 3).unwrap() <= 0.001);
        assert!(p_out(&counts(&[0, 9, 10, 10]), &[0], &[1, 2, 3], 3).unwrap() > 0.001);
    }

    /// 20,000 draws at each border case; the rate of rejections at 0.05 is compared with its bound at six standard
    /// deviations: false-alarm rate below 1e-8 for each of the five figures, once, as the seed is fixed.
    #[test]
    fn at_the_border_the_tests_reject_as_rarely_as_they_say() {
        let mut random = rand::rngs::SmallRng::seed_from_u64(5);
        let mut draw = |probabilities: &[f64], n: u64| {
            let mut labels = vec![0u64; probabilities.len()];
            for _ in 0..n {
                let mut u: f64 = random.random();
                let label = probabilities.iter().position(|p| {
                    u -= p;
                    u < 0.0
                });
                labels[label.unwrap_or(0)] += 1;
            }
            counts(&labels)
        };
        let (runs, level) = (20_000, 0.05);
        let limit = level + 6.0 * (level * (1.0 - level) / runs as f64).sqrt();
        let rate = |rejected: usize| rejected as f64 / runs as f64;
        // Label 0 ties with label 2 (one of two rivals, or the only one): at the border of being in the top 2, and in
        // the top 1.
        let (mut out2, mut out1, mut out_both, mut in2, mut in1) = (0, 0, 0, 0, 0);
        for _ in 0..runs {
            let tied = draw(&[0.3, 0.4, 0.3], 60);
            out2 += usize::from(p_out(&tied, &[0], &[1, 2], 2).unwrap() <= level);
            // At least one of 0 and 2 is in the top 1 as long as 1 is no likelier than both.
            let tied = draw(&[0.2, 0.4, 0.4], 60);
            out_both += usize::from(p_out(&tied, &[0, 2], &[1], 1).unwrap() <= level);
            let tied = draw(&[0.3, 0.4, 0.3], 60);
            in2 += usize::from(p_in(&tied, 0, &[1]).unwrap() <= level);
            let tied = draw(&[0.45, 0.1, 0.45], 60);
            out1 += usize::from(p_out(&tied, &[0], &[2], 1).unwrap() <= level);
            in1 += usize::from(p_in(&tied, 0, &[]).unwrap() <= level);
        }
        for rejected in [out2, out1, out_both, in2, in1] {
            assert!(rate(rejected) <= limit, "{rejected} of {runs}");
            assert!(rejected > 0, "the test rejects nothing at all");
        }
    }
}
