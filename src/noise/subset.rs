//! A subset of fixed size, uniform among all: Floyd's algorithm on bounded words, drawn by rejection.
//!
//! Word e of a row is, of group g = e / 64, word (e % 64) / 16 of block 16 g + e % 16, as in exact noise.

use super::simd::{Kernel, Simd};
use super::words::{GROUP, GROUP_BLOCKS, Words};

/// A subset of 0 .. `of` to be drawn; `keep` is at most `of`.
pub(super) struct Subset<'a, W> {
    pub(super) words: W,
    pub(super) keep: u32,
    pub(super) of: u32,
    /// Gets the members, in the order in which they are drawn.
    pub(super) members: &'a mut Vec<u32>,
}

/// The words of a row, one after another.
struct Reader<W> {
    words: W,
    group: u32,
    bits: [u32; GROUP],
    next: usize,
}

impl<W: Words> Reader<W> {
    #[inline(always)]
    fn word<S: Simd>(&mut self, s: S) -> u32 {
        if self.next == GROUP {
            for lane in (0..16).step_by(S::LANES) {
                let words = self.words.blocks(s, self.group * GROUP_BLOCKS + lane as u32);
                for (index, words) in words.into_iter().enumerate() {
                    s.store_u(words, &mut self.bits[lane + 16 * index..]);
                }
            }
            (self.group, self.next) = (self.group + 1, 0);
        }
        self.next += 1;
        self.bits[self.next - 1]
    }

    /// Uniform on 0 .. `bound`: the high half of a product, unless its low half is one of the 2^32 mod bound that would
    /// make some numbers likelier.
    #[inline(always)]
    fn below<S: Simd>(&mut self, s: S, bound: u32) -> u32 {
        loop {
            let product = u64::from(self.word(s)) * u64::from(bound);
            let low = product as u32;
            if low >= bound || low >= bound.wrapping_neg() % bound {
                return (product >> 32) as u32;
            }
        }
    }
}

impl<W: Words> Kernel for Subset<'_, W> {
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { words, keep, of, members } = self;
        let mut reader = Reader { words, group: 0, bits: [0; GROUP], next: GROUP };
        let mut is_member = vec![false; of as usize];
        members.reserve(keep as usize);
        for last in of - keep..of {
            let drawn = reader.below(s, last + 1);
            let member = if is_member[drawn as usize] { last } else { drawn };
            is_member[member as usize] = true;
            members.push(member);
        }
    }
}
