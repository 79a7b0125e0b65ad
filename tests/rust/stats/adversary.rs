//! Theorem 1 against brute force: classifiers on a line, whose smoothed probabilities at every shift are sums of normal
//! probabilities of validity. No shift below the radius may push a label out of the top k; where the worst case is
//! built on purpose, a shift just above it must.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use smoothtopk::certificate::top_k_radius;
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::{Prob, normal};

/// A classifier on the line: `cuts` ascending, `labels[i]` left of `cuts[i]`, the last label right of them all.
#[derive(Debug)]
struct Line {
    cuts: Vec<f64>,
    labels: Vec<usize>,
    classes: usize,
}

impl Line {
    /// Smoothed probabilities at `x`, noise of standard deviation 1.
    fn smoothed(&self, x: f64) -> Vec<f64> {
        let mut p = vec![0.0; self.classes];
        let mut left = 0.0;
        for (i, &label) in self.labels.iter().enumerate() {
            let right = self.cuts.get(i).map_or(1.0, |cut| normal::cdf(cut - x));
            p[label] += right - left;
            left = right;
        }
        p
    }

    fn radius(&self, label: usize, k: usize) -> f64 {
        let mut p = self.smoothed(0.0);
        let own = p.swap_remove(label).clamp(0.0, 1.0);
        p.sort_by(f64::total_cmp);
        let rivals: Vec<Prob> = p[p.len() - k..].iter().map(|&p| Prob { p, q: 1.0 - p }).collect();
        top_k_radius(&Gaussian::new(1.0).unwrap(), Prob { p: own, q: 1.0 - own }, &rivals).unwrap().radius
    }

    /// Whether k rivals beat `label` clearly, by more than the rounding of the sums, at `x`.
    fn is_out(&self, label: usize, k: usize, x: f64) -> bool {
        let p = self.smoothed(x);
        p.iter().filter(|&&rival| rival > p[label] + 1e-12).count() >= k
    }
}

fn lines() -> impl Strategy<Value = Line> {
    (3usize..7).prop_flat_map(|classes| {
        let cuts = prop::collection::vec(-3.0..3.0f64, 40);
        // Label 0 fills the left, so that a shift to the right takes much from it; the rivals share the right in
        // slices.
        (cuts, prop::collection::vec(1..classes, 41), 1usize..35).prop_map(move |(mut cuts, mut labels, own)| {
            cuts.sort_by(f64::total_cmp);
            labels[..own].fill(0);
            Line { cuts, labels, classes }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000, rng_seed: RngSeed::Fixed(20), failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_shift_below_the_radius_pushes_a_label_out(line in lines()) {
        for k in 1..line.classes {
            for label in 0..line.classes {
                let radius = line.radius(label, k).min(20.0);
                if radius == 0.0 {
                    continue;
                }
                for step in -50..=50 {
                    let shift = radius * f64::from(step) / 50.0;
                    prop_assert!(!line.is_out(label, k, shift), "label {label}, k = {k}, shift {shift} of {radius}");
                }
            }
        }
    }
}

#[test]
fn the_worst_case_is_pushed_out_just_above_the_radius() {
    // Label 0 left of a cut; right of it k rivals in thin slices in turn, so that each takes a k-th of their sum at any
    // shift.
    for k in [1, 2, 3, 5] {
        for cut in [0.1, 0.25, 1.0, 2.0] {
            let slices = 4000 * k;
            let cuts: Vec<f64> = (0..slices).map(|i| cut + 8.0 * i as f64 / slices as f64).collect();
            let labels = (0..=slices).map(|i| if i == 0 { 0 } else { 1 + (i - 1) % k }).collect();
            let line = Line { cuts, labels, classes: k + 1 };
            let radius = line.radius(0, k);
            assert!(radius > 0.0 && !line.is_out(0, k, radius), "k = {k}, cut {cut}");
            assert!(line.is_out(0, k, radius + 0.003), "k = {k}, cut {cut}: not tight at {radius}");
        }
    }
}
