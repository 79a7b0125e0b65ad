//! Rows of exact noise: every path against the definition, the distribution of what is drawn, inputs.

use super::chacha::chacha12;
use super::exact_statistics::{KEY, exact, integers, sources};
use proptest::prelude::*;
use smoothtopk::ErrorKind;
use smoothtopk::noise::{DiscreteGaussian, ExactGrid, Mode, Noise, NoiseStream, Path, Purpose, Source, philox4x32_10};

/// The two words of an element as docs/noise.md defines them, by each generator's reference; stream 9, sample 3 + 7
/// 2^32, the bit of the law.
pub fn words(source: &Source, bit: u32) -> Box<dyn Fn(usize) -> [u32; 2]> {
    let purpose = Purpose::Estimate as u32 | 1 << bit;
    match *source {
        Source::Philox { seed } => {
            let key = NoiseStream::new(seed, 9, Purpose::Estimate).key().unwrap();
            Box::new(move |e| {
                let block = (16 * (e / 64) + e % 16) as u32;
                [purpose, purpose | 1 << 31].map(|purpose| philox4x32_10([block, 3, 7, purpose], key)[e % 64 / 16])
            })
        }
        Source::ChaCha12 { key } => {
            let mut derived = [0; 32];
            for (bytes, word) in derived.chunks_exact_mut(4).zip(chacha12(&key, u64::from(purpose), 9)) {
                bytes.copy_from_slice(&word.to_le_bytes());
            }
            Box::new(move |e| [0, 1 << 36].map(|block| chacha12(&derived, block + e as u64 / 16, 3 | 7 << 32)[e % 16]))
        }
        _ => unreachable!("two sources"),
    }
}

/// Rows by every path: one word an element, a second where the table asks.
#[test]
fn rows_are_those_of_the_definition_on_every_path() {
    // At 3,000 steps the table has 16 bits of columns: one element in 65,536 takes its second word.
    for ((sigma, levels), source) in
        [(0.25, 255), (3000.0, 1), (1.0, 1)].into_iter().flat_map(|case| sources().map(|source| (case, source)))
    {
        let noise = exact(sigma, levels, source);
        let discrete = DiscreteGaussian::new(sigma, levels).unwrap();
        let (elements, sample) = (500_009, 3 | 7 << 32);
        let x: Vec<f32> = (0..elements).map(|e| (e % 256) as f32 / levels as f32).collect();
        let centre = noise.centre(&x).unwrap();
        let words = words(&source, 30);
        let mut second_words = 0;
        let expected: Vec<f32> = (0..elements)
            .map(|e| {
                let [first, second] = words(e);
                let draw = |second: u32| discrete.draw(u64::from(first) << 32 | u64::from(second));
                second_words += u32::from(draw(0) != draw(u32::MAX));
                ((e % 256) as i32 + draw(second)) as f32 / levels as f32
            })
            .collect();
        assert!(sigma != 3000.0 || second_words > 0, "the test must see second words");
        for path in Path::ALL.into_iter().filter(|path| path.is_available()) {
            let mut row = vec![f32::NAN; elements];
            noise.stream(9, Purpose::Estimate).on(path).unwrap().noisy_row(sample, &centre, &mut row).unwrap();
            let same = row.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "{path:?}, {source:?}, sigma {sigma}");
        }
    }
}

#[test]
fn every_path_gives_the_same_bits_with_chacha() {
    let grid = smoothtopk::noise::Grid::for_range(1.0, 0.25).unwrap();
    for mode in [Mode::Grid(grid), Mode::Exact(ExactGrid::pixels())] {
        let noise = Noise::new(0.25, mode, Source::ChaCha12 { key: KEY }).unwrap();
        let x = noise.centre(&vec![1.0; 400_003]).unwrap();
        let rows: Vec<Vec<u32>> = Path::ALL
            .into_iter()
            .filter(|path| path.is_available())
            .map(|path| {
                let mut row = vec![f32::NAN; 400_003];
                noise.stream(1, Purpose::Select).on(path).unwrap().noisy_row(2, &x, &mut row).unwrap();
                row.iter().map(|value| value.to_bits()).collect()
            })
            .collect();
        assert!(rows.iter().all(|row| row == &rows[0]), "{mode:?}");
    }
}

