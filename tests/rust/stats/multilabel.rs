//! Sets of labels against a table by an exact reference that is not this project's, and by properties.

use smoothtopk::certificate::{Basis, certify, certify_label_set};
use smoothtopk::perturbation::{Family, Gaussian, Uniform};
use smoothtopk::stats::{Allocation, Tally, Validity};

use super::l1_uniform::{number, rivals};

const TABLE: &str = include_str!("../../golden/multilabel.tsv");

/// One row: counts with the true labels first, and what is asked of them.
#[derive(Clone)]
struct Row {
    counts: Vec<u64>,
    labels: Vec<usize>,
    invalid: u64,
    n: u64,
    base_k: usize,
    k: usize,
    alpha: f64,
    allocation: Allocation,
    theorem: Vec<f64>,
    sharp: Vec<f64>,
    shift: f64,
    size: usize,
}

impl Row {
    fn radii(&self, noise: impl Into<Family>) -> Vec<f64> {
        let tally = Tally::of_sets(self.counts.clone(), self.n, self.invalid, self.base_k).unwrap();
        let basis = Basis::assuming(noise, self.n, self.alpha, Validity::Fixed);
        certify_label_set(&basis, &tally, &self.labels, self.k, &self.allocation).unwrap().radii
    }
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [own, others, invalid, n, base_k, k, alpha, bound, theorem, sharp, shift, _, size] = fields[..] else {
            panic!("{line}")
        };
        let own: Vec<u64> = own.split(',').map(|count| count.parse().unwrap()).collect();
        let radii = |text: &str| text.split(',').map(|radius| number(radius).max(0.0)).collect();
        Row {
            labels: (0..own.len()).collect(),
            counts: own.into_iter().chain(rivals(others)).collect(),
            invalid: invalid.parse().unwrap(),
            n: n.parse().unwrap(),
            base_k: base_k.parse().unwrap(),
            k: k.parse().unwrap(),
            alpha: number(alpha),
            allocation: bound.parse().unwrap(),
            theorem: radii(theorem),
            sharp: radii(sharp),
            shift: number(shift),
            size: size.parse().unwrap(),
        }
    })
}

#[test]
fn radii_are_never_above_the_sharp_ones_close_to_them_and_no_less_than_the_theorems() {
    let mut certified = 0;
    for (i, row) in rows().enumerate() {
        let found = row.radii(Gaussian::new(1.0).unwrap());
        assert_eq!(found.len(), row.sharp.len(), "row {i}");
        for ((&found, &sharp), &theorem) in found.iter().zip(&row.sharp).zip(&row.theorem) {
            assert!(found <= sharp, "row {i}: {found} is above {sharp}");
            assert!(found == sharp || sharp - found <= 1e-9, "row {i}: {found} is short of {sharp}");
            assert!(found == theorem || found >= theorem - 1e-9, "row {i}: {found} is below the theorem's {theorem}");
            certified += u32::from(found > 0.0);
        }
        assert_eq!(found.iter().filter(|&&radius| radius > row.shift).count(), row.size, "row {i}");
    }
    assert!(certified > 200, "{certified}");
}

#[test]
fn one_label_a_sample_and_one_true_label_are_the_certificate_of_a_label() {
    for (i, row) in rows().filter(|row| row.labels.len() == 1 && row.base_k == 1).enumerate() {
        // A row without a label that is not invalid is another matter for one label a sample.
        let invalid = row.n - row.counts.iter().sum::<u64>();
        for noise in [Family::from(Gaussian::new(0.5).unwrap()), Uniform::new(0.5).unwrap().into()] {
            let found = Row { invalid, ..row.clone() }.radii(noise);
            let tally = Tally::new(row.counts.clone(), row.n).unwrap();
            let basis = Basis::assuming(noise, row.n, row.alpha, Validity::Fixed);
            if row.counts.len() <= row.k + 1 && row.allocation != Allocation::SimuEm {
                continue;
            }
            let label = certify(&basis, &tally, 0, row.k, &row.allocation).unwrap();
            assert!((found[0] - label.radius).abs() < 1e-9, "row {i}: {} is not {}", found[0], label.radius);
        }
    }
}

#[test]
fn more_samples_of_a_true_label_and_fewer_of_another_never_cost_a_radius() {
    let noise = Gaussian::new(1.0).unwrap();
    for (i, row) in rows().enumerate().step_by(3) {
        let before = row.radii(noise);
        let sum = row.counts.iter().sum::<u64>() + 1;
        let room = row.counts[0] + row.invalid < row.n && sum <= (row.n - row.invalid) * row.base_k as u64;
        let mut better = row.clone();
        if room {
            better.counts[0] += 1;
        } else if let Some(other) = better.counts[row.labels.len()..].iter_mut().find(|count| **count > 0) {
            *other -= 1;
        }
        for (better, before) in better.radii(noise).iter().zip(&before) {
            assert!(*better >= before - 1e-9, "row {i}: {better} is below {before}");
        }
        // An invalid sample more, in the place of one that was given no label.
        if row.counts.iter().all(|&count| count + row.invalid < row.n)
            && sum <= (row.n - row.invalid - 1) * row.base_k as u64
        {
            for (worse, before) in (Row { invalid: row.invalid + 1, ..row }).radii(noise).iter().zip(&before) {
                assert!(*worse <= before + 1e-9, "row {i}: {worse} is above {before}");
            }
        }
    }
}

