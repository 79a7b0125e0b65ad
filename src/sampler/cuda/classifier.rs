//! A model whose rows stay on GPUs.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::nvidia::{self, KernelSource, Nvidia};
use super::seat::{Seat, Traffic};
use super::worker::DeviceWorker;
use super::yardstick::Yardstick;
use crate::counts::Subject;
use crate::model::{ComputeStream, DeviceStream, Model, ModelOptions, OpenModel, Provider};
use crate::sampler::device::{DeviceWorkers, SpawnWorkers, WorkerBody};
use crate::sampler::queue::WorkQueue;
use crate::sampler::{BaseClassifier, BatchRunner, Plan};
use crate::{Error, Result};

/// A model on one or several NVIDIA GPUs, whose rows stay there. A [`crate::sampler::Sampler`] takes it as it takes a
/// [`Model`]; its plan has a thread for each device.
///
/// ```no_run
/// use std::sync::Arc;
/// use smoothtopk::model::{ModelOptions, Provider};
/// use smoothtopk::sampler::{Sampler, cuda::CudaClassifier};
///
/// let options = ModelOptions { provider: Provider::Cuda { device: 0 }, ..ModelOptions::default() };
/// let classifier = Arc::new(CudaClassifier::open("classifier.onnx", &options, &[0, 1], Default::default())?);
/// let plan = classifier.plan(256);
/// let sampler = Sampler::new(classifier, plan)?;
/// # Ok::<(), smoothtopk::Error>(())
/// ```
#[derive(Clone)]
pub struct CudaClassifier {
    /// The first device's model; or, where the open fell back, the processor's.
    pub(super) model: Model,
    pub(super) seats: Vec<Arc<Seat>>,
}

impl std::fmt::Debug for CudaClassifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CudaClassifier").field("model", &self.model).field("devices", &self.seats.len()).finish()
    }
}

impl CudaClassifier {
    /// Opens a model's file on each of `devices` (indices of the driver's), with the provider that the options name:
    /// CUDA or TensorRT, whose own device index is replaced.
    ///
    /// # Errors
    /// As [`Model::open`]; `InvalidArgument` for another provider, no device or the same one twice, and for a model
    /// whose output is no tensor ([`Model`] runs it through the host). With [`ModelOptions::allow_fallback`], a device
    /// that cannot be used is no error: the rows are then the processor's, and [`Model::fallback`] says why.
    pub fn open(
        path: impl AsRef<Path>,
        options: &ModelOptions,
        devices: &[u32],
        kernels: KernelSource,
    ) -> Result<Self> {
        let path = path.as_ref();
        let opened = Self::open_by(&|options| Model::open(path, options), options, devices, kernels)?;
        if opened.model.fallback().is_none() {
            opened.model.device_layout()?;
        }
        Ok(opened)
    }

    /// As [`CudaClassifier::open`], by what opens one session. Of a model whose output is no tensor there is one
    /// session, on one device, and no rows stay there: [`CudaClassifier::is_on_devices`].
    pub(in crate::sampler) fn open_by(
        open: OpenModel,
        options: &ModelOptions,
        devices: &[u32],
        kernels: KernelSource,
    ) -> Result<Self> {
        if !matches!(options.provider, Provider::Cuda { .. } | Provider::TensorRt { .. }) {
            let message = format!("rows stay on the device with cuda and tensorrt only, not with {}", options.provider);
            return Err(Error::argument("provider", message));
        }
        let mut sorted = devices.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        if devices.is_empty() || sorted.len() != devices.len() {
            return Err(Error::argument("devices", format!("{devices:?}: name each device once, and at least one")));
        }
        let mut seats = Vec::with_capacity(devices.len());
        for &device in devices {
            let mut options = options.clone();
            options.provider = options.provider.on(device);
            let driver = match Nvidia::open(device, kernels) {
                Ok(driver) => Arc::new(driver),
                // The provider's own refusal names every library that is missing, or is what may fall back.
                Err(error) => {
                    let model = open(&options)?;
                    return if model.fallback().is_some() { Ok(Self { model, seats: Vec::new() }) } else { Err(error) };
                }
            };
            // SAFETY: a stream of this device, in the context that ONNX Runtime uses.
            options.stream = Some(unsafe { DeviceStream::new(driver.clone()) });
            let model = open(&options)?;
            if model.fallback().is_some() {
                return Ok(Self { model, seats: Vec::new() });
            }
            if let Err(error) = model.device_layout() {
                return if devices.len() == 1 { Ok(Self { model, seats: Vec::new() }) } else { Err(error) };
            }
            let name = driver.device_name().unwrap_or_default();
            seats.push(Arc::new(Seat::new(model, driver, name)));
        }
        Ok(Self { model: seats[0].model.clone(), seats })
    }

