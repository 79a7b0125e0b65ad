//! `smoothtopk report`

mod alpha;
mod answers;
mod args;
mod command;
mod curve;
mod examples;
mod label_sets;
mod page;
mod plot;
mod png;
mod scale;
mod stops;
mod summary;
mod tables;
mod units;

pub use args::Args;
pub use command::run;
