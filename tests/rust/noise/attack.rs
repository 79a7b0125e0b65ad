//! The attack on floating-point noise, by the idea of Jin et al. (2022) and Voracek and Hein (2023): a model that finds
//! x in the rounding of x + noise. With naive noise it gets a false certificate; with ours it reads nothing, in either
//! mode.
//!
//! The trace: noise that nearly cancels x leaves an exact difference, a multiple of x's own last place. Where x = 0 a
//! small sum is the noise itself, whose last place is as fine as the sum is small.

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand_distr::{Distribution, StandardNormal};
use smoothtopk::Result;
use smoothtopk::noise::{ExactGrid, Grid, Mode, Noise, NoiseStream, Purpose, Source};
use smoothtopk::sampler::{BaseClassifier, BatchRunner, Job, Plan, Sampler};
use smoothtopk::stats::binomial::two_sided_half;
use smoothtopk::stats::{Allocation, Tally};
use std::sync::Arc;

use crate::statements::certify;

/// A CIFAR-10 image, black or of the next darkest pixels.
const ELEMENTS: usize = 3072;
const BLACK: f32 = 0.0;
const NEXT: f32 = 1.0 / 255.0;
const SIGMA: f64 = 0.25;
const ROWS: u64 = 1000;

/// Says 0 where an element proves that x is not [`NEXT`]: a sum below 2^-10 of NEXT and noise, which is then beyond
/// 2^-9, is a multiple of 2^-32, and this one is not. Says 1 where there is no such proof.
fn reads_the_trace(row: &[f32]) -> u32 {
    let proof = |y: &f32| y.abs() < 0.5f32.powi(10) && (f64::from(*y) * 2f64.powi(32)).fract() != 0.0;
    u32::from(!row.iter().any(proof))
}

struct TraceReader;

impl BaseClassifier for TraceReader {
    fn elements(&self) -> usize {
        ELEMENTS
    }

    fn classes(&self) -> usize {
        2
    }

    fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>> {
        Ok(Box::new(TraceRunner(vec![0.0; batch * ELEMENTS])))
    }
}

struct TraceRunner(Vec<f32>);

impl BatchRunner for TraceRunner {
    fn rows_mut(&mut self, rows: usize) -> &mut [f32] {
        &mut self.0[..rows * ELEMENTS]
    }

    fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()> {
        for (row, label) in self.0.chunks_exact(ELEMENTS).take(rows).zip(labels) {
            *label = reads_the_trace(row);
        }
        Ok(())
    }
}

/// The distance between the two images.
fn distance() -> f64 {
    f64::from(NEXT) * (ELEMENTS as f64).sqrt()
}

/// Fills the row `sample` around an image of one colour.
type Fill<'a> = dyn Fn(u64, f32, &mut [f32]) + 'a;

/// What everyone writes: x + sigma z in f32.
fn naive(normals: impl Fn(u64, &mut [f32])) -> impl Fn(u64, f32, &mut [f32]) {
    move |sample, x, row| {
        normals(sample, row);
        row.iter_mut().for_each(|z| *z = x + SIGMA as f32 * *z);
    }
}

/// Our normals, and those of another library.
fn our_normals(sample: u64, row: &mut [f32]) {
    NoiseStream::new(1, 0, Purpose::Estimate).normals(sample, row).unwrap();
}

fn their_normals(sample: u64, row: &mut [f32]) {
    let mut rng = SmallRng::seed_from_u64(sample);
    row.iter_mut().for_each(|z| *z = StandardNormal.sample(&mut rng));
}

fn counts(x: f32, fill: &Fill) -> Tally {
    let mut runner = TraceReader.runner(1).unwrap();
    let mut labels = vec![0; 2];
    for sample in 0..ROWS {
        fill(sample, x, runner.rows_mut(1));
        let mut label = [0];
        runner.run(1, &mut label).unwrap();
        labels[label[0] as usize] += 1;
    }
    Tally::complete(labels).unwrap()
}

fn certificate(counts: &Tally, label: usize) -> smoothtopk::certificate::Certificate {
    certify(counts, label, 1, SIGMA, 1e-6, &Allocation::default()).unwrap()
}

