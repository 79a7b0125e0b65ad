//! `smoothtopk doctor`

use smoothtopk::{Error, ErrorKind, Result};

/// Which ONNX Runtime was found, where it was looked for, and which providers load
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: Args) -> Result<()> {
    Err(Error::new(ErrorKind::Internal, "not built yet"))
}
