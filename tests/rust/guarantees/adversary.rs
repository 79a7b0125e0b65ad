//! The theorems against brute force: classifiers on a line, whose smoothed probabilities at every shift are sums of
//! normal probabilities of validity. No shift below a radius may do what it excludes; where the worst case is built on
//! purpose, a shift just above it must.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use smoothtopk::stats::normal;

use super::truth::Truth;

/// Radii of the truth have 1e-9 added.
const SEARCH: f64 = 2e-9;

/// A classifier on the line: `cuts` ascending, `labels[i]` left of `cuts[i]`, the last label right of them all.
#[derive(Debug)]
struct Line {
    cuts: Vec<f64>,
    labels: Vec<usize>,
    classes: usize,
}

impl Line {
    /// Smoothed probabilities at `x`, noise of standard deviation 1.
    fn smoothed(&self, x: f64) -> Truth {
        let mut p = vec![0.0; self.classes];
        let mut left = 0.0;
        for (i, &label) in self.labels.iter().enumerate() {
            let right = self.cuts.get(i).map_or(1.0, |cut| normal::cdf(cut - x));
            p[label] += right - left;
            left = right;
        }
        p.iter_mut().for_each(|p| *p = p.clamp(0.0, 1.0));
        Truth { p }
    }

    /// How many of `set` are surely out of the top `set.len()` at `x`: clearly beaten, by more than the rounding of the
    /// sums, by so many labels.
    fn left(&self, set: &[usize], x: f64) -> usize {
        let p = self.smoothed(x).p;
        set.iter().filter(|&&l| p.iter().filter(|&&rival| rival > p[l] + 1e-12).count() >= set.len()).count()
    }

    /// Whether two neighbours of `order`, or its last and a label outside, have clearly changed places at `x`.
    fn disordered(&self, order: &[usize], x: f64) -> bool {
        let p = self.smoothed(x).p;
        let rest = (0..p.len()).filter(|label| !order.contains(label)).map(|label| p[label]).fold(0.0, f64::max);
        let next = |place: usize| order.get(place + 1).map_or(rest, |&label| p[label]);
        order.iter().enumerate().any(|(place, &label)| next(place) > p[label] + 1e-12)
    }
}

fn lines() -> impl Strategy<Value = Line> {
    (3usize..8).prop_flat_map(|classes| {
        let cuts = prop::collection::vec(-3.0..3.0f64, 40);
        let anywhere = prop::collection::vec(0..classes, 41);
        // A few labels fill the left, so that a shift to the right takes much from them; the others share the right.
        (cuts, anywhere, 1usize..35, 1..classes).prop_map(move |(mut cuts, mut labels, left, on_left)| {
            cuts.sort_by(f64::total_cmp);
            for (i, label) in labels.iter_mut().enumerate() {
                *label = if i < left { *label % on_left } else { on_left + *label % (classes - on_left) };
            }
            Line { cuts, labels, classes }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1000, rng_seed: RngSeed::Fixed(21), failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn no_shift_below_a_radius_does_what_it_excludes(line in lines()) {
        let truth = line.smoothed(0.0);
        let mut ranking: Vec<usize> = (0..line.classes).collect();
        ranking.sort_by(|&a, &b| truth.p[b].total_cmp(&truth.p[a]));
        for k in 1..line.classes {
            let set = &ranking[..k];
            for e in (1..=k).filter(|e| k - e < line.classes - k) {
                let radius = truth.kept(set, e).min(20.0) - SEARCH;
                for step in -40..=40 {
                    let shift = radius * f64::from(step) / 40.0;
                    prop_assert!(radius <= 0.0 || line.left(set, shift) <= k - e, "k = {k}, e = {e}, {shift} of {radius}");
                }
            }
            let radius = truth.order(set).min(20.0) - SEARCH;
            for step in -40..=40 {
                let shift = radius * f64::from(step) / 40.0;
                prop_assert!(radius <= 0.0 || !line.disordered(set, shift), "k = {k}, {shift} of {radius}");
            }
        }
    }

    /// Fewer labels are kept for longer, and at least as long as the same number of them, each by itself
    /// (docs/statistics.md).
    #[test]
    fn fewer_labels_are_kept_for_longer(line in lines()) {
        let truth = line.smoothed(0.0);
        let mut ranking: Vec<usize> = (0..line.classes).collect();
        ranking.sort_by(|&a, &b| truth.p[b].total_cmp(&truth.p[a]));
        for k in 1..line.classes {
            for e in (1..k).filter(|e| k - e < line.classes - k) {
                let all = truth.kept(&ranking[..k], e);
                prop_assert!(truth.kept(&ranking[..k], e + 1) <= all + SEARCH);
                let each = ranking[..e].iter().map(|&label| truth.label(label, k)).fold(f64::INFINITY, f64::min);
                prop_assert!(all >= each - SEARCH, "k = {k}, e = {e}: {all} < {each}");
            }
        }
    }
}

#[test]
fn the_worst_case_happens_just_above_the_radius() {
    // s labels of the set share the left end in thin slices in turn, so that they fall evenly, and s labels outside the
    // right end; what lies between belongs to a label that stays first throughout.
    for s in [1, 2, 3, 5] {
        for (low, high) in [(-0.6, 0.9), (-0.9, 1.5), (-1.2, 2.0)] {
            let slices = 2000 * s;
            let part = |from: f64| (0..slices).map(move |i| from + 7.0 * i as f64 / slices as f64);
            let cuts: Vec<f64> = part(low - 7.0).chain([low]).chain([high]).chain(part(high).skip(1)).collect();
            let left = (0..=slices).map(|i| 1 + i % s);
            let right = (0..slices).map(|i| 1 + s + i % s);
            let labels: Vec<usize> = left.chain([0]).chain(right).collect();
            assert_eq!(labels.len(), cuts.len() + 1);
            let line = Line { cuts, labels, classes: 2 * s + 1 };
            // The answer: label 0 and the s on the left. All of these s leave together, so e = 1 of k = s + 1 stays
            // longer than 2: ask for 2.
            let set: Vec<usize> = (0..=s).collect();
            let radius = line.smoothed(0.0).kept(&set, 2) - SEARCH;
            assert!(radius > 0.0 && line.left(&set, radius) < s, "s = {s}, {low} {high}: {radius}");
            assert_eq!(line.left(&set, radius + 0.01), s, "s = {s}, {low} {high}: not tight at {radius}");
        }
    }
}
