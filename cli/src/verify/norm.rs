//! The l2 distance of two inputs, bounded from above: what lies inside a certificate must lie inside for certain.

/// An upper bound of ||b - a||, at most (d + 4) 2^-52 above it, relatively, for d elements; 0 only where a = b.
///
/// *Why it is one.* Every step takes an upper bound to an upper bound. f32 values are f64 values, and their difference
/// in f64 is exact or, by the exact error that Knuth's two-sum gives, known not to be: then the next f64 away from 0 is
/// taken. A square, a sum and a root rounded to nearest are at most half a unit in the last place below the exact
/// value, so the next f64 up is not below it. Nothing underflows (the smallest difference of two f32 is 2^-149, its
/// square 2^-298) nor overflows.
///
/// All elements must be finite and both slices of one length; what has no partner is not counted.
pub fn distance_above(a: &[f32], b: &[f32]) -> f64 {
    let squares = a.iter().zip(b).map(|(&a, &b)| difference_above(a, b)).filter(|&difference| difference > 0.0);
    let sum = squares.fold(0.0, |sum: f64, difference| (sum + (difference * difference).next_up()).next_up());
    if sum == 0.0 { 0.0 } else { sum.sqrt().next_up() }
}

/// |b - a|, exact where f64 holds it, else rounded up.
fn difference_above(a: f32, b: f32) -> f64 {
    let (a, b) = (f64::from(a), f64::from(b));
    let difference = b - a;
    // Two-sum (Knuth; exact in rounding to nearest): b - a = difference + lost.
    let of_a = difference - b;
    let of_b = difference - of_a;
    let lost = (b - of_b) + (-a - of_a);
    if lost == 0.0 { difference.abs() } else { difference.abs().next_up() }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use proptest::prelude::*;

    use super::*;

    /// A finite f32 as a whole number of 2^-149.
    fn in_units(x: f32) -> BigInt {
        let bits = x.to_bits();
        let (exponent, fraction) = ((bits >> 23) & 0xff, bits & 0x7f_ffff);
        let magnitude = match exponent {
            0 => BigInt::from(fraction),
            _ => BigInt::from(fraction | 0x80_0000) << (exponent - 1),
        };
        if x.is_sign_negative() { -magnitude } else { magnitude }
    }

    /// The square of ||b - a||, as a whole number of 2^-298.
    fn exact_square(a: &[f32], b: &[f32]) -> BigInt {
        a.iter().zip(b).map(|(&a, &b)| in_units(b) - in_units(a)).map(|difference| &difference * &difference).sum()
    }

    /// The square of an f64 of at least 2^-1022, as a whole number of 2^-2148.
    fn square(x: f64) -> BigInt {
        let bits = x.to_bits();
        let (exponent, fraction) = ((bits >> 52) & 0x7ff, bits & 0xf_ffff_ffff_ffff);
        assert!(x > 0.0 && exponent > 0);
        let root = BigInt::from(fraction | 0x10_0000_0000_0000) << (exponent - 1);
        &root * &root
    }

    fn check(a: &[f32], b: &[f32]) {
        let above = distance_above(a, b);
        let exact = exact_square(a, b) << (2148 - 298);
        if exact == BigInt::ZERO {
            assert_eq!(above, 0.0);
            return;
        }
        assert!(square(above) >= exact, "{above:e} is below the norm of {b:?} - {a:?}");
        let below = above * (1.0 - (a.len() as f64 + 4.0) * f64::EPSILON);
        assert!(square(below) <= exact, "{above:e} is far above the norm of {b:?} - {a:?}");
    }

    fn finite() -> impl Strategy<Value = f32> {
        let any = any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |x| x.is_finite());
        prop_oneof![any, -1.0f32..1.0, Just(0.0), Just(f32::from_bits(1)), Just(f32::MAX), Just(f32::MIN)]
    }

    proptest! {
        #[test]
        fn the_bound_is_never_below_the_exact_norm(pairs in prop::collection::vec((finite(), finite()), 1..40)) {
            let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            check(&a, &b);
        }

        // Perturbations as attacks make them: of many elements, each a few units in the last place or large.
        #[test]
        fn the_bound_is_close_for_small_perturbations(
            pairs in prop::collection::vec((0.0f32..1.0, -0.1f32..0.1, -3i32..4), 100..400),
        ) {
            let a: Vec<f32> = pairs.iter().map(|&(x, ..)| x).collect();
            let far: Vec<f32> = pairs.iter().map(|&(x, step, _)| x + step).collect();
            check(&a, &far);
            let near: Vec<f32> = pairs
                .iter()
                .map(|&(x, _, ulps)| f32::from_bits(x.to_bits().saturating_add_signed(ulps)))
                .filter(|x| x.is_finite())
                .collect();
            check(&a[..near.len()], &near);
        }
    }

    #[test]
    fn differences_that_f64_cannot_hold_are_rounded_up() {
        assert_eq!(difference_above(1.0, 0.75), 0.25);
        assert_eq!(difference_above(-1e-30, 1e30), f64::from(1e30f32).next_up());
        assert_eq!(difference_above(1e30, 1e-30), f64::from(1e30f32).next_up());
        check(&[-1e-30, 3.0], &[1e30, 3.0]);
        check(&[f32::MIN; 9], &[f32::MAX; 9]);
        assert_eq!(distance_above(&[0.0, 2.0], &[-0.0, 2.0]), 0.0);
    }
}
