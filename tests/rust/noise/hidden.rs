//! Rows of which parts are hidden: ablation against its definition and its distribution, windows against theirs.

use super::chi_square_is_plausible;
use super::exact::words;
use super::exact_statistics::sources;
use smoothtopk::noise::{Noise, Path, Purpose, Source};
use smoothtopk::perturbation::Family;

fn noise(text: &str, shape: &[usize], source: Source) -> Noise {
    Noise::of(text.parse::<Family>().unwrap().settled(shape).unwrap(), source).unwrap()
}

fn row(noise: &Noise, sample: u64, input: &[f32]) -> Vec<f32> {
    let mut row = vec![f32::NAN; input.len()];
    noise.stream(9, Purpose::Estimate).noisy_row(sample, &noise.centre(input).unwrap(), &mut row).unwrap();
    row
}

/// Different everywhere, and never what is hidden.
fn input(elements: usize) -> Vec<f32> {
    (0..elements).map(|element| 1.0 + element as f32).collect()
}

/// Floyd's algorithm on words that are taken in turn, refused where their products would favour some numbers.
fn members(source: &Source, keep: u64, of: u64) -> Vec<bool> {
    let words = words(source, 28);
    let mut next = (0..).map(|e| u64::from(words(e)[0]));
    let mut is_member = vec![false; of as usize];
    for last in of - keep..of {
        let bound = last + 1;
        let drawn = next.by_ref().map(|word| word * bound).find(|product| product % (1 << 32) >= (1 << 32) % bound);
        let drawn = (drawn.unwrap() >> 32) as usize;
        let at = if is_member[drawn] { last as usize } else { drawn };
        is_member[at] = true;
    }
    is_member
}

#[test]
fn ablated_rows_are_those_of_the_definition_on_every_path() {
    for source in sources() {
        for (text, shape, channels) in [
            ("ablate:300:value=-1.5", &[3, 20, 50][..], "first"),
            ("ablate:1:value=-1.5", &[20, 50, 3], "last"),
            ("ablate:1000:channels=none:value=-1.5", &[1000], "none"),
        ] {
            let noise = noise(text, shape, source);
            let x = input(shape.iter().product());
            let keep = text.split(':').nth(1).unwrap().parse().unwrap();
            let kept = members(&source, keep, 1000);
            let pixel = |element: usize| if channels == "last" { element / 3 } else { element % 1000 };
            let expected: Vec<f32> =
                x.iter().enumerate().map(|(element, &x)| if kept[pixel(element)] { x } else { -1.5 }).collect();
            for path in Path::ALL.into_iter().filter(|path| path.is_available()) {
                let mut row = vec![f32::NAN; x.len()];
                let stream = noise.stream(9, Purpose::Estimate).on(path).unwrap();
                stream.noisy_row(3 | 7 << 32, &noise.centre(&x).unwrap(), &mut row).unwrap();
                assert_eq!(row, expected, "{path:?}, {source:?}, {text}");
            }
        }
    }
}

/// All 35 subsets of 3 of 7 pixels, and 56 of 5 of 8, are equally likely. False alarms: 4 at 2.5e-7.
#[test]
fn every_subset_is_equally_likely() {
    const ROWS: u64 = 70_000;
    for source in sources() {
        for (keep, of, subsets) in [(3, 7, 35), (5, 8, 56)] {
            let noise = noise(&format!("ablate:{keep}"), &[of], source);
            let mut counts = std::collections::BTreeMap::new();
            for sample in 0..ROWS {
                let kept: Vec<bool> = row(&noise, sample, &input(of)).into_iter().map(|value| value != 0.0).collect();
                assert_eq!(kept.iter().filter(|kept| **kept).count(), keep);
                *counts.entry(kept).or_insert(0u64) += 1;
            }
            let counts: Vec<u64> = counts.into_values().collect();
            assert_eq!(counts.len(), subsets);
            chi_square_is_plausible(&counts, std::iter::repeat_n(ROWS as f64 / subsets as f64, subsets), 2.5e-7);
        }
    }
}

/// What ablation and windows rest on: whatever is hidden changes no bit of a row.
#[test]
fn a_row_depends_only_on_the_pixels_that_it_keeps() {
    let source = Source::Philox { seed: 3 };
    for (text, shape) in [
        ("ablate:5", &[3, 4, 5][..]),
        ("ablate:5:channels=last", &[4, 5, 3]),
        ("band:2", &[3, 4, 5]),
        ("band:2:channels=last:wrap=no", &[4, 5, 3]),
        ("block:2", &[3, 4, 5]),
        ("block:3:channels=last:wrap=no:value=0.5", &[4, 5, 3]),
    ] {
        let noise = noise(text, shape, source);
        let x = input(60);
        let rows = noise.family().rows().unwrap_or(50);
        for sample in 0..rows {
            let seen = row(&noise, sample, &x);
            let other: Vec<f32> = seen.iter().zip(&x).map(|(&seen, &x)| if seen == x { x } else { -x }).collect();
            assert_eq!(row(&noise, sample, &other), seen, "{text}, {shape:?}, row {sample}");
            assert!(seen.iter().zip(&x).any(|(seen, x)| seen == x) && seen.iter().zip(&x).any(|(seen, x)| seen != x));
        }
    }
    let windows = noise("block:2", &[3, 4, 5], source);
    let mut out = vec![0.0; 60];
    let x = windows.centre(&input(60)).unwrap();
    assert_eq!(windows.stream(0, Purpose::Estimate).noisy_row(20, &x, &mut out).unwrap_err().field(), Some("sample"));
    assert_eq!(windows.centre(&input(59)).unwrap_err().field(), Some("input"));
}

#[test]
fn a_window_shows_columns_and_blocks_at_every_place() {
    let source = Source::Philox { seed: 3 };
    let shown = |text: &str, sample| -> Vec<usize> {
        let row = row(&noise(&format!("{text}:channels=first"), &[1, 3, 4], source), sample, &input(12));
        (0..12).filter(|&pixel| row[pixel] != 0.0).collect()
    };
    assert_eq!(shown("band:2", 1), [1, 2, 5, 6, 9, 10]);
    assert_eq!(shown("band:2", 3), [0, 3, 4, 7, 8, 11]);
    assert_eq!(shown("block:2", 5), [5, 6, 9, 10]);
    assert_eq!(shown("block:2", 11), [0, 3, 8, 11]);
    assert_eq!(shown("block:2:wrap=no", 5), [6, 7, 10, 11]);
}
