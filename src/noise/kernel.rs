//! One row of noise: Philox blocks in 64-bit lanes, Box-Muller, and the grid, fused; written once for every instruction set.
//!
//! Element e lies in group g = e / 64; it comes from word pair (e % 64) / 32 of the Philox block with counter
//! [16 g + e % 16, sample low, sample high, purpose]: words (0, 1) or (2, 3), the first normal for even (e % 64) / 16, the
//! second for odd.

use super::normal::{centred, needs_refining, radius, refine, rotate};
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
        Self { row: *row, first: row.purpose ^ keys[0][1], second: [lo ^ keys[1][0], hi0 ^ keys[1][1]], third: lo0, keys }
    }

    /// The blocks of counters first, first + 1, .. as four words, a lane per counter.
    #[inline(always)]
    fn blocks<S: Simd>(&self, s: S, first: u32) -> [S::U; 4] {
        // M0 (first + lane) by addition: below 2^64 since the counter is below 2^32.
        let (even, odd) = s.ramp(u64::from(M0));
        let start = s.splat_d(u64::from(M0) * u64::from(first));
        let even = self.rounds(s, s.add_d(start, even));
        let odd = self.rounds(s, s.add_d(start, odd));
        [0, 1, 2, 3].map(|word| s.merge_low(even[word], odd[word]))
    }

    /// All rounds, given M0 times the counter. High halves of lanes are left as they fall: only low halves are read.
    #[inline(always)]
    fn rounds<S: Simd>(&self, s: S, p0: S::D) -> [S::D; 4] {
        let splat = |word: u32| s.splat_d(u64::from(word));
        let c2 = s.xor(s.shr32(p0), splat(self.first));
        let p1 = s.mul_low(c2, splat(M1));
        let mut c =
            [s.xor(s.shr32(p1), splat(self.second[0])), p1, s.xor(p0, splat(self.second[1])), splat(self.third)];
        for key in &self.keys[2..] {
            let p0 = s.mul_low(c[0], splat(M0));
            let p1 = s.mul_low(c[2], splat(M1));
            c = [s.xor3(s.shr32(p1), c[1], splat(key[0])), p1, s.xor3(s.shr32(p0), c[3], splat(key[1])), p0];
        }
        c
    }

    /// Normals times the scale of one word pair: elements `offset` and `offset + 16` of the group, and on.
    #[inline(always)]
    fn pair<S: Simd>(&self, s: S, words: &[S::U; 4], index: usize, first: u32) -> (S::F, S::F) {
        let mut a = centred(s, words[index]);
        if needs_refining(s, words[index]) {
            let mut lanes = [0.0; MAX_LANES];
            let mut bits = [0; MAX_LANES];
            s.store(a, &mut lanes);
            s.store_u(words[index], &mut bits);
            let counter = [first, self.row.sample[0], self.row.sample[1], self.row.purpose];
            refine(self.row.key, counter, index, &bits[..S::LANES], &mut lanes[..S::LANES]);
            a = s.load(&lanes);
        }
        rotate(s, s.mul(radius(s, a), s.splat(self.row.scale)), words[index + 1])
    }

    /// The elements of one group.
    #[inline(always)]
    fn group<S: Simd, const GRID: bool>(&self, s: S, group: u32, x: &[f32; GROUP], out: &mut [f32; GROUP]) {
        for part in 0..16 / S::LANES {
            let lane = part * S::LANES;
            let first = group * GROUP_BLOCKS + lane as u32;
            let words = self.blocks(s, first);
            for index in [0, 2] {
                let (a, b) = self.pair(s, &words, index, first);
                for (z, at) in [(a, lane + 16 * index), (b, lane + 16 * index + 16)] {
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
}

/// Fills `out` with x + step * round(scale * z) when `GRID` (`x` is as long as `out`), else with z (`x` is not read).
#[inline(always)]
pub(super) fn fill<S: Simd, const GRID: bool>(s: S, row: &Row, x: &[f32], out: &mut [f32]) {
    let schedule = Schedule::new(row);
    let (groups, rest) = out.as_chunks_mut::<GROUP>();
    let (x_groups, x_rest) = x.as_chunks::<GROUP>();
    let mut number = 0u32;
    if GRID {
        for (out, x) in groups.iter_mut().zip(x_groups) {
            schedule.group::<S, true>(s, number, x, out);
            number = number.wrapping_add(1);
        }
    } else {
        for out in groups.iter_mut() {
            schedule.group::<S, false>(s, number, &[0.0; GROUP], out);
            number = number.wrapping_add(1);
        }
    }
    if !rest.is_empty() {
        let (mut from, mut to) = ([0.0; GROUP], [0.0; GROUP]);
        if GRID {
            from[..x_rest.len()].copy_from_slice(x_rest);
        }
        schedule.group::<S, GRID>(s, number, &from, &mut to);
        rest.copy_from_slice(&to[..rest.len()]);
    }
}
