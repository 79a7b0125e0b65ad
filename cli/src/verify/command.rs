//! The command: refuses what cannot be asked, opens the RUN again, and runs the mode that is asked for.

use std::process::ExitCode;

use smoothtopk::smoothed::Generator;
use smoothtopk::stats::{MAX_TRIALS, check_trials};
use smoothtopk::{Error, ErrorKind, Result};

use super::args::Args;
use super::reopen::Reopened;
use super::{adversarial, attacks};
use crate::interrupt;
use crate::run_dir::{Manifest, atomic, secret_sha256};
use crate::sampling::check_probability;

/// The exit code that says: more certificates are broken than alpha allows.
const BROKEN: u8 = 3;

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
    let reopened = Reopened::open(&args.run, &args.model_args)?;
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
