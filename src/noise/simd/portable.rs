//! The kernel's operations in plain Rust, for any processor; NEON and SSE2 come from the compiler.

use super::vector::{Simd, is_whole};
use std::array::from_fn;

/// Lanes: enough to keep a 128-bit unit busy.
const N: usize = 8;

/// Whether the target itself has the fused multiply-add; if not, `f32::mul_add` is a slow library call.
const HAS_FMA: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

/// a b + c, rounded once.
#[inline(always)]
fn mul_add(a: f32, b: f32, c: f32) -> f32 {
    if HAS_FMA { a.mul_add(b, c) } else { mul_add_by_f64(a, b, c) }
}

/// a b + c, rounded once, without the instruction: the product is exact in f64, and the sum is rounded to odd (Boldo,
/// Melquiond, "Emulation of FMA and Correctly Rounded Sums", IEEE Trans. Computers 57, 2008), so that rounding it
/// again to f32 is as good as rounding once.
#[inline(always)]
fn mul_add_by_f64(a: f32, b: f32, c: f32) -> f32 {
    let (product, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = product + c;
    // Knuth's two-sum: sum + error is exact. The error of a sum that is not finite is NaN, which is neither above nor
    // below 0.
    let c_part = sum - product;
    let error = (product - (sum - c_part)) + (c - c_part);
    let bits = sum.to_bits();
    let inexact_even = u64::from((error > 0.0) | (error < 0.0)) & !bits;
    let towards_zero = (error > 0.0) != (sum > 0.0);
    let odd = if towards_zero { bits.wrapping_sub(inexact_even) } else { bits | inexact_even };
    f64::from_bits(odd) as f32
}

/// The nearest integer, ties to even, sign kept.
#[inline(always)]
fn round(a: f32) -> f32 {
    if HAS_FMA {
        return a.round_ties_even();
    }
    // Without SSE 4.1 that would be a library call. From 2^23 on every f32 is an integer; below, adding 2^23 rounds
    // to one.
    const INTEGERS: f32 = 8_388_608.0;
    let magnitude = a.abs();
    if magnitude < INTEGERS { ((magnitude + INTEGERS) - INTEGERS).copysign(a) } else { a }
}

/// No instructions beyond the target's own.
#[derive(Clone, Copy)]
pub(in crate::noise) struct Portable;

impl Simd for Portable {
    const LANES: usize = N;
    type F = [f32; N];
    type U = [u32; N];
    type D = [u64; N / 2];

    #[inline(always)]
    fn splat(self, value: f32) -> Self::F {
        [value; N]
    }
    #[inline(always)]
    fn load(self, from: &[f32]) -> Self::F {
        from_fn(|i| from[i])
    }
    #[inline(always)]
    fn store(self, value: Self::F, to: &mut [f32]) {
        to[..N].copy_from_slice(&value);
    }
    #[inline(always)]
    fn store_u(self, value: Self::U, to: &mut [u32]) {
        to[..N].copy_from_slice(&value);
    }
    #[inline(always)]
    fn load_u(self, from: &[u32]) -> Self::U {
        from_fn(|i| from[i])
    }
    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        from_fn(|i| a[i] * b[i])
    }
    #[inline(always)]
    fn div(self, a: Self::F, b: Self::F) -> Self::F {
        from_fn(|i| a[i] / b[i])
    }
    #[inline(always)]
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        from_fn(|i| mul_add(a[i], b[i], c[i]))
    }
    #[inline(always)]
    fn mul_sub(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        from_fn(|i| mul_add(a[i], b[i], -c[i]))
    }
    #[inline(always)]
    fn sub(self, a: Self::F, b: Self::F) -> Self::F {
        from_fn(|i| a[i] - b[i])
    }
    #[inline(always)]
    fn sqrt(self, a: Self::F) -> Self::F {
        from_fn(|i| a[i].sqrt())
    }
    #[inline(always)]
    fn round(self, a: Self::F) -> Self::F {
        from_fn(|i| round(a[i]))
    }
    #[inline(always)]
    fn to_float(self, a: Self::U) -> Self::F {
        from_fn(|i| a[i].cast_signed() as f32)
    }
    #[inline(always)]
    fn shl2(self, a: Self::U) -> Self::U {
        from_fn(|i| a[i] << 2)
    }
    #[inline(always)]
    fn any_below(self, a: Self::U, b: Self::U, offset: u32, limit: u32) -> bool {
        let below = |a: u32| a.wrapping_add(offset) < limit;
        a.iter().zip(&b).fold(false, |any, (&a, &b)| any | below(a) | below(b))
    }
    #[inline(always)]
    fn splat_u(self, value: u32) -> Self::U {
        [value; N]
    }
    #[inline(always)]
    fn and_u(self, a: Self::U, b: Self::U) -> Self::U {
        from_fn(|i| a[i] & b[i])
    }
    #[inline(always)]
    fn shr_u(self, a: Self::U, count: u32) -> Self::U {
        from_fn(|i| a[i] >> count)
    }
    #[inline(always)]
    fn any_equal(self, a: Self::U, b: Self::U) -> bool {
        a.iter().zip(&b).fold(false, |any, (a, b)| any | (a == b))
    }
    #[inline(always)]
    fn where_below(self, a: Self::U, b: Self::U, yes: Self::U, no: Self::U) -> Self::U {
        from_fn(|i| if a[i] < b[i] { yes[i] } else { no[i] })
    }
    #[inline(always)]
    fn lookup(self, table: &[u32], words: Self::U, shift: u32) -> Self::U {
        assert!(is_whole(table, shift));
        from_fn(|i| table[(words[i] >> shift) as usize])
    }
    #[inline(always)]
    fn split(self, a: Self::F) -> (Self::F, Self::F) {
        let positive = |i: usize| a[i] > 0.0;
        let mantissa = |i: usize| f32::from_bits(a[i].to_bits() & 0x007f_ffff | 0x3f00_0000);
        // The biased exponent of a is e + 127.
        let exponent = |i: usize| (158 - (a[i].to_bits() >> 23).cast_signed()) as f32;
        (
            from_fn(|i| if positive(i) { 1.0 - mantissa(i) } else { a[i] * -(0.5f32.powi(32)) }),
            from_fn(|i| if positive(i) { exponent(i) } else { 0.0 }),
        )
    }
    #[inline(always)]
    fn flip_by_bit31(self, a: Self::F, word: Self::U) -> Self::F {
        from_fn(|i| f32::from_bits(a[i].to_bits() ^ word[i] & 0x8000_0000))
    }
    #[inline(always)]
    fn swap_by_bit30(self, a: Self::F, b: Self::F, word: Self::U) -> (Self::F, Self::F) {
        let swap = |i: usize| word[i] & 0x4000_0000 != 0;
        (from_fn(|i| if swap(i) { b[i] } else { a[i] }), from_fn(|i| if swap(i) { a[i] } else { b[i] }))
    }

    #[inline(always)]
    fn splat_d(self, value: u64) -> Self::D {
        [value; N / 2]
    }
    #[inline(always)]
    fn ramp(self, stride: u64) -> (Self::D, Self::D) {
        (from_fn(|i| 2 * i as u64 * stride), from_fn(|i| (2 * i as u64 + 1) * stride))
    }
    #[inline(always)]
    fn add_d(self, a: Self::D, b: Self::D) -> Self::D {
        from_fn(|i| a[i].wrapping_add(b[i]))
    }
    #[inline(always)]
    fn mul_low(self, a: Self::D, b: Self::D) -> Self::D {
        from_fn(|i| (a[i] & 0xffff_ffff) * (b[i] & 0xffff_ffff))
    }
    #[inline(always)]
    fn shr32(self, a: Self::D) -> Self::D {
        from_fn(|i| a[i] >> 32)
    }
    #[inline(always)]
    fn xor(self, a: Self::D, b: Self::D) -> Self::D {
        from_fn(|i| a[i] ^ b[i])
    }
    #[inline(always)]
    fn xor3(self, a: Self::D, b: Self::D, c: Self::D) -> Self::D {
        from_fn(|i| a[i] ^ b[i] ^ c[i])
    }
    #[inline(always)]
    fn merge_low(self, even: Self::D, odd: Self::D) -> Self::U {
        from_fn(|i| if i % 2 == 0 { even[i / 2] as u32 } else { odd[i / 2] as u32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::SmallRng;
    use rand::{Rng, RngExt, SeedableRng};

    #[test]
    fn mul_add_without_the_instruction_is_the_fused_one() {
        let check = |a: f32, b: f32, c: f32| {
            let (got, want) = (mul_add_by_f64(a, b, c), a.mul_add(b, c));
            assert!(got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(), "{a:e} {b:e} {c:e}: {got:e}");
        };
        let corners = [
            0.0,
            1.0,
            1.5,
            3.0,
            f32::EPSILON,
            1e-30,
            f32::MIN_POSITIVE,
            1e-44,
            1e30,
            f32::MAX,
            f32::INFINITY,
            f32::NAN,
        ];
        let corners: Vec<f32> = corners.into_iter().flat_map(|v| [v, -v, v.next_up(), -v.next_down()]).collect();
        for &a in &corners {
            for &b in &corners {
                corners.iter().for_each(|&c| check(a, b, c));
            }
        }
        let mut rng = SmallRng::seed_from_u64(1);
        for _ in 0..2_000_000 {
            let [a, b, c] = [(); 3].map(|()| f32::from_bits(rng.next_u32()));
            check(a, b, c);
            // Addends near the product's size, and near ties: where rounding twice goes wrong.
            let [a, b] = [(); 2].map(|()| rng.random_range(1.0f32..2.0));
            check(a, b, -a * b);
            check(a, b, f32::from_bits(rng.random_range(0x3000_0000..0x5000_0000)));
            let few_bits = |v: f32| f32::from_bits(v.to_bits() & 0xffff_f000);
            check(few_bits(a), few_bits(b), f32::from_bits(rng.random_range(0x1000_0000..0x3800_0000)));
        }
    }

    #[test]
    fn round_without_the_instruction_is_round_ties_even() {
        let mut rng = SmallRng::seed_from_u64(2);
        let ties = (-100..100).map(|i| i as f32 / 2.0);
        for a in ties
            .chain([-0.0, 8_388_607.5, 8_388_608.0, 1e30])
            .chain((0..1_000_000).map(|_| f32::from_bits(rng.next_u32())))
        {
            assert!(round(a).to_bits() == a.round_ties_even().to_bits() || a.is_nan(), "{a}");
        }
    }
}
