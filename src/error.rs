//! The one error type of the crate: what was wrong, with which field, what to do.

use std::sync::Arc;
use std::{fmt, io};

/// What kind of thing went wrong. A caller branches on this; the message is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is outside its range, or arguments contradict each other.
    InvalidArgument,
    /// Data that was read (inputs, labels, counts, a run's files) is malformed or does not fit.
    InvalidData,
    /// A file or a named thing does not exist.
    NotFound,
    /// Reading or writing failed.
    Io,
    /// The model cannot be loaded, or is not a classifier that can be smoothed.
    Model,
    /// ONNX Runtime could not be loaded.
    Runtime,
    /// The execution provider asked for cannot be used.
    Provider,
    /// A run of the model failed.
    Run,
    /// The caller cancelled.
    Cancelled,
    /// The deadline passed.
    DeadlineExceeded,
    /// As much is under way as may be: ask again later.
    Busy,
    /// The process was forked after the model was opened, and has none of its threads.
    Forked,
    /// A defect of this library.
    Internal,
}

/// What was wrong, with which field, and what to do. The error beneath, where there is one, is its `source`.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    field: Option<String>,
    message: String,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// Causes are not compared: few of them can be.
impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.field, &self.message) == (other.kind, &other.field, &other.message)
    }
}

impl Eq for Error {}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of a kind, with a message that says what was wrong and what to do.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, field: None, message: message.into(), cause: None }
    }

    /// An argument that is outside its range: names the field and says what it must be.
    pub fn argument(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message).with_field(field)
    }

    /// Data that does not fit: names the field and says what it must be.
    pub fn data(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidData, message).with_field(field)
    }

    /// Reading or writing `path` failed.
    pub fn io(path: &std::path::Path, error: &io::Error) -> Self {
        let kind = if error.kind() == io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Io };
        let cause = match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(error.kind(), error.to_string()),
        };
        let path = if path.as_os_str().is_empty() { "the empty path \"\"".into() } else { path.to_string_lossy() };
        Self::new(kind, format!("{path}: {error}")).caused_by(cause)
    }

    /// Keeps the error beneath, which the message already says in words, as the `source`.
    #[must_use]
    pub fn caused_by(mut self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.cause = Some(Arc::new(cause));
        self
    }

    /// Names the field that the error is about.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The error without its field.
    #[must_use]
    pub(crate) fn without_field(mut self) -> Self {
        self.field = None;
        self
    }

    /// The error with `prefix` before its message: which of several things it is about.
    #[must_use]
    pub fn prefixed(mut self, prefix: &str) -> Self {
        self.message.insert_str(0, prefix);
        self
    }

    /// The kind, for a caller to branch on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The field that was wrong, where there is one.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The message, without the field.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{field}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_error_beneath_is_the_source_and_is_not_compared() {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        let error = Error::io(Path::new("a/b"), &missing).with_field("model").prefixed("input 3: ");
        let beneath = error.clone();
        let beneath = beneath.source().and_then(|cause| cause.downcast_ref::<io::Error>()).unwrap();
        assert_eq!((beneath.kind(), beneath.to_string()), (io::ErrorKind::NotFound, missing.to_string()));
        let same = Error::new(ErrorKind::NotFound, error.message()).with_field("model");
        assert_eq!(same, error);
        assert!(same.source().is_none());
        assert_ne!(error, error.clone().with_field("data"));
        assert_ne!(error, error.clone().prefixed(" "));
        assert_ne!(error, Error::new(ErrorKind::Io, error.message()).with_field("model"));
    }

    #[test]
    fn a_code_of_the_system_is_kept() {
        let error = Error::io(Path::new("/"), &io::Error::from_raw_os_error(13));
        let beneath = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
        assert_eq!(beneath.and_then(io::Error::raw_os_error), Some(13));
    }
}
