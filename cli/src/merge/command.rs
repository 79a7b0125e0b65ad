//! The command: one RUN of all its shards.

use smoothtopk::{Error, ErrorKind, Result};

use super::args::Args;
use super::parts::Whole;
use super::shards::Shards;
use crate::failed::Failed;
use crate::interrupt;
use crate::run_dir::{InOrder, MergedRun};

pub fn run(args: Args) -> Result<()> {
    let mut shards = Shards::open(&args)?;
    let whole = if shards.of_samples { Some(Whole::of(&shards.manifest, shards.source)?) } else { None };
    interrupt::install()?;
    let mut lines = InOrder::new(std::mem::take(&mut shards.segments), &shards.manifest)?;
    let mut out = MergedRun::create(&args.out, &shards.manifest)?;
    let (mut examples, mut incomplete) = (0_usize, 0_usize);
    while let Some(line) = lines.next()? {
        interrupt::check().map_err(|error| Error::new(error.kind(), "interrupted: nothing was merged"))?;
        let entry = line.entry(&shards.manifest)?;
        let Some(whole) = &whole else {
            out.add(&line.text, entry)?;
            examples += 1;
            continue;
        };
        let mut parts = vec![entry];
        while lines.next_index() == Some(line.index)
            && let Some(next) = lines.next()?
        {
            parts.push(next.entry(&shards.manifest)?);
        }
        if parts.len() < shards.of {
            incomplete += 1;
            continue;
        }
        let entry = whole.record(&parts).map_err(|error| line.damaged(&error))?;
        out.add(entry.record.to_json().as_bytes(), entry)?;
        examples += 1;
    }
    out.finish(shards.source.as_ref(), &shards.failed)?;
    let (total, path) = (shards.manifest.examples, args.out.display());
    if incomplete > 0 {
        say!("{incomplete} examples lack samples of some parts, and are left out");
    }
    say!("{path}: {examples} of {total} examples, of {} of {} shards", args.shards.len(), shards.of);
    let mut failed = Failed::default();
    for failure in &shards.failed {
        failed.add(Error::new(ErrorKind::InvalidData, failure.named()));
    }
    failed.into_error(&format!("the others are merged in {path}; certify without a shard tries them again there"))
}
