//! A RUN folder: a manifest, and one file of records that only grows.
//!
//! | file | holds |
//! | --- | --- |
//! | `manifest.json` | what the results depend on; written first, in one rename, and again only where files of a folder that have no record were mended |
//! | `records.jsonl` | for each example a record (docs/record.md), one a line, in the order in which they were finished |
//! | `failed.tsv` | the examples that the last command could not certify, and why; they are tried again |
//! | `counts.tsv`, `k1.tsv`, .., `answer_k1.tsv`, .. | views for the field's scripts, written from the records when the command ends; never read |
//! | `philox.seed`, `chacha12.key` | the seed or key, for its owner alone: manifest and records hold its digest |
//! | `.lock` | locked while a process writes here |
//!
//! A shard, the part of one machine of many, is a RUN of its own; `merge` makes one RUN of all.
//!
//! A kill can leave half a line at the end of the records: resuming drops it.

pub mod atomic;
mod certified;
mod example;
mod failures;
mod folder;
mod in_order;
mod key;
mod manifest;
mod merged;
mod read;
mod records;
mod row;
mod shard;
#[cfg(test)]
mod tests;
mod views;

pub use certified::Proof;
pub use example::Example;
pub use failures::{Failure, failures};
pub use folder::{LOCKED, RunDir, check_unlocked, done};
pub use in_order::{InOrder, Segment, scan};
pub use key::secret_sha256;
pub use manifest::{FORMAT, MANIFEST, Manifest, Options, Reading};
pub use merged::MergedRun;
pub use read::ReadRun;
pub use records::{Entry, RECORDS, Records};
pub use row::Row;
pub use shard::Shard;
pub use views::COUNTS;
