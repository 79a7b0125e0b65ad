//! What a RUN says of its examples, taken apart into labels of which one stays in a top k.

use std::collections::BTreeSet;
use std::fmt;

use smoothtopk::record::GuaranteeRecord;

use crate::run_dir::Example;

/// The statements of one kind, for one k of the RUN: one for each example, false with probability at most alpha. An
/// example that abstains is one of them: certified and false is what is that rare, not false among the certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    pub k: usize,
    pub about: About,
}

impl Kind {
    /// In words.
    pub fn named(&self) -> String {
        match self {
            Self { k, about: About::Label } => format!("k = {k}"),
            Self { k, about } => format!("k = {k} ({about})"),
        }
    }
}

/// What a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// One label stays in the top k.
    Label,
    /// Every returned label stays in the top k, each within a radius of its own.
    Each,
    /// The set of the k returned labels stays.
    Set,
    /// At least so many of the k returned labels stay.
    Kept(usize),
    /// The first label stays the first.
    First,
    /// The k returned labels stay the k first, in their order.
    Ranking,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label => f.pad("label"),
            Self::Each => f.pad("each label"),
            Self::Set => f.pad("the set"),
            Self::Kept(least) => f.pad(&format!("at least {least}")),
            Self::First => f.pad("the first"),
            Self::Ranking => f.pad("the ranking"),
        }
    }
}

/// Part of a statement: within `radius` of example `idx`, at least one of `labels` is in the smoothed classifier's top
/// `k`.
#[derive(Clone, Debug, PartialEq)]
pub struct Certified {
    pub idx: usize,
    /// In most parts a single one; the likeliest to stay first.
    pub labels: Vec<usize>,
    pub k: usize,
    pub radius: f64,
    pub of: Kind,
}

/// Labels, for a table.
pub fn listed(labels: &[usize]) -> String {
    labels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The certificates of the i-th k of a RUN.
pub fn of_labels(examples: &[Example], i: usize) -> Vec<Certified> {
    let certified = |example: &Example| {
        let found = example.certificates.get(i).filter(|found| found.certified)?;
        let of = Kind { k: found.k, about: About::Label };
        Some(Certified { idx: example.idx, labels: vec![found.label], k: found.k, radius: found.radius, of })
    };
    examples.iter().filter_map(certified).collect()
}

/// The guarantees of the i-th k of a RUN.
pub fn of_answers(examples: &[Example], i: usize) -> Vec<Certified> {
    let parts = |example: &Example| Some(of_answer(example.idx, example.guarantees.get(i)?));
    examples.iter().filter_map(parts).flatten().collect()
}

fn of_answer(idx: usize, found: &GuaranteeRecord) -> Vec<Certified> {
    let GuaranteeRecord { k, ref labels, set_radius, first_radius, ranking_radius, .. } = *found;
    let (each, kept) = (&found.label_radii, &found.kept_radii);
    let part = |about, labels: &[usize], top, radius| {
        let of = Kind { k, about };
        Certified { idx, labels: labels.to_vec(), k: top, radius, of }
    };
    let single = |label: &usize| vec![*label];
    let mut parts: Vec<Certified> =
        labels.iter().zip(each).map(|(label, &radius)| part(About::Each, &single(label), k, radius)).collect();
    // By their own radii, the largest first; of equal ones, as of their counts, the first returned.
    let mut by_radius: Vec<(&usize, &f64)> = labels.iter().zip(each).collect();
    by_radius.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let by_radius: Vec<usize> = by_radius.into_iter().map(|(label, _)| *label).collect();
    // Fewer than e of the k labels stay as soon as k - e + 1 of them leave; those with the smallest radii are the
    // likeliest to.
    let leave = |least: usize| by_radius.get(least - 1..).unwrap_or_default();
    parts.push(part(About::Set, leave(k), k, set_radius));
    // Nothing breaks what has no radius.
    let kept = (1..k).zip(kept).filter_map(|(least, radius)| Some((least, (*radius)?)));
    parts.extend(kept.map(|(least, radius)| part(About::Kept(least), leave(least), k, radius)));
    parts.extend(labels.first().map(|label| part(About::First, &single(label), 1, first_radius)));
    // The order holds as long as each label is among as many as its place says.
    let places = labels.iter().zip(1..).filter(|_| k > 1);
    parts.extend(places.map(|(label, place)| part(About::Ranking, &single(label), place, ranking_radius)));
    parts.retain(|part| part.radius > 0.0 && !part.labels.is_empty());
    parts
}

/// All statements of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Statements {
    pub kind: Kind,
    /// The examples of the RUN, those that abstain among them.
    pub examples: BTreeSet<usize>,
}

