//! Label probabilities that are known, and the test that a failure rate is not above alpha.
// Each of the programs that share it leaves some of it unused.
#![allow(dead_code)]

use rand::rngs::StdRng;
use smoothtopk::certificate::top_k_radius;
use smoothtopk::perturbation::{Gaussian, Shift};
use smoothtopk::stats::{Prob, Tally, binomial};

use crate::multinomial::{self, spread};

pub const ALPHA: f64 = 0.05;
pub const FALSE_ALARM: f64 = 1e-8;

/// Known label probabilities; the label under test is 0.
pub struct Truth {
    pub p: Vec<f64>,
    pub n: u64,
}

impl Truth {
    /// The given first probabilities, the rest spread evenly over the other labels.
    pub fn new(classes: usize, first: &[f64], n: u64) -> Self {
        Self { p: spread(classes, first), n }
    }

    /// One draw of n rows: of the multinomial, by conditional binomials.
    pub fn draw(&self, rng: &mut StdRng) -> Tally {
        self.rows(self.n, rng)
    }

    /// As many rows.
    pub fn rows(&self, n: u64, rng: &mut StdRng) -> Tally {
        multinomial::draw(&self.p, n, rng)
    }

    /// The exact radius of label 0, in units of sigma.
    pub fn radius(&self, k: usize) -> f64 {
        self.radius_under(&Gaussian::new(1.0).expect("sigma"), k)
    }

    /// The exact radius of label 0 under this noise, of scale 1.
    pub fn radius_under(&self, noise: &impl Shift, k: usize) -> f64 {
        let mut rivals = self.p[1..].to_vec();
        rivals.sort_by(|a, b| b.total_cmp(a));
        let mut rivals: Vec<Prob> = rivals[..k].iter().map(|&p| Prob { p, q: 1.0 - p }).collect();
        rivals.reverse();
        let label = Prob { p: self.p[0], q: 1.0 - self.p[0] };
        // top_k_radius is at most 1e-9 of the scale below the exact root.
        top_k_radius(noise, label, &rivals).expect("probabilities").radius + 1e-9
    }

    pub fn is_top(&self, set: &[usize]) -> bool {
        let least_inside = set.iter().map(|&label| self.p[label]).fold(1.0, f64::min);
        (0..self.p.len()).filter(|label| !set.contains(label)).all(|label| self.p[label] <= least_inside)
    }
}

/// Whether `failures` of `draws` show, at a false-alarm rate of `FALSE_ALARM`, a failure rate above `alpha`.
pub fn exceeds(failures: u64, draws: u64, alpha: f64) -> bool {
    binomial::lower(failures, draws, FALSE_ALARM).expect("counts").p > alpha
}
