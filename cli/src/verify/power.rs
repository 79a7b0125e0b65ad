//! What a tally could show at all: a test that cannot find anything must not be taken for one that found nothing.

use std::collections::BTreeMap;

use smoothtopk::Result;

use super::membership;
use super::statement::{Certified, Kind};
use super::verdict::{Levels, Tally, at_least};

/// Whether more breaks than alpha allows could have been found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Power {
    Enough,
    /// No row was drawn. With at least so many something could be found, where so much was looked at.
    NotEvaluated {
        least: Option<u64>,
    },
    /// Tests of fewer rows than this find nothing, whatever the counts.
    Rows {
        least: u64,
    },
    /// So many certificates were looked at, and so many broken ones would be needed; none where not even breaks at all
    /// examples are more than alpha allows, and so many examples would be.
    Certificates {
        looked_at: u64,
        needed: Option<u64>,
        examples: u64,
    },
}

impl Power {
    /// Of a tally for which `looked_at` was put to tests of `n` rows each, or to none.
    pub fn of<'a>(
        tally: &Tally,
        looked_at: impl IntoIterator<Item = &'a Certified>,
        n: Option<u64>,
        alpha: f64,
        levels: &Levels,
    ) -> Result<Self> {
        // The least rows with which each example's statement could be found broken.
        let mut rows: BTreeMap<usize, u64> = BTreeMap::new();
        for Certified { idx, k, .. } in looked_at.into_iter().filter(|certified| certified.of == tally.kind) {
            let least = membership::least_rows(*k, levels.test)?;
            rows.entry(*idx).and_modify(|rows| *rows = least.min(*rows)).or_insert(least);
        }
        let looked_at = rows.len() as u64;
        let mut rows: Vec<u64> = rows.into_values().collect();
        rows.sort_unstable();
        let needed = fewest_breaks(tally.examples, alpha, levels.tally)?;
        // Where the tests of as many as are needed can find something.
        let least = needed.and_then(|needed| rows.get(needed as usize - 1)).copied();
        Ok(match (n, least) {
            (None, least) => Self::NotEvaluated { least },
            (Some(n), Some(least)) if n < least => Self::Rows { least },
            (Some(_), Some(_)) => Self::Enough,
            (Some(_), None) => Self::Certificates {
                looked_at,
                needed,
                examples: fewest_examples(tally.examples, alpha, levels.tally)?,
            },
        })
    }

    /// For a table.
    pub fn verdict(&self) -> &'static str {
        match self {
            Self::Enough => "within alpha",
            Self::NotEvaluated { .. } => "not evaluated",
            Self::Rows { .. } => "n too small",
            Self::Certificates { .. } => "too few certificates",
        }
    }

    /// What stands in the way, and what to do; none where nothing does.
    pub fn obstacle(&self, kind: Kind, total: u64) -> Option<String> {
        let kind = kind.named();
        match *self {
            Self::Enough => None,
            Self::NotEvaluated { least: Some(least) } => {
                Some(format!("{kind}: no row was drawn at the inputs: give --n, at least {least}"))
            }
            Self::NotEvaluated { least: None } => {
                Some(format!("{kind}: no row was drawn at the inputs, and too few of them are inside a radius"))
            }
            Self::Rows { least } => {
                Some(format!("{kind}: n is too small for any break to be found: give --n, at least {least}"))
            }
            Self::Certificates { looked_at, needed: Some(needed), .. } => Some(format!(
                "{kind}: {looked_at} certificates were looked at, and of {total} examples at least {needed} would have to be broken to be \
                 more than alpha allows"
            )),
            Self::Certificates { needed: None, examples, .. } => Some(format!(
                "{kind}: not even breaks at all of {total} examples would be more than alpha allows: take at least {examples} examples"
            )),
        }
    }
}

/// The fewest breaks among so many examples that are more than alpha allows; none where all are not.
fn fewest_breaks(examples: u64, alpha: f64, level: f64) -> Result<Option<u64>> {
    if examples == 0 || at_least(examples, examples, alpha)? > level {
        return Ok(None);
    }
    let (mut too_few, mut enough) = (0, examples);
    while enough - too_few > 1 {
        let middle = too_few + (enough - too_few) / 2;
        match at_least(middle, examples, alpha)? <= level {
            true => enough = middle,
            false => too_few = middle,
        }
    }
    Ok(Some(enough))
}

/// The fewest examples, no fewer than these, of which breaks at all are more than alpha allows.
fn fewest_examples(examples: u64, alpha: f64, level: f64) -> Result<u64> {
    let mut enough = examples.max(1);
    // alpha^M, which an alpha near 1 takes long to bring below the level.
    while enough < 1_000_000 && at_least(enough, enough, alpha)? > level {
        enough += 1;
    }
    Ok(enough)
}

#[cfg(test)]
mod tests {
    use super::super::statement::About;
    use super::*;

    const KIND: Kind = Kind { k: 3, about: About::Label };

    fn power(examples: u64, certificates: usize, n: Option<u64>) -> Power {
        let levels = Levels { test: 1e-6, tally: 5e-4 };
        let tally = Tally::new(KIND, examples, certificates as u64, 0, 0.001).unwrap();
        let certified = |idx| Certified { idx, labels: vec![0], k: 3, radius: 0.5, of: KIND };
        let other = Certified { of: Kind { k: 1, about: About::Label }, ..certified(999) };
        let all: Vec<Certified> = (0..certificates).map(certified).chain([other]).collect();
        Power::of(&tally, &all, n, 0.001, &levels).unwrap()
    }

    #[test]
    fn it_is_told_from_which_numbers_on_something_can_be_found() {
        // 2^-20 is the first power of 1/2 below 1e-6, and each of three rivals needs as many rows.
        assert_eq!(power(12, 12, Some(60)), Power::Enough);
        assert_eq!(power(12, 12, Some(59)), Power::Rows { least: 60 });
        assert_eq!(power(12, 12, None), Power::NotEvaluated { least: Some(60) });
        // One break of 12 has probability 0.012, two 6.6e-5.
        let one = Power::Certificates { looked_at: 1, needed: Some(2), examples: 12 };
        assert_eq!((power(12, 2, Some(60)), power(12, 1, Some(60))), (Power::Enough, one));
        assert!(
            one.obstacle(KIND, 12)
                .unwrap()
                .starts_with("k = 3: 1 certificates were looked at, and of 12 examples at least 2")
        );
        assert_eq!(power(12, 0, None), Power::NotEvaluated { least: None });
        // A single example is false with probability 0.001.
        let single = Power::Certificates { looked_at: 1, needed: None, examples: 2 };
        assert_eq!(power(1, 1, Some(1000)), single);
        assert!(single.obstacle(KIND, 1).unwrap().contains("at least 2 examples"));
        assert_eq!(fewest_breaks(100_000, 0.001, 5e-4).unwrap(), Some(135));
    }
}
