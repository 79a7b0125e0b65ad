//! From counts to statements: the certified radius of a label, the smoothed classifier's top-k set, and what holds for the
//! whole answer that is returned: every label of it, the set, its order.
//!
//! Every function is pure and may be called from any thread. Source of the radius: Jia, Cao, Wang, Gong, "Certified
//! Robustness for Top-k Predictions against Adversarial Perturbations via Randomized Smoothing", ICLR 2020, Theorem 1. The
//! theorems for answers, with their proofs and tests, are in `docs/statistics.md`, section "Guarantees for an answer".

pub mod auto;
mod budget;
mod certify;
mod inference;
mod kept_radius;
mod order;
pub mod plan;
mod predict;
mod radius;
mod returned;
mod schedule;
mod search;
mod set;
mod simultaneous;
pub mod stop;
#[cfg(smoothtopk_unsound)]
mod unsound;

pub use budget::{AlphaBudget, BudgetState, Share};
pub use certify::{Certificate, certify, certify_with};
pub use inference::Inference;
pub use kept_radius::{KeptRadius, kept_radius};
pub use order::{OrderCertificate, certify_order};
pub use predict::{Prediction, predict};
pub use radius::{TopKRadius, set_radius, top_k_radius};
pub use returned::{Returned, Selection, Spent};
pub use schedule::Schedule;
pub use set::{SetCertificate, certify_kept, certify_set};
pub use simultaneous::{EachCertificate, LabelCertificate, certify_each};
