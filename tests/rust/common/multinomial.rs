//! Draws of counts from label probabilities that are known.

use rand::rngs::StdRng;
use rand_distr::{Binomial, Distribution};
use smoothtopk::stats::Tally;

/// The given first probabilities, the rest spread evenly over the other labels.
pub fn spread(classes: usize, first: &[f64]) -> Vec<f64> {
    let rest = (1.0 - first.iter().sum::<f64>()) / (classes - first.len()).max(1) as f64;
    let mut p = first.to_vec();
    p.resize(classes, rest.max(0.0));
    p
}

/// Counts of n samples, by conditional binomials; what `p` leaves is the probability of no label.
pub fn draw(p: &[f64], n: u64, rng: &mut StdRng) -> Tally {
    let (mut left, mut mass) = (n, 1.0);
    let mut labels = vec![0; p.len()];
    for (count, &p) in labels.iter_mut().zip(p) {
        if left == 0 {
            break;
        }
        *count = Binomial::new(left, (p / mass).clamp(0.0, 1.0)).expect("a probability").sample(rng);
        left -= *count;
        mass = (mass - p).max(1e-300);
    }
    Tally::new(labels, n).expect("the counts add to at most n")
}
