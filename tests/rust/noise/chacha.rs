//! ChaCha12 a block at a time, as its author describes it: the reference for the words of rows.

use rand::rngs::ChaCha12Rng;
use rand::{Rng, SeedableRng};

/// The block `counter` of the stream `nonce`, both of 64 bits.
pub fn chacha12(key: &[u8; 32], counter: u64, nonce: u64) -> [u32; 16] {
    let mut state = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (word, bytes) in state[4..12].iter_mut().zip(key.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    for (word, part) in state[12..].iter_mut().zip([counter, counter >> 32, nonce, nonce >> 32]) {
        *word = part as u32;
    }
    let mut w: [u32; 16] = state;
    let mut quarter = |a: usize, b: usize, c: usize, d: usize| {
        for (x, y, z, rotation) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
            w[x] = w[x].wrapping_add(w[y]);
            w[z] = (w[z] ^ w[x]).rotate_left(rotation);
        }
    };
    for _ in 0..6 {
        (0..4).for_each(|i| quarter(i, 4 + i, 8 + i, 12 + i));
        (0..4).for_each(|i| quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4));
    }
    std::array::from_fn(|i| w[i].wrapping_add(state[i]))
}

/// The first words of the zero key's stream, as published for ChaCha12 (Strombergson's test vectors, TC1), and rand's.
#[test]
fn the_reference_is_chacha12() {
    let first = chacha12(&[0; 32], 0, 0);
    assert_eq!(first[..4].iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>(), ZERO_KEY);
    let mut rng = ChaCha12Rng::from_seed(*b"the key of every test of ChaCha!");
    rng.set_stream(0x0123_4567_89ab_cdef);
    rng.set_word_pos(16 * 0xffff_fffe);
    for block in 0xffff_fffe..0x1_0000_0002u64 {
        for word in chacha12(b"the key of every test of ChaCha!", block, 0x0123_4567_89ab_cdef) {
            assert_eq!(rng.next_u32(), word, "block {block:#x}");
        }
    }
}
const ZERO_KEY: [u8; 16] =
    [0x9b, 0xf4, 0x9a, 0x6a, 0x07, 0x55, 0xf9, 0x53, 0x81, 0x1f, 0xce, 0x12, 0x5f, 0x26, 0x83, 0xd5];
