//! `smoothtopk certify`

mod args;
pub mod budget;
mod command;
mod hopeless;
mod manifest;
mod plan;
mod shard;

pub use args::Args;
pub use command::run;
