//! Standard output that ends quietly when its reader has gone.

use std::fmt::Arguments;
use std::io::{self, BufWriter, Write};

use smoothtopk::{Error, ErrorKind, Result};

/// Buffered standard output. A closed pipe (`| head`) is an error of kind `Cancelled`, to be told from a full disk.
pub struct Stdout {
    out: BufWriter<io::Stdout>,
    closed: bool,
}

impl Stdout {
    pub fn new() -> Self {
        Self { out: BufWriter::new(io::stdout()), closed: false }
    }

    pub fn line(&mut self, line: Arguments<'_>) -> Result<()> {
        let result = self.out.write_fmt(line).and_then(|()| self.out.write_all(b"\n"));
        self.check(result)
    }

    pub fn flush(&mut self) -> Result<()> {
        let result = self.out.flush();
        self.check(result)
    }

    /// True when the reader has gone.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn check(&mut self, result: io::Result<()>) -> Result<()> {
        result.map_err(|error| {
            if error.kind() == io::ErrorKind::BrokenPipe {
                self.closed = true;
                return Error::new(ErrorKind::Cancelled, "standard output was closed");
            }
            Error::new(ErrorKind::Io, format!("standard output: {error}"))
        })
    }
}
