//! The shards of one RUN, checked to be that.

use std::path::Path;

use smoothtopk::noise::Source;
use smoothtopk::{Error, ErrorKind, Result};

use super::args::Args;
use crate::run_dir::{Failure, MANIFEST, Manifest, Segment, check_unlocked, failures, scan};

/// The shards of one RUN.
pub struct Shards {
    /// Of the whole RUN.
    pub manifest: Manifest,
    /// Whether each shard has a part of the samples of every example.
    pub of_samples: bool,
    /// How many shards the RUN has.
    pub of: usize,
    /// Where their records are; the number of a RUN is its shard's, from 0.
    pub segments: Vec<Segment>,
    /// Examples that could not be certified, in order.
    pub failed: Vec<Failure>,
    /// The seed or key, where a shard holds it.
    pub source: Option<Source>,
}

impl Shards {
    /// # Errors
    /// `InvalidArgument` with the field in which shards differ, or `shard` where they are not those of one RUN, each
    /// once and complete; `Io` of the field `lock` where one is being written; `InvalidData` where one is damaged.
    pub fn open(args: &Args) -> Result<Self> {
        let first = &args.shards[0];
        let mut of_first = load(first)?;
        let (of_samples, of) = match (of_first.shard, of_first.sample_shard) {
            (Some(shard), None) => (false, shard.of()),
            (None, Some(shard)) => (true, shard.of()),
            _ => return Err(refuse(first, "is a whole RUN, and no shard of one")),
        };
        let mut found: Vec<Option<&Path>> = vec![None; of];
        let (mut segments, mut failed, mut source) = (Vec::new(), Vec::new(), None);
        for path in &args.shards {
            // One at a time: each lists all files of a folder of images.
            let manifest = load(path)?;
            check_agree(&of_first, first, &manifest, path)?;
            let shard = if of_samples { manifest.sample_shard } else { manifest.shard };
            let Some(shard) = shard.filter(|shard| shard.of() == of) else {
                return Err(refuse(path, "is no shard of this RUN"));
            };
            if let Some(other) = found[shard.place()].replace(path) {
                return Err(refuse(path, &format!("has shard {shard}, and so has {}", other.display())));
            }
            if !args.partial {
                check_unlocked(path)?;
            }
            let (of_shard, records) = scan(path, &manifest, shard.place())?;
            segments.extend(of_shard);
            let mut of_shard = failures(path)?;
            of_shard.retain(|failure| manifest.has(failure.index));
            let (examples, settled) = (manifest.own_examples(), records + of_shard.len());
            if settled < examples && !args.partial {
                let missing = examples - settled;
                let what = format!(
                    "has no record of {missing} of its {examples} examples: give its command again to resume it, or --partial"
                );
                return Err(refuse(path, &what));
            }
            failed.append(&mut of_shard);
            if source.is_none() {
                source = secret(&manifest, path)?;
            }
        }
        if let Some(place) = found.iter().position(Option::is_none).filter(|_| !args.partial) {
            let missing = found.iter().filter(|path| path.is_none()).count();
            let message =
                format!("{}/{of} is missing ({missing} of {of} are): give all shards, or --partial", place + 1);
            return Err(Error::argument("shard", message));
        }
        // Each part of the samples failed alike.
        failed.sort();
        failed.dedup_by_key(|failure| failure.index);
        (of_first.shard, of_first.sample_shard) = (None, None);
        Ok(Self { manifest: of_first, of_samples, of, segments, failed, source })
    }
}

fn refuse(path: &Path, what: &str) -> Error {
    Error::argument("shard", format!("{} {what}", path.display()))
}

fn load(path: &Path) -> Result<Manifest> {
    Manifest::of_run(path)?.ok_or_else(|| {
        let message = format!("{} holds no {MANIFEST}, so it is not a RUN", path.display());
        Error::new(ErrorKind::NotFound, message)
    })
}

/// Refuses shards of two RUNs.
fn check_agree(first: &Manifest, path: &Path, other: &Manifest, other_path: &Path) -> Result<()> {
    let mut alike = other.clone();
    // Of one kind, whose number is told apart.
    if first.shard.is_some() == other.shard.is_some() && first.sample_shard.is_some() == other.sample_shard.is_some() {
        let of = |manifest: &Manifest| manifest.shard.or(manifest.sample_shard).map(|shard| shard.of());
        if of(first) == of(other) {
            (alike.shard, alike.sample_shard) = (first.shard, first.sample_shard);
        }
    }
    let Some((field, ours, theirs)) = first.difference(alike)? else { return Ok(()) };
    let (path, other_path) = (path.display(), other_path.display());
    let mended = if field == "data_sha256" && other.data_files.is_some() {
        "; where a file was mended in between, give each shard's command again"
    } else {
        ""
    };
    Err(Error::argument(
        field,
        format!("{other_path} was made with {theirs}, and {path} with {ours}: they are no shards of one RUN{mended}"),
    ))
}

/// The seed or key that a shard keeps; none where it was shown to others without.
fn secret(manifest: &Manifest, path: &Path) -> Result<Option<Source>> {
    match manifest.source(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        source => source.map(Some),
    }
}
