//! Philox4x32-10, one block at a time: the reference for the vector code, and what derives keys.
//!
//! Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.

/// Multipliers of the two halves of a block.
pub(super) const M0: u32 = 0xD251_1F53;
pub(super) const M1: u32 = 0xCD9E_8D57;
/// What each round adds to the key: the golden ratio and sqrt(3) - 1.
const W0: u32 = 0x9E37_79B9;
const W1: u32 = 0xBB67_AE85;

/// Rounds of the cipher.
pub(super) const ROUNDS: usize = 10;

/// The two words of every round's key.
pub(super) const fn round_keys(key: [u32; 2]) -> [[u32; 2]; ROUNDS] {
    let mut keys = [key; ROUNDS];
    let mut round = 1;
    while round < ROUNDS {
        keys[round] = [keys[round - 1][0].wrapping_add(W0), keys[round - 1][1].wrapping_add(W1)];
        round += 1;
    }
    keys
}

/// High and low word of a product.
#[inline(always)]
pub(super) const fn mul_hi_lo(a: u32, b: u32) -> (u32, u32) {
    let product = a as u64 * b as u64;
    ((product >> 32) as u32, product as u32)
}

/// The Philox4x32-10 block of `counter` under `key`: four words, uniform and independent for distinct counters.
///
/// Thread-safe and pure. Agrees with Random123's `philox4x32_R(10, counter, key)`.
///
/// ```
/// let block = smoothtopk::noise::philox4x32_10([0; 4], [0; 2]);
/// assert_eq!(block, [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
/// ```
#[must_use]
pub const fn philox4x32_10(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let keys = round_keys(key);
    let mut c = counter;
    let mut round = 0;
    while round < ROUNDS {
        let (hi0, lo0) = mul_hi_lo(M0, c[0]);
        let (hi1, lo1) = mul_hi_lo(M1, c[2]);
        c = [hi1 ^ c[1] ^ keys[round][0], lo1, hi0 ^ c[3] ^ keys[round][1], lo0];
        round += 1;
    }
    c
}
