//! One row of discretised Gaussian noise: uniform words, the alias table, and the sum's value, fused.
//!
//! Element e, of group g = e / 64, is drawn by word (e % 64) / 16 of the row's block 16 g + e % 16.

use super::table::{AliasTable, pick_by_second};
use crate::noise::simd::{Kernel, MAX_LANES, Simd};
use crate::noise::words::{GROUP, GROUP_BLOCKS, Words};

/// A row to be filled.
pub(in crate::noise) struct ExactRow<'a, W> {
    pub(in crate::noise) words: W,
    pub(in crate::noise) table: &'a AliasTable,
    /// The outcome that stands for noise 0.
    pub(in crate::noise) middle: f32,
    /// Grid points a unit.
    pub(in crate::noise) levels: f32,
    /// Integers, as long as `out`.
    pub(in crate::noise) x: &'a [f32],
    pub(in crate::noise) out: &'a mut [f32],
}

/// The outcomes of a vector of words.
#[inline(always)]
fn outcomes<S: Simd, W: Words>(s: S, table: &AliasTable, source: &W, words: S::U, first: u32, index: usize) -> S::U {
    let bits = table.bits();
    let entries = s.lookup(table.entries(), words, 32 - bits);
    let own = s.shr_u(words, 32 - bits);
    let (lead, threshold) = (s.and_u(words, s.splat_u(u32::MAX >> bits)), s.shr_u(entries, bits));
    let alias = s.and_u(entries, s.splat_u((1 << bits) - 1));
    let picked = s.where_below(lead, threshold, own, alias);
    if s.any_equal(lead, threshold) {
        let mut of = [[0; MAX_LANES]; 2];
        s.store_u(words, &mut of[0]);
        s.store_u(picked, &mut of[1]);
        let [words, picked] = &mut of;
        pick_by_second(table, source, first, index, &words[..S::LANES], &mut picked[..S::LANES]);
        return s.load_u(picked);
    }
    picked
}

impl<W: Words> ExactRow<'_, W> {
    #[inline(always)]
    fn group<S: Simd>(
        s: S,
        source: &mut W,
        table: &AliasTable,
        [middle, levels]: [f32; 2],
        group: u32,
        x: &[f32; GROUP],
        out: &mut [f32; GROUP],
    ) {
        for lane in (0..16).step_by(S::LANES) {
            let first = group * GROUP_BLOCKS + lane as u32;
            let words = source.blocks(s, first);
            let mut index = 0;
            while index < 4 {
                let at = lane + 16 * index;
                let picked = s.to_float(outcomes(s, table, source, words[index], first, index));
                // Integers below 2^24: both sums are exact, and the quotient is a function of the sum alone.
                let sum = s.add(s.add(picked, s.splat(-middle)), s.load(&x[at..]));
                s.store(s.div(sum, s.splat(levels)), &mut out[at..]);
                index += 1;
            }
        }
    }
}

impl<W: Words> Kernel for ExactRow<'_, W> {
    /// Fills `out` with (x + m) / levels.
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { words: mut source, table, middle, levels, x, out } = self;
        let (groups, rest) = out.as_chunks_mut::<GROUP>();
        let (x_groups, x_rest) = x.as_chunks::<GROUP>();
        let mut number = 0u32;
        for (out, x) in groups.iter_mut().zip(x_groups) {
            Self::group(s, &mut source, table, [middle, levels], number, x, out);
            number += 1;
        }
        if !rest.is_empty() {
            let (mut from, mut to) = ([0.0; GROUP], [0.0; GROUP]);
            from[..x_rest.len()].copy_from_slice(x_rest);
            Self::group(s, &mut source, table, [middle, levels], number, &from, &mut to);
            rest.copy_from_slice(&to[..rest.len()]);
        }
    }
}
