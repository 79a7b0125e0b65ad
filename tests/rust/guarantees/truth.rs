//! Known label probabilities, draws from them, and the exact radii of every guarantee.

use rand::rngs::StdRng;
use smoothtopk::certificate::{kept_radius, top_k_radius};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::{Prob, Tally};

use crate::multinomial::{self, spread};

/// The library's radii of exact probabilities are at most 1e-9 sigma below the exact ones.
const SEARCH: f64 = 1e-9;

/// Label probabilities; what they leave is the probability of no label.
#[derive(Debug)]
pub struct Truth {
    pub p: Vec<f64>,
}

impl Truth {
    /// The given first probabilities, the rest spread evenly over the other labels.
    pub fn new(classes: usize, first: &[f64]) -> Self {
        Self { p: spread(classes, first) }
    }

    /// One draw of the multinomial, by conditional binomials.
    pub fn draw(&self, n: u64, rng: &mut StdRng) -> Tally {
        multinomial::draw(&self.p, n, rng)
    }

    /// The exact radius within which `label` stays in the top k, in units of sigma.
    pub fn label(&self, label: usize, k: usize) -> f64 {
        let rivals = self.largest(&[label], k);
        top_k_radius(&sigma(), prob(self.p[label]), &rivals).expect("probabilities").radius + SEARCH
    }

    /// That within which at least `e` of `set` stay in the top `set.len()`.
    pub fn kept(&self, set: &[usize], e: usize) -> f64 {
        let leaving = set.len() - e + 1;
        let mut members: Vec<f64> = set.iter().map(|&label| self.p[label]).collect();
        members.sort_by(f64::total_cmp);
        let members: Vec<Prob> = members[..leaving].iter().map(|&p| prob(p)).collect();
        kept_radius(&sigma(), &members, &self.largest(set, leaving)).expect("probabilities").radius + SEARCH
    }

    /// That within which `labels` are the most likely ones in this order.
    pub fn order(&self, labels: &[usize]) -> f64 {
        let pair = |place: usize| {
            let next = labels.get(place).map_or_else(|| self.largest(labels, 1)[0], |&next| prob(self.p[next]));
            let own = prob(self.p[labels[place - 1]]);
            if own.p > next.p { top_k_radius(&sigma(), own, &[next]).expect("probabilities").radius } else { 0.0 }
        };
        (1..=labels.len()).map(pair).fold(f64::INFINITY, f64::min) + SEARCH
    }

    /// The `number` largest probabilities of labels outside `set`, ascending.
    fn largest(&self, set: &[usize], number: usize) -> Vec<Prob> {
        let outside = (0..self.p.len()).filter(|label| !set.contains(label));
        let mut p: Vec<f64> = outside.map(|label| self.p[label]).collect();
        p.sort_by(f64::total_cmp);
        p[p.len() - number..].iter().map(|&p| prob(p)).collect()
    }
}

fn sigma() -> Gaussian {
    Gaussian::new(1.0).expect("sigma")
}

pub fn prob(p: f64) -> Prob {
    Prob { p, q: 1.0 - p }
}
