//! The discretised Gaussian: its cells against 32-digit values, its draws against its cells.

use super::golden_rows;
use proptest::prelude::*;
use smoothtopk::noise::DiscreteGaussian;

/// 2^64.
const UNITS: f64 = 18_446_744_073_709_551_616.0;

/// |cell - exact| in units of 2^-64, from the exact value's decimal digits.
fn off(cell: u64, exact: &str) -> f64 {
    let (whole, fraction) = exact.split_once('.').unwrap_or((exact, "0"));
    let whole: i128 = whole.parse().unwrap();
    let fraction: f64 = format!("0.{fraction}").parse().unwrap();
    ((i128::from(cell) - whole) as f64 - fraction).abs()
}

#[test]
fn cells_are_the_exact_ones_rounded_and_the_total_variation_a_close_bound() {
    let mut checked = [0; 3];
    let mut noise = DiscreteGaussian::new(1.0, 1).unwrap();
    for [sigma, levels, m, value] in golden_rows(include_str!("../../golden/discrete_gaussian.tsv")) {
        let (sigma, levels) = (sigma.parse().unwrap(), levels.parse().unwrap());
        if (noise.sigma(), noise.levels()) != (sigma, levels) {
            noise = DiscreteGaussian::new(sigma, levels).unwrap();
        }
        match m {
            "cells" => {
                assert_eq!(noise.largest() + 1, value.parse::<i32>().unwrap(), "{sigma}, {levels}");
                checked[0] += 1;
            }
            "total_variation" => {
                let exact: f64 = value.parse().unwrap();
                let bound = noise.total_variation();
                assert!(bound >= exact && bound < 1.001 * exact, "{sigma}, {levels}: {bound:e} for {exact:e}");
                checked[1] += 1;
            }
            _ => {
                let m: i32 = m.parse().unwrap();
                let off = off(noise.probability(m), value);
                // m = 0 takes what all roundings leave over: at most half a unit a cell.
                let allowed = if m == 0 { f64::from(noise.largest()) + 1.0 } else { 0.5 + 1e-6 };
                assert!(off <= allowed, "{sigma}, {levels}, {m}: {off} units off");
                assert_eq!(noise.probability(m), noise.probability(-m));
                checked[2] += 1;
            }
        }
    }
    assert!(checked[0] == 11 && checked[1] == 11 && checked[2] > 400, "{checked:?}");
}

#[test]
fn the_cells_sum_to_one() {
    for (sigma, levels) in [(1.0, 1), (0.25, 255), (3.25, 1000), (3500.0, 1), (0.137, 100)] {
        let noise = DiscreteGaussian::new(sigma, levels).unwrap();
        let sum: u128 = (-noise.largest()..=noise.largest()).map(|m| u128::from(noise.probability(m))).sum();
        assert_eq!(sum, 1 << 64, "{sigma}, {levels}");
        assert_eq!(noise.probability(noise.largest() + 1), 0);
        assert_eq!(noise.probability(i32::MIN), 0);
        assert!(noise.probability(noise.largest()) > 0);
        // A certificate of an ImageNet input from a million rows is not to feel it.
        assert!(noise.total_variation() > 0.0 && noise.total_variation() < 5e-16);
    }
}

#[test]
fn sigma_and_levels_out_of_range_are_refused() {
    for (sigma, levels, field) in [
        (0.25, 0, "levels"),
        (0.0, 255, "sigma"),
        (f64::NAN, 255, "sigma"),
        (f64::INFINITY, 255, "sigma"),
        (0.0039, 255, "sigma"),
        (14.0, 255, "sigma"),
        (1e300, u32::MAX, "sigma"),
        (1e-300, 1, "sigma"),
    ] {
        let error = DiscreteGaussian::new(sigma, levels).unwrap_err();
        assert_eq!(error.field(), Some(field), "{sigma}, {levels}: {error}");
    }
}

proptest! {
    /// How often each is drawn the table's own unit test counts, over all 2^64 inputs.
    #[test]
    fn a_draw_has_positive_probability(bits: u64, ratio in 1.0f64..40.0) {
        let noise = DiscreteGaussian::new(ratio, 1).unwrap();
        prop_assert!(noise.probability(noise.draw(bits)) > 0);
    }

    /// Any sigma gives cells that fall with |m| and agree with an f64 normal distribution function.
    #[test]
    fn cells_agree_with_the_distribution_function(ratio in 1.0f64..300.0) {
        let noise = DiscreteGaussian::new(ratio, 1).unwrap();
        for m in 0..=noise.largest() {
            let cell = noise.probability(m) as f64 / UNITS;
            let upper = |x: f64| 0.5 * libm::erfc(x / ratio * std::f64::consts::FRAC_1_SQRT_2);
            let exact = upper(f64::from(m) - 0.5) - upper(f64::from(m) + 0.5);
            prop_assert!((cell - exact).abs() <= 1e-15 + 1e-9 * exact, "m = {}: {:e} for {:e}", m, cell, exact);
            prop_assert!(m == 0 || noise.probability(m) <= noise.probability(m - 1) );
        }
    }
}
