//! How evenly the lattice of (radius, angle) fills the cells of a grid: the cells' exact probabilities, by enumeration.
//!
//! A reader who knows the generator can tell x from x' by nothing but the cells' deviations from the Gaussian's.
//! Numbers and what follows from them: docs/noise.md, "The sampler's lattice".

use super::grid::Grid;
use super::normal::{Radii, centred, rotate};
use super::simd::{Portable, Simd};

/// Cells a side of the blocks that are enumerated.
const SIDE: usize = 16;
const LANES: usize = <Portable as Simd>::LANES;

/// The f32 radii of `words` consecutive radius words (a multiple of the lanes), scaled.
fn scaled_radii(first: u32, words: usize, scale: f32, mut each: impl FnMut(f32)) {
    for start in (0..words as u32).step_by(LANES) {
        let word: [u32; LANES] = std::array::from_fn(|lane| first + start + lane as u32);
        let mut radii = Radii::new(Portable, [centred(Portable, word); 2]);
        (0..Radii::<Portable>::STEPS).for_each(|number| radii.step(Portable, number));
        radii.finish(Portable)[0].into_iter().for_each(|r| each(r * scale));
    }
}

/// How many radius words give each f32 from `low` to `high`, as sums: `at(bits)` is the number below the f32 of these
/// bits.
struct Sums {
    first: u32,
    below: Vec<u64>,
}

impl Sums {
    fn new(low: f32, high: f32, scale: f32) -> Self {
        let word = |r: f32| ((-0.5 * (f64::from(r) / f64::from(scale)).powi(2)).exp() * 4_294_967_296.0) as u32;
        let (first, last) = (low.to_bits(), high.to_bits());
        let mut below = vec![0u64; (last - first) as usize + 2];
        // A few words more at either end, for the radii's errors.
        let (from, to) = (word(high) - 4096, word(low) + 4096);
        scaled_radii(from, (to - from) as usize / LANES * LANES, scale, |r| {
            if (low..=high).contains(&r) {
                below[(r.to_bits() - first) as usize + 1] += 1;
            }
        });
        (1..below.len()).for_each(|i| below[i] += below[i - 1]);
        Self { first, below }
    }

    fn at(&self, bits: u32) -> u64 {
        self.below[(bits - self.first) as usize]
    }
}

/// The least f32, as bits, whose product with `c` > 0 rounds (ties to even) above `n`. In f64 the product is exact.
fn first_above(n: i64, c: f64) -> u32 {
    let above = |bits: u32| (f64::from(f32::from_bits(bits)) * c).round_ties_even() > n as f64;
    let mut bits = (((n as f64 + 0.5) / c) as f32).to_bits();
    while above(bits - 1) {
        bits -= 1;
    }
    while !above(bits) {
        bits += 1;
    }
    bits
}

/// Each cell's deviation from the Gaussian's probability, relatively, for the SIDE x SIDE cells from `corner` on: pairs
/// of words counted, all of them. The corner lies at angles from 0 to pi/4, not below.
fn deviations(corner: [i64; 2], scale: f32) -> Vec<f64> {
    let side = SIDE as f64;
    let [x, y] = corner.map(|n| n as f64 - 0.5);
    let (low, high) = ((x.hypot(y) - 2.0) as f32, ((x + side).hypot(y + side) + 2.0) as f32);
    let sums = Sums::new(low, high, scale);
    let word = |angle: f64| (angle / std::f64::consts::FRAC_PI_2 * 1_073_741_824.0) as i64;
    let (from, to) = (word(y.atan2(x + side)) - 8, word((y + side).atan2(x)) + 8);
    let mut counts = vec![0u128; SIDE * SIDE];
    let mut ray = |c: f32, s: f32, words: u128| {
        let (c, s) = (f64::from(c), f64::from(s));
        if s <= 0.0 {
            return;
        }
        // From where the ray enters the block to where it leaves it.
        let mut bits = first_above(corner[0] - 1, c).max(first_above(corner[1] - 1, s));
        let r = f64::from(f32::from_bits(bits));
        let mut at = [c, s].map(|c| (r * c).round_ties_even() as i64);
        let inside = |at: [i64; 2]| (0..2).all(|i| at[i] < corner[i] + SIDE as i64);
        while inside(at) {
            let (end, up) = (first_above(at[0], c), first_above(at[1], s));
            let next = end.min(up);
            let cell = (at[0] - corner[0]) as usize * SIDE + (at[1] - corner[1]) as usize;
            counts[cell] += words * u128::from(sums.at(next) - sums.at(bits));
            bits = next;
            at = [at[0] + i64::from(end == next), at[1] + i64::from(up == next)];
        }
    };
    let mut last = (0.0, 0.0, 0);
    for start in (from..to).step_by(LANES) {
        let words: [u32; LANES] = std::array::from_fn(|lane| (start + lane as i64) as u32 & 0x3fff_ffff);
        let [cos, sin, ..] = rotate::<_, false>(Portable, [[1.0; LANES]; 2], [words; 2]);
        for (c, s) in cos.into_iter().zip(sin) {
            if (c, s) == (last.0, last.1) {
                last.2 += 1;
            } else {
                ray(last.0, last.1, last.2);
                last = (c, s, 1);
            }
        }
    }
    ray(last.0, last.1, last.2);
    let step = 1.0 / f64::from(scale);
    (0..SIDE * SIDE)
        .map(|cell| {
            let [x, y] = [cell / SIDE, cell % SIDE].map(|at| at as f64);
            let square = ((corner[0] as f64 + x).powi(2) + (corner[1] as f64 + y).powi(2)) * step * step;
            // 2^32 radii and 2^30 angles of a quarter of the circle.
            let ideal = (-0.5 * square).exp() * step * step / std::f64::consts::FRAC_PI_2 * 2f64.powi(62);
            counts[cell] as f64 / ideal - 1.0
        })
        .collect()
}

