//! The names of statuses, as records and the C ABI give them.

use crate::ErrorKind;

/// The name of the status of an error.
pub fn status_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidArgument => "INVALID_ARGUMENT",
        ErrorKind::InvalidData => "INVALID_DATA",
        ErrorKind::NotFound => "NOT_FOUND",
        ErrorKind::Io => "IO",
        ErrorKind::Model => "MODEL",
        ErrorKind::Runtime => "RUNTIME",
        ErrorKind::Provider => "PROVIDER",
        ErrorKind::Run => "RUN",
        ErrorKind::Cancelled => "CANCELLED",
        ErrorKind::DeadlineExceeded => "DEADLINE_EXCEEDED",
        ErrorKind::Busy => "BUSY",
        ErrorKind::Forked => "FORKED",
        ErrorKind::Internal => "INTERNAL",
    }
}
