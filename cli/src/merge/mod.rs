//! `smoothtopk merge`

mod args;
mod command;
mod parts;
mod shards;

pub use args::Args;
pub use command::run;
pub use parts::Whole;