/// The mean square of the deviations, and of their differences between cells `shift` apart.
fn mean_squares(deviations: &[f64]) -> [f64; 5] {
    let at = |x: usize, y: usize| deviations[x * SIDE + y];
    let mut sums = [0.0; 5];
    let mut cells = 0.0;
    for x in 0..SIDE - 1 {
        for y in 0..SIDE - 1 {
            let of = [0.0, at(x + 1, y), at(x, y + 1), at(x + 1, y + 1)].map(|other| (at(x, y) - other).powi(2));
            (0..4).for_each(|i| sums[i] += of[i]);
            sums[4] += (at(x + 1, y) - at(x, y + 1)).powi(2);
            cells += 1.0;
        }
    }
    sums.map(|sum| sum / cells)
}

/// The mean square of the differences between the deviations of neighbours, of the worst of the four neighbours, over
/// the pairs of words: `per` places in every octave of the angle, which has a share of its own, for small angles are
/// the worst.
fn information(scale: f32, per: usize) -> f64 {
    // Blocks at still smaller angles would reach beyond the axis.
    let last = scale.log2().ceil() as i32 - 6;
    let last = last.min(11);
    let mut total = [0.0; 5];
    let mut turn = 0.5f64;
    for octave in 0..=last {
        let weight = if octave == last { 0.5f64.powi(octave) } else { 0.5f64.powi(octave + 1) };
        for place in 0..per {
            // The golden ratio's multiples fill the angles, quantiles the radii.
            turn = (turn + 0.618_033_988_749_894_9).fract();
            let v = 0.5f64.powi(octave + 1) * if octave == last { turn } else { 0.5 + 0.5 * turn };
            let radius = (-2.0 * ((place as f64 + 0.5) / per as f64).ln()).sqrt() * f64::from(scale);
            let angle = v * std::f64::consts::FRAC_PI_2;
            let corner = [(radius * angle.cos()) as i64, (radius * angle.sin()) as i64 + 1];
            let found = mean_squares(&deviations(corner, scale));
            (0..5).for_each(|i| total[i] += weight * found[i] / per as f64);
        }
    }
    total[1..].iter().copied().fold(0.0, f64::max)
}

/// The radius, in slacks, that a reader of whole rows gets where x and x' lie on either side of the same half step in
/// every element: a half by the shift of one step, which no noise hides, and what the lattice adds.
fn radius_over_slack(information: f64, scale: f32) -> f64 {
    0.5 * (0.5 * information * f64::from(scale).powi(2) + 1.0).sqrt()
}

#[test]
fn cells_of_the_default_grid_have_the_gaussians_probabilities() {
    let scale = Grid::for_range(1.0, 0.25).unwrap().scale(0.25).unwrap();
    // At a radius of sigma, at angles of about 0.0001, 0.4 and pi/4.
    for corner in [[8192, 1], [7545, 3190], [5792, 5775]] {
        let found = deviations(corner, scale);
        let mean = found.iter().sum::<f64>() / found.len() as f64;
        let worst = found.iter().fold(0.0, |most: f64, deviation| most.max(deviation.abs()));
        assert!(mean.abs() < 3e-4 && worst < 3e-3, "{corner:?}: {mean:e}, {worst:e}");
    }
}

#[test]
#[ignore = "a measurement, of minutes: prints the table of docs/noise.md"]
fn information_in_the_lattice() {
    let default = Grid::for_range(1.0, 0.25).unwrap().scale(0.25).unwrap();
    for scale in [1_048_576.0, 65_536.0, 16_384.0, default, 4096.0f32] {
        let information = information(scale, 6);
        let radius = radius_over_slack(information, scale);
        println!("{scale} steps to sigma: information {information:.1e} a pair, radius over slack {radius:.3}");
        assert!(scale != default || radius < 0.6);
    }
}
