//! Families on domains so small that every base classifier, and every attack, can be tried.

use smoothtopk::certificate::{Query, top_k_radius};
use smoothtopk::noise::{Noise, Purpose, Source};
use smoothtopk::perturbation::{Ablation, Family, Split};
use smoothtopk::stats::Prob;

use super::families::of_votes;

const CLASSES: usize = 3;

/// All lists of so many labels.
fn all_votes(length: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..CLASSES.pow(length as u32))
        .map(move |number| (0..length as u32).map(|i| number / CLASSES.pow(i) % CLASSES).collect())
}

/// Whether label 0 has strictly more votes than all but k - 1 others.
fn is_in_top(votes: &[usize], k: usize) -> bool {
    let count = |label: usize| votes.iter().filter(|&&vote| vote == label).count();
    (1..CLASSES).filter(|&rival| count(rival) >= count(0)).count() < k
}

/// Whether label 0 stays, whatever labels the `hit` votes turn to.
fn stays(votes: &[usize], hit: &[usize], k: usize) -> bool {
    all_votes(hit.len()).all(|turned| {
        let mut votes = votes.to_vec();
        hit.iter().zip(turned).for_each(|(&at, label)| votes[at] = label);
        is_in_top(&votes, k)
    })
}

/// The places of a window, as rows: the elements that each shows.
fn shown(noise: &str, elements: usize) -> Vec<Vec<bool>> {
    let family: Family = noise.parse().unwrap();
    let noise = Noise::of(family, Source::Philox { seed: 0 }).unwrap();
    let x = noise.centre(&vec![1.0; elements]).unwrap();
    let row = |place| {
        let mut row = vec![f32::NAN; elements];
        noise.stream(0, Purpose::Estimate).noisy_row(place, &x, &mut row).unwrap();
        row.into_iter().map(|value| value == 1.0).collect()
    };
    (0..family.rows().unwrap()).map(row).collect()
}

#[test]
fn no_patch_of_the_certified_side_moves_the_label_and_the_next_one_does() {
    let mut loose = 0;
    for (noise, height, width) in [
        ("band:1:height=1:width=5:channels=none", 1, 5),
        ("band:2:height=1:width=5:channels=none", 1, 5),
        ("band:3:height=1:width=4:channels=none:wrap=no", 1, 4),
        ("band:2:height=2:width=5:channels=none:wrap=no", 2, 5),
        ("block:1:height=2:width=3:channels=none", 2, 3),
        ("block:2:height=3:width=3:channels=none:wrap=no", 3, 3),
    ] {
        let rows = shown(noise, height * width);
        let is_band = noise.starts_with("band");
        // The rows that see a patch of m columns, or of m x m pixels, at each of its places.
        let hits = |m: usize| -> Vec<Vec<usize>> {
            let (tall, wide) = (if is_band { height } else { m.min(height) }, m.min(width));
            let places = (0..=height - tall).flat_map(|top| (0..=width - wide).map(move |left| (top, left)));
            let hit = |(top, left)| {
                let inside = |pixel: usize| {
                    (top..top + tall).contains(&(pixel / width)) && (left..left + wide).contains(&(pixel % width))
                };
                let sees = |row: &Vec<bool>| row.iter().enumerate().any(|(pixel, &shown)| shown && inside(pixel));
                (0..rows.len()).filter(|&place| sees(&rows[place])).collect()
            };
            places.map(hit).collect()
        };
        let hits: Vec<Vec<Vec<usize>>> = (0..=height.max(width)).map(hits).collect();
        for votes in all_votes(rows.len()) {
            let counts = of_votes(noise, CLASSES, &votes.iter().map(|&vote| Some(vote)).collect::<Vec<_>>());
            for k in [1, 2] {
                let found = counts.certify(&Query { k, ..Query::of_label(0) }).unwrap().radius as usize;
                let holds = |m: usize| hits[m].iter().all(|hit| stays(&votes, hit, k));
                assert!(found == 0 || holds(found), "{noise} {votes:?} k = {k}: {found} is not certified");
                let tight = found == height.max(width) || !holds(found + 1) || (found == 0 && !holds(0));
                loose += u32::from(!tight);
            }
        }
    }
    assert_eq!(loose, 0, "known places certify all that holds");
}

