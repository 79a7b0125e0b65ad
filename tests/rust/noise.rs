//! Tests of the noise room.
//!
//! Statistical tests have fixed seeds and state how often they would fail for a perfect generator with a random seed.

#[path = "noise/accuracy.rs"]
mod accuracy;
#[path = "noise/distribution.rs"]
mod distribution;
#[path = "noise/grid.rs"]
mod grid;
#[path = "noise/independence.rs"]
mod independence;
#[path = "noise/philox.rs"]
mod philox;
#[path = "noise/rows.rs"]
mod rows;

use smoothtopk::noise::{NoiseStream, Purpose};

/// The stream that tests draw from unless they say otherwise.
fn stream() -> NoiseStream {
    NoiseStream::new(20_200_426, 1, Purpose::Estimate)
}

/// Row `sample` of `stream`, standard normals.
fn normals(stream: &NoiseStream, sample: u64, elements: usize) -> Vec<f32> {
    let mut row = vec![f32::NAN; elements];
    stream.normals(sample, &mut row).unwrap();
    row
}

/// P(Z <= z).
fn cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The Kolmogorov-Smirnov distance of `values` from the uniform distribution, times sqrt(n). Above 2.7 with probability
/// at most 2 exp(-2 2.7^2) = 9.4e-7 (Massart).
fn kolmogorov_smirnov(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len() as f64;
    let distance =
        values.iter().enumerate().fold(0.0f64, |d, (i, &p)| d.max(p - i as f64 / n).max((i + 1) as f64 / n - p));
    distance * n.sqrt()
}
