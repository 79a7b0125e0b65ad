//! How a command prints what it found: text for people, or JSON for programs (docs/cli.md has the schemas).

use serde::Serialize;
use smoothtopk::{Error, ErrorKind, Result};

use crate::stdout;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs; docs/cli.md has the fields
    Json,
}

/// Prints one JSON document.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let internal = |error: serde_json::Error| Error::new(ErrorKind::Internal, error.to_string());
    stdout::print(&(serde_json::to_string_pretty(value).map_err(internal)? + "\n"))
}
