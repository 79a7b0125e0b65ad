//! What `smoothtopk merge` takes.

use std::path::PathBuf;

/// Make one RUN of all its shards: the one that a single machine would have written, but for times.
///
/// The shards are RUN folders of certify --shard, or of certify --sample-shard. Any that was made with another model,
/// data, seed or setting is refused. Every certificate is worked out again from its counts; those of --sample-shard are
/// made here, from the counts of all parts.
#[derive(clap::Args)]
pub struct Args {
    /// The RUN folders of the shards, in any order.
    #[arg(required = true, value_name = "RUN")]
    pub(super) shards: Vec<PathBuf>,
    /// The RUN folder that is made.
    #[arg(short, long, value_name = "RUN")]
    pub(super) out: PathBuf,
    /// Take what is there, where shards are missing, unfinished or being written. certify without a shard resumes the
    /// RUN, as one that was interrupted.
    #[arg(long)]
    pub(super) partial: bool,
}
