//! `smoothtopk predict`

use smoothtopk::{Error, ErrorKind, Result};

/// The smoothed top-k set of every example, or abstain
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args) -> Result<()> {
    Err(Error::new(ErrorKind::Internal, "not built yet"))
}
