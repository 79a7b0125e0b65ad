//! What `smoothtopk radius` takes, and what it refuses.

use std::path::PathBuf;

use smoothtopk::perturbation::{Family, Gaussian};
use smoothtopk::stats::{Allocation, Validity};
use smoothtopk::{Error, Result};

use crate::format::Format;
use crate::number::whole;

/// Certify from counts that were kept, without a model
///
/// Prints a table, tab separated: idx, k, radius, certified, assumed. A RUN needs no options: its records say what they
/// are, and each is certified as it was, or at another alpha, k or allocation. Counts as JSON say all but the label and
/// alpha. Plain numbers (text with a line per example: a count for each label, then the label) say nothing: what is
/// assumed of them is printed to stderr, and the last column is 1.
///
/// Each table is a statement at its alpha; the best of several tables of the same counts is not. Label, k and
/// allocation must not be chosen by a look at the counts.
#[derive(clap::Args)]
pub struct Args {
    /// A RUN folder, its records.jsonl or its counts.tsv; counts or records as JSON, one object or one per line; or
    /// plain numbers: a line per example, with a count per label and then the label. - reads standard input
    #[arg(long, value_name = "FILE")]
    pub(super) counts: PathBuf,
    /// Failure probability of each certificate; none where all rows are classified [a record: its own]
    #[arg(long)]
    pub(super) alpha: Option<f64>,
    /// Sizes of the top set, comma separated [default: 1; a record: its own]
    #[arg(long, short, value_delimiter = ',')]
    pub(super) k: Vec<usize>,
    /// How alpha is split: ranked[:SHARE], simuem, binocp or pooled:SHARE[:RIVAL,..] [default: ranked; a record: its
    /// own]
    #[arg(long)]
    pub(super) allocation: Option<Allocation>,
    /// Counts as JSON: the label
    #[arg(long)]
    pub(super) label: Option<usize>,
    /// Plain numbers: standard deviation of Gaussian noise, in the units of the input
    #[arg(long, short, conflicts_with = "noise")]
    pub(super) sigma: Option<f64>,
    /// Plain numbers: the noise by its family: gaussian:SIGMA, uniform:LAMBDA, ablate:KEEP, band:SIZE, block:SIZE or
    /// split:SPLITS
    #[arg(long, value_name = "FAMILY")]
    pub(super) noise: Option<Family>,
    /// ablate: the pixels of an input, as ablate:KEEP:pixels=D says it
    #[arg(long, value_name = "D", requires = "noise")]
    pub(super) pixels: Option<u32>,
    /// band, block: the width of an input in pixels, as :width=W says it
    #[arg(long, value_name = "W", requires = "noise")]
    pub(super) width: Option<u32>,
    /// block: the height of an input in pixels, as :height=H says it
    #[arg(long, value_name = "H", requires = "noise")]
    pub(super) height: Option<u32>,
    /// split: inputs are multiples of 1/Q, as :levels=Q says it
    #[arg(long, value_name = "Q", requires = "noise")]
    pub(super) levels: Option<u32>,
    /// How the table is printed
    #[arg(long, short, value_enum, default_value_t)]
    pub(super) format: Format,
    /// Print what each radius is in l1, l2 and linf too, rounded down; - where it says nothing in that norm
    #[arg(long)]
    pub(super) norms: bool,
    /// Plain numbers: the elements of an input, on which --norms depends
    #[arg(long, value_name = "D", requires = "norms")]
    pub(super) elements: Option<usize>,
    /// Plain numbers: samples of each example, if some gave no label [default: the sum of the line's counts]
    #[arg(long, short, value_parser = whole)]
    pub(super) n: Option<u64>,
    /// Plain numbers: fixed, if their number was fixed before they were drawn; anytime, if they were looked at while
    /// they grew; anytime:N, if there could have been at most N [default: fixed]
    #[arg(long, value_parser = validity)]
    pub(super) validity: Option<Validity>,
    /// Plain numbers: the radius that rounding the noise costs [default: 0]
    #[arg(long, value_name = "X")]
    pub(super) radius_cost: Option<f64>,
}

impl Args {
    /// The noise of plain numbers.
    pub(super) fn noise(&self) -> Result<Family> {
        let Some(noise) = self.noise else {
            return Ok(Gaussian::new(required(self.sigma, "sigma", "plain numbers (or --noise)")?)?.into());
        };
        let settings =
            [("pixels", self.pixels), ("height", self.height), ("width", self.width), ("levels", self.levels)];
        settings.into_iter().try_fold(noise, |noise, (name, value)| match value {
            Some(value) => noise.with(name, value).map_err(|error| error.with_field(name)),
            None => Ok(noise),
        })
    }
}

/// `--validity`. Not randomized bounds: their uniform must be drawn beside the samples.
fn validity(text: &str) -> Result<Validity, String> {
    match text.parse() {
        Ok(Validity::Randomized(_) | Validity::Exact) | Err(_) => {
            Err("must be fixed, anytime, or anytime:N with a whole number N of samples".into())
        }
        Ok(validity) => Ok(validity),
    }
}

/// Refuses options for what the counts say themselves.
pub fn refuse_plain_options(args: &Args) -> Result<()> {
    let given = [
        ("sigma", args.sigma.is_some()),
        ("noise", args.noise.is_some()),
        ("elements", args.elements.is_some()),
        ("n", args.n.is_some()),
        ("validity", args.validity.is_some()),
        ("radius-cost", args.radius_cost.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((name, _)) => Err(Error::argument(*name, format!("these counts say it themselves: leave --{name} out"))),
    }
}

pub fn required<T>(value: Option<T>, name: &str, of: &str) -> Result<T> {
    value.ok_or_else(|| Error::argument(name, format!("--{name} is required for {of}")))
}
