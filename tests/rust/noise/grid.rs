//! The grid: exact sums, and noise that does not depend on what it is added to.

use super::stream;
use proptest::prelude::*;
use smoothtopk::ErrorKind;
use smoothtopk::noise::{Grid, MAX_ABS_Z, Path};

const ELEMENTS: usize = 200;

fn noisy(sigma: f64, grid: &Grid, sample: u64, x: &[f32]) -> Vec<f32> {
    let mut out = vec![f32::NAN; x.len()];
    stream().noisy_row(sample, sigma, grid, x, &mut out).unwrap();
    out
}

#[test]
fn steps_of_known_ranges() {
    for (max_abs, sigma, exponent) in
        // sigma / 2^13, or the next power of two; in the last two, the range decides.
        [
            (1.0, 0.25, -15),
            (1.0, 0.12, -16),
            (1.0, 0.5, -14),
            (1.0, 1.0, -13),
            (255.0, 64.0, -7),
            (0.0, 3e-9, -41),
        ]
        .into_iter()
        .chain([(1.0, 1e-4, -23), (255.0, 0.01, -16)])
    {
        assert_eq!(Grid::for_range(max_abs, sigma).unwrap().step(), 2f32.powi(exponent), "{max_abs}, {sigma}");
    }
    assert!(Grid::for_range(0.0, 1e-30).is_ok());
}

#[test]
fn impossible_ranges_are_refused() {
    for (max_abs, sigma, field) in [
        (-1.0, 1.0, "max_abs"),
        (f64::NAN, 1.0, "max_abs"),
        (f64::INFINITY, 1.0, "max_abs"),
        (1.0, 0.0, "sigma"),
        (1.0, -0.25, "sigma"),
        (1.0, f64::NAN, "sigma"),
        (1.0, f64::INFINITY, "sigma"),
        (1e38, 1e38, "max_abs"),
        (f64::MAX, f64::MAX, "max_abs"),
        (0.0, 1e-40, "max_abs"),
        (0.0, f64::MIN_POSITIVE, "max_abs"),
    ] {
        let error = Grid::for_range(max_abs, sigma).unwrap_err();
        assert_eq!(
            (error.kind(), error.field()),
            (ErrorKind::InvalidArgument, Some(field)),
            "{max_abs}, {sigma}: {error}"
        );
    }
}

#[test]
fn a_step_is_a_power_of_two() {
    for step in [2f32.powi(-126), 2f32.powi(-22), 1.0, 2f32.powi(103)] {
        assert_eq!(Grid::with_step(step).unwrap().step(), step);
    }
    for step in [0.0, -1.0, 0.3, 2f32.powi(-127), 2f32.powi(104), f32::INFINITY, f32::NAN] {
        assert_eq!(Grid::with_step(step).unwrap_err().field(), Some("step"), "{step}");
    }
}

#[test]
fn rounds_to_the_nearest_multiple_ties_to_even() {
    let grid = Grid::for_range(1.0, 0.25).unwrap();
    let step = grid.step();
    let mut x = [0.5, 1.5, 2.5, -0.5, -1.5, 0.49, 7.0, f32::INFINITY, f32::NAN].map(|v: f32| v * step);
    grid.round(&mut x);
    assert_eq!(x[..8], [0.0, 2.0, 2.0, 0.0, -2.0, 0.0, 7.0, f32::INFINITY].map(|v: f32| v * step));
    assert!(x[8].is_nan());
}

#[test]
fn slack_is_an_upper_bound_and_a_close_one() {
    let grid = Grid::for_range(1.0, 0.25).unwrap();
    assert_eq!(grid.radius_cost(0), 0.0);
    for elements in [1, 2, 3, 1024, 3072, 150_528, 1 << 34, (1 << 53) - 1] {
        let root = grid.radius_cost(elements) / f64::from(grid.step());
        // One rounding of the fused expression cannot change its sign.
        assert!(root.mul_add(root, -(elements as f64)) >= 0.0, "{elements}");
        assert!(root <= (elements as f64).sqrt() * (1.0 + 1e-15));
    }
}

#[test]
fn an_input_out_of_range_still_gets_the_rounded_exact_sum() {
    let grid = Grid::for_range(1.0, 0.25).unwrap();
    let noise = noisy(0.25, &grid, 0, &[0.0; ELEMENTS]);
    for far in [3.7f32, -1000.3, 1e30] {
        for (out, z) in noisy(0.25, &grid, 0, &[far; ELEMENTS]).iter().zip(&noise) {
            assert_eq!(*out, (f64::from(far) + f64::from(*z)) as f32);
        }
    }
}

#[test]
fn noise_is_the_normal_times_sigma_rounded_to_the_grid_on_every_path() {
    let sigma = 0.3;
    let grid = Grid::for_range(1.0, sigma).unwrap();
    for path in Path::ALL.into_iter().filter(|path| path.is_available()) {
        let stream = stream().on(path).unwrap();
        let (mut z, mut noise) = (vec![0.0; 10_007], vec![0.0; 10_007]);
        stream.normals(3, &mut z).unwrap();
        stream.noisy_row(3, sigma, &grid, &vec![0.0; 10_007], &mut noise).unwrap();
        for (&z, &noise) in z.iter().zip(&noise) {
            let exact = sigma * f64::from(z);
            // Half a step, and the roundings of scale and product.
            let allowed = 0.5 * f64::from(grid.step()) + 2.5e-7 * exact.abs();
            assert!((f64::from(noise) - exact).abs() <= allowed, "{path:?}: {noise} for {exact}");
        }
    }
}

proptest! {
    /// Outputs are multiples of the step, sums are exact, the noise does not depend on x, sigma has at most 2^13 steps,
    /// and no finer grid would do.
    #[test]
    fn sums_on_the_grid_are_exact(
        exponent in -40i32..40,
        mantissa in 1.0f64..2.0,
        ratio in -12i32..12,
        sigma_mantissa in 1.0f64..2.0,
        sample: u64,
        units in prop::collection::vec(-1.0f64..=1.0, ELEMENTS),
    ) {
        let max_abs = mantissa * 2f64.powi(exponent);
        let sigma = sigma_mantissa * 2f64.powi(exponent + ratio);
        let grid = Grid::for_range(max_abs, sigma).unwrap();
        let step = f64::from(grid.step());
        prop_assert_eq!(step.log2().fract(), 0.0);
        prop_assert!(max_abs + MAX_ABS_Z * sigma <= step * 16_777_216.0);
        prop_assert!(sigma / step <= 8192.0);
        let all_in_half_steps = max_abs + MAX_ABS_Z * sigma * (1.0 + 1e-5) <= step * (8_388_608.0 - 2.0);
        prop_assert!(!all_in_half_steps || sigma / (step / 2.0) > 8192.0);

        let mut x: Vec<f32> = units.iter().map(|unit| (unit * max_abs) as f32).collect();
        // The corners of the range too.
        (x[0], x[1]) = (max_abs as f32, -max_abs as f32);
        grid.round(&mut x);
        let noise = noisy(sigma, &grid, sample, &[0.0; ELEMENTS]);
        let out = noisy(sigma, &grid, sample, &x);
        for ((&x, &z), &out) in x.iter().zip(&noise).zip(&out) {
            for value in [x, z, out] {
                prop_assert_eq!((f64::from(value) / step).fract(), 0.0);
            }
            prop_assert_eq!(f64::from(out), f64::from(x) + f64::from(z));
            prop_assert_eq!(out - x, z);
        }
    }
}