/// A certificate that says 0 around the black image, and inside it an image whose label is 1: each is wrong with
/// probability 1e-6 if noise were what it claims to be.
#[test]
fn naive_noise_gives_a_false_certificate() {
    let ours = naive(our_normals);
    let theirs = naive(their_normals);
    for fill in [&ours as &Fill, &theirs] {
        let black = certificate(&counts(BLACK, fill), 0);
        assert!(black.radius > 1.5 * distance(), "{} around black, NEXT is at {}", black.radius, distance());
        let next = certificate(&counts(NEXT, fill), 1);
        assert!(next.certified(), "at NEXT the label must be another");
    }
}

fn modes() -> [Mode; 2] {
    [Mode::Grid(Grid::for_range(1.0, SIGMA).unwrap()), Mode::Exact(ExactGrid::pixels())]
}

fn sources() -> [Source; 2] {
    [Source::Philox { seed: 5 }, Source::ChaCha12 { key: [5; 32] }]
}

/// The same model, the whole way through the sampler: it finds no proof in any row, so that both certificates agree.
#[test]
fn our_noise_gives_the_trace_reader_nothing() {
    let sampler = Sampler::new(Arc::new(TraceReader), Plan { batch: 16, threads: 2 }).unwrap();
    for (mode, source) in modes().into_iter().flat_map(|mode| sources().map(|source| (mode, source))) {
        let noise = Noise::new(SIGMA, mode, source).unwrap();
        for (key, x) in [(0, BLACK), (1, NEXT)] {
            let job = Job::new(&[x; ELEMENTS], &noise, Purpose::Estimate).unwrap().key(key).samples(0..ROWS);
            let counts = sampler.submit(job).unwrap().wait().complete().unwrap();
            assert_eq!(counts.labels(), [0, ROWS], "{mode:?}, {source:?}, {x}");
        }
    }
}

/// A model of last places: how many elements of magnitude below 2^-`WINDOWS` are multiples of 2^-p, for every p.
const WINDOWS: [i32; 4] = [-4, 4, 7, 10];
const PLACES: usize = 48;

fn last_places(row: &[f32]) -> Vec<u16> {
    let mut places = vec![0u16; WINDOWS.len() * PLACES];
    for &y in row.iter().filter(|&&y| y != 0.0) {
        // y = odd 2^-place.
        let exponent = ((y.to_bits() >> 23 & 0xff) as i32 - 127).max(-126);
        let mantissa = y.to_bits() & 0x7f_ffff | u32::from(y.is_normal()) << 23;
        let place = (23 - exponent - mantissa.trailing_zeros() as i32).clamp(0, PLACES as i32 - 1) as usize;
        for (window, count) in WINDOWS.iter().zip(places.chunks_exact_mut(PLACES)) {
            if exponent < -window {
                count[place] += 1;
            }
        }
    }
    for count in places.chunks_exact_mut(PLACES) {
        (1..PLACES).for_each(|place| count[place] += count[place - 1]);
    }
    places
}

/// The last places of many rows.
fn features(x: f32, fill: &Fill) -> Vec<Vec<u16>> {
    let mut row = vec![0.0; ELEMENTS];
    (0..ROWS)
        .map(|sample| {
            fill(sample, x, &mut row);
            last_places(&row)
        })
        .collect()
}

/// The smallest p-value of all models that say 0 where a feature is above its median in `real`: their counts in `ours`
/// against those in `real`, by the binomial test of the rarer label, whose tails lie above the hypergeometric's
/// (Hoeffding 1956).
fn least_p_value(ours: &[Vec<u16>], real: &[Vec<u16>]) -> f64 {
    let mut least = 1.0f64;
    for feature in 0..real[0].len() {
        let mut values: Vec<u16> = real.iter().map(|row| row[feature]).collect();
        let (_, &mut median, _) = values.select_nth_unstable(real.len() / 2);
        let zeros = |rows: &[Vec<u16>]| rows.iter().filter(|row| row[feature] > median).count() as u64;
        let (a, b) = (zeros(ours), zeros(real));
        let (a, b) = if a + b > ROWS { (ROWS - a, ROWS - b) } else { (a, b) };
        least = least.min(two_sided_half(a, b).unwrap());
    }
    least
}

