//! Smoothed top-k prediction and certified l2 radius of any ONNX classifier, by randomized smoothing.
//!
//! Source: Jia, Cao, Wang, Gong, "Certified Robustness for Top-k Predictions against Adversarial Perturbations via
//! Randomized Smoothing", ICLR 2020.

//#[cfg(feature = "capi")]
//pub mod capi;
pub mod certificate;
pub mod counts;
mod error;
pub mod log;
pub mod model;
pub mod noise;
pub mod perturbation;
pub mod record;
pub mod sampler;
pub mod smoothed;
pub mod stats;

pub use error::{Error, ErrorKind, Result};

/// The version, as manifests, records and `--version` give it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
