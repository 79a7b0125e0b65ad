//! Rows of uniform noise: every path against the definition, inputs, and what rounding costs.

use super::exact::words;
use super::exact_statistics::sources;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use smoothtopk::ErrorKind;
use smoothtopk::noise::{Grid, Mode, Noise, Path, Purpose, Source, UniformGrid};
use smoothtopk::perturbation::Norm;

const ELEMENTS: usize = 20_011;

/// Row 3 + 7 2^32 of stream 9 around `input`.
fn row(noise: &Noise, input: &[f32]) -> Vec<f32> {
    let mut row = vec![f32::NAN; input.len()];
    noise.stream(9, Purpose::Estimate).noisy_row(3 | 7 << 32, &noise.centre(input).unwrap(), &mut row).unwrap();
    row
}

/// The f32 of a sum as docs/noise.md defines it, the step being a power of two.
fn value(sum: i64, lambda: f64) -> f32 {
    // 2 sum + 1 and both products are exact in f64: the only rounding is to f32.
    ((2 * sum + 1) as f64 * (lambda / 4_294_967_296.0)) as f32
}

#[test]
fn rows_are_those_of_the_definition_on_every_path() {
    for (lambda, source) in [0.5, 0.25, 64.0].into_iter().flat_map(|lambda| sources().map(|source| (lambda, source))) {
        let noise = Noise::uniform(lambda, source).unwrap();
        let x: Vec<f32> = (0..ELEMENTS).map(|e| (e % 511) as f32 / 255.0 - 1.0).collect();
        let words = words(&source, 29);
        let expected = x.iter().enumerate().map(|(e, &x)| {
            let point = (f64::from(x) * (2_147_483_648.0 / lambda)).round_ties_even() as i64;
            value(point + i64::from(words(e)[0]) - (1 << 31), lambda).to_bits()
        });
        let expected: Vec<u32> = expected.collect();
        for path in Path::ALL.into_iter().filter(|path| path.is_available()) {
            let mut row = vec![f32::NAN; ELEMENTS];
            let stream = noise.stream(9, Purpose::Estimate).on(path).unwrap();
            stream.noisy_row(3 | 7 << 32, &noise.centre(&x).unwrap(), &mut row).unwrap();
            let same = row.iter().zip(&expected).all(|(a, b)| a.to_bits() == *b);
            assert!(same, "{path:?}, {source:?}, lambda {lambda}");
        }
    }
}

/// Counts recorded by one version must be found again by the next, on any processor; lambda is no power of two.
#[test]
fn the_rows_of_a_secret_are_fixed_for_ever() {
    let digests = sources().map(|source| {
        let mut hash = Sha256::new();
        let x: Vec<f32> = (0..ELEMENTS).map(|e| (e % 256) as f32 / 255.0).collect();
        row(&Noise::uniform(0.3, source).unwrap(), &x).iter().for_each(|value| hash.update(value.to_le_bytes()));
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    });
    assert_eq!(digests, DIGESTS);
}
const DIGESTS: [&str; 2] = [
    "b8f3a3d702cf4548ddb35cec59d88a0bf1a10e94300f1ddcfd779c707152c6e0",
    "496bb46dbadf84e704a0bfbe1ded9c234cf48998ac5b7c2f0cef32b50f2b05b1",
];

#[test]
fn a_shorter_row_is_a_prefix_of_a_longer_one() {
    for source in sources() {
        let noise = Noise::uniform(0.3, source).unwrap();
        let long = row(&noise, &[0.25; 1000]);
        for elements in [1, 15, 16, 17, 63, 64, 65, 127, 128, 640, 999] {
            assert_eq!(row(&noise, &[0.25; 1000][..elements]), long[..elements]);
        }
    }
}