/// Real-valued noise, to 53 bits, of a seed that no other rows use.
fn real_noise(sample: u64, x: f32) -> impl Iterator<Item = f64> {
    let mut rng = SmallRng::seed_from_u64(1 << 40 | sample << 1 | u64::from(x != 0.0));
    std::iter::repeat_with(move || {
        let z: f64 = StandardNormal.sample(&mut rng);
        SIGMA * z
    })
}

/// 192 models that look at last places, trained on the very question, count with our rows what they count with
/// real-valued noise that is rounded after it was added: noise in which nothing can be read. Of the 1,536 comparisons
/// each is wrong with probability 1e-10: false alarms below 2e-7.
#[test]
fn our_rows_look_like_rounded_real_noise_to_models_of_last_places() {
    for mode in modes() {
        let round = |sum: f64| match mode {
            Mode::Grid(grid) => ((sum / f64::from(grid.step())).round() * f64::from(grid.step())) as f32,
            Mode::Exact(grid) => grid.value((sum * f64::from(grid.levels())).round() as i32),
            _ => unreachable!("two modes"),
        };
        for x in [BLACK, NEXT] {
            let placed = match mode {
                Mode::Grid(grid) => {
                    let mut x = [x];
                    grid.round(&mut x);
                    f64::from(x[0])
                }
                _ => f64::from((x * 255.0).round()) / 255.0,
            };
            let real = features(x, &|sample, x, row| {
                row.iter_mut().zip(real_noise(sample, x)).for_each(|(y, z)| *y = round(placed + z));
            });
            for source in sources() {
                let noise = Noise::new(SIGMA, mode, source).unwrap();
                let stream = noise.stream(7, Purpose::Estimate);
                let centre = noise.centre(&[x; ELEMENTS]).unwrap();
                let ours = features(x, &|sample, _, row| stream.noisy_row(sample, &centre, row).unwrap());
                let p = least_p_value(&ours, &real);
                assert!(p > 1e-10, "{mode:?}, {source:?}, {x}: a model of last places sees more, p = {p:e}");
            }
        }
    }
}

/// The same models do tell naive noise from real-valued noise rounded to f32, so the test above can fail.
#[test]
fn naive_rows_do_not_look_like_rounded_real_noise() {
    let real = features(NEXT, &|sample, x, row| {
        row.iter_mut().zip(real_noise(sample, x)).for_each(|(y, z)| *y = (f64::from(x) + z) as f32);
    });
    for fill in [&naive(our_normals) as &Fill, &naive(their_normals)] {
        let p = least_p_value(&features(NEXT, fill), &real);
        assert!(p < 1e-20, "{p:e}");
    }
}

/// A model of the row's parity cannot tell an even x from an odd one. It could, were the f32 products of [`Mode::Grid`]
/// rounded with ties to even: of noise beyond sigma they have 3 bits below the grid or fewer. Eight two-sided tests at
/// 1e-9, each of which sees an excess of 0.0004: the majority of ImageNet's 150,528 elements would be moved by 0.3 of
/// its own deviation.
#[test]
fn parities_tell_nothing() {
    const LONG: usize = 1 << 20;
    const MANY: u64 = 64;
    let mut row = vec![0.0; LONG];
    let mut even_of = |noise: &Noise, x: f32, step: f32| {
        let (centre, stream) = (noise.centre(&vec![x; LONG]).unwrap(), noise.stream(7, Purpose::Estimate));
        let even = |sample| {
            stream.noisy_row(sample, &centre, &mut row).unwrap();
            // Exact: the step is a power of two, the quotient an integer below 2^24.
            row.iter().filter(|&&y| (y / step) as i32 & 1 == 0).count() as u64
        };
        (0..MANY).map(even).sum::<u64>()
    };
    for source in sources() {
        for sigma in [SIGMA, 0.2] {
            let grid = Grid::for_range(1.0, sigma).unwrap();
            let noise = Noise::new(sigma, Mode::Grid(grid), source).unwrap();
            for x in [0.0, 16_449.0 * grid.step()] {
                let even = even_of(&noise, x, grid.step());
                let p = two_sided_half(even, MANY * LONG as u64 - even).unwrap();
                assert!(p > 1e-9, "{source:?}, sigma {sigma}, x = {x}: {even} even, p = {p:e}");
            }
        }
    }
}
