//! The manifest of the RUN that is asked for.

use smoothtopk::Result;
use smoothtopk::counts::Perturbation;
use smoothtopk::model::Reading::Sets;
use smoothtopk::model::Signature;
use smoothtopk::noise::Noise;
use smoothtopk::record::Asked;

use super::args::Args;
use super::plan::Plan;
use crate::model_args::ModelArgs;
use crate::run_dir::{self, Manifest, Options, Reading};
use crate::sampling::{Sampling, SamplingArgs};

/// The manifest of the RUN that `args` ask for.
pub fn manifest(args: &Args, sampling: &Sampling, plan: &Plan, noise: &Noise) -> Result<Manifest> {
    let SamplingArgs { skip, max, timeout, .. } = &args.sampling;
    let Sampling { model, data, examples, .. } = sampling;
    let signature = model.signature();
    Ok(Manifest {
        format: run_dir::FORMAT,
        model_file: model_file(args),
        data_file: args.host.data_as.clone().unwrap_or_else(|| data.file_name()),
        data_sha256: data.sha256().to_owned(),
        data_files: data.listing(),
        guarantee: args.guarantee,
        label_source: plan.label_source,
        alpha_total: args.alpha_total,
        request: Asked::of(&plan.request, plan.task(sampling, examples[0])),
        timeout: timeout.map(|timeout| timeout.as_secs_f64()),
        generator: noise.source().name().to_owned(),
        secret_sha256: run_dir::secret_sha256(noise.source()),
        input_scale: args.sampling.input_scale(),
        resize: data.resize().map(|resize| resize.as_str().to_owned()),
        skip: *skip,
        max: *max,
        shard: plan.shard,
        sample_shard: plan.sample_shard,
        reading: reading(sampling.model_args(), signature),
        model: sampling.identity()?,
        perturbation: Perturbation::of(noise, signature.elements),
        examples: examples.len(),
        program_version: smoothtopk::VERSION.to_owned(),
        options: options(args),
    })
}

/// The name of the model's file.
pub fn model_file(args: &Args) -> String {
    args.sampling.model.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What was typed; for data that another program made, as if a person had.
pub fn options(args: &Args) -> Options {
    let mut options = args.given.options.clone();
    if let Some(name) = &args.host.data_as {
        options.insert("data".to_owned(), name.as_str().into());
        // Made with the data.
        options.remove("classes-file");
    }
    options
}

/// How the model is read.
fn reading(args: &ModelArgs, signature: &Signature) -> Reading {
    // Every option is named here, so that a new one cannot be left out.
    let ModelArgs {
        constant,
        // In the signature, as the model settled them.
        input: _,
        input_shape: _,
        output: _,
        classes: _,
        threshold: _,
        base_k: _,
        // In the identity of the model.
        provider: _,
        device: _,
        allow_fallback: _,
        tf32: _,
        trt_fp16: _,
        trt_bf16: _,
        // Said by the arithmetic.
        provider_option: _,
        // Where engines are kept makes no other classifier.
        trt_cache: _,
        onnxruntime: _,
        provider_library: _,
        mean,
        std,
    } = args;
    let widen = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
    let mut constants = constant.clone();
    constants.sort_unstable();
    Reading {
        input: signature.input.clone(),
        element_shape: signature.element_shape.clone(),
        constants,
        output: signature.output.clone(),
        scores: signature.reading.to_string(),
        classes: signature.classes,
        base_k: match signature.reading {
            Sets { base_k, .. } => Some(base_k),
            _ => None,
        },
        mean: widen(mean),
        std: widen(std),
    }
}
