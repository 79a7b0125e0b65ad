//! Which samples were counted.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Ranges;
use super::subject::hex;
use crate::noise::{Purpose, Source};
use crate::{Error, Result};

/// The samples that were counted, by what they were drawn from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draws(BTreeMap<Key, Value>);

/// Samples of one generator, secret, stream and purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// The generator of the bits: `philox4x32-10` or `chacha12`.
    pub generator: String,
    /// SHA-256 of the generator's seed or key, in hex. A short seed can be guessed from it.
    pub secret_sha256: String,
    /// The seed or key itself, where it was asked for: whoever has it knows the noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The stream: which input of the seed or key.
    pub stream: u64,
    /// What the samples were drawn for.
    pub purpose: Purpose,
    /// The indices of the samples.
    pub samples: Ranges,
}

/// What tells samples apart. Two families share the bits of a generator, so the method is no part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    generator: String,
    secret_sha256: String,
    stream: u64,
    purpose: Purpose,
}

#[derive(Clone, Debug)]
struct Value {
    source: Option<Source>,
    samples: Ranges,
}

/// Whether the secret is at hand makes no other samples.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.samples == other.samples
    }
}

impl Eq for Value {}

impl Draws {
    /// The samples `samples` of one stream.
    pub fn one(source: &Source, stream: u64, purpose: Purpose, samples: Range<u64>) -> Self {
        let key = Key { generator: source.name().into(), secret_sha256: digest(source), stream, purpose };
        Self(BTreeMap::from([(key, Value { source: Some(*source), samples: Ranges::of(samples) })]))
    }

    /// What was drawn, with the seeds and keys where `secrets` says so and they are known.
    pub fn list(&self, secrets: bool) -> Vec<Draw> {
        let draw = |(key, value): (&Key, &Value)| Draw {
            generator: key.generator.clone(),
            secret_sha256: key.secret_sha256.clone(),
            secret: value.source.filter(|_| secrets).map(|source| source.secret()),
            stream: key.stream,
            purpose: key.purpose,
            samples: value.samples.clone(),
        };
        self.0.iter().map(draw).collect()
    }

    /// How many samples there are.
    pub fn len(&self) -> u64 {
        self.0.values().map(|value| value.samples.len()).sum()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether some of the samples were drawn for this.
    pub fn has_purpose(&self, purpose: Purpose) -> bool {
        self.0.keys().any(|key| key.purpose == purpose)
    }

    /// The source and stream of the first samples, where the secret is known.
    pub(crate) fn first_source(&self) -> Option<(Source, u64)> {
        let (key, value) = self.0.first_key_value()?;
        Some((value.source?, key.stream))
    }

    /// Keeps the seed or key of samples whose digest it has.
    pub(super) fn know(&mut self, source: Source) {
        let (name, digest) = (source.name(), digest(&source));
        let own = |key: &Key| key.generator == name && key.secret_sha256 == digest;
        self.0.iter_mut().filter(|(key, _)| own(key)).for_each(|(_, value)| value.source = Some(source));
    }

    /// Refuses samples that are not the first `of` of one stream and purpose.
    pub(super) fn check_whole(&self, of: u64) -> Result<()> {
        let [(_, value)] = self.0.iter().collect::<Vec<_>>()[..] else {
            return Err(Error::data("draws", "are of several streams, seeds or purposes, and not parts of one number"));
        };
        let mut end = 0;
        for range in value.samples.iter() {
            if range.start > end {
                return Err(missing(end..range.start, of));
            }
            end = range.end;
        }
        match end.cmp(&of) {
            Ordering::Less => Err(missing(end..of, of)),
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(Error::data("draws", format!("go on to {end}, and there are {of} samples"))),
        }
    }

    /// Refuses samples that are among these already.
    pub(super) fn check_disjoint(&self, other: &Self) -> Result<()> {
        for (key, theirs) in &other.0 {
            let shared = self.0.get(key).and_then(|ours| ours.samples.overlap(&theirs.samples));
            if let Some(range) = shared {
                let message = format!(
                    "share samples with these: {}..{} of stream {} under the same seed or key; draw other samples (another range, \
                     stream or seed)",
                    range.start, range.end, key.stream
                );
                return Err(Error::data("counts", message));
            }
        }
        Ok(())
    }

    /// Adds samples that are disjoint from these.
    pub(super) fn add(&mut self, other: &Self) {
        for (key, theirs) in &other.0 {
            let ours = self.0.entry(key.clone()).or_insert_with(|| Value { source: None, samples: Ranges::default() });
            ours.source = ours.source.or(theirs.source);
            ours.samples.add(&theirs.samples);
        }
    }
}

impl TryFrom<Vec<Draw>> for Draws {
    type Error = Error;

    fn try_from(list: Vec<Draw>) -> Result<Self> {
        let mut draws = Self::default();
        for Draw { generator, secret_sha256, secret, stream, purpose, samples } in list {
            let source = secret.map(|secret| Source::from_secret(&generator, &secret)).transpose()?;
            if source.is_some_and(|source| digest(&source) != secret_sha256) {
                return Err(Error::data("draws", "the seed or key is not the one of its digest: the file is damaged"));
            }
            let key = Key { generator, secret_sha256, stream, purpose };
            if samples.is_empty() || draws.0.insert(key, Value { source, samples }).is_some() {
                return Err(Error::data("draws", "name one stream twice, or have no samples: the file is damaged"));
            }
        }
        Ok(draws)
    }
}

fn missing(samples: Range<u64>, of: u64) -> Error {
    Error::data(
        "draws",
        format!("lack the samples {}..{} of {of}: add the parts that have them", samples.start, samples.end),
    )
}

/// A digest that names a seed or key without telling a long one.
fn digest(source: &Source) -> String {
    hex(&Sha256::digest(format!("smoothtopk {} {}", source.name(), source.secret())))
}
