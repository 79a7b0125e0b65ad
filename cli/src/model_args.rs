//! Options of every command that opens a model.

use std::path::{Path, PathBuf};

use smoothtopk::model::{Constant, CudaOptions, ModelOptions, Provider, TensorRtOptions};
use smoothtopk::sampler::{self, Opened};
use smoothtopk::{Error, Result};

/// How the model is opened and read.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Model options")]
pub struct ModelArgs {
    /// Where the model runs: cpu, cuda[:ID], tensorrt[:ID], openvino, or ONNX Runtime's name of any provider it has;
    /// nothing falls back to another without --allow-fallback
    #[arg(long, value_name = "PROVIDER", default_value = "cpu")]
    pub provider: String,

    /// Setting of the provider, by ONNX Runtime's own key; repeatable. Records say it: it may make another base
    /// classifier
    #[arg(long, value_name = "KEY=VALUE")]
    pub provider_option: Vec<String>,

    /// Library of a plug-in provider, which --provider then names
    #[arg(long, value_name = "PATH")]
    pub provider_library: Option<PathBuf>,

    /// GPUs that share the rows, for cuda and tensorrt: 0,1 [default: the provider's own]
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub device: Vec<u32>,

    /// Run on the processor where the provider cannot be used; records say so
    #[arg(long)]
    pub allow_fallback: bool,

    /// CUDA: multiply float32 with 10 bits of fraction, which is another base classifier
    #[arg(long)]
    pub tf32: bool,

    /// TensorRT: compute in float16 where that is faster, which is another base classifier
    #[arg(long)]
    pub trt_fp16: bool,

    /// TensorRT: compute in bfloat16 where that is faster, which is another base classifier
    #[arg(long)]
    pub trt_bf16: bool,

    /// TensorRT: folder where built engines are kept [default: not kept]
    #[arg(long, value_name = "DIR")]
    pub trt_cache: Option<PathBuf>,

    /// ONNX Runtime's library, or the folder that holds it
    #[arg(long, value_name = "PATH")]
    pub onnxruntime: Option<PathBuf>,

    /// Name of the classified input, if the model has several
    #[arg(long, value_name = "NAME")]
    pub input: Option<String>,

    /// Shape of one input without the batch, where the model leaves it open: 3,224,224
    #[arg(long, value_name = "SHAPE", value_delimiter = ',')]
    pub input_shape: Option<Vec<usize>>,

    /// Value of a further input, one or row-major; repeatable
    #[arg(long, value_name = "NAME=VALUE[,VALUE..]", allow_hyphen_values = true)]
    pub constant: Vec<String>,

    /// Name of the output with the scores, if the model has several
    #[arg(long, value_name = "NAME")]
    pub output: Option<String>,

    /// Number of classes, for a model that gives the label itself
    #[arg(long, value_name = "C")]
    pub classes: Option<usize>,

    /// Label 1 above this, for a model with one score per row: 0 for a logit, 0.5 for a probability; with --base-k only
    /// labels above this
    #[arg(long, value_name = "SCORE", allow_hyphen_values = true)]
    pub threshold: Option<f64>,

    /// For a multi-label model: a sample is given the labels of its K' highest scores, or with --threshold those of
    /// them that are above it (K' may be all labels)
    #[arg(long, value_name = "K'")]
    pub base_k: Option<usize>,

    /// Subtracted before the model and after the noise: one value, or one per channel
    #[arg(long, value_name = "MEAN[,MEAN..]", value_delimiter = ',', allow_hyphen_values = true)]
    pub mean: Vec<f32>,

    /// Divided by after the mean: one value, or one per channel
    #[arg(long, value_name = "STD[,STD..]", value_delimiter = ',', allow_hyphen_values = true)]
    pub std: Vec<f32>,
}

impl ModelArgs {
    /// Opens a model where its rows are fastest; `batch` is the only one that will be run, where that is known. Tells
    /// what the user should know of it.
    pub fn open(&self, model: &Path, batch: Option<usize>) -> Result<Opened> {
        self.open_silently(model, batch).inspect(|opened| self.tell(opened))
    }

    pub fn open_silently(&self, model: &Path, batch: Option<usize>) -> Result<Opened> {
        sampler::open(model, &self.options()?, &self.device, batch)
    }

    pub fn tell(&self, opened: &Opened) {
        if let Some(reason) = opened.model.fallback() {
            say!("smoothtopk: the model runs on the processor instead of {}: {reason}", self.provider);
        }
        opened.model.signature().warnings.iter().for_each(|warning| say!("warning: {warning}"));
    }

    /// The library's options. One thread within a run: commands run batches side by side.
    pub fn options(&self) -> Result<ModelOptions> {
        Ok(ModelOptions {
            runtime: self.onnxruntime.clone(),
            provider: Provider::named(&self.provider)?,
            provider_options: self.provider_option.iter().map(|text| setting(text)).collect::<Result<_>>()?,
            provider_library: self.provider_library.clone(),
            allow_fallback: self.allow_fallback,
            cuda: CudaOptions { tf32: self.tf32, ..CudaOptions::default() },
            tensorrt: TensorRtOptions {
                fp16: self.trt_fp16,
                bf16: self.trt_bf16,
                cache: self.trt_cache.clone(),
                ..TensorRtOptions::default()
            },
            intra_threads: 1,
            input: self.input.clone(),
            input_shape: self.input_shape.clone(),
            constants: self.constant.iter().map(|text| text.parse::<Constant>()).collect::<Result<_>>()?,
            output: self.output.clone(),
            classes: self.classes,
            threshold: self.threshold,
            base_k: self.base_k,
            mean: self.mean.clone(),
            std: self.std.clone(),
            ..ModelOptions::default()
        })
    }
}

/// KEY=VALUE.
fn setting(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Error::argument("provider-option", format!("{text:?} is not KEY=VALUE"))),
    }
}
