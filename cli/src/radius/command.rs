//! The command: finds out what kind of counts it is given, and prints the table of their certificates.

use std::io::Read;
use std::path::{Path, PathBuf};

use smoothtopk::{Error, Result};

use super::args::Args;
use super::table::Table;
use super::{json, kept, plain};
use crate::run_dir::{COUNTS, MANIFEST, RECORDS};

pub fn run(args: Args) -> Result<()> {
    // Nothing is printed before the last line has been read: a malformed file gives its error and no half table.
    let mut table = Table::new(&args);
    match run_folder(&args.counts) {
        Some(folder) => kept::of_run(&args, &folder, &mut table)?,
        None => {
            let bytes = read(&args.counts).map_err(|error| Error::io(&args.counts, &error))?;
            match json::pieces(&bytes)? {
                Some(pieces) => json::certify(&args, &pieces, &mut table)?,
                None => plain::certify(&args, &bytes, &mut table)?,
            }
        }
    }
    if table.is_empty() {
        return Err(Error::data("counts", format!("{}: there is no example in it", args.counts.display())));
    }
    table.say_what_is_assumed();
    table.print(args.format)
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if !is_standard_input(path) {
        return std::fs::read(path);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// The RUN that a path names: its folder, its records, or its view of counts.
fn run_folder(path: &Path) -> Option<PathBuf> {
    if is_standard_input(path) {
        return None;
    }
    if path.is_dir() {
        return Some(path.to_path_buf());
    }
    // By its own name, whatever link names it.
    let file = path.canonicalize().ok()?;
    let folder = file.parent()?;
    let of_run = [RECORDS, COUNTS].iter().any(|name| file.file_name() == Some(name.as_ref()));
    (of_run && folder.join(MANIFEST).exists()).then(|| folder.to_path_buf())
}
