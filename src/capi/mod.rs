//! The C ABI, version 1: what `include/smoothtopk.h` declares. One file per C type; a function is `stk_<type>_<verb>`.
//!
//! The functions are here for C; Rust hosts use the rest of the crate. Every export is a shell around safe Rust that
//! `ffi` runs: it checks pointers, catches panics and turns errors into statuses. All of the room's unsafe code is in
//! `ffi.rs`.
//!
//! # Safety Of every function here: each pointer is NULL or points to what the function's documentation says, for as
//! long as it says; handles come from this library and were not freed; what is passed by pointer to non-const is used
//! by nobody else during the call.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // Stated above, once for all.

mod budget;
mod call;
mod cancel;
mod classifier;
mod counts;
mod counts_certify;
mod counts_json;
mod decision;
mod error;
mod ffi;
mod guarantee;
mod job;
mod job_item;
mod library;
mod log;
mod memory;
mod model;
mod model_options;
mod model_options_device;
mod model_options_limits;
mod model_run;
mod query;
mod request;
mod request_noise;
mod request_rule;
mod result;
mod result_counts;
mod result_guarantee;
mod runtime;
mod stats;
mod status;
mod summary;
#[cfg(feature = "test-hooks")]
mod test_hooks;
mod validity;

pub use budget::*;
pub use call::*;
pub use cancel::*;
pub use classifier::*;
pub use counts::*;
pub use counts_certify::*;
pub use counts_json::*;
pub use decision::*;
pub use error::*;
pub use guarantee::*;
pub use job::*;
pub use job_item::*;
pub use library::*;
pub use log::*;
pub use model::*;
pub use model_options::*;
pub use model_options_device::*;
pub use model_options_limits::*;
pub use model_run::*;
pub use query::*;
pub use request::*;
pub use request_noise::*;
pub use request_rule::*;
pub use result::*;
pub use result_counts::*;
pub use result_guarantee::*;
pub use runtime::*;
pub use stats::*;
pub use status::*;
pub use summary::*;
#[cfg(feature = "test-hooks")]
pub use test_hooks::*;
pub use validity::*;
