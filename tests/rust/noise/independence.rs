//! Independence across rows, seeds, jobs, purposes and elements: correlations of values and of squares.
//!
//! Each correlation of n values is normal with standard error 1 / sqrt(n); beyond 6 of them by chance 2e-9 of the
//! time. About 500 are taken: false alarms 1e-6 in all.

use super::{kolmogorov_smirnov, normals, stream};
use smoothtopk::noise::{NoiseStream, Purpose};

const N: usize = 1_000_000;

/// Values, and squares standardised, are uncorrelated.
fn check<'a>(name: &str, a: impl IntoIterator<Item = &'a f32>, b: impl IntoIterator<Item = &'a f32>) {
    let (mut n, mut values, mut squares) = (0.0f64, 0.0f64, 0.0f64);
    for (&a, &b) in a.into_iter().zip(b) {
        let (a, b) = (f64::from(a), f64::from(b));
        n += 1.0;
        values += a * b;
        squares += 0.5 * (a * a - 1.0) * (b * b - 1.0);
    }
    let (values, squares) = (values / n.sqrt(), squares / n.sqrt());
    assert!(n > 10_000.0 && values.abs() < 6.0, "{name}: values {values} standard errors apart from independence");
    assert!(squares.abs() < 6.0, "{name}: squares {squares} standard errors apart from independence");
}

#[test]
fn across_samples_seeds_jobs_and_purposes() {
    let base = NoiseStream::new(5, 9, Purpose::Select);
    let row = normals(&base, 4, N);
    for sample in [0, 3, 5, 6, 4 | 1 << 31, 4 | 1 << 32, 4 | 1 << 63] {
        check(&format!("sample {sample}"), &row, &normals(&base, sample, N));
    }
    for (seed, job) in [(4, 9), (5 | 1 << 32, 9), (5 | 1 << 63, 9), (5, 8), (5, 9 | 1 << 32), (5, 9 | 1 << 63), (9, 5)]
    {
        let other = NoiseStream::new(seed, job, Purpose::Select);
        check(&format!("seed {seed}, job {job}"), &row, &normals(&other, 4, N));
    }
    check("purpose", &row, &normals(&NoiseStream::new(5, 9, Purpose::Estimate), 4, N));
}

#[test]
fn across_elements_of_a_row() {
    let row = normals(&stream(), 8, N);
    for lag in (1..=160).chain([1024, 3072, 4096, 150_528]) {
        check(&format!("lag {lag}"), &row, &row[lag..]);
    }
    // Lags mix pairs of many kinds: those that share a block are also taken alone.
    for (first, second) in [(0, 16), (32, 48), (0, 32), (0, 48), (16, 32), (16, 48)] {
        let from = |start: usize| row.chunks_exact(64).flat_map(move |group| &group[start..start + 16]);
        check(&format!("within a block, {first} and {second}"), from(first), from(second));
    }
}

#[test]
fn neighbouring_elements_across_samples() {
    // One element followed through the samples, as the counts see it.
    let rows: Vec<Vec<f32>> = (0..50_000).map(|sample| normals(&stream(), sample, 80)).collect();
    let column = |e: usize| rows.iter().map(move |row| &row[e]);
    for e in [1, 15, 16, 17, 32, 48, 63, 64, 79] {
        check(&format!("elements 0 and {e}"), column(0), column(e));
    }
    for lag in [1, 2, 3, 64, 256] {
        check(&format!("element 0, sample lag {lag}"), column(0), column(0).skip(lag));
    }
    // A row's mean is normal: wrong if elements were dependent in any linear way. False alarms 9.4e-7.
    let means = rows.iter().map(|row| row.iter().map(|&z| f64::from(z)).sum::<f64>() / 80f64.sqrt());
    let distance = kolmogorov_smirnov(means.map(super::cdf).collect());
    assert!(distance < 2.7, "{distance}");
}
