//! `smoothtopk certify`

mod again;
mod args;
pub mod budget;
mod command;
mod dry_run;
mod hopeless;
mod host;
mod label_sets;
mod manifest;
mod next;
mod plan;
mod shard;
mod work;
mod write;

pub use args::Args;
pub use command::run;
