//! `smoothtopk plan`

mod args;
mod command;
mod found;
mod predict;

pub use args::Args;
pub use command::run;
pub use predict::smallest_n_to_predict;
