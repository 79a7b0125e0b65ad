//! The vector operations that kernels are written in.

/// The widest vector, in f32 lanes.
pub(in crate::noise) const MAX_LANES: usize = 16;

/// Vectors of `LANES` 32-bit lanes, and pairs of vectors of `LANES / 2` 64-bit lanes for Philox.
///
/// An implementor is a witness that this processor has its instructions. Lane i of a 32-bit vector is 64-bit lane i/2
/// of the even (i even) or the odd vector.
pub(in crate::noise) trait Simd: Copy {
    /// 32-bit lanes; divides 16.
    const LANES: usize;
    /// f32 lanes.
    type F: Copy;
    /// u32 lanes.
    type U: Copy;
    /// u64 lanes.
    type D: Copy;

    fn splat(self, value: f32) -> Self::F;
    /// Panics when `from` is shorter than a vector.
    fn load(self, from: &[f32]) -> Self::F;
    /// Panics when `to` is shorter than a vector.
    fn store(self, value: Self::F, to: &mut [f32]);
    /// Panics when `to` is shorter than a vector.
    fn store_u(self, value: Self::U, to: &mut [u32]);
    /// Panics when `from` is shorter than a vector.
    fn load_u(self, from: &[u32]) -> Self::U;
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// a b + c, rounded once.
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// a b - c, rounded once.
    fn mul_sub(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    fn sqrt(self, a: Self::F) -> Self::F;
    /// The nearest integer, ties to even.
    fn round(self, a: Self::F) -> Self::F;
    /// The lanes as two's complement integers, rounded to nearest.
    fn to_float(self, a: Self::U) -> Self::F;
    /// a << 2.
    fn shl2(self, a: Self::U) -> Self::U;
    /// Whether any a + offset or b + offset (mod 2^32) is below `limit`, unsigned.
    fn any_below(self, a: Self::U, b: Self::U, offset: u32, limit: u32) -> bool;

    fn splat_u(self, value: u32) -> Self::U;
    fn and_u(self, a: Self::U, b: Self::U) -> Self::U;
    /// a >> `count`, which is below 32.
    fn shr_u(self, a: Self::U, count: u32) -> Self::U;
    /// Whether any lanes are equal.
    fn any_equal(self, a: Self::U, b: Self::U) -> bool;
    /// `yes` where a < b, both below 2^31, `no` elsewhere.
    fn where_below(self, a: Self::U, b: Self::U, yes: Self::U, no: Self::U) -> Self::U;
    /// The table's entries at words >> `shift`. Panics unless the table has 2^(32 - shift) entries, with shift from 1
    /// to 31.
    fn lookup(self, table: &[u32], words: Self::U, shift: u32) -> Self::U;

    /// For every lane of `a`: where it is positive, a = m 2^(e+1) with m in [1/2, 1), the pair (1 - m, 31 - e); where
    /// it is negative, the pair (-a 2^-32, 0). No lane is zero, subnormal or not finite.
    fn split(self, a: Self::F) -> (Self::F, Self::F);
    /// `a` with its sign flipped where bit 31 of `word` is set.
    fn flip_by_bit31(self, a: Self::F, word: Self::U) -> Self::F;
    /// (b, a) where bit 30 of `word` is set, (a, b) elsewhere.
    fn swap_by_bit30(self, a: Self::F, b: Self::F, word: Self::U) -> (Self::F, Self::F);

    fn splat_d(self, value: u64) -> Self::D;
    /// 64-bit lanes i of (even, odd): 2 i `stride`, (2 i + 1) `stride`.
    fn ramp(self, stride: u64) -> (Self::D, Self::D);
    fn add_d(self, a: Self::D, b: Self::D) -> Self::D;
    /// The 64-bit products of the low halves.
    fn mul_low(self, a: Self::D, b: Self::D) -> Self::D;
    fn shr32(self, a: Self::D) -> Self::D;
    fn xor(self, a: Self::D, b: Self::D) -> Self::D;
    fn xor3(self, a: Self::D, b: Self::D, c: Self::D) -> Self::D;
    /// The low halves of both, interleaved.
    fn merge_low(self, even: Self::D, odd: Self::D) -> Self::U;
}

/// What makes one row, written once for every instruction set. Implementors mark `run` `#[inline(always)]`.
pub(in crate::noise) trait Kernel {
    fn run<S: Simd>(self, s: S);
}

/// Whether a table has an entry for every value of `words >> shift`.
pub(super) fn is_whole(table: &[u32], shift: u32) -> bool {
    (1..32).contains(&shift) && table.len() == 1 << (32 - shift)
}