/// Counts recorded by one version must be found again by the next, on any processor.
#[test]
fn the_rows_of_a_secret_are_fixed_for_ever() {
    let row = |noise: &Noise| {
        let mut row = [0.0; 80];
        noise.stream(11, Purpose::Estimate).noisy_row(13, &noise.centre(&[0.0; 80]).unwrap(), &mut row).unwrap();
        [0, 9, 18, 27, 36, 45, 54, 79].map(|e: usize| row[e])
    };
    let [philox, chacha] = sources().map(|source| row(&exact(255.0, 1, source)));
    let grid = smoothtopk::noise::Grid::with_step(0.5f32.powi(22)).unwrap();
    let gaussian = row(&Noise::new(0.25, Mode::Grid(grid), Source::ChaCha12 { key: KEY }).unwrap());
    assert_eq!((philox, chacha, gaussian.map(f32::to_bits)), (PHILOX, CHACHA, GAUSSIAN));
}
const PHILOX: [f32; 8] = [120.0, -144.0, 460.0, 213.0, 108.0, -60.0, -116.0, 189.0];
const CHACHA: [f32; 8] = [-149.0, 121.0, -64.0, -90.0, 454.0, 459.0, -4.0, 180.0];
const GAUSSIAN: [u32; 8] =
    [0x3e3a_0d20, 0x3c83_5e80, 0x3d8b_c600, 0x3dbd_4dc0, 0xbf09_b8f4, 0x3dee_1b20, 0x3d23_e940, 0x3eb6_8f10];

#[test]
fn a_shorter_row_is_a_prefix_of_a_longer_one() {
    for source in sources() {
        let noise = exact(0.25, 255, source);
        let long = integers(&noise, 0, Purpose::Estimate, 3, 1000);
        for elements in [1, 15, 16, 17, 63, 64, 65, 127, 128, 640, 999] {
            assert_eq!(integers(&noise, 0, Purpose::Estimate, 3, elements), long[..elements]);
        }
    }
}

#[test]
fn inputs_off_the_grid_are_refused_and_named() {
    let noise = exact(0.25, 255, sources()[0]);
    for x in [0.5, 1e-6, 0.001, -0.5, 0.003_922_5, 5000.0, -1e30] {
        let error = noise.centre(&[0.0, 1.0, x]).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("input")), "{x}");
        assert!(error.message().contains("element 2"), "{error}");
    }
    assert_eq!(noise.centre(&[]).unwrap_err().kind(), ErrorKind::InvalidData);
    assert!(noise.centre(&[f32::NAN]).unwrap_err().message().contains("element 0"));
    assert!(ExactGrid::new(0).is_err() && ExactGrid::new((1 << 20) + 1).is_err());
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(ExactGrid::pixels().point(value), None);
    }
}

#[test]
fn every_way_of_scaling_pixels_gives_the_same_points() {
    for levels in [255, 510, 255 * 16] {
        let grid = ExactGrid::new(levels).unwrap();
        for pixel in 0..=255 {
            let (point, value) = (pixel * (levels / 255) as i32, pixel as f32);
            assert_eq!(grid.point(value / 255.0), Some(point));
            assert_eq!(grid.point(value * (1.0 / 255.0)), Some(point));
            assert_eq!(
                grid.point((f64::from(2 * pixel - 255) / 255.0) as f32),
                Some((2 * pixel - 255) * (levels / 255) as i32)
            );
            for to_both_sides in [value / 127.5 - 1.0, (value / 255.0 - 0.5) / 0.5, value / 255.0 * 2.0 - 1.0] {
                assert_eq!(grid.point(to_both_sides), Some((2 * pixel - 255) * (levels / 255) as i32));
            }
        }
    }
}

#[test]
fn the_failure_probability_added_is_stated_and_rounded_up() {
    let noise = exact(0.25, 255, sources()[0]);
    let one = DiscreteGaussian::new(0.25, 255).unwrap().total_variation();
    assert_eq!(noise.radius_cost(3072), 0.0);
    assert_eq!(noise.extra_alpha(0, 3072), 0.0);
    assert_eq!(noise.total_variation(0), 0.0);
    let row = noise.total_variation(3072);
    assert!(row > 3072.0 * one && row < 3072.0 * one * (1.0 + 1e-12));
    let all = noise.extra_alpha(100_000, 3072);
    assert!(all > 1e5 * row && all < 1e5 * row * (1.0 + 1e-12) && all < 1e-8, "{all:e}");
    assert!(noise.extra_alpha(1_000_000, 150_528) < 2e-6);
    assert_eq!(noise.extra_alpha(u64::MAX, usize::MAX), 1.0);
    let grid = smoothtopk::noise::Grid::for_range(1.0, 0.25).unwrap();
    let grid_noise = Noise::on_grid(0.25, grid, 1).unwrap();
    assert_eq!(grid_noise.extra_alpha(100_000, 3072), 0.0);
    assert_eq!(grid_noise.radius_cost(3072), grid.radius_cost(3072));
}

