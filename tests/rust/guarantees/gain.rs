//! How much larger the radii are than those of the sound way that comes to mind first: a Clopper-Pearson interval for
//! every label at alpha/(2c) a side (Bonferroni), and the same theorems applied to those bounds. A table, written by
//!
//!     cargo test --test library gain -- --ignored --nocapture

use rand::SeedableRng;
use rand::rngs::StdRng;
use smoothtopk::certificate::{AnswerLabels, BoundFunctions, kept_radius, top_k_radius};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::{Prob, Tally, binomial};

use super::truth::Truth;
use crate::statements::{certify_each, certify_kept, certify_order};

const ALPHA: f64 = 0.001;

/// Bonferroni's validity.
struct Naive {
    lower: Vec<Prob>,
    upper: Vec<Prob>,
    noise: Gaussian,
}

impl Naive {
    fn new(counts: &Tally) -> Self {
        let side = ALPHA / (2.0 * counts.classes() as f64);
        let each = |bound: fn(u64, u64, f64) -> smoothtopk::Result<Prob>| {
            counts.labels().iter().map(|&count| bound(count, counts.n(), side).expect("counts")).collect()
        };
        Self { lower: each(binomial::lower), upper: each(binomial::upper), noise: Gaussian::new(1.0).expect("sigma") }
    }

    fn rivals(&self, set: &[usize], number: usize) -> Vec<Prob> {
        let outside = (0..self.upper.len()).filter(|label| !set.contains(label));
        let mut bounds: Vec<Prob> = outside.map(|label| self.upper[label]).collect();
        bounds.sort_by(|a, b| a.p.total_cmp(&b.p));
        bounds.split_off(bounds.len() - number)
    }

    fn label(&self, label: usize, k: usize) -> f64 {
        top_k_radius(&self.noise, self.lower[label], &self.rivals(&[label], k)).expect("bounds").radius
    }

    fn kept(&self, set: &[usize], e: usize) -> f64 {
        let mut members: Vec<Prob> = set.iter().map(|&label| self.lower[label]).collect();
        members.sort_by(|a, b| a.p.total_cmp(&b.p));
        let leaving = set.len() - e + 1;
        kept_radius(&self.noise, &members[..leaving], &self.rivals(set, leaving)).expect("bounds").radius
    }

    fn order(&self, labels: &[usize]) -> f64 {
        let next = |place: usize| labels.get(place).map_or_else(|| self.rivals(labels, 1)[0], |&next| self.upper[next]);
        let pair = |(i, &label): (usize, &usize)| {
            top_k_radius(&self.noise, self.lower[label], &[next(i + 1)]).expect("bounds").radius
        };
        labels.iter().enumerate().map(pair).fold(f64::INFINITY, f64::min)
    }
}

/// The radii of an answer: of its first and its last label, of the whole set, of 2 and of 1 of its labels, of its first
/// place and of its ranking.
type Radii = [f64; 7];
const NAMES: [&str; 7] = ["label 1", "label 3", "set", "2 of 3", "1 of 3", "top-1", "ranking"];

fn ours(counts: &Tally, returned: &AnswerLabels) -> Radii {
    let fixed = &BoundFunctions::FIXED;
    let each = certify_each(counts, returned, 1.0, ALPHA, fixed).expect("valid");
    let kept = |e| certify_kept(counts, returned, e, 1.0, ALPHA, fixed).expect("valid").radius;
    let order = |places| certify_order(counts, returned, places, 1.0, ALPHA, fixed).expect("valid").radius;
    [each.labels[0].radius, each.labels[2].radius, kept(3), kept(2), kept(1), order(1), order(3)]
}

fn naive(counts: &Tally) -> Radii {
    let (naive, returned) = (Naive::new(counts), AnswerLabels::same_counts(counts, 3).expect("k"));
    let set = returned.labels();
    let (label, kept) = (|i: usize| naive.label(set[i], 3), |e| naive.kept(set, e));
    [label(0), label(2), kept(3), kept(2), kept(1), naive.order(&set[..1]), naive.order(set)]
}

fn exact(truth: &Truth) -> Radii {
    let set = [0, 1, 2];
    let (label, kept) = (|i| truth.label(i, 3), |e| truth.kept(&set, e));
    [label(0), label(2), kept(3), kept(2), kept(1), truth.order(&set[..1]), truth.order(&set)]
}

#[test]
#[ignore = "a table for docs/statistics.md"]
fn gain() {
    println!("each cell: naive, same counts, pilot; in brackets what the true probabilities allow\n");
    println!("| c | n | p | {} |\n|{}", NAMES.join(" | "), " --- |".repeat(3 + NAMES.len()));
    for (classes, first) in
        [(10, &[0.6, 0.2, 0.1][..]), (10, &[0.9, 0.04, 0.03]), (1000, &[0.6, 0.2, 0.1]), (1000, &[0.9, 0.04, 0.03])]
    {
        for n in [1000, 10_000] {
            let (truth, draws) = (Truth::new(classes, first), 300);
            let mut rng = StdRng::seed_from_u64(31);
            let mut sums = [[0.0; 7]; 3];
            for _ in 0..draws {
                // As many rows for each way: the pilot takes a tenth of them.
                let counts = truth.draw(n, &mut rng);
                let (pilot, rest) = (truth.draw(n / 10, &mut rng), truth.draw(n - n / 10, &mut rng));
                let same = AnswerLabels::same_counts(&counts, 3).expect("k");
                let apart = AnswerLabels::pilot(&pilot, 3).expect("k");
                for (sum, radii) in sums.iter_mut().zip([naive(&counts), ours(&counts, &same), ours(&rest, &apart)]) {
                    sum.iter_mut().zip(radii).for_each(|(sum, radius)| *sum += radius / f64::from(draws));
                }
            }
            let exact = exact(&truth);
            let cell = |i: usize| {
                let [naive, same, pilot] = sums.map(|sum| sum[i]);
                format!("{naive:.3}, {same:.3}, {pilot:.3} ({:.3})", exact[i])
            };
            println!(
                "| {classes} | {n} | {first:?} | {} |",
                (0..NAMES.len()).map(cell).collect::<Vec<_>>().join(" | ")
            );
        }
    }
}
