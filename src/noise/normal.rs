//! Two uniform words to two standard normals: the Box-Muller transform, without branches.
//!
//! Source: Box, Muller, "A Note on the Generation of Random Normal Deviates", Annals of Mathematical Statistics 29,
//! 1958.
//!
//! The first word w gives the radius sqrt(-2 ln u) with u = (w + F) / 2^32, where F = 1/2, or, at both ends of the
//! range (where 32 bits are coarser than f32), F = (x + 1/2) / 2^32 with 32 further bits x. The second word v gives
//! the angle: its lower 30 bits one uniform on (-pi/4, pi/4), bit 31 the sign of the cosine, bit 30 which of cosine
//! and sine comes first. Polynomials: scripts/noise_coefficients.py.

use super::simd::Simd;
use super::words::group::Words;

/// No |z| is larger: sqrt(2 * 65 ln 2), the smallest u being 2^-65, with room for rounding.
pub const MAX_ABS_Z: f64 = 9.4926;

/// Words in [-REFINE_HIGH, REFINE_LOW), as signed integers, get further bits. Below REFINE_LOW half a cell of u is
/// more than 2^-21 of u, above -REFINE_HIGH half a cell of 1 - u is more than 2^-12 of it: either way it would show
/// in an f32 radius.
const REFINE_LOW: u32 = 1 << 20;
const REFINE_HIGH: u32 = 1 << 11;

/// -2 ln(1 - t) / t on (0, 1/2], relative error 2.4e-8.
#[allow(clippy::excessive_precision)]
const LOG: [f32; 9] = [
    2.0,
    0.999_990_463_256_835_9,
    0.667_263_150_215_148_9,
    0.487_380_594_015_121_46,
    0.527_273_476_123_809_8,
    -0.361_482_143_402_099_6,
    2.416_502_952_575_683_6,
    -3.278_113_126_754_760_7,
    2.828_592_061_996_46,
];
/// sin(pi/2 v) / v in v^2 on [0, 1/4], relative error 2.8e-8.
#[allow(clippy::excessive_precision)]
const SIN: [f32; 4] =
    [1.570_796_370_506_286_6, -0.645_966_649_055_481, 0.079_712_525_010_108_95, -0.004_685_971_420_258_284];
/// cos(pi/2 v) in v^2 on [0, 1/4], relative error 4.4e-10.
#[allow(clippy::excessive_precision)]
const COS: [f32; 5] =
    [1.0, -1.233_700_513_839_721_7, 0.253_668_546_676_635_74, -0.020_855_596_289_038_658, 0.000_894_486_380_275_338_9];

/// The polynomial of two vectors, side by side.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(s: S, x: [S::F; 2], coefficients: &[f32; N]) -> [S::F; 2] {
    let mut sum = [s.splat(coefficients[N - 1]); 2];
    for &coefficient in coefficients[..N - 1].iter().rev() {
        let c = s.splat(coefficient);
        sum = [s.mul_add(sum[0], x[0], c), s.mul_add(sum[1], x[1], c)];
    }
    sum
}

/// Whether any lane of the radius words needs [`refine`].
#[inline(always)]
pub(super) fn needs_refining<S: Simd>(s: S, a: S::U, b: S::U) -> bool {
    s.any_below(a, b, REFINE_HIGH, REFINE_LOW + REFINE_HIGH)
}

/// w + 1/2 with w as a signed integer: 2^32 u, less 2^32 where u > 1/2.
#[inline(always)]
pub(super) fn centred<S: Simd>(s: S, word: S::U) -> S::F {
    s.add(s.to_float(word), s.splat(0.5))
}

/// Replaces [`centred`] by w + (x + 1/2) / 2^32 in the lanes that need it; x is the further bits of word `index` of the
/// lane's block.
#[cold]
#[inline(never)]
pub(super) fn refine<W: Words>(source: &W, first: u32, index: usize, words: &[u32], centred: &mut [f32]) {
    for ((block, &word), lane) in (first..).zip(words).zip(centred) {
        if word.wrapping_add(REFINE_HIGH) < REFINE_LOW + REFINE_HIGH {
            let further = source.further(block, index);
            // 21 + 33 bits at most: exact in f64, so the cast rounds once. A negative word's bits count down from it.
            let fraction = (f64::from(further) + 0.5) / 4_294_967_296.0;
            *lane = (f64::from(word.cast_signed()) + fraction) as f32;
        }
    }
}

