//! `smoothtopk radius`

use smoothtopk::{Error, ErrorKind, Result};

/// Certificates from saved counts, without a model
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args) -> Result<()> {
    Err(Error::new(ErrorKind::Internal, "not built yet"))
}
