//! How a model is opened: provider, threads, which input and output, constants, preprocessing.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::gpu::{CudaOptions, DeviceStream, TensorRtOptions};
use super::provider_names;
use crate::{Error, Result};

/// Where a model runs. Written as `cpu`, `cuda`, `cuda:1`, `tensorrt`, `tensorrt:0`, `openvino`, or by ONNX Runtime's
/// names of these, such as `CUDAExecutionProvider:1`, in small or large letters.
///
/// A provider is given or the model is not opened: nothing falls back to another unless
/// [`ModelOptions::allow_fallback`] asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU through cuDNN and cuBLAS.
    Cuda {
        /// Index of the device.
        device: u32,
    },
    /// An NVIDIA GPU through TensorRT; what TensorRT does not take runs by CUDA on the same device.
    TensorRt {
        /// Index of the device.
        device: u32,
    },
    /// Any other provider of ONNX Runtime, or of a plug-in ([`ModelOptions::provider_library`]).
    Other {
        /// ONNX Runtime's name for it, such as `OpenVINOExecutionProvider`.
        name: String,
    },
}

impl Provider {
    /// The provider of a name: as [`FromStr`] reads it, or else ONNX Runtime's own name of any provider.
    ///
    /// # Errors
    /// `InvalidArgument` if it cannot be a provider's name.
    pub fn named(text: &str) -> Result<Self> {
        let is_name = text.len() < 128
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
        match text.parse() {
            Err(_) if is_name => Ok(Self::Other { name: text.to_owned() }),
            parsed => parsed,
        }
    }
}

impl Provider {
    /// The same provider on another device; itself where it has no device index.
    #[must_use]
    pub fn on(&self, device: u32) -> Self {
        match self {
            Self::Cuda { .. } => Self::Cuda { device },
            Self::TensorRt { .. } => Self::TensorRt { device },
            Self::Cpu | Self::Other { .. } => self.clone(),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda { device } => write!(f, "cuda:{device}"),
            Self::TensorRt { device } => write!(f, "tensorrt:{device}"),
            Self::Other { name } => f.write_str(name),
        }
    }
}

impl FromStr for Provider {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, device) = match text.split_once(':') {
            Some((name, device)) => (name, Some(device)),
            None => (text, None),
        };
        let refuse = || {
            let meant =
                provider_names::nearest(name).map_or(String::new(), |meant| format!(", perhaps {meant} is meant"));
            let forms = "cpu, openvino, cuda, cuda:ID, tensorrt, tensorrt:ID, or ONNX Runtime's name of a provider";
            Error::argument("provider", format!("{text:?} is not a provider{meant}: use {forms}"))
        };
        let device = device.map(|device| device.parse::<u32>().map_err(|_| refuse())).transpose()?;
        match (provider_names::short(name).as_str(), device) {
            ("cpu", None) => Ok(Self::Cpu),
            ("openvino", None) => Ok(Self::Other { name: "OpenVINOExecutionProvider".to_owned() }),
            ("cuda", device) => Ok(Self::Cuda { device: device.unwrap_or(0) }),
            ("tensorrt", device) => Ok(Self::TensorRt { device: device.unwrap_or(0) }),
            _ => Err(refuse()),
        }
    }
}

/// The value of a further input, the same in every run and for every row.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    /// The input's name.
    pub name: String,
    /// One value, which fills the input's shape, or as many values as the shape holds, row-major.
    pub values: Vec<f64>,
}

impl FromStr for Constant {
    type Err = Error;

    /// Reads `NAME=VALUE` or `NAME=V1,V2,...`; a value is a number, `true` or `false`.
    fn from_str(text: &str) -> Result<Self> {
        let refuse =
            |what: &str| Error::argument("constant", format!("{text:?} {what}: write NAME=VALUE or NAME=V1,V2"));
        // Tensor names may hold '='; numbers cannot.
        let (name, values) = text.rsplit_once('=').ok_or_else(|| refuse("has no '='"))?;
        if name.is_empty() {
            return Err(refuse("names no input"));
        }
        let number = |value: &str| match value.trim() {
            "true" => Ok(1.0),
            "false" => Ok(0.0),
            value => value.parse::<f64>().map_err(|_| refuse("holds a value that is not a number")),
        };
        Ok(Self { name: name.to_owned(), values: values.split(',').map(number).collect::<Result<_>>()? })
    }
}

