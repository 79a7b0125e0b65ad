//! What is drawn beside the rows: the documented words, none of a row, and uniform.

use std::collections::HashSet;

use rand::rngs::ChaCha12Rng;
use rand::{Rng, SeedableRng};
use smoothtopk::noise::{Source, philox4x32_10};

use super::chacha::chacha12;

const KEY: [u8; 32] = *b"the key of every test of ChaCha!";

#[test]
fn the_bits_are_those_of_the_layout() {
    for (job, number) in [(0, 1), (7, 5), (u64::MAX, 1 << 40)] {
        let seed = 0x0123_4567_89ab_cdef_u64;
        let halves = |value: u64| [value as u32, (value >> 32) as u32];
        let [low, high] = halves(job);
        let [a, b, ..] = philox4x32_10([low, high, 0, 0], halves(seed));
        let [low, high] = halves(number);
        let [c, d, ..] = philox4x32_10([0, low, high, 3], [a, b]);
        assert_eq!(Source::Philox { seed }.bits_beside_rows(job, number), u64::from(d) << 32 | u64::from(c));

        let bytes: Vec<u8> = chacha12(&KEY, 3, job)[..8].iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut rng = ChaCha12Rng::from_seed(bytes.try_into().expect("32 bytes"));
        rng.set_stream(number);
        assert_eq!(Source::ChaCha12 { key: KEY }.bits_beside_rows(job, number), rng.next_u64());
    }
}

/// Chi-square of 64 cells: 63 degrees of freedom, above 160 with probability below 1e-9; four sums are taken.
#[test]
fn they_are_uniform_over_jobs_and_over_numbers() {
    for source in [Source::Philox { seed: 5 }, Source::ChaCha12 { key: KEY }] {
        let mut seen = HashSet::new();
        for vary in [|i| (i, 1), |i| (1_000_000, i)] {
            let mut cells = [0u64; 64];
            for i in 0..16_384 {
                let (job, number) = vary(i);
                let bits = source.bits_beside_rows(job, number);
                assert!(seen.insert(bits), "{bits:#x} twice");
                cells[(bits >> 58) as usize] += 1;
            }
            let chi_square: f64 = cells.iter().map(|&count| (count as f64 - 256.0).powi(2) / 256.0).sum();
            assert!(chi_square < 160.0, "{source:?}: {chi_square}");
        }
    }
}
