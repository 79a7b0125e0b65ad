//! From counts to statements: the certified radius of a label, the smoothed classifier's top-k set, and what holds for
//! the whole answer that is returned: every label of it, the set, its order.
//!
//! Every function is pure and may be called from any thread. Source of the radius: Jia, Cao, Wang, Gong, "Certified
//! Robustness for Top-k Predictions against Adversarial Perturbations via Randomized Smoothing", ICLR 2020, Theorem 1.
//! The theorems for answers, with their proofs and tests, are in `docs/statistics.md`, section "Guarantees for an
//! answer".

mod answer_labels;
pub mod auto;
mod basis;
mod bounds;
mod budget;
mod doors;
mod each;
mod guarantee;
mod kept_radius;
mod label;
mod label_set;
mod order;
pub mod plan;
mod positions;
mod predict;
mod query;
mod question;
mod radius;
mod schedule;
mod search;
mod set;
mod slots;
pub mod stop;

pub use answer_labels::{AlphaSplit, AnswerLabels, Selection};
pub use basis::Basis;
pub use bounds::BoundFunctions;
pub use budget::{AlphaBudget, BudgetState, Share};
pub use each::{EachCertificate, LabelCertificate};
pub use guarantee::Guarantee;
pub use kept_radius::{KeptRadius, kept_radius};
pub use label::{Certificate, certify};
pub use label_set::{LabelSetCertificate, certify_label_set};
pub use order::OrderCertificate;
pub use predict::{Prediction, predict};
pub use query::{Query, Randomized};
pub use question::Question;
pub use radius::{TopKRadius, set_radius, top_k_radius};
pub use schedule::Schedule;
pub use set::SetCertificate;
