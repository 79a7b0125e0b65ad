//! Words as the kernels see them: four words a block, 16 blocks a group of 64 elements.

use crate::noise::simd::Simd;

/// Elements made from 16 blocks.
pub(in crate::noise) const GROUP: usize = 64;
/// Blocks of a group.
pub(in crate::noise) const GROUP_BLOCKS: u32 = 16;

/// The words of one row. Implementors mark every method `#[inline(always)]`, but for `further`: the kernels are
/// compiled once for every instruction set.
pub(in crate::noise) trait Words {
    /// The words of blocks `first`, `first` + 1, ..: four vectors, a lane per block. Called with 0, `LANES`, 2 `LANES`,
    /// ..
    fn blocks<S: Simd>(&mut self, s: S, first: u32) -> [S::U; 4];

    /// The radii of [`centred`](crate::noise::normal::centred) words, and the blocks from `next` on.
    fn radii_and_blocks<S: Simd>(&mut self, s: S, centred: [S::F; 2], next: u32) -> ([S::F; 2], [S::U; 4]);

    /// 32 further bits beside word `index` of a block, for the few words that need them.
    fn further(&self, block: u32, index: usize) -> u32;
}