/// sqrt(-2 ln u) from [`centred`], taken in [`Radii::STEPS`] steps, so that a caller can put other work between them.
///
/// u = 2^-k (1 - t) with t in (0, 1/2], so -2 ln u = 2 k ln 2 + t (-2 ln(1 - t) / t): no cancellation anywhere.
pub(super) struct Radii<S: Simd> {
    t: [S::F; 2],
    k: [S::F; 2],
    /// The polynomial in t, by Horner's rule, from the last coefficient.
    sum: [S::F; 2],
}

impl<S: Simd> Radii<S> {
    /// The steps between `new` and `finish`, numbered from 0.
    pub(super) const STEPS: usize = LOG.len() - 1;

    #[inline(always)]
    pub(super) fn new(s: S, centred: [S::F; 2]) -> Self {
        let [(t0, k0), (t1, k1)] = [s.split(centred[0]), s.split(centred[1])];
        Self { t: [t0, t1], k: [k0, k1], sum: [s.splat(LOG[Self::STEPS]); 2] }
    }

    /// With nothing between the steps.
    #[inline(always)]
    pub(super) fn of(s: S, centred: [S::F; 2]) -> [S::F; 2] {
        let mut radii = Self::new(s, centred);
        for number in 0..Self::STEPS {
            radii.step(s, number);
        }
        radii.finish(s)
    }

    #[inline(always)]
    pub(super) fn step(&mut self, s: S, number: usize) {
        let c = s.splat(LOG[Self::STEPS - 1 - number]);
        self.sum = [s.mul_add(self.sum[0], self.t[0], c), s.mul_add(self.sum[1], self.t[1], c)];
    }

    #[inline(always)]
    pub(super) fn finish(self, s: S) -> [S::F; 2] {
        let ln4 = s.splat(2.0 * std::f32::consts::LN_2);
        [
            s.sqrt(s.mul_add(self.k[0], ln4, s.mul(self.t[0], self.sum[0]))),
            s.sqrt(s.mul_add(self.k[1], ln4, s.mul(self.t[1], self.sum[1]))),
        ]
    }
}

/// a b as an f32, or as the nearest integer where `ROUND`.
///
/// The integer is that of the product itself, not of its f32: the f32 of a large product has few bits below the point,
/// so that ties would be common, and a model could read x from the parities of sums. That the product is 48 bits long
/// makes them as rare as they should be.
#[inline(always)]
fn product<S: Simd, const ROUND: bool>(s: S, a: S::F, b: S::F) -> S::F {
    let high = s.mul(a, b);
    if !ROUND {
        return high;
    }
    let low = s.mul_sub(a, b, high);
    let near = s.round(high);
    // What is left of `high` is exact, at most a half.
    s.add(near, s.round(s.add(s.sub(high, near), low)))
}

