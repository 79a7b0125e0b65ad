//! Standard output that may be closed early, as by `| head`.

use std::io::{ErrorKind, Write};
use std::path::Path;

use smoothtopk::{Error, Result};

/// Writes text at once. A reader that has seen enough is no error.
pub fn print(text: &str) -> Result<()> {
    print_while_read(text).map(|_| ())
}

/// Writes text at once. False when the reader has gone, and more need not be computed.
pub fn print_while_read(text: &str) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::io(Path::new("standard output"), &error)),
    }
}