    /// Devices that the driver shows; 0 without a driver.
    pub fn device_count() -> usize {
        nvidia::device_count()
    }

    /// Whether rows stay on devices: not where the open fell back, nor where the model's output is read on the host.
    pub(in crate::sampler) fn is_on_devices(&self) -> bool {
        !self.seats.is_empty()
    }

    /// The model on the first device; on the processor, if it fell back.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Batches of `batch` rows, and a thread for each device: the processor's threads where it fell back.
    pub fn plan(&self, batch: usize) -> Plan {
        let threads = if self.seats.is_empty() { Plan::usable_threads() } else { self.seats.len() };
        Plan { batch, threads }
    }

    /// Bytes that this library has sent to all devices and fetched from them: inputs up, counts down. What ONNX Runtime
    /// moves when it opens a model is not in it.
    pub fn traffic(&self) -> (u64, u64) {
        let sum = |read: fn(&Traffic) -> &AtomicU64| {
            self.seats.iter().map(|seat| read(&seat.traffic).load(Ordering::Relaxed)).sum()
        };
        (sum(|traffic| &traffic.up), sum(|traffic| &traffic.down))
    }

    /// What the device takes for parts of the work alone, on the first device.
    ///
    /// # Errors
    /// `Provider` where it fell back to the processor; `Run` where there is no memory for the batch.
    pub fn yardstick(&self, batch: usize) -> Result<Yardstick> {
        match self.seats.first() {
            Some(seat) => Yardstick::new(seat, batch),
            None => {
                Err(Error::new(crate::ErrorKind::Provider, "the model runs on the processor").with_field("provider"))
            }
        }
    }
}

impl BaseClassifier for CudaClassifier {
    fn elements(&self) -> usize {
        self.model.elements()
    }

    fn shape(&self) -> Vec<usize> {
        self.model.shape()
    }

    fn classes(&self) -> usize {
        self.model.classes()
    }

    fn check_input(&self, input: &[f32]) -> Result<()> {
        self.model.check_input(input)
    }

    fn fixed_batch(&self) -> Option<usize> {
        self.model.fixed_batch()
    }

    fn subject(&self) -> Subject {
        self.model.subject()
    }

    fn identity(&self) -> Option<String> {
        let names = self.seats.iter().map(|seat| seat.name.as_str()).collect::<Vec<_>>();
        match self.seats.len() {
            0 => self.model.identity(),
            _ => Some(format!("{}, rows stay on {names:?}", self.model.speed_identity())),
        }
    }

    fn run_bytes(&self) -> Option<u64> {
        BaseClassifier::run_bytes(&self.model)
    }

    fn release(&self) {
        BaseClassifier::release(&self.model);
    }

    fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>> {
        BaseClassifier::runner(&self.model, batch)
    }

    fn device_workers(&self) -> Option<DeviceWorkers<'_>> {
        (!self.seats.is_empty()).then_some(DeviceWorkers(self))
    }
}

impl SpawnWorkers for CudaClassifier {
    fn workers(&self, queue: &Arc<WorkQueue>, batch: usize, threads: usize) -> Result<Vec<WorkerBody>> {
        if threads > self.seats.len() {
            let message = format!("{threads} threads for {} devices: each device has one", self.seats.len());
            return Err(Error::argument("threads", message));
        }
        let alive = Arc::new(AtomicUsize::new(threads));
        let body = |seat: &Arc<Seat>| {
            let worker = DeviceWorker::new(seat, Arc::clone(&alive), Arc::clone(queue), batch)?;
            Ok(Box::new(move || worker.run()) as WorkerBody)
        };
        self.seats.iter().take(threads).map(body).collect()
    }
}