#[test]
fn what_is_for_one_label_a_sample_refuses_sets() {
    let tally = Tally::of_sets(vec![90, 80, 10], 100, 2, 2).unwrap();
    let basis = Basis::assuming(Gaussian::new(1.0).unwrap(), 100, 0.001, Validity::Fixed);
    assert_eq!(certify(&basis, &tally, 0, 1, &Allocation::default()).unwrap_err().field(), Some("counts"));
    assert!(smoothtopk::certificate::predict(&tally, 1, 0.001).is_err());
    assert!(Tally::new(vec![90, 8, 2], 100).unwrap().add(&tally).is_err());
    for (labels, n, invalid, base_k) in [
        (vec![99, 0], 100, 2, 1),
        (vec![60, 60], 100, 0, 1),
        (vec![1, 1], 9, 0, 3),
        (vec![0, 0], 9, 10, 1),
        (vec![], 0, 0, 1),
    ] {
        assert!(Tally::of_sets(labels, n, invalid, base_k).is_err());
    }
    let set = |labels: &[usize], k, allocation| certify_label_set(&basis, &tally, labels, k, &allocation).map(|_| ());
    assert!(set(&[0, 1], 2, Allocation::SimuEm).is_ok());
    for (labels, k) in [(&[][..], 1), (&[1, 0], 1), (&[0, 0], 1), (&[3], 1), (&[0], 0), (&[0], 3)] {
        assert!(set(labels, k, Allocation::SimuEm).is_err(), "{labels:?} {k}");
    }
    assert_eq!(set(&[0], 1, Allocation::BinoCp).unwrap_err().field(), Some("allocation"));
}

/// All sets of at most two of four labels, as bits.
fn sets() -> Vec<usize> {
    (0..16_usize).filter(|set| set.count_ones() <= 2).collect()
}

fn tally_of(rows: &[usize]) -> Vec<u64> {
    (0..4).map(|label| rows.iter().filter(|&&set| set >> label & 1 == 1).count() as u64).collect()
}

/// How many of the labels below `d` are among the top k, with ties against them.
fn kept(counts: &[u64], d: usize, k: usize) -> usize {
    let mut ranked: Vec<(u64, bool)> = counts.iter().enumerate().map(|(label, &count)| (count, label < d)).collect();
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    ranked[..k].iter().filter(|(_, own)| *own).count()
}

/// All base classifiers of four rows, and all that an attack can make of them that changes `steps` rows.
#[test]
fn no_change_of_so_many_rows_keeps_fewer_labels_than_are_certified() {
    let split: Family = "split:4:levels=2".parse().unwrap();
    let basis = Basis::assuming(split, 4, 0.0, Validity::Exact);
    let sets = sets();
    let (mut certified, mut tight) = (0, 0);
    for rows in (0..sets.len().pow(4)).map(|i| [0, 1, 2, 3].map(|j| i / sets.len().pow(j) % sets.len())) {
        if !rows.is_sorted() {
            continue;
        }
        let rows = rows.map(|i| sets[i]);
        let tally = Tally::of_sets(tally_of(&rows), 4, 0, 2).unwrap();
        for (d, k) in [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 2)] {
            let labels: Vec<usize> = (0..d).collect();
            let found = certify_label_set(&basis, &tally, &labels, k, &Allocation::default()).unwrap();
            for (steps, size) in [(1, 0.5), (2, 1.0)] {
                let mut least = usize::MAX;
                for hit in 0..4_usize.pow(steps) {
                    for change in 0..sets.len().pow(steps) {
                        let mut attacked = rows;
                        for step in 0..steps {
                            attacked[hit / 4_usize.pow(step) % 4] = sets[change / sets.len().pow(step) % sets.len()];
                        }
                        least = least.min(kept(&tally_of(&attacked), d, k));
                    }
                    // Only sizes that are certified can be refuted.
                    if found.size_at(size) == 0 {
                        break;
                    }
                }
                let size = found.size_at(size);
                assert!(size <= least, "{rows:?}: {size} of {d} labels in the top {k} at {steps}, and {least} stay");
                certified += usize::from(size > 0);
                tight += usize::from(size > 0 && size == least);
            }
        }
    }
    assert!(certified > 500 && tight * 10 > certified * 9, "{tight} of {certified}");
}
