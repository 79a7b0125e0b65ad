//! The unsafe code of the C ABI: pointers from C to Rust and back, and the guard that every export runs under.
//!
//! # How to write an export
//! An export's body is safe Rust inside of one of three macros. Each catches panics, and holds the one `unsafe`
//! block of the export: the promise that the C caller keeps to the header ([`Trusted`]). The body stands outside of it.
//!
//! | macro | for an export that | where it fails |
//! | --- | --- | --- |
//! | `call!(err, \|args, handle, ..\| body)` | returns a status | the status, and an error in `*err` |
//! | `get!(handle, otherwise, \|inner\| body)` | returns a value of one handle | `otherwise` |
//! | `free!(handle)` | frees a handle; `free!(handle, last)` hands what it held to `last` | nothing |
//!
//! ```text
//! #[unsafe(no_mangle)]
//! pub unsafe extern "C" fn stk_counts_add(
//!     counts: *mut stk_counts,
//!     other: *const stk_counts,
//!     err: *mut *mut stk_error,
//! ) -> stk_status {
//!     call!(err, |_, counts, other| Ok(counts.exclusive()?.add(other.shared()?)?))
//! }
//! ```
//!
//! 1. Name the handles among the parameters behind `args`. In the body each name is then a [`HandleArg`]: `shared()` or
//!    `shared_or_null()` for a pointer to const, `exclusive()` for one to non-const. Each refuses NULL and a poisoned
//!    handle, and `exclusive()` one that was passed twice.
//! 2. Read every other pointer through [`Args`]: `text`, `array`, `out` and their likes. Nothing else may follow a
//!    pointer of C's.
//! 3. Get every `out` before the work begins, so that a NULL costs no work, and set it last.
//! 4. Return an error with `?`; [`crate::Error`] becomes a status.
//!
//! # Why a handle cannot be missed
//! A panic must poison every handle that the body used, and a handle that is passed twice must be seen. Both need a
//! note of each handle. Only `call!` makes a [`HandleArg`], each with a slot of its own, and using it takes it: a
//! handle that was not named cannot be used, and more handles than there are slots do not compile ([`Handles`]).
//!
//! A new opaque type is a struct whose only field is a [`Handle`], with `opaque!(stk_name holds Inner)`.

mod args;
mod check;
mod clock;
mod failure;
mod guard;
mod handles;
mod opaque;
mod out;
mod text;
mod user;

pub(super) use args::Args;
pub(super) use clock::{clock_ns, instant_of};
pub(super) use failure::{Failure, FfiResult};
pub(super) use guard::{Trusted, call, free, get};
pub(super) use handles::Passed;
#[cfg(doc)]
pub(super) use handles::{HandleArg, Handles};
pub(super) use opaque::{Handle, Opaque, opaque};
pub(super) use out::{Out, OutSized};
pub(super) use text::c_string;
pub(super) use user::User;