impl Statements {
    /// Of a RUN's certificates of labels.
    pub fn of_labels(examples: &[Example], k: usize) -> Vec<Self> {
        let examples = examples.iter().map(|example| example.idx).collect();
        vec![Self { kind: Kind { k, about: About::Label }, examples }]
    }

    /// Of a RUN's guarantees.
    pub fn of_answers(examples: &[Example], k: usize) -> Vec<Self> {
        let examples: BTreeSet<usize> = examples.iter().map(|example| example.idx).collect();
        let of = |about| Self { kind: Kind { k, about }, examples: examples.clone() };
        let kept = (1..k).rev().map(About::Kept);
        let ranking = (k > 1).then_some(About::Ranking);
        [About::Each, About::Set].into_iter().chain(kept).chain([About::First]).chain(ranking).map(of).collect()
    }

    /// How many of them make one of these certificates.
    pub fn among<'a>(&self, certified: impl IntoIterator<Item = &'a Certified>) -> u64 {
        let of_kind = certified.into_iter().filter(|certified| certified.of == self.kind);
        let examples: BTreeSet<usize> = of_kind.map(|certified| certified.idx).collect();
        examples.intersection(&self.examples).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart_into_labels() {
        let found = |labels: &[usize], set: f64, kept: &[Option<f64>], each: &[f64], first: f64, ranking: f64| {
            let found = serde_json::json!({
                "k": labels.len(), "labels": labels, "decision": "complete", "label_radii": each, "set_radius": set,
                "kept_radii": kept, "first_radius": first, "ranking_radius": ranking, "validity": "fixed",
                "alpha_left": 0.001,
                "radius_cost": 0.0, "n": 100, "counts": null,
            });
            serde_json::from_value::<GuaranteeRecord>(found).expect("a guarantee")
        };
        let answer = found(&[5, 0, 7], 0.2, &[None, Some(0.4), Some(0.2)], &[0.9, 0.1, 0.1], 0.5, 0.05);
        let parts = of_answer(4, &answer);
        let seen: Vec<_> = parts.iter().map(|part| (part.of.about, &part.labels[..], part.k, part.radius)).collect();
        let expected: [(About, &[usize], usize, f64); 9] = [
            (About::Each, &[5], 3, 0.9),
            (About::Each, &[0], 3, 0.1),
            (About::Each, &[7], 3, 0.1),
            // Of two labels with the same radius the less frequent one.
            (About::Set, &[7], 3, 0.2),
            // Nothing changes that at least one stays; fewer than two stay where two leave.
            (About::Kept(2), &[0, 7], 3, 0.4),
            (About::First, &[5], 1, 0.5),
            (About::Ranking, &[5], 1, 0.05),
            (About::Ranking, &[0], 2, 0.05),
            (About::Ranking, &[7], 3, 0.05),
        ];
        assert_eq!(seen, expected);
        assert!(parts.iter().all(|part| part.idx == 4 && part.of.k == 3));
        let example = |idx, found: &GuaranteeRecord| Example {
            idx,
            file: None,
            label: None,
            samples: 100,
            counts: Vec::new(),
            line: 0,
            time: std::time::Duration::ZERO,
            certificates: Vec::new(),
            guarantees: vec![found.clone()],
            label_sets: Vec::new(),
        };
        let nothing = found(&[5, 0, 7], 0.0, &[Some(0.0); 3], &[0.0; 3], 0.0, 0.0);
        let all = Statements::of_answers(&[example(4, &answer), example(6, &nothing)], 3);
        let abouts: Vec<About> = all.iter().map(|statements| statements.kind.about).collect();
        let [two, one] = [2, 1].map(About::Kept);
        assert_eq!(abouts, [About::Each, About::Set, two, one, About::First, About::Ranking]);
        for statements in all {
            // What abstains is a statement, and no certificate; three labels are one.
            let certificates = u64::from(statements.kind.about != one);
            assert_eq!((statements.examples.len(), statements.among(&parts)), (2, certificates));
        }
        let single = found(&[5], 0.2, &[Some(0.2)], &[0.2], 0.2, 0.2);
        assert_eq!(of_answer(0, &single).len(), 3, "for k = 1 the ranking is the first");
        assert_eq!(Statements::of_answers(&[example(4, &single)], 1).len(), 3);
        assert_eq!(of_answer(4, &nothing), []);
    }
}
