//! The manifest of a RUN that is about to be made or gone on with.

use serde_json::{Map, Value, json};
use smoothtopk::Result;
use smoothtopk::model::{Runtime, Signature};
use smoothtopk::noise::Source;
use smoothtopk::smoothed::{Bounding, NoiseMode, Request};

use super::{Args, Asked};
use crate::model_args::ModelArgs;
use crate::noise_args::fingerprint;
use crate::run_dir::{self, LabelSource, Manifest};
use crate::sampling::{Sampling, SamplingArgs};

/// The manifest of the RUN that `args` ask for.
pub fn manifest(args: &Args, sampling: &Sampling, asked: &Asked) -> Result<Manifest> {
    let SamplingArgs { skip, max, model_args, timeout, .. } = &args.sampling;
    let Asked { request, labels, guarantee, shared } = asked;
    let Sampling { model, opened, data, examples, .. } = sampling;
    let signature = model.signature();
    let noise = request.noise()?;
    let (n0, elements) = (pilot_samples(asked), signature.elements);
    let key = match noise.source() {
        Source::ChaCha12 { key } => Some(fingerprint(key)),
        _ => None,
    };
    let widen = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
    Ok(Manifest {
        format: run_dir::FORMAT,
        program_version: smoothtopk::VERSION.to_owned(),
        model: args.sampling.model.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        model_sha256: model.sha256().to_owned(),
        data: data.file_name(),
        data_sha256: data.sha256()?.to_owned(),
        onnxruntime_version: Runtime::load(None)?.version().to_owned(),
        provider: opened.provider(),
        arithmetic: model.arithmetic().to_owned(),
        fallback: model.fallback().map(str::to_owned),
        precision: model.precision().to_string(),
        sigma: request.sigma,
        k: request.k.clone(),
        n0,
        n: request.n,
        rule: request.rule.to_string(),
        timeout: timeout.map(|timeout| timeout.as_secs_f64()),
        guarantee: *guarantee,
        alpha: request.alpha,
        alpha_total: shared.map(|(total, _)| total),
        statements: shared.map(|(_, statements)| statements),
        alpha_noise: noise.extra_alpha(request.n.saturating_add(n0), elements),
        randomized: request.randomized,
        bound: if *guarantee { "guarantee".to_owned() } else { request.bound.to_string() },
        generator: noise.source().name().to_owned(),
        seed: request.generator.seed(),
        key_sha256: key,
        levels: match request.noise {
            NoiseMode::Grid => None,
            NoiseMode::Exact(grid) => Some(grid.levels()),
        },
        grid: noise.mode().step(),
        radius_slack: noise.radius_slack(elements),
        elements,
        classes: signature.classes,
        labels: *labels,
        input_scale: args.sampling.input_scale(),
        mean: widen(&model_args.mean),
        std: widen(&model_args.std),
        resize: data.resize().map(|resize| resize.as_str().to_owned()),
        skip: *skip,
        max: *max,
        examples: examples.len(),
        more: how_read(model_args, signature, request, &noise.name()),
    })
}

/// The rows that are drawn to select a label, or how alpha is spent.
fn pilot_samples(asked: &Asked) -> u64 {
    let Asked { request, labels, guarantee, .. } = asked;
    match labels {
        LabelSource::Selected => request.n0,
        LabelSource::Given if !guarantee && request.bound == Bounding::Auto => request.n0,
        LabelSource::Given | LabelSource::Same => 0,
    }
}

/// How the model is read: with its hash, all that makes it the classifier that was certified.
fn how_read(args: &ModelArgs, signature: &Signature, request: &Request, noise: &str) -> Map<String, Value> {
    // Every option is named here, so that a new one cannot be left out.
    let ModelArgs {
        constant,
        // In the signature, as the model settled them.
        input: _,
        input_shape: _,
        output: _,
        classes: _,
        threshold: _,
        // Fields of the manifest of their own.
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
        mean: _,
        std: _,
    } = args;
    let mut constants = constant.clone();
    constants.sort_unstable();
    let fields = json!({
        "noise": noise,
        "input_max": request.input_max,
        "input": signature.input,
        "element_shape": signature.element_shape,
        "constants": constants,
        "output": signature.output,
        "scores": signature.reading.to_string(),
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
