//! What `smoothtopk certify` takes.

use std::path::PathBuf;

use smoothtopk::certificate::stop::Rule;
use smoothtopk::smoothed::AllocationChoice;

use super::host::HostArgs;
use super::shard::ShardName;
use crate::config::Given;
use crate::number::whole;
use crate::sampling::SamplingArgs;

const CERTIFICATES: &str = "Certificate options";
const SHARDS: &str = "Options for many machines";

/// Certify every example of a data set: a RUN folder with a manifest and a record per example.
///
/// If the data has labels, those are certified. Otherwise, or with --select, the label is chosen from n0 separate
/// samples and certified from n fresh ones. With --guarantee, the k returned labels are certified instead of a single
/// label. With --base-k, the model is a multi-label one, and it is certified how many of an example's set of true
/// labels stay in the top k, and how far. Give the same command again to resume an interrupted run.
///
/// Trying again with another seed, because the first run abstained or was late, is not covered by alpha. Take the same
/// seed again; or, if both runs are under --rule radius:R or tolerance:E, a larger n of the same seed (not with exact
/// noise, nor with the allocation auto); or share an --alpha-total.
#[derive(clap::Args)]
pub struct Args {
    /// The RUN folder: created, or resumed if it exists.
    #[arg(long, short, value_name = "RUN")]
    pub(super) out: PathBuf,
    /// Write nothing: say what would be drawn, how long that takes by a speed that is measured for a moment, and what
    /// would fail.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// What was typed, and what a file added; set after parsing.
    #[arg(skip)]
    pub given: Given,
    /// When an example has enough samples. fixed: after n. radius:R: once the label is certified at R, or cannot be.
    /// steps:E: once the largest multiple of E at which it is certified is known (for curves at such radii).
    /// tolerance:E or tolerance:Esigma: once more samples are expected to add no more than E (times sigma). With
    /// --guarantee, radius and tolerance are about the returned set.
    #[arg(long, default_value_t, help_heading = CERTIFICATES)]
    pub(super) rule: Rule,
    /// How alpha is split between the bounds: ranked[:SHARE], simuem, binocp, pooled:SHARE[:RIVAL,..] (SHARE of it for
    /// the label), or auto, which lets n0 pilot samples of each example choose [default: ranked].
    #[arg(long, help_heading = CERTIFICATES)]
    pub(super) allocation: Option<AllocationChoice>,
    /// Randomize the exact bounds of a fixed n: slightly larger radii on average at the same alpha. The seed or key
    /// gives the random number of each example and k.
    #[arg(long, help_heading = CERTIFICATES)]
    pub(super) randomized: bool,
    /// An alpha that all statements of the RUN share evenly: with probability 1 - A all of them are true, refutations
    /// included.
    #[arg(long, value_name = "A", conflicts_with = "alpha", help_heading = CERTIFICATES)]
    pub(super) alpha_total: Option<f64>,
    /// Samples that choose what the data does not give: the label, or with --allocation auto how alpha is split. With
    /// --guarantee, 0 lets the n samples choose the labels that they certify, at a price in alpha.
    #[arg(long, default_value_t = 100, value_parser = whole, help_heading = CERTIFICATES)]
    pub(super) n0: u64,
    /// Choose every label from n0 samples, even if the data has labels; these then only say which are correct.
    #[arg(long, help_heading = CERTIFICATES)]
    pub(super) select: bool,
    /// Certify the k returned labels instead of a single label: the radius within which the set stays, at least e of
    /// its labels, every label, the first one, and the ranking. Each is a statement of its own.
    #[arg(long, conflicts_with = "select", help_heading = CERTIFICATES)]
    pub(super) guarantee: bool,
    /// Certify part I of N of the examples, every N-th, into a RUN of its own; smoothtopk merge makes one RUN of all
    /// parts. auto takes I and N from a Slurm array 1-N; auto/N takes I from a Slurm array or an Indexed Job of
    /// Kubernetes. Needs --seed or --key, the same for all parts.
    #[arg(long, value_name = "I/N|auto", conflicts_with = "sample_shard", help_heading = SHARDS)]
    pub(super) shard: Option<ShardName>,
    /// Draw part I of N of the samples of every example, for an n that is too long for one machine. It certifies
    /// nothing: smoothtopk merge adds the counts of all parts and certifies. Not under a --rule.
    #[arg(long, value_name = "I/N|auto", help_heading = SHARDS)]
    pub(super) sample_shard: Option<ShardName>,
    // Last of what is shown: the options after it would get its headings.
    #[command(flatten)]
    pub(super) sampling: SamplingArgs,
    #[command(flatten)]
    pub(super) host: HostArgs,
}
