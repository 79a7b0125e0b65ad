//! The f32 normals against the same integers in f64, written from docs/noise.md alone.

use super::{normals, stream};
use smoothtopk::noise::{MAX_ABS_Z, NoiseStream, Path, Purpose, philox4x32_10};

const TWO_32: f64 = 4_294_967_296.0;

/// Element `e` of row `sample`, in f64; and whether its radius drew further bits.
fn reference(stream: &NoiseStream, purpose: Purpose, sample: u64, e: usize) -> (f64, bool) {
    let block = (e / 64 * 16 + e % 16) as u32;
    let counter = [block, sample as u32, (sample >> 32) as u32, purpose as u32];
    let index = e % 64 / 32 * 2;
    let words = philox4x32_10(counter, stream.key().unwrap());
    let word = words[index].cast_signed();
    let refined = (-(1 << 11)..1 << 20).contains(&word);
    let fraction = if refined {
        let [block, low, high, purpose] = counter;
        let further = philox4x32_10([block, low, high, purpose | 1 << 31], stream.key().unwrap())[index];
        (f64::from(further) + 0.5) / TWO_32
    } else {
        0.5
    };
    // Exact: at most 53 bits.
    let centred = f64::from(word) + fraction;
    let ln_u = if centred < 0.0 { (centred / TWO_32).ln_1p() } else { (centred / TWO_32).ln() };
    let angle_word = words[index + 1];
    let v = (f64::from((angle_word << 2).cast_signed()) + 2.0) / TWO_32;
    let (sin, cos) = (std::f64::consts::FRAC_PI_2 * v).sin_cos();
    let cos = if angle_word >> 31 == 1 { -cos } else { cos };
    let second = (e / 16 % 2 == 1) != (angle_word >> 30 & 1 == 1);
    ((-2.0 * ln_u).sqrt() * if second { sin } else { cos }, refined)
}

#[test]
fn normals_are_within_the_stated_error_of_the_f64_reference() {
    // docs/noise.md states these.
    const MAX_RELATIVE: f64 = 3.5e-7;
    const MAX_ABSOLUTE: f64 = 1e-6;
    let (mut relative, mut absolute, mut refined_seen, mut largest) = (0.0f64, 0.0f64, 0, 0.0f64);
    for sample in [0, 1, u64::from(u32::MAX) + 2, u64::MAX] {
        let row = normals(&stream(), sample, 1_000_003);
        for (e, &z) in row.iter().enumerate() {
            let (exact, refined) = reference(&stream(), Purpose::Estimate, sample, e);
            let error = (f64::from(z) - exact).abs();
            absolute = absolute.max(error);
            relative = relative.max(error / exact.abs());
            largest = largest.max(f64::from(z).abs());
            refined_seen += usize::from(refined);
        }
    }
    println!(
        "largest error: {relative:.3e} relative, {absolute:.3e} absolute; {refined_seen} refined; |z| <= {largest}"
    );
    assert!(relative <= MAX_RELATIVE, "{relative:e}");
    assert!(absolute <= MAX_ABSOLUTE, "{absolute:e}");
    assert!(refined_seen > 500);
    assert!(largest < MAX_ABS_Z);
}

#[test]
fn every_path_gives_the_same_bits() {
    let paths: Vec<Path> = Path::ALL.into_iter().filter(|path| path.is_available()).collect();
    println!("paths: {paths:?}");
    let portable = stream().on(Path::Portable).unwrap();
    let bits = |row: &[f32]| row.iter().map(|z| z.to_bits()).collect::<Vec<_>>();
    for path in paths {
        let stream = stream().on(path).unwrap();
        assert_eq!(stream.path(), path);
        for elements in (0..200).chain([3072, 1_000_003]) {
            for sample in [0, 1 << 40 | 5] {
                let (got, want) = (normals(&stream, sample, elements), normals(&portable, sample, elements));
                assert!(bits(&got) == bits(&want), "{path:?}, {elements} elements, sample {sample}");
            }
        }
    }
}
