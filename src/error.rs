//! The one error type of the crate: what was wrong, with which field, what to do.

use std::fmt;

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
    /// A defect of this library.
    Internal,
}

/// What was wrong, with which field, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    field: Option<String>,
    message: String,
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of a kind, with a message that says what was wrong and what to do.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, field: None, message: message.into() }
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
    pub fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        let kind = if error.kind() == std::io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Io };
        Self::new(kind, format!("{}: {error}", path.display()))
    }

    /// Names the field that the error is about.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
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

impl std::error::Error for Error {}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
