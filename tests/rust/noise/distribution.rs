//! One element's distribution: moments, Kolmogorov-Smirnov, tails, and the two elements of a Box-Muller pair.

use super::{cdf, kolmogorov_smirnov, normals, stream};

const ROW: usize = 100_000;

/// False alarms: 3.4e-6 (six normal approximations beyond 5 standard errors).
#[test]
fn moments_to_order_six() {
    let rows = 100;
    let mut sums = [0.0f64; 6];
    for sample in 0..rows {
        for z in normals(&stream(), sample, ROW) {
            let z = f64::from(z);
            let mut power = 1.0;
            for sum in &mut sums {
                power *= z;
                *sum += power;
            }
        }
    }
    let n = (rows as usize * ROW) as f64;
    // E z^k, and the variance E z^2k - (E z^k)^2.
    let exact = [(0.0, 1.0), (1.0, 2.0), (0.0, 15.0), (3.0, 96.0), (0.0, 945.0), (15.0, 10_170.0)];
    for (order, (sum, (mean, variance))) in sums.into_iter().zip(exact).enumerate() {
        let errors = (sum / n - mean) / (variance / n).sqrt();
        assert!(errors.abs() < 5.0, "moment {}: {errors} standard errors", order + 1);
    }
}

/// False alarms: 9.4e-7.
#[test]
fn kolmogorov_smirnov_on_ten_million_draws() {
    let draws = (0..100).flat_map(|sample| normals(&stream(), 1000 + sample, ROW));
    let distance = kolmogorov_smirnov(draws.map(|z| cdf(f64::from(z))).collect());
    assert!(distance < 2.7, "{distance}");
}

/// P(X <= k) and P(X >= k) for X Poisson with mean m.
fn poisson_tails(k: u64, m: f64) -> (f64, f64) {
    let pmf = |i: u64| (i as f64 * m.ln() - m - libm::lgamma(i as f64 + 1.0)).exp();
    ((0..=k).map(pmf).sum(), (k..k + 2000 + 2 * m as u64).map(pmf).sum())
}

/// False alarms: 6e-6 for the five counts (each two-sided at 1e-6, exact Poisson limits, which the binomial counts
/// are within), 9.4e-7 for the shape.
#[test]
fn tails_beyond_four_five_and_six_sigma() {
    let rows = 1000;
    let mut row = vec![0.0; ROW];
    let mut tail: Vec<f64> = Vec::new();
    for sample in 0..rows {
        stream().normals(1 << 33 | sample, &mut row).unwrap();
        tail.extend(row.iter().filter(|z| z.abs() > 4.0).map(|&z| f64::from(z)));
    }
    let n = rows as f64 * ROW as f64;
    let check = |name: &str, count: usize, probability: f64| {
        let (low, high) = poisson_tails(count as u64, n * probability);
        println!("{name}: {count}, expected {:.1}", n * probability);
        assert!(2.0 * low.min(high) > 1e-6, "{name}: {count} of {}", n * probability);
    };
    for sigmas in [4.0, 5.0] {
        check(&format!("> {sigmas}"), tail.iter().filter(|&&z| z > sigmas).count(), cdf(-sigmas));
        check(&format!("< -{sigmas}"), tail.iter().filter(|&&z| z < -sigmas).count(), cdf(-sigmas));
    }
    check("beyond 6", tail.iter().filter(|z| z.abs() > 6.0).count(), 2.0 * cdf(-6.0));
    let shape = kolmogorov_smirnov(tail.iter().map(|z| cdf(-z.abs()) / cdf(-4.0)).collect());
    assert!(shape < 2.7, "the tail's shape: {shape}");
}

/// Radius and angle of pairs, each by Kolmogorov-Smirnov, and 16 x 16 cells of equal probability by chi-square.
/// False alarms: 2 x 9.4e-7, and 1e-8 (chi-square with 255 degrees of freedom beyond 400).
#[test]
fn the_elements_of_a_box_muller_pair_are_independent_normals() {
    let row = normals(&stream(), 5, 4_000_000);
    let mut pairs = Vec::new();
    for half in row.chunks_exact(32) {
        let (first, second) = half.split_at(16);
        pairs.extend(first.iter().zip(second).map(|(&a, &b)| (f64::from(a), f64::from(b))));
    }
    let radius = kolmogorov_smirnov(pairs.iter().map(|(a, b)| (-0.5 * (a * a + b * b)).exp()).collect());
    let turns = |(a, b): &(f64, f64)| 0.5 + b.atan2(*a) / std::f64::consts::TAU;
    let angle = kolmogorov_smirnov(pairs.iter().map(turns).collect());
    assert!(radius < 2.7 && angle < 2.7, "radius {radius}, angle {angle}");

    let cell = |z: f64| ((cdf(z) * 16.0) as usize).min(15);
    let mut counts = [[0u32; 16]; 16];
    for &(a, b) in &pairs {
        counts[cell(a)][cell(b)] += 1;
    }
    let expected = pairs.len() as f64 / 256.0;
    let chi2: f64 = counts.iter().flatten().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
    assert!(chi2 < 400.0, "{chi2}");
}
