//! `smoothtopk inspect`

use smoothtopk::{Error, ErrorKind, Result};

/// What a model takes and gives, which scores are used and why
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args) -> Result<()> {
    Err(Error::new(ErrorKind::Internal, "not built yet"))
}
