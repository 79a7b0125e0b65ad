//! One row of Gaussian noise: uniform words, Box-Muller, and the grid, fused; written once for every instruction set.
//!
//! Element e lies in group g = e / 64; it comes from word pair (e % 64) / 32 of the row's block 16 g + e % 16: words
//! (0, 1) or (2, 3), the first normal for even (e % 64) / 16, the second for odd.

use super::normal::{Radii, centred, needs_refining, refine, rotate};
use super::simd::{Kernel, MAX_LANES, Simd};
use super::words::{GROUP, GROUP_BLOCKS, Words};

/// A row to be filled.
pub(super) struct GaussianRow<'a, W, const GRID: bool> {
    pub(super) words: W,
    /// sigma / step on the grid; 1 off it.
    pub(super) scale: f32,
    /// The grid's step; unused off it.
    pub(super) step: f32,
    /// As long as `out` on the grid; unused off it.
    pub(super) x: &'a [f32],
    pub(super) out: &'a mut [f32],
}

/// Both radius words as [`centred`], refined where they need it.
#[inline(always)]
fn uniforms<S: Simd, W: Words>(s: S, source: &W, words: &[S::U; 4], first: u32) -> [S::F; 2] {
    let mut a = [centred(s, words[0]), centred(s, words[2])];
    if needs_refining(s, words[0], words[2]) {
        for (a, index) in a.iter_mut().zip([0, 2]) {
            let mut lanes = [0.0; MAX_LANES];
            let mut bits = [0; MAX_LANES];
            s.store(*a, &mut lanes);
            s.store_u(words[index], &mut bits);
            refine(source, first, index, &bits[..S::LANES], &mut lanes[..S::LANES]);
            *a = s.load(&lanes);
        }
    }
    a
}

impl<W: Words, const GRID: bool> GaussianRow<'_, W, GRID> {
    /// The elements of a group from its first counter's words on; leaves the next group's first words in `words`, where
    /// it is not the row's `LAST`. No closure here: it would be compiled without the path's instructions.
    #[inline(always)]
    fn group<S: Simd, const LAST: bool>(
        s: S,
        source: &mut W,
        [scale, step]: [f32; 2],
        words: &mut [S::U; 4],
        group: u32,
        x: &[f32; GROUP],
        out: &mut [f32; GROUP],
    ) {
        for lane in (0..16).step_by(S::LANES) {
            let first = group * GROUP_BLOCKS + lane as u32;
            let centred = uniforms(s, source, words, first);
            let (r, next) = if LAST && lane + S::LANES == 16 {
                (Radii::of(s, centred), *words)
            } else {
                source.radii_and_blocks(s, centred, first + S::LANES as u32)
            };
            let scale = s.splat(scale);
            let z = rotate::<S, GRID>(s, [s.mul(r[0], scale), s.mul(r[1], scale)], [words[1], words[3]]);
            *words = next;
            for (word, z) in z.into_iter().enumerate() {
                let at = lane + 16 * word;
                let value = if GRID {
                    // The integer times a power of two is exact, so this rounds once, and on the grid not at all.
                    s.mul_add(z, s.splat(step), s.load(&x[at..]))
                } else {
                    z
                };
                s.store(value, &mut out[at..]);
            }
        }
    }
}

impl<W: Words, const GRID: bool> Kernel for GaussianRow<'_, W, GRID> {
    /// Fills `out` with x + step * round(scale * z) when `GRID`, else with z.
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        const UNUSED: &[f32; GROUP] = &[0.0; GROUP];
        let Self { words: mut source, scale, step, x, out } = self;
        let (groups, rest) = out.as_chunks_mut::<GROUP>();
        let (x_groups, x_rest) = x.as_chunks::<GROUP>();
        let mut words = source.blocks(s, 0);
        // The number of a group fits: a row has at most 2^28 of them.
        let mut number = 0u32;
        let whole = groups.len();
        for out in groups {
            let x = if GRID { &x_groups[number as usize] } else { UNUSED };
            if rest.is_empty() && number as usize + 1 == whole {
                Self::group::<S, true>(s, &mut source, [scale, step], &mut words, number, x, out);
            } else {
                Self::group::<S, false>(s, &mut source, [scale, step], &mut words, number, x, out);
            }
            number += 1;
        }
        if !rest.is_empty() {
            let (mut from, mut to) = (*UNUSED, *UNUSED);
            if GRID {
                from[..x_rest.len()].copy_from_slice(x_rest);
            }
            Self::group::<S, true>(s, &mut source, [scale, step], &mut words, number, &from, &mut to);
            rest.copy_from_slice(&to[..rest.len()]);
        }
    }
}
