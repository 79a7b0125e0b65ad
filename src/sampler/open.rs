//! Opening a model where its rows are fastest: on the device with CUDA and TensorRT, else through the host.

use std::path::Path;
use std::sync::Arc;

use crate::model::{Model, ModelOptions, OpenModel, Provider, TensorRtOptions};
use crate::sampler::{BaseClassifier, Plan, Search};
use crate::{Error, Result};

/// A model and what a [`crate::sampler::Sampler`] runs it by.
#[derive(Clone)]
pub struct Opened {
    /// The model: on the first device, where there are several; on the processor, where it fell back.
    pub model: Arc<Model>,
    /// What runs the rows: the model itself, or its sessions on GPUs, where rows stay.
    pub classifier: Arc<dyn BaseClassifier>,
    /// The threads of a plan where none are asked for: one a usable core on the processor, one a device with GPUs, else
    /// one.
    pub threads: usize,
    devices: Vec<u32>,
    memory_limit: Option<u64>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("model", &self.model).field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// Opens a model's file. With [`Provider::Cuda`] and [`Provider::TensorRt`] rows stay on the device
/// ([`crate::sampler::cuda::CudaClassifier`], feature `cuda`), except where the model's output is no tensor.
///
/// `devices` are the GPUs that share the rows, by the driver's indices; the provider's own device index is then not
/// used. Empty: the provider's own device. `batch` is the only batch that will be run, where that is known: TensorRT
/// then builds its engine for it alone ([`TensorRtOptions::batch`]).
///
/// # Errors
/// As [`Model::open`]; `InvalidArgument` (`devices`) where the provider has none, one is named twice, or several are
/// named for a model whose rows go through the host.
pub fn open(path: impl AsRef<Path>, options: &ModelOptions, devices: &[u32], batch: Option<usize>) -> Result<Opened> {
    let path = path.as_ref();
    open_by(&|options| Model::open(path, options), options, devices, batch)
}

/// Opens a model from memory, as [`open`] does a file. It must hold all of its data itself.
///
/// # Errors
/// As [`open`].
pub fn open_bytes(bytes: &[u8], options: &ModelOptions, devices: &[u32], batch: Option<usize>) -> Result<Opened> {
    open_by(&|options| Model::from_bytes(bytes, options), options, devices, batch)
}

fn open_by(open: OpenModel, options: &ModelOptions, devices: &[u32], batch: Option<usize>) -> Result<Opened> {
    let mut options = options.clone();
    let own = match options.provider {
        Provider::Cuda { device } => Some(device),
        Provider::TensorRt { device } => {
            let batch = options.tensorrt.batch.or(batch);
            options.tensorrt = TensorRtOptions { batch, ..options.tensorrt };
            Some(device)
        }
        _ => None,
    };
    let Some(own) = own else {
        if !devices.is_empty() {
            let message = format!("{} has no devices to choose from: use cuda or tensorrt", options.provider);
            return Err(Error::argument("devices", message));
        }
        return open(&options).map(|model| through_the_host(model, &options));
    };
    let devices = if devices.is_empty() { vec![own] } else { devices.to_vec() };
    if options.base_k.is_some() {
        // No kernel reads sets of labels.
        return on_one_device(open, &options, &devices);
    }
    on_devices(open, &options, devices)
}

fn through_the_host(model: Model, options: &ModelOptions) -> Opened {
    let model = Arc::new(model);
    // Runs on other devices take turns.
    let threads = if *model.provider() == Provider::Cpu { Plan::usable_threads() } else { 1 };
    let memory_limit = options.memory_limit;
    Opened { classifier: model.clone(), model, threads, devices: Vec::new(), memory_limit }
}

#[cfg(feature = "cuda")]
fn on_devices(open: OpenModel, options: &ModelOptions, devices: Vec<u32>) -> Result<Opened> {
    use crate::sampler::cuda::CudaClassifier;

    // The driver makes threads of its own.
    let _blocked = crate::signals::block();
    let classifier = CudaClassifier::open_by(open, options, &devices, Default::default())?;
    if !classifier.is_on_devices() {
        return Ok(through_the_host(classifier.model().clone(), options));
    }
    let model = Arc::new(classifier.model().clone());
    let threads = classifier.plan(1).threads;
    Ok(Opened { model, classifier: Arc::new(classifier), threads, devices, memory_limit: options.memory_limit })
}

#[cfg(not(feature = "cuda"))]
fn on_devices(open: OpenModel, options: &ModelOptions, devices: Vec<u32>) -> Result<Opened> {
    on_one_device(open, options, &devices)
}

/// The model on a device, its rows through the host.
fn on_one_device(open: OpenModel, options: &ModelOptions, devices: &[u32]) -> Result<Opened> {
    let [device] = devices[..] else {
        let message = format!(
            "{devices:?}: several devices need a build with the feature cuda, and a model that gives each row one label"
        );
        return Err(Error::argument("devices", message));
    };
    let model = open(&ModelOptions { provider: options.provider.on(device), ..options.clone() })?;
    Ok(through_the_host(model, options))
}

impl Opened {
    /// Where the rows run: `cpu`, `cuda:0`, or every device, as in `cuda:0,cuda:1`.
    pub fn provider(&self) -> String {
        let provider = self.model.provider();
        if self.devices.len() < 2 {
            return provider.to_string();
        }
        self.devices.iter().map(|&device| provider.on(device).to_string()).collect::<Vec<_>>().join(",")
    }

