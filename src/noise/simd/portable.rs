//! The kernel's operations in plain Rust, for any processor; NEON and SSE2 come from the compiler.

use super::Simd;
use std::array::from_fn;

/// Lanes: enough to keep a 128-bit unit busy.
const N: usize = 8;

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
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        from_fn(|i| a[i] * b[i])
    }
    #[inline(always)]
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        from_fn(|i| a[i].mul_add(b[i], c[i]))
    }
    #[inline(always)]
    fn sqrt(self, a: Self::F) -> Self::F {
        from_fn(|i| a[i].sqrt())
    }
    #[inline(always)]
    fn round(self, a: Self::F) -> Self::F {
        from_fn(|i| a[i].round_ties_even())
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
