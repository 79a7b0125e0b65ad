//! `certify` for another program, such as Python. That program reads each record from our stdout. When it closes our
//! stdin, or is killed, the work ends. A line is a word, a tab and its text.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use smoothtopk::{Error, Result};

use crate::run_dir::RECORDS;
use crate::{interrupt, stdout};

/// How another program has this one work; no person types it.
#[derive(clap::Args)]
pub struct HostArgs {
    /// Under another program.
    #[arg(long, value_enum, hide = true, help_heading = "Running options")]
    pub host: Option<Role>,
    /// The name that the manifest has for data that the other program made.
    #[arg(long, hide = true, help_heading = "Running options")]
    pub data_as: Option<String>,
}

/// What this program does for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// All of the command.
    Run,
    /// Draws the examples that it is given, and gives their records; writes no RUN.
    Work,
    /// Writes the RUN of the records that it is given; draws nothing.
    Write,
}

/// Says how many examples the RUN has, and the records that it holds already.
pub fn begin(examples: usize, run: &Path) -> Result<()> {
    tell("examples", &examples.to_string())?;
    let path: PathBuf = run.join(RECORDS);
    let io = |error: std::io::Error| Error::io(&path, &error);
    let file = File::open(&path).map_err(io)?;
    for line in std::io::BufRead::lines(std::io::BufReader::new(file)) {
        tell("record", &line.map_err(io)?)?;
    }
    Ok(())
}

/// Says of an example that it failed.
pub fn tell_failed(index: usize, name: &str, error: &Error) -> Result<()> {
    let one_line = |text: &str| text.replace(['\t', '\n', '\r'], " ");
    tell("failed", &format!("{index}\t{}\t{}", one_line(name), one_line(&error.to_string())))
}

/// One line. Where nobody reads any more, stdin ends too.
pub fn tell(word: &str, what: &str) -> Result<()> {
    stdout::print(&format!("{word}\t{what}\n"))
}

/// From here on the end of stdin is a signal to end.
pub fn end_with_stdin() {
    std::thread::spawn(|| {
        while let Err(error) = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()) {
            if error.kind() != ErrorKind::Interrupted {
                break;
            }
        }
        interrupt::end();
    });
}
