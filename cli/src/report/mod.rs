//! `smoothtopk report`

mod alpha;
mod answers;
mod args;
mod command;
mod curve;
mod examples;
mod plot;
mod png;
mod scale;
mod stops;
mod summary;
mod tables;

pub use args::Args;
pub use command::run;
