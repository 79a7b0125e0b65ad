//! Why a call failed.

use crate::Error;
use crate::capi::status::{self, STK_STATUS_INVALID_ARGUMENT, stk_status};

/// Why a call failed: a status of the ABI's own, or an error of the library.
#[derive(Debug)]
pub(in crate::capi) struct Failure {
    pub status: stk_status,
    pub field: String,
    pub message: String,
}

/// What an export's body gives.
pub(in crate::capi) type FfiResult<T = ()> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            status: status::of(error.kind()),
            field: error.field().unwrap_or_default().to_owned(),
            message: error.message().to_owned(),
        }
    }
}

impl Failure {
    pub(super) fn argument(field: &str, message: impl Into<String>) -> Self {
        Self { status: STK_STATUS_INVALID_ARGUMENT, field: field.to_owned(), message: message.into() }
    }
}