#[test]
fn a_centre_of_another_noise_and_a_row_of_another_length_are_refused() {
    let noise = exact(0.25, 255, sources()[0]);
    let finer = exact(0.25, 510, sources()[0]);
    let mut row = [9.0; 2];
    let stream = noise.stream(0, Purpose::Estimate);
    let error = stream.noisy_row(0, &finer.centre(&[0.0; 2]).unwrap(), &mut row).unwrap_err();
    assert_eq!(error.field(), Some("x"));
    let error = stream.noisy_row(0, &noise.centre(&[0.0; 3]).unwrap(), &mut row).unwrap_err();
    assert_eq!(error.field(), Some("out"));
    assert_eq!(row, [9.0; 2]);
}

#[test]
fn names_and_secrets_are_recorded_and_read_back() {
    let grid = smoothtopk::noise::Grid::for_range(1.0, 0.25).unwrap();
    assert_eq!(Noise::on_grid(0.25, grid, 1).unwrap().name(), smoothtopk::noise::NOISE);
    let names = sources().map(|source| exact(0.25, 255, source).name());
    assert_eq!(names, ["philox4x32-10 discrete-gaussian 1", "chacha12 discrete-gaussian 1"]);
    let source = Source::ChaCha12 { key: KEY };
    assert_eq!(Source::chacha12_from_hex(&source.secret()).unwrap(), source);
    assert_eq!(source.secret().len(), 64);
    assert_eq!(Source::Philox { seed: 77 }.secret(), "77");
    for hex in ["", "12", &"g".repeat(64), &"0".repeat(65), &"é".repeat(32)] {
        assert_eq!(Source::chacha12_from_hex(hex).unwrap_err().field(), Some("key"));
    }
    // A log is no place for a key.
    let secret = source.secret();
    let logged = format!("{source:?} {:?}", exact(0.25, 255, source).stream(0, Purpose::Estimate));
    assert!(!logged.contains(&secret) && !logged.contains(&format!("{KEY:?}")), "{logged}");
    assert!(logged.len() < 1000, "a table of thousands of numbers has no place there either");
    let [a, b] = [(); 2].map(|()| Source::random_chacha12().unwrap().secret());
    assert_ne!(a, b);
    assert_ne!(Source::random_philox().unwrap(), Source::random_philox().unwrap());
}

proptest! {
    /// A row is a function of the sums X + m alone: around X it is the row around 0 moved by X, to the last bit.
    #[test]
    fn a_row_is_a_function_of_the_integer_sums(
        points in prop::collection::vec(-1_000_000i32..=1_000_000, 1..200),
        levels in 1u32..=4080,
        ratio in 1.0f64..60.0,
        sample: u64,
        chacha: bool,
    ) {
        let sigma = ratio / f64::from(levels);
        prop_assume!((1.0..=3500.0).contains(&(sigma * f64::from(levels))));
        let noise = exact(sigma, levels, sources()[usize::from(chacha)]);
        let grid = ExactGrid::new(levels).unwrap();
        let stream = noise.stream(1, Purpose::Estimate);
        let row = |points: &[i32]| {
            let x: Vec<f32> = points.iter().map(|&point| grid.value(point)).collect();
            let mut row = vec![f32::NAN; points.len()];
            stream.noisy_row(sample, &noise.centre(&x).unwrap(), &mut row).unwrap();
            row
        };
        let around_zero = row(&vec![0; points.len()]);
        for ((&point, &zero), &value) in points.iter().zip(&around_zero).zip(&row(&points)) {
            let m = grid.point(zero).unwrap();
            prop_assert_eq!(value.to_bits(), grid.value(point + m).to_bits());
        }
    }
}
