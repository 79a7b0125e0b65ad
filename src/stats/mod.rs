//! Numbers in, numbers out: label counts and what they say about label probabilities.
//!
//! Every function is pure and may be called from any thread. `docs/statistics.md` has the procedures, their proofs and
//! their tests in one place.

pub mod allocation;
pub mod anytime;
pub mod binomial;
pub mod exact;
pub mod normal;
mod prob;
pub mod randomized;
mod range;
mod tail;
mod tally;
mod validity;

pub use allocation::Allocation;
pub use prob::Prob;
pub use range::{MAX_ALPHA, MAX_TRIALS, MIN_ALPHA, check_alpha, check_k, check_trials};
pub(crate) use range::{check_label, check_part};
pub use tally::Tally;
pub use validity::Validity;
