//! What a RUN says of its examples, taken apart into single labels that stay in a top k.

use std::collections::BTreeSet;
use std::fmt;

use crate::run_dir::{Answer, AnswerRow, Row};

/// The statements of one kind, for one k of the RUN: one for each example, false with probability at most alpha. An example that
/// abstains is one of them: certified and false is what is that rare, not false among the certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    pub k: usize,
    pub about: About,
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
    /// The first label stays the first.
    First,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Label => "label",
            Self::Each => "each label",
            Self::Set => "the set",
            Self::First => "the first",
        })
    }
}

/// Part of a statement: within `radius` of example `idx`, `label` is in the smoothed classifier's top `k`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Certified {
    pub idx: usize,
    pub label: usize,
    pub k: usize,
    pub radius: f64,
    pub of: Kind,
}

/// The certificates of one k.
pub fn of_series(k: usize, rows: &[Row]) -> Vec<Certified> {
    let of = Kind { k, about: About::Label };
    let certified = |row: &Row| {
        let label = row.predict.filter(|_| row.radius > 0.0)?;
        Some(Certified { idx: row.idx, label, k, radius: row.radius, of })
    };
    rows.iter().filter_map(certified).collect()
}

/// The guarantees of one k, but for how many of the labels stay, and in which order.
pub fn of_answers(k: usize, rows: &[AnswerRow]) -> Vec<Certified> {
    rows.iter().flat_map(|row| of_answer(k, row.idx, &row.answer)).collect()
}

fn of_answer(k: usize, idx: usize, answer: &Answer) -> Vec<Certified> {
    let Answer { labels, set, each, first, .. } = answer;
    let part = |about, &label: &usize, top, radius| Certified { idx, label, k: top, radius, of: Kind { k, about } };
    let mut parts: Vec<Certified> =
        labels.iter().zip(each).map(|(label, &radius)| part(About::Each, label, k, radius)).collect();
    // The set changes as soon as one label leaves; the one with the smallest radius is the likeliest to.
    let weakest = labels.iter().zip(each).rev().min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(label, _)| label);
    parts.extend(weakest.map(|label| part(About::Set, label, k, *set)));
    parts.extend(labels.first().map(|label| part(About::First, label, 1, *first)));
    parts.retain(|part| part.radius > 0.0);
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
    pub fn of_series(k: usize, rows: &[Row]) -> Vec<Self> {
        let examples = rows.iter().map(|row| row.idx).collect();
        vec![Self { kind: Kind { k, about: About::Label }, examples }]
    }

    /// Of a RUN's guarantees.
    pub fn of_answers(k: usize, rows: &[AnswerRow]) -> Vec<Self> {
        let examples: BTreeSet<usize> = rows.iter().map(|row| row.idx).collect();
        let of = |about| Self { kind: Kind { k, about }, examples: examples.clone() };
        [About::Each, About::Set, About::First].map(of).into()
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
        let answer = Answer {
            labels: vec![5, 0, 7],
            set: 0.2,
            kept: vec![f64::INFINITY, 0.4, 0.2],
            each: vec![0.9, 0.1, 0.1],
            first: 0.5,
            ranking: 0.05,
        };
        let parts = of_answer(3, 4, &answer);
        let seen: Vec<_> = parts.iter().map(|part| (part.of.about, part.label, part.k, part.radius)).collect();
        let each = [(About::Each, 5, 3, 0.9), (About::Each, 0, 3, 0.1), (About::Each, 7, 3, 0.1)];
        // Of two labels with the same radius the less frequent one.
        assert_eq!(seen, [&each[..], &[(About::Set, 7, 3, 0.2), (About::First, 5, 1, 0.5)]].concat());
        assert!(parts.iter().all(|part| part.idx == 4 && part.of.k == 3));
        let row = |idx, answer: &Answer| AnswerRow { idx, label: None, answer: answer.clone(), time: String::new() };
        let nothing = Answer { set: 0.0, each: vec![0.0; 3], first: 0.0, ..answer.clone() };
        let all = Statements::of_answers(3, &[row(4, &answer), row(6, &nothing)]);
        assert_eq!(all.len(), 3);
        for statements in all {
            // What abstains is a statement, and no certificate; three labels are one.
            assert_eq!((statements.examples.len(), statements.among(&parts)), (2, 1));
        }
        assert_eq!(of_answer(3, 4, &nothing), []);
    }
}
