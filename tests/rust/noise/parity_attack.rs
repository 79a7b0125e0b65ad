//! An attack by a model that knows the generator: it reads the parity of x where a pair's cosine is exactly 1.
//!
//! There the scaled normal is the f32 radius, with few bits below the point where the grid is fine: ties are common and
//! go to the even integer. On the finest grid on which sums are exact this gives false certificates; on the default's
//! it reads nothing.

use smoothtopk::certificate::{Basis, Certificate, certify};
use smoothtopk::noise::{ExactGrid, Grid, Mode, Noise, Purpose, Source};
use smoothtopk::perturbation::Gaussian;
use smoothtopk::stats::{Allocation, Tally, Validity};

const SIGMA: f64 = 0.25;
/// Of each certificate: had noise the law it claims, this would be the probability of a radius above 0 for the label
/// that the model gives with probability 1/2.
const ALPHA: f64 = 1e-6;
/// Elements and rows: ImageNet, CIFAR-10.
const SIZES: [(usize, u64); 2] = [(150_528, 2000), (3072, 20_000)];

/// 0 where most of the integers look even, 1 where odd; `inverse` is 1 / step.
fn reads_parities(row: &[f32], inverse: f32) -> usize {
    let mut vote = 0.0f32;
    let pairs = row.as_chunks::<64>().0.iter().flat_map(|group| {
        // Both elements of a pair of words: docs/noise.md has the layout.
        [0, 32].into_iter().flat_map(move |half| (half..half + 16).map(move |p| (group[p], group[p + 16])))
    });
    for (a, b) in pairs {
        let (big, small) = if a.abs() > b.abs() { (a * inverse, b * inverse) } else { (b * inverse, a * inverse) };
        // Below an angle of 2^-12 the f32 cosine is 1. x is 0 or 1 step, which moves the ratio little.
        if small.abs() > 2.44e-4 * big.abs() || big.abs() < 0.25 * SIGMA as f32 * inverse {
            continue;
        }
        // With b bits below the point a tie has probability 2^-b.
        let bits = 23 + 127 - (big.to_bits() >> 23 & 0xff) as i32;
        let weight = 0.5f32.powi(bits.max(1));
        vote += if big as i32 & 1 == 0 { weight } else { -weight };
    }
    // Without a vote, or with an even one, a fair coin.
    if vote == 0.0 { usize::from(row[0] < 0.0) } else { usize::from(vote < 0.0) }
}

/// The certificates of label 0 at `x` and of label 1 at `x'`, one step away in every element once both are on the grid;
/// and the distance of the inputs as they are given.
fn attack(mode: Mode, source: Source, (elements, rows): (usize, u64)) -> ([Certificate; 2], f64) {
    let noise = Noise::new(SIGMA, mode, source).unwrap();
    let step = mode.step() as f32;
    // Inputs that round to neighbours may be as near as f32 allows.
    let inputs = match mode {
        Mode::Grid(_) => [(0.5 * step).next_down(), (0.5 * step).next_up()],
        _ => [0.0, step],
    };
    let mut row = vec![0.0; elements];
    let mut job = 0;
    let certificates = [0, 1].map(|label| {
        let centre = noise.centre(&vec![inputs[label]; elements]).unwrap();
        job += 1;
        let stream = noise.stream(job, Purpose::Estimate);
        let mut labels = vec![0; 2];
        for sample in 0..rows {
            stream.noisy_row(sample, &centre, &mut row).unwrap();
            labels[reads_parities(&row, 1.0 / step)] += 1;
        }
        let counts = Tally::new(labels, rows).unwrap();
        let mut basis = Basis::assuming(Gaussian::new(SIGMA).unwrap(), rows, ALPHA, Validity::Fixed);
        basis.radius_cost = noise.radius_cost(elements);
        certify(&basis, &counts, label, 1, &Allocation::BinoCp).unwrap()
    });
    (certificates, f64::from(inputs[1] - inputs[0]) * (elements as f64).sqrt())
}

fn sources() -> [Source; 2] {
    [Source::Philox { seed: 20 }, Source::ChaCha12 { key: [7; 32] }]
}

/// Each of the 12 certificates would be above the distance with probability 1e-6 at most: false alarms below 1.2e-5.
#[test]
fn the_default_grid_and_exact_noise_tell_no_parity() {
    let grid = Mode::Grid(Grid::for_range(1.0, SIGMA).unwrap());
    // Exact noise of as fine a grid as a table may well have: 1,020 steps to sigma.
    let exact = Mode::Exact(ExactGrid::new(4080).unwrap());
    for (mode, source) in [grid, exact].into_iter().flat_map(|mode| sources().map(|source| (mode, source))) {
        // Exact noise is the slower to draw, and the reader has nothing to look for in it.
        let sizes = if matches!(mode, Mode::Grid(_)) { &SIZES[..] } else { &SIZES[1..] };
        for &size in sizes {
            let (certificates, distance) = attack(mode, source, size);
            for found in certificates {
                assert!(found.radius <= distance, "{mode:?}, {source:?}, {size:?}: {found:?}, x' at {distance:e}");
            }
        }
    }
}

/// The same model on the finest grid on which sums are exact, 2^-22: both certificates are larger than the distance, so
/// both are false, and the test above can fail.
#[test]
fn the_finest_grid_gives_false_certificates() {
    let finest = Mode::Grid(Grid::with_step(0.5f32.powi(22)).unwrap());
    for size in SIZES {
        let (certificates, distance) = attack(finest, sources()[0], size);
        for found in certificates {
            assert!(found.radius > 10.0 * distance && found.radius > 0.001, "{size:?}: {found:?}");
        }
    }
}
