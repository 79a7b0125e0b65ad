//! Uniform noise as drawn: its distribution, and its independence of all else under the same secret.

use super::exact_statistics::{exact, sources};
use super::{chi_square_is_plausible, kolmogorov_smirnov};
use smoothtopk::noise::{Noise, NoiseStream, Purpose, Source};

const N: usize = 1_000_000;

/// Sample `sample` around 0, as shares of lambda.
fn shares(source: Source, stream: u64, purpose: Purpose, sample: u64) -> Vec<f64> {
    let noise = Noise::uniform(0.25, source).unwrap();
    let mut row = vec![f32::NAN; N];
    noise.stream(stream, purpose).noisy_row(sample, &noise.centre(&vec![0.0; N]).unwrap(), &mut row).unwrap();
    row.into_iter().map(|value| f64::from(value) / 0.25).collect()
}

/// Chi-square over 1,000 cells, and over 32 x 32 cells of neighbours; Kolmogorov and Smirnov's distance; the first four
/// moments. False alarms: 2 x (2 x 2.5e-7 + 9.4e-7 + 4 x 2e-9), below 3e-6.
#[test]
fn drawn_noise_is_uniform() {
    for source in sources() {
        let shares = shares(source, 2, Purpose::Estimate, 5);
        assert!(shares.iter().all(|share| share.abs() <= 1.0));
        let cell = |share: f64, cells: usize| ((0.5 * (share + 1.0) * cells as f64) as usize).min(cells - 1);
        let (mut single, mut pairs) = (vec![0; 1000], vec![0; 1024]);
        shares.iter().for_each(|&share| single[cell(share, 1000)] += 1);
        shares.as_chunks().0.iter().for_each(|&[a, b]| pairs[cell(a, 32) * 32 + cell(b, 32)] += 1);
        chi_square_is_plausible(&single, std::iter::repeat_n(N as f64 / 1000.0, 1000), 2.5e-7);
        chi_square_is_plausible(&pairs, std::iter::repeat_n(N as f64 / 2048.0, 1024), 2.5e-7);
        for power in 1..=4 {
            let mean = |power: i32| if power % 2 == 0 { 1.0 / f64::from(power + 1) } else { 0.0 };
            let sum: f64 = shares.iter().map(|share| share.powi(power)).sum();
            let error = (mean(2 * power) - mean(power).powi(2)).sqrt() * (N as f64).sqrt();
            assert!((sum - mean(power) * N as f64).abs() < 6.0 * error, "moment {power}, {source:?}");
        }
        let distance = kolmogorov_smirnov(shares.into_iter().map(|share| 0.5 * (share + 1.0)).collect());
        assert!(distance < 2.7, "{distance}, {source:?}");
    }
}

/// Correlations of n products, in standard errors: beyond 6 with probability 2e-9, 60 of them: false alarms 1.2e-7. The
/// Gaussian and the exact noise of the same secret are among the others.
#[test]
fn rows_are_independent_of_all_others_of_the_secret() {
    let check = |name: &str, a: &[f64], b: &[f64]| {
        let n = a.len().min(b.len()) as f64;
        let product: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
        // Deviations of the squares, over their standard deviations: 4/45 of a uniform's, 2 of a normal's.
        let centred =
            |v: f64, normal: bool| if normal { (v * v - 1.0) / 2f64.sqrt() } else { (v * v - 1.0) / 0.8f64.sqrt() };
        let normal = name.starts_with("normal");
        let squares: f64 = a.iter().zip(b).map(|(&a, &b)| centred(a, false) * centred(b, normal)).sum();
        let errors = [product / n.sqrt(), squares / n.sqrt()];
        assert!(errors.iter().all(|error| error.abs() < 6.0), "{name}: {errors:?} standard errors");
    };
    for source in sources() {
        let row = |stream, purpose, sample| -> Vec<f64> {
            shares(source, stream, purpose, sample).into_iter().map(|share| share * 3f64.sqrt()).collect()
        };
        let base = row(9, Purpose::Select, 4);
        for (stream, purpose, sample) in [
            (9, Purpose::Select, 5),
            (9, Purpose::Select, 4 | 1 << 32),
            (8, Purpose::Select, 4),
            (9 | 1 << 63, Purpose::Select, 4),
            (9, Purpose::Estimate, 4),
            (9, Purpose::Answer, 4),
        ] {
            check(&format!("stream {stream}, {purpose:?}, sample {sample}"), &base, &row(stream, purpose, sample));
        }
        for lag in [1, 2, 15, 16, 17, 32, 48, 64, 128] {
            check(&format!("lag {lag}"), &base, &base[lag..]);
        }
        let mut normals = vec![0.0; N];
        NoiseStream::of(&source, 9, Purpose::Select).normals(4, &mut normals).unwrap();
        let normals: Vec<f64> = normals.into_iter().map(f64::from).collect();
        check("normal, the Gaussian's", &base, &normals);
        let exact = super::exact_statistics::integers(&exact(0.25, 255, source), 9, Purpose::Select, 4, N);
        let exact: Vec<f64> = exact.into_iter().map(|m| f64::from(m) / 63.75).collect();
        check("normal, the exact one", &base, &exact);
        // By size, too: both would be small together, were they made of the same words.
        let signs = |values: &[f64]| values.iter().map(|v| v.signum()).collect::<Vec<_>>();
        for other in [&normals, &exact] {
            let sum: f64 = signs(&base).iter().zip(signs(other)).map(|(a, b)| a * b).sum();
            assert!(sum.abs() < 6.0 * (N as f64).sqrt(), "{sum}");
        }
    }
}
