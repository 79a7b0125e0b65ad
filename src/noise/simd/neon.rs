//! The kernel's operations in NEON, which every AArch64 processor that runs this target has.

use super::vector::{Simd, is_whole};
use std::arch::aarch64::*;

/// NEON's 128 bits. This file is compiled for targets that have it only, which is what an instance witnesses.
#[derive(Clone, Copy)]
pub(super) struct Neon;

impl Simd for Neon {
    const LANES: usize = 4;
    type F = float32x4_t;
    type U = uint32x4_t;
    type D = uint64x2_t;

    #[inline(always)]
    fn load(self, from: &[f32]) -> float32x4_t {
        let from = &from[..Self::LANES];
        // SAFETY: the slice holds a vector; the load needs the alignment of a lane only.
        unsafe { vld1q_f32(from.as_ptr()) }
    }
    #[inline(always)]
    fn store(self, value: float32x4_t, to: &mut [f32]) {
        let to = &mut to[..Self::LANES];
        // SAFETY: the slice holds a vector; the store needs the alignment of a lane only.
        unsafe { vst1q_f32(to.as_mut_ptr(), value) }
    }
    #[inline(always)]
    fn store_u(self, value: uint32x4_t, to: &mut [u32]) {
        let to = &mut to[..Self::LANES];
        // SAFETY: the slice holds a vector; the store needs the alignment of a lane only.
        unsafe { vst1q_u32(to.as_mut_ptr(), value) }
    }
    #[inline(always)]
    fn load_u(self, from: &[u32]) -> uint32x4_t {
        let from = &from[..Self::LANES];
        // SAFETY: the slice holds a vector; the load needs the alignment of a lane only.
        unsafe { vld1q_u32(from.as_ptr()) }
    }
    /// There is no gather: lane by lane.
    #[inline(always)]
    fn lookup(self, table: &[u32], words: uint32x4_t, shift: u32) -> uint32x4_t {
        assert!(is_whole(table, shift));
        let mut lanes = [0; Self::LANES];
        self.store_u(self.shr_u(words, shift), &mut lanes);
        for lane in &mut lanes {
            // SAFETY: an index of 32 - shift bits is below the table's length.
            *lane = unsafe { *table.get_unchecked(*lane as usize) };
        }
        self.load_u(&lanes)
    }

    op! {
        fn splat(self, value: f32) -> float32x4_t { vdupq_n_f32(value) }
        fn add(self, a: float32x4_t, b: float32x4_t) -> float32x4_t { vaddq_f32(a, b) }
        fn mul(self, a: float32x4_t, b: float32x4_t) -> float32x4_t { vmulq_f32(a, b) }
        fn div(self, a: float32x4_t, b: float32x4_t) -> float32x4_t { vdivq_f32(a, b) }
        fn mul_add(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t { vfmaq_f32(c, a, b) }
        fn mul_sub(self, a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t {
            vfmaq_f32(vnegq_f32(c), a, b)
        }
        fn sub(self, a: float32x4_t, b: float32x4_t) -> float32x4_t { vsubq_f32(a, b) }
        fn sqrt(self, a: float32x4_t) -> float32x4_t { vsqrtq_f32(a) }
        fn round(self, a: float32x4_t) -> float32x4_t { vrndnq_f32(a) }
        fn to_float(self, a: uint32x4_t) -> float32x4_t { vcvtq_f32_s32(vreinterpretq_s32_u32(a)) }
        fn shl2(self, a: uint32x4_t) -> uint32x4_t { vshlq_n_u32::<2>(a) }
        fn any_below(self, a: uint32x4_t, b: uint32x4_t, offset: u32, limit: u32) -> bool {
            let offset = vdupq_n_u32(offset);
            vminvq_u32(vminq_u32(vaddq_u32(a, offset), vaddq_u32(b, offset))) < limit
        }
        fn splat_u(self, value: u32) -> uint32x4_t { vdupq_n_u32(value) }
        fn and_u(self, a: uint32x4_t, b: uint32x4_t) -> uint32x4_t { vandq_u32(a, b) }
        fn shr_u(self, a: uint32x4_t, count: u32) -> uint32x4_t {
            // There is no shift to the right by a variable: a negative one to the left is meant to be it.
            vshlq_u32(a, vdupq_n_s32(-count.cast_signed()))
        }
        fn any_equal(self, a: uint32x4_t, b: uint32x4_t) -> bool { vmaxvq_u32(vceqq_u32(a, b)) != 0 }
        fn where_below(self, a: uint32x4_t, b: uint32x4_t, yes: uint32x4_t, no: uint32x4_t) -> uint32x4_t {
            vbslq_u32(vcltq_u32(a, b), yes, no)
        }
        fn split(self, a: float32x4_t) -> (float32x4_t, float32x4_t) {
            let bits = vreinterpretq_u32_f32(a);
            let negative = vcltzq_s32(vreinterpretq_s32_u32(bits));
            let fraction = vandq_u32(bits, vdupq_n_u32(0x007f_ffff));
            let mantissa = vreinterpretq_f32_u32(vorrq_u32(fraction, vdupq_n_u32(0x3f00_0000)));
            let scaled = vmulq_f32(a, vdupq_n_f32(-1.0 / 4_294_967_296.0));
            // The biased exponent of a is e + 127; a set sign is shifted in, but such lanes are zeroed.
            let exponent = vbicq_u32(vsubq_u32(vdupq_n_u32(158), vshrq_n_u32::<23>(bits)), negative);
            (
                vbslq_f32(negative, scaled, vsubq_f32(vdupq_n_f32(1.0), mantissa)),
                vcvtq_f32_s32(vreinterpretq_s32_u32(exponent)),
            )
        }
        fn flip_by_bit31(self, a: float32x4_t, word: uint32x4_t) -> float32x4_t {
            let bit = vandq_u32(word, vdupq_n_u32(1 << 31));
            vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(a), bit))
        }
        fn swap_by_bit30(self, a: float32x4_t, b: float32x4_t, word: uint32x4_t) -> (float32x4_t, float32x4_t) {
            let swap = vtstq_u32(word, vdupq_n_u32(1 << 30));
            (vbslq_f32(swap, b, a), vbslq_f32(swap, a, b))
        }
        fn splat_d(self, value: u64) -> uint64x2_t { vdupq_n_u64(value) }
        fn ramp(self, stride: u64) -> (uint64x2_t, uint64x2_t) {
            (
                vcombine_u64(vcreate_u64(0), vcreate_u64(2 * stride)),
                vcombine_u64(vcreate_u64(stride), vcreate_u64(3 * stride)),
            )
        }
        fn add_d(self, a: uint64x2_t, b: uint64x2_t) -> uint64x2_t { vaddq_u64(a, b) }
        fn mul_low(self, a: uint64x2_t, b: uint64x2_t) -> uint64x2_t { vmull_u32(vmovn_u64(a), vmovn_u64(b)) }
        fn shr32(self, a: uint64x2_t) -> uint64x2_t { vshrq_n_u64::<32>(a) }
        fn xor(self, a: uint64x2_t, b: uint64x2_t) -> uint64x2_t { veorq_u64(a, b) }
        fn xor3(self, a: uint64x2_t, b: uint64x2_t, c: uint64x2_t) -> uint64x2_t { veorq_u64(veorq_u64(a, b), c) }
        fn merge_low(self, even: uint64x2_t, odd: uint64x2_t) -> uint32x4_t {
            vtrn1q_u32(vreinterpretq_u32_u64(even), vreinterpretq_u32_u64(odd))
        }
    }
}
