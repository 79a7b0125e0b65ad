//! Philox blocks in 64-bit lanes: block b of a row has the counter [b, sample low, sample high, purpose].

use super::group::Words;
use crate::noise::normal::Radii;
use crate::noise::philox::{M0, M1, ROUNDS, mul_hi_lo, philox4x32_10, round_keys};
use crate::noise::simd::Simd;

/// The purpose bit of the counters that give further bits.
const FURTHER: u32 = 1 << 31;

/// The key of a stream: the first two words of the Philox block with counter [stream low, stream high, 0, 0] under the
/// key `seed`.
pub(in crate::noise) fn philox_stream_key(seed: u64, stream: u64) -> [u32; 2] {
    let halves = |word: u64| [word as u32, (word >> 32) as u32];
    let [low, high] = halves(stream);
    let [first, second, ..] = philox4x32_10([low, high, 0, 0], halves(seed));
    [first, second]
}

/// A word in every 64-bit lane.
#[inline(always)]
fn word<S: Simd>(s: S, word: u32) -> S::D {
    s.splat_d(u64::from(word))
}

/// Blocks under way, those of even counters and those of odd: a word in the low half of a 64-bit lane, the high half
/// left as it falls. The two go side by side, so that each hides the other's latency.
type Blocks<S> = [[<S as Simd>::D; 4]; 2];

/// The words of finished blocks, a lane per counter. No closure here, nor elsewhere in this file: it would be compiled
/// without the path's instructions.
#[inline(always)]
fn merge<S: Simd>(s: S, [even, odd]: Blocks<S>) -> [S::U; 4] {
    [
        s.merge_low(even[0], odd[0]),
        s.merge_low(even[1], odd[1]),
        s.merge_low(even[2], odd[2]),
        s.merge_low(even[3], odd[3]),
    ]
}

/// One Philox round.
#[inline(always)]
fn round<S: Simd>(s: S, c: Blocks<S>, key: &[u32; 2]) -> Blocks<S> {
    let p0 = [s.mul_low(c[0][0], word(s, M0)), s.mul_low(c[1][0], word(s, M0))];
    let p1 = [s.mul_low(c[0][2], word(s, M1)), s.mul_low(c[1][2], word(s, M1))];
    let hi0 = [s.shr32(p0[0]), s.shr32(p0[1])];
    let hi1 = [s.shr32(p1[0]), s.shr32(p1[1])];
    let [k0, k1] = [word(s, key[0]), word(s, key[1])];
    [
        [s.xor3(hi1[0], c[0][1], k0), p1[0], s.xor3(hi0[0], c[0][3], k1), p0[0]],
        [s.xor3(hi1[1], c[1][1], k0), p1[1], s.xor3(hi0[1], c[1][3], k1), p0[1]],
    ]
}

/// The words of one row by Philox. All of the row's blocks share what is here: the first two rounds' uniform parts and
/// the later rounds' keys.
pub(in crate::noise) struct PhiloxWords {
    key: [u32; 2],
    /// Words 1 to 3 of every counter.
    counter: [u32; 3],
    /// Xored into word 2 of round 1, words 0 and 2 of round 2; word 3 of round 2.
    first: u32,
    second: [u32; 2],
    third: u32,
    keys: [[u32; 2]; ROUNDS],
}

impl PhiloxWords {
    /// The row `sample` of the stream with this key; `purpose` is word 3 of the counters.
    pub(in crate::noise) fn new(key: [u32; 2], sample: u64, purpose: u32) -> Self {
        let keys = round_keys(key);
        let sample = [sample as u32, (sample >> 32) as u32];
        let (hi, lo) = mul_hi_lo(M1, sample[1]);
        let (hi0, lo0) = mul_hi_lo(M0, hi ^ sample[0] ^ keys[0][0]);
        Self {
            key,
            counter: [sample[0], sample[1], purpose],
            first: purpose ^ keys[0][1],
            second: [lo ^ keys[1][0], hi0 ^ keys[1][1]],
            third: lo0,
            keys,
        }
    }

    /// The first two rounds of counters `first`, `first` + 1, ..: one block a lane, even and odd counters apart.
    #[inline(always)]
    fn start<S: Simd>(&self, s: S, first: u32) -> Blocks<S> {
        // M0 (first + lane) by addition: below 2^64 since the counter is below 2^32.
        let (even, odd) = s.ramp(u64::from(M0));
        let start = s.splat_d(u64::from(M0) * u64::from(first));
        self.first_rounds(s, [s.add_d(start, even), s.add_d(start, odd)])
    }

    /// The first two rounds, given M0 times the counters; the sample and the purpose are the same in all lanes.
    #[inline(always)]
    fn first_rounds<S: Simd>(&self, s: S, p0: [S::D; 2]) -> Blocks<S> {
        let c2 = [s.xor(s.shr32(p0[0]), word(s, self.first)), s.xor(s.shr32(p0[1]), word(s, self.first))];
        let p1 = [s.mul_low(c2[0], word(s, M1)), s.mul_low(c2[1], word(s, M1))];
        let [k0, k1] = [word(s, self.second[0]), word(s, self.second[1])];
        let c3 = word(s, self.third);
        [
            [s.xor(s.shr32(p1[0]), k0), p1[0], s.xor(p0[0], k1), c3],
            [s.xor(s.shr32(p1[1]), k0), p1[1], s.xor(p0[1], k1), c3],
        ]
    }
}

impl Words for PhiloxWords {
    #[inline(always)]
    fn blocks<S: Simd>(&mut self, s: S, first: u32) -> [S::U; 4] {
        let mut blocks = self.start(s, first);
        for key in &self.keys[2..] {
            blocks = round(s, blocks, key);
        }
        merge(s, blocks)
    }

    /// Each waits for its own last result at every step, so a round of the one hides behind a step of the other
    /// (measured: 8 % less time with AVX-512, 16 % less with AVX2).
    #[inline(always)]
    fn radii_and_blocks<S: Simd>(&mut self, s: S, centred: [S::F; 2], next: u32) -> ([S::F; 2], [S::U; 4]) {
        const { assert!(Radii::<S>::STEPS == ROUNDS - 2) };
        let mut blocks = self.start(s, next);
        let mut radii = Radii::new(s, centred);
        for number in 0..Radii::<S>::STEPS {
            blocks = round(s, blocks, &self.keys[2 + number]);
            radii.step(s, number);
        }
        (radii.finish(s), merge(s, blocks))
    }

    /// The same counter with bit 31 of the purpose set.
    fn further(&self, block: u32, index: usize) -> u32 {
        let [low, high, purpose] = self.counter;
        philox4x32_10([block, low, high, purpose | FURTHER], self.key)[index]
    }
}
