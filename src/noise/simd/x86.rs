//! The kernel's operations in AVX2 + FMA and in AVX-512.

use super::vector::{Kernel, Simd, is_whole};
use std::arch::x86_64::*;

/// Loads and stores of whole vectors, with their bounds checked.
macro_rules! memory {
    (
        $load:ident, $store:ident, $load_u:ident, $store_u:ident, $u:ty, |$from:ident, $index:ident| $gather:expr
    ) => {
        #[inline(always)]
        fn load(self, from: &[f32]) -> Self::F {
            let from = &from[..Self::LANES];
            // SAFETY: the slice holds a vector; the load is unaligned; `self` witnesses the instructions.
            unsafe { $load(from.as_ptr()) }
        }
        #[inline(always)]
        fn store(self, value: Self::F, to: &mut [f32]) {
            let to = &mut to[..Self::LANES];
            // SAFETY: the slice holds a vector; the store is unaligned; `self` witnesses the instructions.
            unsafe { $store(to.as_mut_ptr(), value) }
        }
        #[inline(always)]
        fn store_u(self, value: Self::U, to: &mut [u32]) {
            let to = &mut to[..Self::LANES];
            // SAFETY: the slice holds a vector; the store is unaligned; `self` witnesses the instructions.
            unsafe { $store_u(to.as_mut_ptr().cast::<$u>(), value) }
        }
        #[inline(always)]
        fn load_u(self, from: &[u32]) -> Self::U {
            let from = &from[..Self::LANES];
            // SAFETY: the slice holds a vector; the load is unaligned; `self` witnesses the instructions.
            unsafe { $load_u(from.as_ptr().cast::<$u>()) }
        }
        #[inline(always)]
        fn lookup(self, table: &[u32], words: Self::U, shift: u32) -> Self::U {
            assert!(is_whole(table, shift));
            let ($from, $index) = (table.as_ptr().cast::<i32>(), self.shr_u(words, shift));
            // SAFETY: an index of 32 - shift bits is below the table's length; `self` witnesses the instructions.
            unsafe { $gather }
        }
    };
}

/// AVX-512F and AVX-512DQ; made by `detect` only, which saw that the processor has them.
#[derive(Clone, Copy)]
pub(super) struct Avx512(());

impl Avx512 {
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq")).then_some(Self(()))
    }

    pub(super) fn run(self, kernel: impl Kernel) {
        #[target_feature(enable = "avx512f,avx512dq")]
        fn go(simd: Avx512, kernel: impl Kernel) {
            kernel.run(simd);
        }
        // SAFETY: `self` witnesses that the processor has the features.
        unsafe { go(self, kernel) }
    }
}

impl Simd for Avx512 {
    const LANES: usize = 16;
    type F = __m512;
    type U = __m512i;
    type D = __m512i;

    memory!(_mm512_loadu_ps, _mm512_storeu_ps, _mm512_loadu_si512, _mm512_storeu_si512, __m512i, |from, index| {
        _mm512_i32gather_epi32::<4>(index, from)
    });

