//! What `smoothtopk plan` takes.

use std::path::PathBuf;

use smoothtopk::certificate::stop::Rule;
use smoothtopk::stats::Allocation;

use crate::format::Format;
use crate::model_args::ModelArgs;
use crate::noise_args::FamilyArgs;
use crate::number::whole;

/// Tell before the first sample how many it takes for a radius, how far n of them reach, and how long that takes.
///
/// These are the limits of any counts: those where every sample gives the label. With --model or --elements, the cost
/// of rounding the noise to its grid is taken off the radii, as certify does.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub(super) family: FamilyArgs,
    /// Probability that a certificate is false.
    #[arg(long, default_value_t = 0.001)]
    pub(super) alpha: f64,
    /// The k of top-k, one or several.
    #[arg(long, short, value_delimiter = ',', default_value = "1")]
    pub(super) k: Vec<usize>,
    /// The rule that ends the samples: fixed, radius:R, steps:E, tolerance:E or predict. All but fixed use bounds that
    /// hold at any number of samples up to n; radius:R also asks for the samples that R takes.
    #[arg(long, default_value_t)]
    pub(super) rule: Rule,
    /// How alpha is split, as for certify, but not auto, which depends on each example's samples; repeatable [default:
    /// ranked, simuem and binocp].
    #[arg(long)]
    pub(super) allocation: Vec<Allocation>,
    /// Samples of an example: how large a radius do they allow?
    #[arg(long, short, value_parser = whole)]
    pub(super) n: Option<u64>,
    /// A radius: how many samples does it take at least?
    #[arg(long)]
    pub(super) radius: Option<f64>,
    /// Elements of one input, if there is no model: rounding costs more radius the more elements there are.
    #[arg(long, value_name = "D", conflicts_with = "model")]
    pub(super) elements: Option<usize>,
    /// Largest |x| after scaling that the grid of the noise must hold.
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub(super) input_max: f64,
    /// Measure this model's samples per second.
    #[arg(long, short, value_name = "M.onnx")]
    pub(super) model: Option<PathBuf>,
    /// The examples that would be certified: how long do all of them take?
    #[arg(long, short, value_name = "D", requires = "model")]
    pub(super) data: Option<PathBuf>,
    /// Threads, each of which runs batches, if a model is measured.
    #[arg(long, value_name = "T")]
    pub(super) threads: Option<usize>,
    /// How the plan is printed.
    #[arg(long, short, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Measure again, without reading or writing the cache.
    #[arg(long)]
    pub(super) no_plan_cache: bool,
    #[command(flatten)]
    pub(super) model_args: ModelArgs,
}
