//! The patch that windows at known places certify: exact, where counts alone could tell less.

use crate::model::NO_LABEL;
use crate::perturbation::{Family, Window};

/// The side of the largest patch under which `label` stays in the top k, where `votes` has the label of every place of
/// a window, row by row; none where it is not in the top k without one. None for other families.
///
/// Wherever the patch is, it can make any labels of the places that meet it, and no other. So the label stays if the
/// votes that lift its k strongest rivals to what the label keeps are more than those places, and the places without a
/// label, of which any may have been any rival's.
pub(super) fn largest_patch(noise: &Family, votes: &[u32], classes: usize, label: usize, k: usize) -> Option<u32> {
    match noise {
        Family::Band(window) => largest(window, votes, classes, label, k),
        Family::Block(window) => largest(window, votes, classes, label, k),
        _ => None,
    }
}

fn largest<const AXES: usize>(
    window: &Window<AXES>,
    votes: &[u32],
    classes: usize,
    label: usize,
    k: usize,
) -> Option<u32> {
    let axes = window.axes()?;
    let longest = axes.iter().copied().max()?;
    let stays = |m: u32| {
        // A patch that is as long as an axis has one place on it.
        let sides = axes.map(|axis| m.min(axis));
        let starts: [Vec<u32>; AXES] = std::array::from_fn(|i| (0..=axes[i] - sides[i]).collect());
        grid(&starts).all(|start| {
            let met: [Vec<u32>; AXES] = std::array::from_fn(|i| window.met(axes[i], start[i], sides[i]).collect());
            let places = axes.map(|axis| window.places(axis) as usize);
            let index =
                |at: [u32; AXES]| at.iter().zip(&places).fold(0, |index, (&at, length)| index * length + at as usize);
            survives(votes, grid(&met).map(index), classes, label, k)
        })
    };
    if !stays(0) {
        return None;
    }
    let (mut low, mut high) = (0, longest + 1);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if stays(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(low)
}

/// All tuples of one of each list, the last list fastest.
fn grid<const AXES: usize>(lists: &[Vec<u32>; AXES]) -> impl Iterator<Item = [u32; AXES]> {
    let all: usize = lists.iter().map(Vec::len).product();
    (0..all).map(move |mut number| {
        let mut at = [0; AXES];
        for (at, list) in at.iter_mut().zip(lists).rev() {
            *at = list[number % list.len()];
            number /= list.len();
        }
        at
    })
}

/// Whether the label stays whatever the labels of the places that were hit.
fn survives(votes: &[u32], hit: impl Iterator<Item = usize>, classes: usize, label: usize, k: usize) -> bool {
    let mut is_hit = vec![false; votes.len()];
    hit.for_each(|place| is_hit[place] = true);
    let mut counts = vec![0u64; classes];
    let mut free = 0;
    for (&vote, &is_hit) in votes.iter().zip(&is_hit) {
        match counts.get_mut(vote as usize) {
            Some(count) if !is_hit => *count += 1,
            _ => free += 1,
        }
    }
    debug_assert!(classes <= NO_LABEL as usize);
    let own = counts.swap_remove(label);
    let mut costs: Vec<u64> = counts.iter().map(|&count| own.saturating_sub(count)).collect();
    let (cheapest, last, _) = costs.select_nth_unstable(k - 1);
    cheapest.iter().sum::<u64>() + *last > free
}
