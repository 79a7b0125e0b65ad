//! `smoothtopk plan`

use smoothtopk::{Error, ErrorKind, Result};

/// The smallest n that can avoid abstaining, and the largest radius n allows
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args) -> Result<()> {
    Err(Error::new(ErrorKind::Internal, "not built yet"))
}
