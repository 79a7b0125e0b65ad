//! Smoothed top-k prediction and certified l2 radius of any ONNX classifier, by randomized smoothing.
//!
//! Source: Jia, Cao, Wang, Gong, "Certified Robustness for Top-k Predictions against Adversarial Perturbations via
//! Randomized Smoothing", ICLR 2020.

#[cfg(feature = "capi")]
pub mod capi;
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

#[cfg(all(smoothtopk_unsound, not(debug_assertions)))]
compile_error!(
    "smoothtopk_unsound makes false certificates, for `make test-verify` alone: no release may be built with it"
);

/// This build makes false certificates on purpose (`--cfg smoothtopk_unsound`), to see `verify` find them. Never true in a
/// release, where that cfg does not compile.
pub const UNSOUND: bool = cfg!(smoothtopk_unsound);

/// The version, as manifests and `--version` give it; an [`UNSOUND`] build says so in it.
pub const VERSION: &str = if UNSOUND {
    concat!(env!("CARGO_PKG_VERSION"), " UNSOUND: its certificates are false")
} else {
    env!("CARGO_PKG_VERSION")
};