/// (r cos, r sin) of the angles of both words, rounded to integers where `ROUND`: four vectors.
#[inline(always)]
pub(super) fn rotate<S: Simd, const ROUND: bool>(s: S, r: [S::F; 2], words: [S::U; 2]) -> [S::F; 4] {
    // v = ((word << 2) + 2) / 2^32 in (-1/2, 1/2), symmetric, never 0; the angle is pi/2 v.
    let unit = 1.0 / 4_294_967_296.0;
    let [scale, half] = [s.splat(unit), s.splat(2.0 * unit)];
    let v =
        [s.mul_add(s.to_float(s.shl2(words[0])), scale, half), s.mul_add(s.to_float(s.shl2(words[1])), scale, half)];
    let y = [s.mul(v[0], v[0]), s.mul(v[1], v[1])];
    let sin = polynomial(s, y, &SIN);
    let cos = polynomial(s, y, &COS);
    let sin = [s.mul(v[0], sin[0]), s.mul(v[1], sin[1])];
    let cos = [s.flip_by_bit31(cos[0], words[0]), s.flip_by_bit31(cos[1], words[1])];
    let [a, b] = [product::<S, ROUND>(s, r[0], cos[0]), product::<S, ROUND>(s, r[0], sin[0])];
    let [c, d] = [product::<S, ROUND>(s, r[1], cos[1]), product::<S, ROUND>(s, r[1], sin[1])];
    let ((a, b), (c, d)) = (s.swap_by_bit30(a, b, words[0]), s.swap_by_bit30(c, d, words[1]));
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::super::simd::{Portable, Simd};
    use super::super::words::PhiloxWords;
    use super::*;

    /// The radius of one centred word, in f32 and in f64.
    fn radius_of(centred: f32) -> (f64, f64) {
        let a = Portable.splat(centred);
        let mut radii = Radii::new(Portable, [a, a]);
        (0..Radii::<Portable>::STEPS).for_each(|number| radii.step(Portable, number));
        let (got, scale) = (radii.finish(Portable)[0][0], f64::from(centred) / 4_294_967_296.0);
        let ln: f64 = if centred > 0.0 { scale.ln() } else { scale.ln_1p() };
        (f64::from(got), (-2.0 * ln).sqrt())
    }

    #[test]
    fn radius_is_accurate_at_its_ends_and_on_either_side_of_every_power_of_two() {
        for exponent in -33..=31 {
            for sign in [1.0, -1.0] {
                let power = sign * 2f32.powi(exponent);
                for centred in [power.next_down(), power, power.next_up(), power * 1.3, power * 1.9] {
                    // 1 - u is at most 1/2 where the word is negative, u at most 1/2 where it is positive.
                    if centred.abs() > 2f32.powi(31) || centred.abs() < 2f32.powi(-33) {
                        continue;
                    }
                    let (got, exact) = radius_of(centred);
                    assert!((got / exact - 1.0).abs() < 1.5e-7, "{centred:e}: {got} is not {exact}");
                }
            }
        }
    }

    #[test]
    fn no_radius_exceeds_the_stated_largest() {
        // The smallest u is 2^-65: word 0 with 32 further zero bits.
        let (largest, _) = radius_of(0.5f32.powi(33));
        assert!(largest <= MAX_ABS_Z && largest > MAX_ABS_Z - 1e-4, "{largest}");
        let (least, _) = radius_of(-(0.5f32.powi(33)));
        assert!(least > 0.0);
    }

    #[test]
    fn refined_words_are_those_at_both_ends() {
        let refined = |word: u32| {
            let plain = Portable.to_float([word; 8])[0] + 0.5;
            let mut lanes = [plain];
            refine(&PhiloxWords::new([1, 2], 4 | 5 << 32, 0), 3, 0, &[word], &mut lanes);
            let needed = needs_refining(Portable, [word; 8], [1 << 30; 8]);
            assert_eq!(needed, needs_refining(Portable, [1 << 30; 8], [word; 8]));
            assert!(needed || lanes[0] == plain);
            assert!((lanes[0] - plain).abs() <= 0.5);
            needed
        };
        for word in [0, 1, REFINE_LOW - 1, u32::MAX, u32::MAX - (REFINE_HIGH - 1)] {
            assert!(refined(word), "{word:#x}");
        }
        for word in [REFINE_LOW, u32::MAX - REFINE_HIGH, 1 << 31, (1 << 31) - 1] {
            assert!(!refined(word), "{word:#x}");
        }
    }

    #[test]
    fn rotation_keeps_the_radius_and_gives_every_octant() {
        let mut octants = [false; 8];
        for word in (0..1u32 << 16).map(|i| i << 16).chain([u32::MAX, 1, 0x3fff_ffff, 0x4000_0000, 0x8000_0000]) {
            let [cos, sin, ..] = rotate::<_, false>(Portable, [[1.0; 8]; 2], [[word; 8]; 2]).map(|lanes| lanes[0]);
            assert!(cos.abs() <= 1.0 && sin.abs() <= 1.0);
            assert!((f64::from(cos).hypot(f64::from(sin)) - 1.0).abs() < 1.5e-7, "{word:#x}: {cos} {sin}");
            octants[usize::from(cos > 0.0) + 2 * usize::from(sin > 0.0) + 4 * usize::from(cos.abs() > sin.abs())] =
                true;
        }
        assert_eq!(octants, [true; 8]);
    }
}
