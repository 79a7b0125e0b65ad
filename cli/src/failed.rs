//! Examples that could not be read or decoded: named at the end, and the command then fails.

use smoothtopk::{Error, ErrorKind, Result};

/// Errors that are named one by one; the others are counted.
const MOST: usize = 20;

/// Examples that failed.
#[derive(Default)]
pub struct Failed {
    named: Vec<Error>,
    number: usize,
}

impl Failed {
    pub fn add(&mut self, error: Error) {
        self.number += 1;
        if self.named.len() < MOST {
            self.named.push(error);
        }
    }

    /// Names them on stderr; an error where there is one, with what is kept.
    pub fn into_error(self, kept: &str) -> Result<()> {
        if self.number == 0 {
            return Ok(());
        }
        self.named.iter().for_each(|error| say!("failed: {error}"));
        if self.number > self.named.len() {
            say!("failed: and {} more", self.number - self.named.len());
        }
        let examples = if self.number == 1 { "1 example" } else { &*format!("{} examples", self.number) };
        Err(Error::new(ErrorKind::InvalidData, format!("{examples} failed, named above; {kept}")))
    }
}
