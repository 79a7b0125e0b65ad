//! One row of noise: Philox blocks in 64-bit lanes, Box-Muller, and the grid, fused; written once for every
//! instruction set.
//!
//! Element e lies in group g = e / 64; it comes from word pair (e % 64) / 32 of the Philox block with counter [16 g +
//! e % 16, sample low, sample high, purpose]: words (0, 1) or (2, 3), the first normal for even (e % 64) / 16, the
//! second for odd.

use super::normal::{Radii, centred, needs_refining, refine, rotate};
use super::philox::{M0, M1, ROUNDS, mul_hi_lo, round_keys};
use super::simd::{MAX_LANES, Simd};

/// Elements made from 16 blocks.
const GROUP: usize = 64;
/// Blocks of a group.
const GROUP_BLOCKS: u32 = 16;

/// What the noise of a row is made from.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) key: [u32; 2],
    /// Words 1 to 3 of every counter.
    pub(super) sample: [u32; 2],
    pub(super) purpose: u32,
    /// sigma / step on the grid; 1 off it.
    pub(super) scale: f32,
    /// The grid's step; unused off it.
    pub(super) step: f32,
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

/// What all blocks of a row share: the first two rounds' uniform parts and the later rounds' keys.
struct Schedule {
    row: Row,
    /// Xored into word 2 of round 1, words 0 and 2 of round 2; word 3 of round 2.
    first: u32,
    second: [u32; 2],
    third: u32,
    keys: [[u32; 2]; ROUNDS],
}

impl Schedule {
    fn new(row: &Row) -> Self {
        let keys = round_keys(row.key);
        let (hi, lo) = mul_hi_lo(M1, row.sample[1]);
        let (hi0, lo0) = mul_hi_lo(M0, hi ^ row.sample[0] ^ keys[0][0]);
        Self {
            row: *row,
            first: row.purpose ^ keys[0][1],
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

    /// The blocks of counters `first`, `first` + 1, .. as four words, a lane per counter.
    #[inline(always)]
    fn blocks<S: Simd>(&self, s: S, first: u32) -> [S::U; 4] {
        let mut blocks = self.start(s, first);
        for key in &self.keys[2..] {
            blocks = round(s, blocks, key);
        }
        merge(s, blocks)
    }

    /// The radii of these words, and the blocks from counter `next` on: each waits for its own last result at every
    /// step, so a round of the one hides behind a step of the other (measured: 8 % less time with AVX-512, 16 % less
    /// with AVX2).
    #[inline(always)]
    fn radii_and_blocks<S: Simd>(&self, s: S, centred: [S::F; 2], next: u32) -> ([S::F; 2], [S::U; 4]) {
        const { assert!(Radii::<S>::STEPS == ROUNDS - 2) };
        let mut blocks = self.start(s, next);
        let mut radii = Radii::new(s, centred);
        for number in 0..Radii::<S>::STEPS {
            blocks = round(s, blocks, &self.keys[2 + number]);
            radii.step(s, number);
        }
        (radii.finish(s), merge(s, blocks))
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

    /// Both radius words as [`centred`], refined where they need it.
    #[inline(always)]
    fn uniforms<S: Simd>(&self, s: S, words: &[S::U; 4], first: u32) -> [S::F; 2] {
        let mut a = [centred(s, words[0]), centred(s, words[2])];
        if needs_refining(s, words[0], words[2]) {
            for (a, index) in a.iter_mut().zip([0, 2]) {
                let mut lanes = [0.0; MAX_LANES];
                let mut bits = [0; MAX_LANES];
                s.store(*a, &mut lanes);
                s.store_u(words[index], &mut bits);
                let counter = [first, self.row.sample[0], self.row.sample[1], self.row.purpose];
                refine(self.row.key, counter, index, &bits[..S::LANES], &mut lanes[..S::LANES]);
                *a = s.load(&lanes);
            }
        }
        a
    }

    /// The elements of a group from its first counter's words on; leaves the next group's first words in `words`.
    #[inline(always)]
    fn group<S: Simd, const GRID: bool>(
        &self,
        s: S,
        words: &mut [S::U; 4],
        group: u32,
        x: &[f32; GROUP],
        out: &mut [f32; GROUP],
    ) {
        for lane in (0..16).step_by(S::LANES) {
            let first = group * GROUP_BLOCKS + lane as u32;
            let centred = self.uniforms(s, words, first);
            // After a row's last block the counter may wrap; those words are not used.
            let (r, next) = self.radii_and_blocks(s, centred, first.wrapping_add(S::LANES as u32));
            let scale = s.splat(self.row.scale);
            let z = rotate(s, [s.mul(r[0], scale), s.mul(r[1], scale)], [words[1], words[3]]);
            *words = next;
            for (word, z) in z.into_iter().enumerate() {
                let at = lane + 16 * word;
                let value = if GRID {
                    // The integer times a power of two is exact, so this rounds once, and on the grid not at all.
                    s.mul_add(s.round(z), s.splat(self.row.step), s.load(&x[at..]))
                } else {
                    z
                };
                s.store(value, &mut out[at..]);
            }
        }
    }
}

/// Fills `out` with x + step * round(scale * z) when `GRID` (`x` is as long as `out`), else with z (`x` is not read).
#[inline(always)]
pub(super) fn fill<S: Simd, const GRID: bool>(s: S, row: &Row, x: &[f32], out: &mut [f32]) {
    const UNUSED: &[f32; GROUP] = &[0.0; GROUP];
    let schedule = Schedule::new(row);
    let (groups, rest) = out.as_chunks_mut::<GROUP>();
    let (x_groups, x_rest) = x.as_chunks::<GROUP>();
    let mut words = schedule.blocks(s, 0);
    // The number of a group fits: a row has at most 2^28 of them.
    let mut number = 0u32;
    for out in groups {
        let x = if GRID { &x_groups[number as usize] } else { UNUSED };
        schedule.group::<S, GRID>(s, &mut words, number, x, out);
        number += 1;
    }
    if !rest.is_empty() {
        let (mut from, mut to) = (*UNUSED, *UNUSED);
        if GRID {
            from[..x_rest.len()].copy_from_slice(x_rest);
        }
        schedule.group::<S, GRID>(s, &mut words, number, &from, &mut to);
        rest.copy_from_slice(&to[..rest.len()]);
    }
}
