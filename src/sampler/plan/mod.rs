//! The batch plan: how many rows a run takes and how many run at once, measured on the device at hand and kept on disk.

mod batch_plan;
mod cache;
mod key;
mod machine;
mod search;
mod slices;

pub use batch_plan::{Measured, Plan};
pub use cache::PlanCache;
pub use search::Search;