    op! {
        fn splat(self, value: f32) -> __m512 { _mm512_set1_ps(value) }
        fn add(self, a: __m512, b: __m512) -> __m512 { _mm512_add_ps(a, b) }
        fn mul(self, a: __m512, b: __m512) -> __m512 { _mm512_mul_ps(a, b) }
        fn div(self, a: __m512, b: __m512) -> __m512 { _mm512_div_ps(a, b) }
        fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 { _mm512_fmadd_ps(a, b, c) }
        fn mul_sub(self, a: __m512, b: __m512, c: __m512) -> __m512 { _mm512_fmsub_ps(a, b, c) }
        fn sub(self, a: __m512, b: __m512) -> __m512 { _mm512_sub_ps(a, b) }
        fn sqrt(self, a: __m512) -> __m512 { _mm512_sqrt_ps(a) }
        fn round(self, a: __m512) -> __m512 { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT }>(a) }
        fn to_float(self, a: __m512i) -> __m512 { _mm512_cvtepi32_ps(a) }
        fn shl2(self, a: __m512i) -> __m512i { _mm512_slli_epi32::<2>(a) }
        fn any_below(self, a: __m512i, b: __m512i, offset: u32, limit: u32) -> bool {
            let offset = _mm512_set1_epi32(offset.cast_signed());
            let least = _mm512_min_epu32(_mm512_add_epi32(a, offset), _mm512_add_epi32(b, offset));
            _mm512_cmplt_epu32_mask(least, _mm512_set1_epi32(limit.cast_signed())) != 0
        }
        fn splat_u(self, value: u32) -> __m512i { _mm512_set1_epi32(value.cast_signed()) }
        fn and_u(self, a: __m512i, b: __m512i) -> __m512i { _mm512_and_si512(a, b) }
        fn shr_u(self, a: __m512i, count: u32) -> __m512i {
            _mm512_srl_epi32(a, _mm_cvtsi32_si128(count.cast_signed()))
        }
        fn any_equal(self, a: __m512i, b: __m512i) -> bool { _mm512_cmpeq_epi32_mask(a, b) != 0 }
        fn where_below(self, a: __m512i, b: __m512i, yes: __m512i, no: __m512i) -> __m512i {
            _mm512_mask_blend_epi32(_mm512_cmplt_epi32_mask(a, b), no, yes)
        }
        fn split(self, a: __m512) -> (__m512, __m512) {
            let positive = !_mm512_movepi32_mask(_mm512_castps_si512(a));
            let mantissa = _mm512_getmant_ps::<_MM_MANT_NORM_P5_1, _MM_MANT_SIGN_ZERO>(a);
            let scaled = _mm512_mul_ps(a, _mm512_set1_ps(-1.0 / 4_294_967_296.0));
            (
                _mm512_mask_sub_ps(scaled, positive, _mm512_set1_ps(1.0), mantissa),
                _mm512_maskz_sub_ps(positive, _mm512_set1_ps(31.0), _mm512_getexp_ps(a)),
            )
        }
        fn flip_by_bit31(self, a: __m512, word: __m512i) -> __m512 {
            // 0x78 is a ^ (b & c).
            let bit = _mm512_set1_epi32(i32::MIN);
            _mm512_castsi512_ps(_mm512_ternarylogic_epi32::<0x78>(_mm512_castps_si512(a), word, bit))
        }
        fn swap_by_bit30(self, a: __m512, b: __m512, word: __m512i) -> (__m512, __m512) {
            let swap = _mm512_test_epi32_mask(word, _mm512_set1_epi32(0x4000_0000));
            (_mm512_mask_blend_ps(swap, a, b), _mm512_mask_blend_ps(swap, b, a))
        }
        fn splat_d(self, value: u64) -> __m512i { _mm512_set1_epi64(value.cast_signed()) }
        fn ramp(self, stride: u64) -> (__m512i, __m512i) {
            let s = stride.cast_signed();
            (
                _mm512_setr_epi64(0, 2 * s, 4 * s, 6 * s, 8 * s, 10 * s, 12 * s, 14 * s),
                _mm512_setr_epi64(s, 3 * s, 5 * s, 7 * s, 9 * s, 11 * s, 13 * s, 15 * s),
            )
        }
        fn add_d(self, a: __m512i, b: __m512i) -> __m512i { _mm512_add_epi64(a, b) }
        fn mul_low(self, a: __m512i, b: __m512i) -> __m512i { _mm512_mul_epu32(a, b) }
        fn shr32(self, a: __m512i) -> __m512i { _mm512_srli_epi64::<32>(a) }
        fn xor(self, a: __m512i, b: __m512i) -> __m512i { _mm512_xor_si512(a, b) }
        fn xor3(self, a: __m512i, b: __m512i, c: __m512i) -> __m512i { _mm512_ternarylogic_epi64::<0x96>(a, b, c) }
        fn merge_low(self, even: __m512i, odd: __m512i) -> __m512i {
            // Copies the even 32-bit lanes of `odd` into the odd lanes of `even`.
            let (even, odd) = (_mm512_castsi512_ps(even), _mm512_castsi512_ps(odd));
            _mm512_castps_si512(_mm512_mask_moveldup_ps(even, 0xaaaa, odd))
        }
    }
}

/// AVX2 and FMA; made by `detect` only.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }

    pub(super) fn run(self, kernel: impl Kernel) {
        #[target_feature(enable = "avx2,fma")]
        fn go(simd: Avx2, kernel: impl Kernel) {
            kernel.run(simd);
        }
        // SAFETY: `self` witnesses that the processor has the features.
        unsafe { go(self, kernel) }
    }
}

impl Simd for Avx2 {
    const LANES: usize = 8;
    type F = __m256;
    type U = __m256i;
    type D = __m256i;

    memory!(_mm256_loadu_ps, _mm256_storeu_ps, _mm256_loadu_si256, _mm256_storeu_si256, __m256i, |from, index| {
        _mm256_i32gather_epi32::<4>(from, index)
    });

