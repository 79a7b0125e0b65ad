//! `smoothtopk radius`: certificates from counts that were kept.

mod json;
mod kept;
mod plain;
mod table;

use std::path::{Path, PathBuf};

use smoothtopk::perturbation::Family;
use smoothtopk::stats::{Allocation, Validity};
use smoothtopk::{Error, Result};

use crate::run_dir::{COUNTS, MANIFEST, RECORDS};
use crate::stdout;
use table::Table;

/// Certify from counts that were kept, without a model
///
/// Prints a table, tab separated: idx, k, radius, certified, assumed. A RUN needs no options: its records say what they
/// are, and each is certified as it was, or at another alpha, k or allocation. Counts as JSON say all but the label and
/// alpha. Plain numbers (the paper's file) say nothing: what is assumed of them is printed to stderr, and the last
/// column is 1.
///
/// Each table is a statement at its alpha; the best of several tables of the same counts is not. Label, k and
/// allocation must not be chosen by a look at the counts.
#[derive(clap::Args)]
pub struct Args {
    /// A RUN folder, its records.jsonl or its counts.tsv; counts or records as JSON, one object or one per line; or the
    /// paper's file: a line per example, with a count per label and then the label
    #[arg(long, value_name = "FILE")]
    counts: PathBuf,
    /// Failure probability of each certificate [a record: its own]
    #[arg(long)]
    alpha: Option<f64>,
    /// Sizes of the top set, comma separated [default: 1; a record: its own]
    #[arg(long, value_delimiter = ',')]
    k: Vec<usize>,
    /// How alpha is split: ranked[:SHARE], simuem, binocp or pooled:SHARE[:RIVAL,..] [default: ranked; a record: its
    /// own]
    #[arg(long)]
    allocation: Option<Allocation>,
    /// Counts as JSON: the label
    #[arg(long)]
    label: Option<usize>,
    /// Plain numbers: standard deviation of Gaussian noise, in the units of the input
    #[arg(long, conflicts_with = "noise")]
    sigma: Option<f64>,
    /// Plain numbers: the noise by its family, gaussian:SIGMA or uniform:LAMBDA
    #[arg(long, value_name = "FAMILY")]
    noise: Option<Family>,
    /// Plain numbers: samples of each example, if some gave no label [default: the sum of the line's counts]
    #[arg(long)]
    n: Option<u64>,
    /// Plain numbers: fixed, if their number was fixed before they were drawn; anytime, if they were looked at while
    /// they grew; anytime:N, if there could have been at most N [default: fixed]
    #[arg(long, value_parser = validity)]
    validity: Option<Validity>,
    /// Plain numbers: the radius that rounding the noise costs [default: 0]
    #[arg(long, value_name = "X")]
    radius_cost: Option<f64>,
}

/// `--validity`. Not randomized bounds: their uniform must be drawn beside the samples.
fn validity(text: &str) -> Result<Validity, String> {
    match text.parse() {
        Ok(Validity::Randomized(_)) | Err(_) => {
            Err("must be fixed, anytime, or anytime:N with a whole number N of samples".into())
        }
        Ok(validity) => Ok(validity),
    }
}

pub fn run(args: Args) -> Result<()> {
    // Nothing is printed before the last line has been read: a malformed file gives its error and no half table.
    let mut table = Table::default();
    match run_folder(&args.counts) {
        Some(folder) => kept::of_run(&args, &folder, &mut table)?,
        None => {
            let bytes = std::fs::read(&args.counts).map_err(|error| Error::io(&args.counts, &error))?;
            match json::pieces(&bytes)? {
                Some(pieces) => json::certify(&args, &pieces, &mut table)?,
                None => plain::certify(&args, &bytes, &mut table)?,
            }
        }
    }
    if table.is_empty() {
        return Err(Error::data("counts", format!("{}: there is no example in it", args.counts.display())));
    }
    table.say_what_is_assumed();
    stdout::print(&table.text())
}

/// The RUN that a path names: its folder, its records, or its view of counts.
fn run_folder(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return Some(path.to_path_buf());
    }
    // By its own name, whatever link names it.
    let file = path.canonicalize().ok()?;
    let folder = file.parent()?;
    let of_run = [RECORDS, COUNTS].iter().any(|name| file.file_name() == Some(name.as_ref()));
    (of_run && folder.join(MANIFEST).exists()).then(|| folder.to_path_buf())
}

/// Refuses options for what the counts say themselves.
fn refuse_plain_options(args: &Args) -> Result<()> {
    let given = [
        ("sigma", args.sigma.is_some()),
        ("noise", args.noise.is_some()),
        ("n", args.n.is_some()),
        ("validity", args.validity.is_some()),
        ("radius-cost", args.radius_cost.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((name, _)) => Err(Error::argument(*name, format!("these counts say it themselves: leave --{name} out"))),
    }
}

fn required<T>(value: Option<T>, name: &str, of: &str) -> Result<T> {
    value.ok_or_else(|| Error::argument(name, format!("--{name} is required for {of}")))
}
