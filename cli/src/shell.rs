//! `smoothtopk completions` and `smoothtopk man`: files for a shell and for man, from the options themselves.

use std::path::{Path, PathBuf};

use clap::Command;
use clap_complete::Shell;
use smoothtopk::{Error, Result};

use crate::stdout;

/// Print what makes a shell complete commands and options
///
/// `make install` puts it where bash, zsh and fish look. By hand its place for bash is
/// ~/.local/share/bash-completion/completions/smoothtopk.
#[derive(clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Write the manual pages: smoothtopk.1, and one for each command
///
/// `make install` puts them where man looks. By hand: smoothtopk man ~/.local/share/man/man1
#[derive(clap::Args)]
pub struct ManArgs {
    /// Where they go; created if it is missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub fn completions(args: CompletionsArgs, mut command: Command) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "smoothtopk", &mut script);
    stdout::print(&String::from_utf8_lossy(&script))
}

pub fn man(args: ManArgs, command: Command) -> Result<()> {
    let of = |path: &Path| {
        let path = path.to_owned();
        move |error| Error::io(&path, &error)
    };
    std::fs::create_dir_all(&args.folder).map_err(of(&args.folder))?;
    clap_mangen::generate_to(command, &args.folder).map_err(of(&args.folder))
}