    /// A search for the plan of `threads` threads, or of as many as suit the provider. On the processor, a batch keeps
    /// to [`ModelOptions::memory_limit`].
    ///
    /// # Errors
    /// `InvalidArgument` (`memory_limit`) where not even batches of one row do.
    pub fn search(&self, threads: Option<usize>) -> Result<Search> {
        let is_cpu = *self.model.provider() == Provider::Cpu;
        let threads = threads.or((!is_cpu).then_some(self.threads));
        let rows = self.rows_within_limit(threads.unwrap_or(self.threads));
        if rows == 0 {
            return Err(self.too_small(Plan { batch: 1, threads: threads.unwrap_or(self.threads) }));
        }
        Ok(Search { threads, most: rows, ..Search::default() })
    }

    /// The batch plan: with the threads and the batch as given, else kept from an earlier search, or measured. With
    /// `keep` a measured plan is kept in the user's cache folder.
    ///
    /// # Errors
    /// `InvalidArgument` when the plan does not fit the model; as [`Search::run`].
    pub fn plan(&self, threads: Option<usize>, batch: Option<usize>, keep: bool) -> Result<Plan> {
        if let Some(batch) = batch.or_else(|| self.classifier.fixed_batch()) {
            let plan = Plan { batch, threads: threads.unwrap_or(self.threads) };
            self.check(plan)?;
            return Ok(plan);
        }
        let mut search = self.search(threads)?;
        if !keep {
            search.cache = None;
        }
        Ok(search.run(&self.classifier)?.plan)
    }

    /// Checks that a plan can be run, and keeps to [`ModelOptions::memory_limit`] on the processor.
    ///
    /// # Errors
    /// As [`Plan::check`], and `InvalidArgument` (`memory_limit`).
    pub fn check(&self, plan: Plan) -> Result<()> {
        plan.check(self.classifier.as_ref())?;
        if plan.batch > self.rows_within_limit(plan.threads) { Err(self.too_small(plan)) } else { Ok(()) }
    }

    fn rows_within_limit(&self, threads: usize) -> usize {
        // Elsewhere the limit is that of the provider's own memory.
        match self.memory_limit.filter(|_| *self.model.provider() == Provider::Cpu) {
            Some(limit) => self.model.rows_within(limit, threads),
            None => usize::MAX,
        }
    }

    fn too_small(&self, Plan { batch, threads }: Plan) -> Error {
        let limit = self.memory_limit.unwrap_or_default();
        let message = format!(
            "{threads} threads with batches of {batch} rows need more than {limit} bytes: lower the batch or the threads"
        );
        Error::argument("memory_limit", message)
    }
}
