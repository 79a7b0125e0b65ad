//! Records: what came of a task, as it is written.

mod identity;

pub use identity::Identity;
