//! Smoothed top-k prediction and certified radii of any ONNX classifier, by randomized smoothing.
//!
//! ```
//! use ndarray::Array;
//! use smoothtopk::smoothed::{Request, SmoothedClassifier, Task};
//!
//! let g = SmoothedClassifier::open("demo/digits_mlp_sigma0.25.onnx", 0.25)?;
//! let x = Array::from_elem((1, 8, 8), 0.5f32);
//! let outcome = g.run(x.view(), Task::CertifySelected, &Request { n: 10_000, ..g.request()? })?;
//! println!("radius {}", outcome.certificates()?[0].radius);
//! // What was counted can be saved, sent, added to and certified again anywhere.
//! let json = outcome.counts.to_json();
//! # Ok::<(), smoothtopk::Error>(())
//! ```
//!
//! A radius is about the smoothed classifier: serve its predictions ([`smoothed::Task::Predict`]), not the bare model.
//! A statement is false with probability at most alpha, over the noise drawn; whoever knows the seed or key knows the
//! noise. The path that keeps samples on a GPU is tested in simulation alone.
//!
//! | module | holds |
//! | --- | --- |
//! | [`smoothed`] | the smoothed classifier: from an input to an answer |
//! | [`counts`] | counts that know what they are, and what they may prove |
//! | [`certificate`] | from counts and a question to statements; stopping rules; alpha budgets |
//! | [`perturbation`] | families of noise: how far a perturbation moves a probability |
//! | [`noise`] | how samples are drawn |
//! | [`stats`] | confidence bounds: numbers in, numbers out |
//! | [`model`] | a classifier in ONNX Runtime |
//! | [`sampler`] | jobs, batches, threads and devices; any Rust function can be the classifier |
//! | [`record`] | what came of one input, as it is written |
//! | [`log`] | where messages go |
//!
//! Features, both on by default: `cuda` keeps samples on NVIDIA GPUs (the driver is loaded at run time); `capi` is the
//! C ABI of `include/smoothtopk.h`, which a Rust host does not need.
//!
//! Source: Jia, Cao, Wang, Gong, "Certified Robustness for Top-k Predictions against Adversarial Perturbations via
//! Randomized Smoothing", ICLR 2020. Proofs are in `docs/statistics.md`, words in `docs/glossary.md`.

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
mod signals;
pub mod smoothed;
pub mod stats;

pub use error::{Error, ErrorKind, Result};

/// The version, as manifests, records and `--version` give it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
