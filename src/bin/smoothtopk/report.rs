//! `smoothtopk report`

use smoothtopk::{Error, ErrorKind, Result};

/// Certified top-k accuracy against radius, of one or several runs
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args) -> Result<()> {
    Err(Error::new(ErrorKind::Internal, "not built yet"))
}
