//! Exact noise as drawn: its cells, moments and independence.

use super::chi_square_is_plausible;
use smoothtopk::noise::{DiscreteGaussian, ExactGrid, Mode, Noise, NoiseStream, Purpose, Source};

pub const KEY: [u8; 32] = *b"the key of every test of ChaCha!";

pub fn exact(sigma: f64, levels: u32, source: Source) -> Noise {
    Noise::new(sigma, Mode::Exact(ExactGrid::new(levels).unwrap()), source).unwrap()
}

pub fn sources() -> [Source; 2] {
    [Source::Philox { seed: 20_200_426 }, Source::ChaCha12 { key: KEY }]
}

/// Row `sample` around 0, as integers.
pub fn integers(noise: &Noise, job: u64, purpose: Purpose, sample: u64, elements: usize) -> Vec<i32> {
    let Mode::Exact(grid) = noise.mode() else { panic!("exact noise") };
    let mut row = vec![f32::NAN; elements];
    let x = noise.centre(&vec![0.0; elements]).unwrap();
    noise.stream(job, purpose).noisy_row(sample, &x, &mut row).unwrap();
    row.iter().map(|&value| grid.point(value).unwrap()).collect()
}

/// Chi-square over all cells of expectation 10 or more, the rest pooled. Four tests at 2.5e-7 each: false alarms 1e-6
/// in all.
#[test]
fn drawn_integers_have_the_exact_cells() {
    const N: usize = 4_000_000;
    for source in sources() {
        for (sigma, levels) in [(0.25, 255), (1.2, 1)] {
            let discrete = DiscreteGaussian::new(sigma, levels).unwrap();
            let noise = exact(sigma, levels, source);
            let mut counts = vec![0u64; 2 * discrete.largest() as usize + 1];
            for sample in 0..4 {
                for m in integers(&noise, 2, Purpose::Estimate, sample, N / 4) {
                    counts[(m + discrete.largest()) as usize] += 1;
                }
            }
            let expected = (-discrete.largest()..=discrete.largest())
                .map(|m| discrete.probability(m) as f64 / 18_446_744_073_709_551_616.0 * N as f64);
            chi_square_is_plausible(&counts, expected, 2.5e-7);
        }
    }
}

/// Mean, variance and fourth moment in standard errors; beyond 6 with probability 2e-9 each: false alarms below 2e-8.
#[test]
fn moments_are_those_of_a_gaussian_and_a_uniform_rounding() {
    const N: usize = 2_000_000;
    for source in sources() {
        let noise = exact(0.25, 255, source);
        let m: Vec<f64> = integers(&noise, 0, Purpose::Predict, 0, N).into_iter().map(f64::from).collect();
        // Sheppard: rounding adds 1/12 to the variance, and 1/80 + 6 s^2/12 to the fourth moment, to far below what
        // shows here.
        let variance = 63.75f64 * 63.75;
        let (second, fourth) = (variance + 1.0 / 12.0, 3.0 * variance * variance + variance / 2.0 + 1.0 / 80.0);
        let moment = |power: i32| m.iter().map(|m| m.powi(power)).sum::<f64>() / N as f64;
        let n = (N as f64).sqrt();
        let errors = [
            moment(1) / (second / N as f64).sqrt(),
            (moment(2) - second) / (2f64.sqrt() * second) * n,
            moment(3) / (15f64.sqrt() * second.powf(1.5)) * n,
            (moment(4) - fourth) / (96f64.sqrt() * second * second) * n,
        ];
        assert!(errors.iter().all(|error| error.abs() < 6.0), "{source:?}: {errors:?} standard errors");
    }
}