/// How to open a model. `ModelOptions::default()` suits a model with one input and one output of scores.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelOptions {
    /// ONNX Runtime's library, where it is not to be searched for. One per process: the first one loaded stays.
    pub runtime: Option<PathBuf>,
    /// Where the model runs.
    pub provider: Provider,
    /// Options of the provider, under ONNX Runtime's names; the processor takes none.
    pub provider_options: Vec<(String, String)>,
    /// The library of a plug-in provider. It is registered once a process and stays; [`Provider::Other`] then names
    /// which of its providers is used.
    pub provider_library: Option<PathBuf>,
    /// Libraries of custom operators, each with a function `RegisterCustomOps`. Their code is part of the model, so
    /// that [`super::Model::sha256`] depends on them. Each stays for the life of the process.
    pub custom_ops: Vec<PathBuf>,
    /// Bytes of the provider's memory on a GPU ([`Provider::Cuda`], [`Provider::TensorRt`]); what the batch plan keeps
    /// to on the processor ([`super::Model::rows_within`]). Other providers take no limit.
    pub memory_limit: Option<u64>,
    /// Open the model on the processor where the provider cannot be used. What happened is in
    /// [`super::Model::provider`] and [`super::Model::fallback`].
    pub allow_fallback: bool,
    /// Options of CUDA, also for what TensorRT leaves to it.
    pub cuda: CudaOptions,
    /// Options of TensorRT.
    pub tensorrt: TensorRtOptions,
    /// The stream of the device that the session's work goes to; its own where none is given. For CUDA and TensorRT.
    pub stream: Option<DeviceStream>,
    /// Threads within one run (ONNX Runtime's intra-op threads), at least 1. Rows are independent, so several
    /// runners with one thread each beat one runner with several.
    pub intra_threads: usize,
    /// Whether the threads within one run spin while they wait for one another: runs of several threads are faster, and
    /// keep their cores from everything else for a while after each run. No difference with one thread.
    pub intra_spinning: bool,
    /// Name of the input that is classified, where the model has several.
    pub input: Option<String>,
    /// Shape of one element (without the batch), where the model leaves a dimension open.
    pub input_shape: Option<Vec<usize>>,
    /// Values of the further inputs.
    pub constants: Vec<Constant>,
    /// Name of the output that holds the scores, where the rules in [`crate::model`] do not settle it.
    pub output: Option<String>,
    /// Number of classes, where the output does not show it (an integer label).
    pub classes: Option<usize>,
    /// For a model with a single score per row: label 1 where the score is greater than this, label 0 otherwise. With
    /// `base_k` only labels whose score is greater than this are given.
    pub threshold: Option<f64>,
    /// For a multi-label model, k': a row is given the labels of its k' highest scores, or with a threshold those of
    /// them that are above it.
    pub base_k: Option<usize>,
    /// Subtracted before the model, after the noise: empty, one value, or one per channel (per feature, if flat).
    pub mean: Vec<f32>,
    /// Divided by, after the mean: empty, one value, or one per channel (per feature, if flat).
    pub std: Vec<f32>,
}

impl ModelOptions {
    /// The same model on the processor.
    pub(super) fn on_cpu(&self) -> Self {
        Self {
            provider: Provider::Cpu,
            provider_options: Vec::new(),
            provider_library: None,
            cuda: CudaOptions::default(),
            tensorrt: TensorRtOptions::default(),
            stream: None,
            ..self.clone()
        }
    }

