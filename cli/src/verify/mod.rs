//! `smoothtopk verify`: certificates put to the test, by attacks of our own or by adversarial examples that are given.
//!
//! | file | does |
//! | --- | --- |
//! | `statement` | what a RUN says of its examples, taken apart into labels |
//! | `reopen` | opens the RUN's model and data again, and refuses others |
//! | `norm`, `space`, `ball` | norms bounded from above, and inputs that are inside a radius for certain |
//! | `directions`, `attack`, `search` | the search for a point where the labels leave the top k |
//! | `evaluate`, `membership`, `confirm` | noisy rows, and what they say of labels being in the top k |
//! | `verdict`, `power` | breaks against what alpha allows, and whether more could have been found |
//! | `attacks`, `adversarial` | the command's two modes; `report`, `save`: what they write |

mod adversarial;
mod attack;
mod attacks;
mod ball;
mod confirm;
mod directions;
mod evaluate;
mod membership;
mod norm;
mod power;
mod reopen;
mod report;
mod save;
mod search;
mod space;
mod statement;
#[cfg(test)]
mod tests;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;

use smoothtopk::smoothed::Generator;
use smoothtopk::stats::{MAX_TRIALS, check_trials};
use smoothtopk::{Error, ErrorKind, Result};

use crate::interrupt;
use crate::run_dir::{Manifest, atomic, secret_sha256};
use crate::sampling::check_probability;
use reopen::{Reopened, RunArgs};

/// The exit code that says: more certificates are broken than alpha allows.
const BROKEN: u8 = 3;

/// Attack the certificates of a RUN, or check adversarial examples against them
///
/// --attacks searches inside each certified radius for a perturbation at which the label leaves the smoothed
/// classifier's top k; for guarantees, at which the labels break a statement. --adversarial reads perturbed inputs from
/// a file and says which of them are inside a radius. The noise is always fresh. The exit code is 3 if more
/// certificates are broken, with statistical confidence, than alpha allows.
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("mode").required(true).args(["attacks", "adversarial"])))]
pub struct Args {
    #[command(flatten)]
    run: RunArgs,
    /// Attack every certificate, with N evaluations each. Needs --out, where breaks are kept.
    #[arg(long, value_name = "N", requires = "out")]
    attacks: Option<u64>,
    /// Perturbed inputs: .npz with `images` and `indices` (of the original examples), or .npy and --indices.
    #[arg(long, value_name = "FILE")]
    adversarial: Option<PathBuf>,
    /// The original example of each perturbed input, in their order.
    #[arg(long, value_name = "I,I,..", value_delimiter = ',', requires = "adversarial")]
    indices: Option<Vec<usize>>,
    /// Divide the perturbed inputs' values by this [default: the RUN's input scale].
    #[arg(long, value_name = "X", requires = "adversarial")]
    adversarial_scale: Option<f64>,
    /// Samples of one attack evaluation.
    #[arg(long, default_value_t = 100)]
    rows: u64,
    /// Samples of the test of one point [default: 10000 for attacks; none for adversarial inputs, which are then not
    /// evaluated].
    #[arg(long)]
    n: Option<u64>,
    /// Attack every S-th example of the RUN.
    #[arg(long, value_name = "S", default_value_t = 1, conflicts_with = "adversarial")]
    skip: usize,
    /// Probability of blaming a sound RUN, over all tests.
    #[arg(long, value_name = "P", default_value_t = 0.001)]
    false_alarm: f64,
    /// Seed of the attack and its noise; not the RUN's own [default: drawn from the operating system].
    #[arg(long)]
    seed: Option<u64>,
    /// Print JSON lines instead of Markdown.
    #[arg(long)]
    json: bool,
    /// Where verify.md, verify.jsonl and breaks.npz go; created if it is missing.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<ExitCode> {
    check_probability("false-alarm", args.false_alarm)?;
    check_rows("rows", args.rows)?;
    args.n.map_or(Ok(()), check_trials)?;
    if args.attacks == Some(0) {
        return Err(Error::argument("attacks", "must be at least 1"));
    }
    if args.skip == 0 {
        return Err(Error::argument("skip", "must be at least 1: every S-th example is attacked"));
    }
    // Before the attacks, which may take hours.
    args.out.as_deref().map_or(Ok(()), atomic::check_folder)?;
    let reopened = Reopened::open(&args.run)?;
    let seed = fresh_seed(args.seed, &reopened.manifest)?;
    interrupt::install()?;
    let sound = match &args.adversarial {
        Some(file) => adversarial::run(&args, file, &reopened, seed)?,
        None => attacks::run(&args, &reopened, seed)?,
    };
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

fn check_rows(field: &str, rows: u64) -> Result<()> {
    // A pilot and a look at the slope take multiples of them.
    if (1..=MAX_TRIALS / 1_000_000).contains(&rows) {
        return Ok(());
    }
    Err(Error::argument(field, format!("must be from 1 to {}, got {rows}", MAX_TRIALS / 1_000_000)))
}

/// A seed that is not the RUN's: the noise that made a certificate must not judge it.
fn fresh_seed(given: Option<u64>, manifest: &Manifest) -> Result<u64> {
    loop {
        let drawn = Generator::Philox { seed: given }.source()?;
        let seed = Generator::from(drawn).seed().ok_or_else(|| Error::new(ErrorKind::Internal, "Philox has a seed"))?;
        if secret_sha256(&drawn) != manifest.secret_sha256 {
            return Ok(seed);
        }
        if given.is_some() {
            return Err(Error::argument("seed", format!("{seed} is the RUN's own; fresh noise needs another")));
        }
    }
}