/// Without rounding before the sum the rows of these two inputs would have no value in common, and nothing could be
/// certified.
#[test]
fn inputs_a_quarter_of_a_step_apart_have_the_same_rows() {
    let noise = Noise::uniform(64.0, sources()[0]).unwrap();
    let step = noise.mode().step();
    let (a, b) = ((5.0 * step) as f32, (5.25 * step) as f32);
    assert_ne!(a, b);
    assert_eq!(row(&noise, &[a; 100]), row(&noise, &[b; 100]));
    assert_ne!(noise.centre(&[a]).unwrap(), noise.centre(&[(5.75 * step) as f32]).unwrap());
}

#[test]
fn inputs_that_cannot_be_placed_are_refused_and_named() {
    let noise = Noise::uniform(0.25, sources()[0]).unwrap();
    assert_eq!(noise.centre(&[]).unwrap_err().kind(), ErrorKind::InvalidData);
    // 2^51 steps are 2^20 lambda.
    let largest = 262_144.0f32;
    assert!(noise.centre(&[largest, -largest]).is_ok());
    for x in [f32::NAN, f32::INFINITY, largest.next_up(), -largest.next_up(), f32::MAX] {
        let error = noise.centre(&[0.0, 1.0, x, f32::NAN]).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidData, Some("input")), "{x}");
        let element = if x.is_finite() { 3 } else { 2 };
        assert!(error.message().contains(&format!("element {element}")), "{error}");
    }
    let error = noise.centre(&[0.0, 1e30, -1e30]).unwrap_err();
    assert!(error.message().contains("element 1") && error.message().contains("too large"), "{error}");
    // A sample would be infinite.
    assert!(Noise::uniform(1e39, sources()[0]).unwrap().centre(&[0.0]).is_err());
    assert!(Noise::uniform(1e38, sources()[0]).unwrap().centre(&[1e38]).is_ok());
}

#[test]
fn a_lambda_that_is_none_is_refused() {
    for lambda in [0.0, -0.25, f64::NAN, f64::INFINITY, 0.9e-100, 1.1e100] {
        let error = Noise::uniform(lambda, sources()[0]).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidArgument, Some("lambda")), "{lambda}");
    }
    for lambda in [1e-100, 1e100] {
        assert_eq!(Noise::uniform(lambda, sources()[0]).unwrap().lambda(), Some(lambda));
    }
    let mode = Mode::Uniform(UniformGrid::new(0.25).unwrap());
    assert_eq!(Noise::new(0.25, mode, sources()[0]).unwrap_err().field(), Some("mode"));
}

#[test]
fn what_it_is_and_what_it_costs_is_stated() {
    let lambda = 0.25;
    let noise = Noise::uniform(lambda, sources()[0]).unwrap();
    assert_eq!(noise.name(), "philox4x32-10 uniform 1");
    assert_eq!((noise.family().norm(), noise.lambda()), (Norm::L1, Some(lambda)));
    assert_eq!((noise.sigma(), noise.mode().step()), (Some(lambda / 3f64.sqrt()), lambda / 2_147_483_648.0));
    assert_eq!((noise.extra_alpha(u64::MAX, usize::MAX), noise.radius_cost(0)), (0.0, 0.0));
    for (elements, of_lambda) in [(3072, 1.4305e-6), (150_528, 7.0095e-5)] {
        let (slack, least) = (noise.radius_cost(elements), elements as f64 * noise.mode().step());
        assert!(slack > least * (1.0 + f64::EPSILON / 2.0) && slack < least * (1.0 + 1e-15), "{slack:e}");
        assert!((slack / lambda / of_lambda - 1.0).abs() < 1e-4, "{slack:e}");
    }
    let gaussian = Noise::on_grid(0.25, Grid::for_range(1.0, 0.25).unwrap(), 1).unwrap();
    assert_eq!((gaussian.family().norm(), gaussian.lambda()), (Norm::L2, None));
}

