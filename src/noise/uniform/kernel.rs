//! One sample of uniform noise: a word an element, the sum of two integers, its value.
//!
//! Element e, of group g = e / 64, is drawn by word (e % 64) / 16 of the row's block 16 g + e % 16, as in exact noise.

use super::grid::value;
use crate::noise::simd::{Kernel, Simd};
use crate::noise::words::{GROUP, GROUP_BLOCKS, Words};

/// A row to be filled.
pub(in crate::noise) struct UniformRow<'a, W> {
    pub(in crate::noise) words: W,
    /// The grid's step.
    pub(in crate::noise) step: f64,
    /// Integers, as long as `out`.
    pub(in crate::noise) x: &'a [f64],
    pub(in crate::noise) out: &'a mut [f32],
}

impl<W: Words> UniformRow<'_, W> {
    #[inline(always)]
    fn group<S: Simd>(s: S, source: &mut W, step: f64, group: u32, x: &[f64; GROUP], out: &mut [f32; GROUP]) {
        let mut bits = [0; GROUP];
        for lane in (0..16).step_by(S::LANES) {
            let words = source.blocks(s, group * GROUP_BLOCKS + lane as u32);
            for (index, words) in words.into_iter().enumerate() {
                s.store_u(words, &mut bits[lane + 16 * index..]);
            }
        }
        // Plain Rust, which the compiler turns into the path's instructions: f64 rounds alike on all of them.
        for ((out, x), word) in out.iter_mut().zip(x).zip(bits) {
            // The word less 2^31.
            let noise = (word ^ 1 << 31).cast_signed();
            *out = value(x + f64::from(noise), step);
        }
    }
}

impl<W: Words> Kernel for UniformRow<'_, W> {
    /// Fills `out` with the values of x + M.
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { words: mut source, step, x, out } = self;
        let (groups, rest) = out.as_chunks_mut::<GROUP>();
        let (x_groups, x_rest) = x.as_chunks::<GROUP>();
        let mut number = 0u32;
        for (out, x) in groups.iter_mut().zip(x_groups) {
            Self::group(s, &mut source, step, number, x, out);
            number += 1;
        }
        if !rest.is_empty() {
            let (mut from, mut to) = ([0.0; GROUP], [0.0; GROUP]);
            from[..x_rest.len()].copy_from_slice(x_rest);
            Self::group(s, &mut source, step, number, &from, &mut to);
            rest.copy_from_slice(&to[..rest.len()]);
        }
    }
}
