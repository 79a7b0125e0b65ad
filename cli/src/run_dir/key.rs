//! The seed or key of a RUN's noise, in a file of its own: whoever has it knows the noise, and a RUN may be shown to
//! others.

use std::path::Path;

use smoothtopk::counts::Draws;
use smoothtopk::noise::{Purpose, Source};
use smoothtopk::{Error, Result};

use super::{Manifest, atomic};

/// The names that such files have.
pub const FILES: [&str; 2] = ["philox.seed", "chacha12.key"];

fn file_of(generator: &str) -> &'static str {
    if generator.starts_with("philox") { FILES[0] } else { FILES[1] }
}

/// The digest of a seed or key, as records have it.
pub fn secret_sha256(source: &Source) -> String {
    let draws = Draws::one(source, 0, Purpose::Estimate, 0..1).list(false);
    draws.into_iter().map(|draw| draw.secret_sha256).collect()
}

/// Keeps the seed or key in the folder of a RUN.
pub fn write(run: &Path, source: &Source) -> Result<()> {
    atomic::write_private(&run.join(file_of(source.name())), format!("{}\n", source.secret()).as_bytes())
}

impl Manifest {
    /// The seed or key that the RUN in `run` keeps.
    ///
    /// # Errors
    /// `NotFound`, `Io` or `InvalidArgument` when the file cannot be read or holds none; `InvalidData` when it holds
    /// another than the manifest names.
    pub fn source(&self, run: &Path) -> Result<Source> {
        let name = file_of(&self.generator);
        let path = run.join(name);
        let field = name.rsplit('.').next().unwrap_or(name);
        let with_remedy = |error: Error| {
            let message = format!("{}; restore the file, or give --{field}", error.message());
            Error::new(error.kind(), message).with_field(field)
        };
        let text = std::fs::read_to_string(&path).map_err(|error| with_remedy(Error::io(&path, &error)))?;
        let source = Source::from_secret(&self.generator, text.trim())
            .map_err(|error| with_remedy(error.prefixed(&format!("{}: ", path.display()))))?;
        if secret_sha256(&source) == self.secret_sha256 {
            return Ok(source);
        }
        Err(Error::data(field, format!("{} does not hold the RUN's {field}; restore the file", path.display())))
    }
}
