//! Opening a model as a smoothed classifier.

use std::path::{Path, PathBuf};

use super::SmoothedClassifier;
use crate::Result;
use crate::model::{ModelOptions, Provider};
use crate::perturbation::IntoFamily;
use crate::sampler::{self, Limits};

/// How a model is opened and smoothed.
///
/// ```
/// use smoothtopk::smoothed::SmoothedClassifier;
/// let g = SmoothedClassifier::builder("demo/digits_mlp_sigma0.25.onnx").threads(1).batch(32).open(0.25)?;
/// assert_eq!(g.shape(), [1, 8, 8]);
/// # Ok::<(), smoothtopk::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    path: PathBuf,
    options: ModelOptions,
    devices: Vec<u32>,
    threads: Option<usize>,
    batch: Option<usize>,
    keep_plan: bool,
    limits: Limits,
}

impl Builder {
    pub(super) fn new(path: &Path) -> Self {
        let (path, options) = (path.to_path_buf(), ModelOptions::default());
        let limits = Limits::default();
        Self { path, options, devices: Vec::new(), threads: None, batch: None, keep_plan: true, limits }
    }

    /// All of the model's options: output, mean and std, constants, the provider's settings.
    #[must_use]
    pub fn options(self, options: ModelOptions) -> Self {
        Self { options, ..self }
    }

    /// What runs the model.
    #[must_use]
    pub fn provider(mut self, provider: Provider) -> Self {
        self.options.provider = provider;
        self
    }

    /// The GPUs that share the samples, by the driver's indices. Default: the provider's own.
    #[must_use]
    pub fn devices(self, devices: impl Into<Vec<u32>>) -> Self {
        Self { devices: devices.into(), ..self }
    }

    /// How many batches run at once. Default: one for each core, or device.
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        Self { threads: Some(threads), ..self }
    }

    /// The samples of a batch. Default: measured on this machine, once.
    #[must_use]
    pub fn batch(self, batch: usize) -> Self {
        Self { batch: Some(batch), ..self }
    }

    /// Whether a measured batch is kept in the user's cache folder. Default: yes.
    #[must_use]
    pub fn keep_plan(self, keep_plan: bool) -> Self {
        Self { keep_plan, ..self }
    }

    /// The most that may be under way at once, beyond which work is refused at once. Default: any number.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Opens the model and starts its threads. `noise` is a sigma, or a [`Family`](crate::perturbation::Family), or its
    /// text.
    ///
    /// # Errors
    /// `NotFound`, `Io`, `Model`, `Provider` or `Runtime` as [`crate::model::Model::open`]; `InvalidArgument` when the
    /// noise is out of range or an option does not fit the model.
    pub fn open(self, noise: impl IntoFamily) -> Result<SmoothedClassifier> {
        let noise = noise.into_family()?;
        let opened = sampler::open(&self.path, &self.options, &self.devices, self.batch)?;
        let plan = opened.plan(self.threads, self.batch, self.keep_plan)?;
        Ok(SmoothedClassifier::limited(opened.classifier, plan, self.limits)?.with_noise(noise))
    }
}
