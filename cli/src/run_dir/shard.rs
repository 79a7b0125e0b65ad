//! One of the equal parts that a RUN was split into, each of which one machine makes.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use smoothtopk::{Error, Result};

/// Part I of N, written `I/N`, with I from 1 to N.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Shard {
    index: usize,
    of: usize,
}

impl Shard {
    /// # Errors
    /// `InvalidArgument` when `index` is not from 1 to `of`.
    pub fn new(index: usize, of: usize) -> Result<Self> {
        if (1..=of).contains(&index) {
            return Ok(Self { index, of });
        }
        Err(Error::argument("shard", format!("{index}/{of} is none: shards are counted from 1 to their number")))
    }

    /// Which of the parts, from 0.
    pub fn place(self) -> usize {
        self.index - 1
    }

    /// How many parts there are.
    pub fn of(self) -> usize {
        self.of
    }

    /// Whether the example at this place of the RUN is of this part. They are dealt out one by one: examples that
    /// follow each other are often alike in cost.
    pub fn has(self, place: usize) -> bool {
        place % self.of == self.index - 1
    }

    /// How many of so many examples are of this part.
    pub fn examples(self, whole: usize) -> usize {
        whole / self.of + usize::from(whole % self.of >= self.index)
    }

    /// The samples of this part, where the samples of each example are split.
    pub fn samples(self, n: u64) -> Range<u64> {
        // Below n, which is a u64.
        let before = |parts: usize| (u128::from(n) * parts as u128 / self.of as u128) as u64;
        before(self.index - 1)..before(self.index)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        let refuse = || Error::argument("shard", format!("\"{text}\" is not I/N, such as 1/64"));
        numbers.ok_or_else(refuse).and_then(|(index, of)| Self::new(index, of))
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl TryFrom<String> for Shard {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_and_every_sample_is_of_one_shard() {
        for of in [1, 2, 3, 7, 64] {
            let shards: Vec<Shard> = (1..=of).map(|index| Shard::new(index, of).unwrap()).collect();
            for whole in [0, 1, 2, 20, 63, 64, 65] {
                let of_each = shards.iter().map(|shard| (0..whole).filter(|&place| shard.has(place)).count());
                assert!(of_each.clone().eq(shards.iter().map(|shard| shard.examples(whole))), "{of} {whole}");
                assert_eq!(of_each.sum::<usize>(), whole);
                let mut end = 0;
                for samples in shards.iter().map(|shard| shard.samples(whole as u64)) {
                    assert_eq!(samples.start, end);
                    end = samples.end;
                }
                assert_eq!(end, whole as u64);
            }
        }
        let last = Shard::new(3, 3).unwrap().samples(u64::MAX);
        assert_eq!(last.end, u64::MAX);
        for text in ["0/3", "4/3", "1/0", "1", "a/3", "-1/3", "1/3/3", ""] {
            assert_eq!(text.parse::<Shard>().unwrap_err().field(), Some("shard"), "{text}");
        }
    }
}