#[test]
fn an_input_of_another_noise_and_a_row_of_another_length_are_refused() {
    let noise = Noise::uniform(0.25, sources()[0]).unwrap();
    let gaussian = Noise::on_grid(0.25, Grid::for_range(1.0, 0.25).unwrap(), 1).unwrap();
    let wider = Noise::uniform(0.5, sources()[0]).unwrap();
    let mut row = [9.0; 2];
    for (of, around, field) in
        [(&noise, &gaussian, "x"), (&gaussian, &noise, "x"), (&noise, &wider, "x"), (&noise, &noise, "out")]
    {
        let x = around.centre(&[0.0; 3][..if field == "x" { 2 } else { 3 }]).unwrap();
        let error = of.stream(0, Purpose::Estimate).noisy_row(0, &x, &mut row).unwrap_err();
        assert_eq!((error.field(), row), (Some(field), [9.0; 2]));
    }
}

/// x = significand 2^exponent, exactly.
fn parts(x: f64) -> (i128, i32) {
    let bits = x.abs().to_bits();
    let significand = i128::from(bits & ((1 << 52) - 1) | 1 << 52);
    (if x < 0.0 { -significand } else { significand }, (bits >> 52) as i32 - 1075)
}

proptest! {
    // Where only the quotient is rounded, one case in 160 is off.
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// However large the quotient and wherever it is rounded, a point is no farther than (1/2 + 2^-54) steps: the slack
    /// holds.
    #[test]
    fn points_are_nearest(lambda in 0.001f64..1000.0, magnitude in -20.0f64..20.0, negative: bool) {
        let grid = UniformGrid::new(lambda).unwrap();
        let x = (magnitude.exp2() * lambda) as f32 * if negative { -1.0 } else { 1.0 };
        prop_assume!(f64::from(x.abs()) <= 1_048_576.0 * lambda);
        let point = i128::from(grid.point(x).unwrap());
        let ((x, of_x), (step, of_step)) = (parts(f64::from(x)), parts(grid.step()));
        // In units of the step's last place or finer: 2^-22 to 2^51 steps of 53 bits.
        let least = of_x.min(of_step);
        let (x, step) = (x << (of_x - least), step << (of_step - least));
        let twice = 2 * (x - point * step).abs();
        prop_assert!(twice - step <= step >> 53, "{twice} of {step}");
    }
}

proptest! {
    /// A row is a function of the integer sums alone: moving the input by whole steps moves every sum by just these.
    #[test]
    fn a_row_is_a_function_of_the_integer_sums(
        pixels in prop::collection::vec((-1.0f32..=1.0, -1.0f32..=1.0), 1..100),
        exponent in -3i32..=3,
        fraction in 1.0f64..2.0,
        chacha: bool,
    ) {
        let lambda = fraction * f64::from(exponent).exp2();
        let source = sources()[usize::from(chacha)];
        let (noise, grid) = (Noise::uniform(lambda, source).unwrap(), UniformGrid::new(lambda).unwrap());
        let words = words(&source, 29);
        let (from, to): (Vec<f32>, Vec<f32>) = pixels.into_iter().unzip();
        for ((e, (&from, &to)), (&before, &after)) in
            from.iter().zip(&to).enumerate().zip(row(&noise, &from).iter().zip(&row(&noise, &to)))
        {
            let [from, to] = [from, to].map(|x| grid.point(x).unwrap());
            let sum = from + i64::from(words(e)[0]) - (1 << 31);
            prop_assert_eq!(before.to_bits(), grid.value(sum).to_bits());
            prop_assert_eq!(after.to_bits(), grid.value(sum + (to - from)).to_bits());
        }
    }
}

#[test]
fn the_secret_is_not_logged() {
    let source = Source::ChaCha12 { key: super::exact_statistics::KEY };
    let logged = format!("{:?}", Noise::uniform(0.25, source).unwrap().stream(0, Purpose::Estimate));
    assert!(!logged.contains(&source.secret()) && logged.contains("0.25"), "{logged}");
}
