//! Tests of the noise room.
//!
//! Statistical tests have fixed seeds and state how often they would fail for a perfect generator with a random seed.

mod accuracy;
mod attack;
mod beside;
mod chacha;
mod discrete;
mod distribution;
mod exact;
mod exact_statistics;
mod grid;
mod hidden;
mod independence;
mod parity_attack;
mod philox;
mod rows;
#[path = "noise/uniform.rs"]
mod uniform;
#[path = "noise/uniform_statistics.rs"]
mod uniform_statistics;

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

/// The rows of a table of tab-separated values, without the header.
fn golden_rows(table: &str) -> impl Iterator<Item = [&str; 4]> {
    table.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        fields.try_into().expect("four fields")
    })
}

/// Pearson's test of counts against their expectations, those below 10 pooled; fails with probability `false_alarm`, by
/// the cube-root approximation of Wilson and Hilferty, where the counts are as expected.
fn chi_square_is_plausible(counts: &[u64], expected: impl Iterator<Item = f64>, false_alarm: f64) {
    let (mut sum, mut cells, mut pooled) = (0.0, 0u32, (0.0, 0.0));
    for (&count, expected) in counts.iter().zip(expected) {
        if expected < 10.0 {
            pooled = (pooled.0 + count as f64, pooled.1 + expected);
        } else {
            sum += (count as f64 - expected).powi(2) / expected;
            cells += 1;
        }
    }
    if pooled.1 > 0.0 {
        // A pool of hardly any expectation is as hard to pass as one of 10: no failure is hidden, no false alarm added.
        sum += (pooled.0 - pooled.1).powi(2) / pooled.1.max(10.0);
        cells += 1;
    }
    let degrees = f64::from(cells - 1);
    let cube = 2.0 / (9.0 * degrees);
    let z = ((sum / degrees).cbrt() - (1.0 - cube)) / cube.sqrt();
    assert!(cells > 5 && 1.0 - cdf(z) > false_alarm, "chi-square {sum} on {degrees} degrees: {z} standard errors");
}