#[test]
fn a_row_without_a_label_counts_for_whichever_rival_it_helps() {
    let noise = "band:1:height=1:width=5:channels=none";
    for votes in all_votes(5) {
        let mut known: Vec<Option<usize>> = votes.iter().map(|&vote| Some(vote)).collect();
        known[2] = None;
        for k in [1, 2] {
            let radius = |votes: &[Option<usize>]| {
                of_votes(noise, CLASSES, votes).certify(&Query { k, ..Query::of_label(0) }).unwrap().radius
            };
            let unknown = radius(&known);
            for label in 0..CLASSES {
                known[2] = Some(label);
                assert!(unknown <= radius(&known), "{known:?}, k = {k}");
            }
            known[2] = None;
        }
    }
}

#[test]
fn ablation_is_never_broken_by_so_many_pixels() {
    for (d, e) in [(3, 1), (4, 1), (4, 2), (5, 1), (4, 3), (5, 4)] {
        let subsets: Vec<u32> = (0..1u32 << d).filter(|subset| subset.count_ones() == e).collect();
        let noise = Ablation::new(e).unwrap().of(d).unwrap();
        // Of all base classifiers with the same probabilities the fewest pixels that break one.
        let mut least = std::collections::BTreeMap::new();
        for votes in all_votes(subsets.len()) {
            let mut counts = [0; CLASSES];
            votes.iter().for_each(|&vote| counts[vote] += 1);
            for k in [1, 2] {
                let broken_by = |pixels: u32| {
                    let hit: Vec<usize> = (0..subsets.len()).filter(|&i| subsets[i] & pixels != 0).collect();
                    !stays(&votes, &hit, k)
                };
                let breaking = (0..1u32 << d).filter(|&pixels| broken_by(pixels)).map(u32::count_ones).min();
                let most = breaking.map_or(d, |pixels| pixels.saturating_sub(1));
                let entry = least.entry((counts, k)).or_insert(most);
                *entry = most.min(*entry);
            }
        }
        let mut tight = 0;
        for (&(counts, k), &most) in &least {
            let share = |count: u64| {
                let p = count as f64 / subsets.len() as f64;
                Prob { p, q: 1.0 - p }
            };
            let mut rivals = [counts[1], counts[2]];
            rivals.sort_unstable();
            let rivals: Vec<Prob> = rivals[2 - k..].iter().map(|&count| share(count)).collect();
            let found = top_k_radius(&noise, share(counts[0]), &rivals).unwrap().radius;
            assert!(found <= f64::from(most), "d = {d}, e = {e}, {counts:?}, k = {k}: {found}, {most}");
            tight += usize::from(found == f64::from(most));
        }
        assert!(10 * tight >= 9 * least.len(), "d = {d}, e = {e}: {tight} of {}", least.len());
    }
}

/// With the rule of votes that windows have, this is all that a certificate of splitting noise rests on.
#[test]
fn a_perturbation_changes_at_most_as_many_splits_as_steps() {
    for (splits, levels) in [(1, 2), (2, 3), (3, 3), (5, 3), (4, 2), (9, 4)] {
        for seed in 0..4 {
            let text = format!("split:{splits}:levels={levels}:seed={seed}");
            let family: Family = text.parse().unwrap();
            assert!(
                matches!(family, Family::Split(split) if split.splits() == splits && split.levels() == Some(levels))
            );
            let noise = Noise::of(family, Source::Philox { seed: 1 }).unwrap();
            let points: Vec<[u32; 2]> = (0..=levels).flat_map(|a| (0..=levels).map(move |b| [a, b])).collect();
            let rows = |point: &[u32; 2]| -> Vec<[f32; 2]> {
                let x = noise.centre(&point.map(|level| level as f32 / levels as f32)).unwrap();
                let row = |split| {
                    let mut row = [f32::NAN; 2];
                    noise.stream(0, Purpose::Estimate).noisy_row(split, &x, &mut row).unwrap();
                    row
                };
                (0..splits.into()).map(row).collect()
            };
            let rows: Vec<Vec<[f32; 2]>> = points.iter().map(rows).collect();
            let mut attained = false;
            for (from, ours) in points.iter().zip(&rows) {
                for (to, theirs) in points.iter().zip(&rows) {
                    let steps = from[0].abs_diff(to[0]) + from[1].abs_diff(to[1]);
                    let changed = ours.iter().zip(theirs).filter(|(a, b)| a != b).count() as u32;
                    assert!(changed <= steps, "{text}: {from:?} {to:?}");
                    attained |= changed == steps && steps > 0;
                }
            }
            assert!(attained, "{text}");
        }
    }
    assert!(Noise::of(Split::new(4, 3).unwrap(), Source::Philox { seed: 0 }).unwrap().centre(&[0.5]).is_err());
}