    op! {
        fn splat(self, value: f32) -> __m256 { _mm256_set1_ps(value) }
        fn add(self, a: __m256, b: __m256) -> __m256 { _mm256_add_ps(a, b) }
        fn mul(self, a: __m256, b: __m256) -> __m256 { _mm256_mul_ps(a, b) }
        fn div(self, a: __m256, b: __m256) -> __m256 { _mm256_div_ps(a, b) }
        fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 { _mm256_fmadd_ps(a, b, c) }
        fn mul_sub(self, a: __m256, b: __m256, c: __m256) -> __m256 { _mm256_fmsub_ps(a, b, c) }
        fn sub(self, a: __m256, b: __m256) -> __m256 { _mm256_sub_ps(a, b) }
        fn sqrt(self, a: __m256) -> __m256 { _mm256_sqrt_ps(a) }
        fn round(self, a: __m256) -> __m256 {
            _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a)
        }
        fn to_float(self, a: __m256i) -> __m256 { _mm256_cvtepi32_ps(a) }
        fn shl2(self, a: __m256i) -> __m256i { _mm256_slli_epi32::<2>(a) }
        fn any_below(self, a: __m256i, b: __m256i, offset: u32, limit: u32) -> bool {
            // AVX2 compares signed only: adding 2^31 to both sides turns unsigned order into signed.
            const BIAS: u32 = 0x8000_0000;
            let offset = _mm256_set1_epi32(offset.wrapping_add(BIAS).cast_signed());
            let limit = _mm256_set1_epi32(limit.wrapping_add(BIAS).cast_signed());
            let least = _mm256_min_epi32(_mm256_add_epi32(a, offset), _mm256_add_epi32(b, offset));
            _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(limit, least))) != 0
        }
        fn splat_u(self, value: u32) -> __m256i { _mm256_set1_epi32(value.cast_signed()) }
        fn and_u(self, a: __m256i, b: __m256i) -> __m256i { _mm256_and_si256(a, b) }
        fn shr_u(self, a: __m256i, count: u32) -> __m256i {
            _mm256_srl_epi32(a, _mm_cvtsi32_si128(count.cast_signed()))
        }
        fn any_equal(self, a: __m256i, b: __m256i) -> bool {
            _mm256_movemask_epi8(_mm256_cmpeq_epi32(a, b)) != 0
        }
        fn where_below(self, a: __m256i, b: __m256i, yes: __m256i, no: __m256i) -> __m256i {
            _mm256_blendv_epi8(no, yes, _mm256_cmpgt_epi32(b, a))
        }
        fn split(self, a: __m256) -> (__m256, __m256) {
            let bits = _mm256_castps_si256(a);
            let one = _mm256_set1_ps(1.0);
            let fraction = _mm256_and_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(0x007f_ffff)));
            let mantissa = _mm256_or_ps(fraction, _mm256_set1_ps(0.5));
            let scaled = _mm256_mul_ps(a, _mm256_set1_ps(-1.0 / 4_294_967_296.0));
            // The biased exponent of a is e + 127; a set sign is shifted in, but such lanes are zeroed.
            let exponent = _mm256_sub_epi32(_mm256_set1_epi32(158), _mm256_srli_epi32::<23>(bits));
            let exponent = _mm256_andnot_si256(_mm256_srai_epi32::<31>(bits), exponent);
            (_mm256_blendv_ps(_mm256_sub_ps(one, mantissa), scaled, a), _mm256_cvtepi32_ps(exponent))
        }
        fn flip_by_bit31(self, a: __m256, word: __m256i) -> __m256 {
            _mm256_xor_ps(a, _mm256_and_ps(_mm256_castsi256_ps(word), _mm256_set1_ps(-0.0)))
        }
        fn swap_by_bit30(self, a: __m256, b: __m256, word: __m256i) -> (__m256, __m256) {
            // blendv looks at bit 31.
            let swap = _mm256_castsi256_ps(_mm256_slli_epi32::<1>(word));
            (_mm256_blendv_ps(a, b, swap), _mm256_blendv_ps(b, a, swap))
        }
        fn splat_d(self, value: u64) -> __m256i { _mm256_set1_epi64x(value.cast_signed()) }
        fn ramp(self, stride: u64) -> (__m256i, __m256i) {
            let s = stride.cast_signed();
            (_mm256_setr_epi64x(0, 2 * s, 4 * s, 6 * s), _mm256_setr_epi64x(s, 3 * s, 5 * s, 7 * s))
        }
        fn add_d(self, a: __m256i, b: __m256i) -> __m256i { _mm256_add_epi64(a, b) }
        fn mul_low(self, a: __m256i, b: __m256i) -> __m256i { _mm256_mul_epu32(a, b) }
        fn shr32(self, a: __m256i) -> __m256i { _mm256_srli_epi64::<32>(a) }
        fn xor(self, a: __m256i, b: __m256i) -> __m256i { _mm256_xor_si256(a, b) }
        fn xor3(self, a: __m256i, b: __m256i, c: __m256i) -> __m256i {
            _mm256_xor_si256(_mm256_xor_si256(a, b), c)
        }
        fn merge_low(self, even: __m256i, odd: __m256i) -> __m256i {
            _mm256_blend_epi32::<0b1010_1010>(even, _mm256_slli_epi64::<32>(odd))
        }
    }
}