/// Correlations of n products have standard error 1 / sqrt(n): beyond 6 with probability 2e-9. About 60 are taken:
/// false alarms 1.2e-7.
#[test]
fn rows_of_other_jobs_purposes_samples_modes_and_sources_are_independent() {
    const N: usize = 500_000;
    let sigma = 63.75;
    let check = |name: &str, a: &[f64], b: &[f64]| {
        let n = a.len().min(b.len()) as f64;
        let (mut values, mut squares) = (0.0, 0.0);
        for (a, b) in a.iter().zip(b) {
            values += a * b;
            squares += 0.5 * (a * a - 1.0) * (b * b - 1.0);
        }
        let errors = [values / n.sqrt(), squares / n.sqrt()];
        assert!(errors.iter().all(|error| error.abs() < 6.0), "{name}: {errors:?} standard errors");
    };
    for source in sources() {
        let noise = exact(0.25, 255, source);
        let row = |job, purpose, sample| -> Vec<f64> {
            integers(&noise, job, purpose, sample, N).into_iter().map(|m| f64::from(m) / sigma).collect()
        };
        let base = row(9, Purpose::Select, 4);
        for sample in [0, 3, 5, 4 | 1 << 32, 4 | 1 << 63] {
            check(&format!("sample {sample}"), &base, &row(9, Purpose::Select, sample));
        }
        for job in [0, 8, 9 | 1 << 32, 9 | 1 << 63] {
            check(&format!("job {job}"), &base, &row(job, Purpose::Select, 4));
        }
        for purpose in [Purpose::Estimate, Purpose::Predict] {
            check(&format!("{purpose:?}"), &base, &row(9, purpose, 4));
        }
        for lag in [1, 2, 15, 16, 17, 32, 48, 64, 65, 128, 1024] {
            check(&format!("lag {lag}"), &base, &base[lag..]);
        }
        let mut gaussian = vec![0.0; N];
        NoiseStream::of(&source, 9, Purpose::Select).normals(4, &mut gaussian).unwrap();
        let gaussian: Vec<f64> = gaussian.into_iter().map(f64::from).collect();
        check("mode", &base, &gaussian);
    }
    let [philox, chacha] = sources().map(|source| integers(&exact(0.25, 255, source), 9, Purpose::Select, 4, N));
    let [philox, chacha] =
        [philox, chacha].map(|row| row.into_iter().map(|m| f64::from(m) / sigma).collect::<Vec<_>>());
    check("source", &philox, &chacha);
}

/// ChaCha's Gaussian rows: no two of many streams are one, and the normals fit their distribution (false alarms
/// 9.4e-7).
#[test]
fn chacha_streams_are_apart_and_normal() {
    let mut rows = Vec::new();
    for bit in 0..64 {
        for (job, sample) in [(1 << bit, 0), (0, 1 << bit)] {
            let stream = NoiseStream::of(&Source::ChaCha12 { key: KEY }, job, Purpose::Select);
            rows.push(super::normals(&stream, sample, 64));
        }
    }
    for bit in 0..256 {
        let mut key = KEY;
        key[bit / 8] ^= 1 << (bit % 8);
        rows.push(super::normals(&NoiseStream::of(&Source::ChaCha12 { key }, 0, Purpose::Select), 0, 64));
    }
    for purpose in [Purpose::Select, Purpose::Estimate, Purpose::Predict] {
        rows.push(super::normals(&NoiseStream::of(&Source::ChaCha12 { key: KEY }, 0, purpose), 0, 64));
    }
    let mut elements: Vec<u32> = rows.iter().map(|row| row[0].to_bits() ^ row[17].to_bits().rotate_left(16)).collect();
    let count = elements.len();
    elements.sort_unstable();
    elements.dedup();
    // Of 387 random values of some 30 bits two are equal with probability below 1e-4; the key is fixed, so this is no
    // gamble.
    assert_eq!(elements.len(), count);
    let normals = super::normals(&NoiseStream::of(&Source::ChaCha12 { key: KEY }, 3, Purpose::Estimate), 1, 1_000_000);
    let distance = super::kolmogorov_smirnov(normals.into_iter().map(|z| super::cdf(f64::from(z))).collect());
    assert!(distance < 2.7, "{distance}");
}
