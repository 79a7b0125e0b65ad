//! What `smoothtopk verify` takes.

use std::path::PathBuf;

use super::reopen::RunArgs;
use crate::format::Format;
use crate::model_args::ModelArgs;
use crate::number::whole;

/// Clap would write all of it in one line.
const USAGE: &str = "smoothtopk verify [OPTIONS] --run <RUN> --model <M.onnx> --data <D>\n           <--attacks <N>|--adversarial <FILE>>";

/// Attack the certificates of a RUN, or check adversarial examples against them
///
/// --attacks searches inside each certified radius for a perturbation at which the label leaves the smoothed
/// classifier's top k; for guarantees, at which the labels break a statement. --adversarial reads perturbed inputs from
/// a file and says which of them are inside a radius. The noise is always fresh. The exit code is 3 if more
/// certificates are broken, with statistical confidence, than alpha allows.
#[derive(clap::Args)]
#[command(override_usage = USAGE)]
#[command(group(clap::ArgGroup::new("mode").required(true).args(["attacks", "adversarial"])))]
pub struct Args {
    #[command(flatten)]
    pub(super) run: RunArgs,
    /// Attack every certificate, with N evaluations each. Needs --out, where breaks are kept.
    #[arg(long, value_name = "N", requires = "out", value_parser = whole)]
    pub(super) attacks: Option<u64>,
    /// Perturbed inputs: .npz with `images` and `indices` (of the original examples), or .npy and --indices.
    #[arg(long, value_name = "FILE")]
    pub(super) adversarial: Option<PathBuf>,
    /// The original example of each perturbed input, in their order.
    #[arg(long, value_name = "I,I,..", value_delimiter = ',', requires = "adversarial")]
    pub(super) indices: Option<Vec<usize>>,
    /// Divide the perturbed inputs' values by this [default: the RUN's input scale].
    #[arg(long, value_name = "X", requires = "adversarial")]
    pub(super) adversarial_scale: Option<f64>,
    /// Samples of one attack evaluation.
    #[arg(long, default_value_t = 100, value_parser = whole)]
    pub(super) rows: u64,
    /// Samples of the test of one point [default: 10000 for attacks; none for adversarial inputs, which are then not
    /// evaluated].
    #[arg(long, short, value_parser = whole)]
    pub(super) n: Option<u64>,
    /// Attack every S-th example of the RUN.
    #[arg(long, value_name = "S", default_value_t = 1, conflicts_with = "adversarial")]
    pub(super) skip: usize,
    /// Probability of blaming a sound RUN, over all tests.
    #[arg(long, value_name = "P", default_value_t = 0.001)]
    pub(super) false_alarm: f64,
    /// Seed of the attack and its noise; not the RUN's own [default: drawn from the operating system].
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// text: Markdown; json: a line of JSON for the summary, then one for each certificate or input.
    #[arg(long, short, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Where verify.md, verify.jsonl and breaks.npz go; created if it is missing.
    #[arg(long, short, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    // Last: the options after it would get its heading.
    #[command(flatten)]
    pub(super) model_args: ModelArgs,
}
