//! Options of the providers for NVIDIA GPUs, and the stream that a session's work goes to.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// How cuDNN finds the algorithm of a convolution, each time a shape is new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConvSearch {
    /// Every algorithm is timed: the fastest in the long run, and slow for every new shape. ONNX Runtime's own default.
    #[default]
    Exhaustive,
    /// cuDNN's guess.
    Heuristic,
    /// cuDNN's default algorithm.
    Default,
}

impl ConvSearch {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Exhaustive => "EXHAUSTIVE",
            Self::Heuristic => "HEURISTIC",
            Self::Default => "DEFAULT",
        }
    }
}

/// By how much ONNX Runtime's memory on the device grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Arena {
    /// To the next power of two: fewer allocations.
    #[default]
    NextPowerOfTwo,
    /// By what is asked for: less memory.
    SameAsRequested,
}

impl Arena {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NextPowerOfTwo => "kNextPowerOfTwo",
            Self::SameAsRequested => "kSameAsRequested",
        }
    }
}

/// Options of [`super::Provider::Cuda`], and of the part of a model that TensorRT leaves to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CudaOptions {
    /// Multiply float32 with 10 bits of fraction where the GPU has TF32. It is another base classifier than float32's,
    /// as float16 would be: [`super::Model::arithmetic`] says so.
    pub tf32: bool,
    /// How cuDNN finds the algorithm of a convolution.
    pub conv_search: ConvSearch,
    /// By how much the arena grows.
    pub arena: Arena,
    /// Replay a recorded graph of the model's kernels where batches stay on the device: less work to launch a small
    /// model. ONNX Runtime refuses a model of which any node runs elsewhere. Every batch is then run full.
    pub graph: bool,
}

/// Options of [`super::Provider::TensorRt`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TensorRtOptions {
    /// Compute in float16 where that is faster.
    pub fp16: bool,
    /// Compute in bfloat16 where that is faster.
    pub bf16: bool,
    /// Folder for built engines and timings, which take minutes to make. They lie in a folder of their own for each
    /// model, device and batch. None: nothing is kept.
    pub cache: Option<PathBuf>,
    /// The rows of the batches that will be run: the engine is built for this shape alone, and the model runs no other.
    /// None: an engine is built for every shape that comes.
    pub batch: Option<usize>,
}

/// A stream of the device, by the driver's handle.
pub trait ComputeStream: Send + Sync {
    /// The `CUstream`. It lives as long as `self`.
    fn handle(&self) -> usize;

    /// The device's name, which TensorRT's engines are kept under.
    fn device_name(&self) -> Option<String> {
        None
    }
}

/// The stream that a session's work is enqueued on: work put there by others is ordered with it.
#[derive(Clone)]
pub struct DeviceStream(pub(super) Arc<dyn ComputeStream>);

impl DeviceStream {
    /// # Safety
    /// [`ComputeStream::handle`] is a stream of the device that the model is opened on.
    pub unsafe fn new(stream: Arc<dyn ComputeStream>) -> Self {
        Self(stream)
    }
}

impl PartialEq for DeviceStream {
    fn eq(&self, other: &Self) -> bool {
        self.0.handle() == other.0.handle()
    }
}

impl fmt::Debug for DeviceStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceStream({:#x})", self.0.handle())
    }
}