    /// In what a model of float32 is computed, as far as is known: which of a provider's own options change that, it
    /// alone knows, so all are said.
    pub(super) fn arithmetic(&self) -> String {
        let tensorrt = matches!(self.provider, Provider::TensorRt { .. });
        // TensorRT lets its kernels use TF32; the driver's variable is the only way out that ONNX Runtime leaves.
        let tf32 =
            self.cuda.tf32 || (tensorrt && std::env::var_os("NVIDIA_TF32_OVERRIDE").is_none_or(|value| value != "0"));
        let mut text = match self.provider {
            Provider::Other { .. } => "the provider's".to_owned(),
            _ if tf32 => "tf32".to_owned(),
            _ => "float32".to_owned(),
        };
        for (used, name) in [(self.tensorrt.fp16, "+float16"), (self.tensorrt.bf16, "+bfloat16")] {
            if used {
                text.push_str(name);
            }
        }
        let mut own: Vec<_> = self.provider_options.iter().map(|(key, value)| format!("{key}={value}")).collect();
        own.sort_unstable();
        if !own.is_empty() {
            text.push_str(" with ");
            text.push_str(&own.join(", "));
        }
        text
    }
}

impl Default for ModelOptions {
    fn default() -> Self {
        Self {
            runtime: None,
            provider: Provider::Cpu,
            provider_options: Vec::new(),
            provider_library: None,
            custom_ops: Vec::new(),
            memory_limit: None,
            allow_fallback: false,
            cuda: CudaOptions::default(),
            tensorrt: TensorRtOptions::default(),
            stream: None,
            intra_threads: 1,
            intra_spinning: false,
            input: None,
            input_shape: None,
            constants: Vec::new(),
            output: None,
            classes: None,
            threshold: None,
            base_k: None,
            mean: Vec::new(),
            std: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_round_trip() {
        for text in ["cpu", "cuda:0", "cuda:3", "tensorrt:1"] {
            assert_eq!(text.parse::<Provider>().unwrap().to_string(), text);
        }
        let openvino = Provider::Other { name: "OpenVINOExecutionProvider".into() };
        for (text, provider) in [
            ("CPU", Provider::Cpu),
            ("CPUExecutionProvider", Provider::Cpu),
            ("cuda", Provider::Cuda { device: 0 }),
            ("CUDAExecutionProvider", Provider::Cuda { device: 0 }),
            ("CUDAExecutionProvider:2", Provider::Cuda { device: 2 }),
            ("TensorrtExecutionProvider", Provider::TensorRt { device: 0 }),
            ("TensorRT:1", Provider::TensorRt { device: 1 }),
            ("openvino", openvino.clone()),
            ("OpenVINOExecutionProvider", openvino),
        ] {
            assert_eq!(text.parse::<Provider>().unwrap(), provider);
            assert_eq!(Provider::named(text).unwrap(), provider);
        }
        for text in
            ["", "gpu", "cpu:0", "CPUExecutionProvider:0", "openvino:0", "cuda:", "cuda:x", "cuda:-1", "cuda:0:1"]
        {
            assert_eq!(text.parse::<Provider>().unwrap_err().field(), Some("provider"), "{text:?}");
        }
        let error = Provider::named("cudda:1").unwrap_err();
        assert!(error.message().contains("perhaps cuda is meant"), "{error}");
    }

    #[test]
    fn every_name_that_onnx_runtime_may_know_is_a_provider() {
        let other = Provider::Other { name: "XnnpackExecutionProvider".into() };
        assert_eq!(Provider::named("XnnpackExecutionProvider").unwrap(), other);
        for text in ["", "cpu:0", "cuda:x", "a b", "1st", "ex\u{e4}mple"] {
            assert_eq!(Provider::named(text).unwrap_err().field(), Some("provider"), "{text:?}");
        }
    }

    #[test]
    fn constants_parse() {
        let constant = "a=b=1,true,-2.5".parse::<Constant>().unwrap();
        assert_eq!((constant.name.as_str(), constant.values.as_slice()), ("a=b", &[1.0, 1.0, -2.5][..]));
        for text in ["a", "=1", "a=", "a=x", "a=1,,2"] {
            assert_eq!(text.parse::<Constant>().unwrap_err().field(), Some("constant"), "{text:?}");
        }
    }
}
