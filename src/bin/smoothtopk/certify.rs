//! `smoothtopk certify`

use smoothtopk::{Error, ErrorKind, Result};

/// Certify every example of a data set: counts, certificates and a manifest in a RUN folder
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args) -> Result<()> {
    Err(Error::new(ErrorKind::Internal, "not built yet"))
}
