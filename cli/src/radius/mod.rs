//! `smoothtopk radius`: certificates from counts that were kept.

mod args;
mod command;
mod json;
mod kept;
mod plain;
mod table;

pub use args::Args;
pub use command::run;
