//! From counts to statements: the certified radius of a label, and the smoothed classifier's top-k set.
//!
//! Every function is pure and may be called from any thread. Source of the radius: Jia, Cao, Wang, Gong, "Certified
//! Robustness for Top-k Predictions against Adversarial Perturbations via Randomized Smoothing", ICLR 2020, Theorem 1.

pub mod auto;
mod certify;
pub mod plan;
mod predict;
mod radius;
mod search;
pub mod stop;

pub use certify::{Certificate, certify, certify_with};
pub use predict::{Prediction, predict};
pub use radius::{TopKRadius, set_radius, top_k_radius};
