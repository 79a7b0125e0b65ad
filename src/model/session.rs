//! A session: the model in ONNX Runtime's hands, on the provider asked for and no other.

use std::path::Path;
use std::sync::{Arc, Mutex};

use ort::session::builder::{AutoDevicePolicy, GraphOptimizationLevel, SessionBuilder};
use ort::session::{Session, SharedSessionInner};

use super::file::ModelFile;
use super::options::{ModelOptions, Provider};
use super::raw::{self, one_line};
use super::runtime::{self, Runtime};
use super::types::Interface;
use super::{custom_ops, devices, needed, provider_names};
use crate::{Error, ErrorKind, Result, log, signals};

/// An open session. Runs on the CPU may overlap; runs on a GPU take turns.
pub(super) struct Opened {
    pub session: Arc<SharedSessionInner>,
    pub interface: Interface,
    /// Held during a run where the provider's runs must not overlap.
    pub turn: Option<Mutex<()>>,
}

/// What goes to the processor even when a GPU was asked for: shapes are computed where they are used.
const SHAPE_OPERATORS: [&str; 14] = [
    "Shape",
    "Size",
    "Gather",
    "Unsqueeze",
    "Squeeze",
    "Concat",
    "Slice",
    "Cast",
    "Range",
    "Add",
    "Sub",
    "Mul",
    "Div",
    "ConstantOfShape",
];

/// Opens a session on a model's file. `engine` are TensorRT's settings for this model.
pub(super) fn open(
    runtime: &Runtime,
    file: &ModelFile,
    options: &ModelOptions,
    engine: &[(String, String)],
) -> Result<Opened> {
    let (provider, threads) = (&options.provider, options.intra_threads);
    if threads == 0 || i32::try_from(threads).is_err() {
        return Err(Error::argument("intra_threads", format!("{threads} threads: it takes 1 or more")));
    }
    devices::check(options)?;
    runtime::forget_messages();
    // ONNX Runtime and its providers may make threads for a session.
    let _blocked = signals::block();
    let builder = configure(runtime, file, options).map_err(|error| {
        Error::new(ErrorKind::Runtime, format!("ONNX Runtime takes no session options: {}", one_line(error.message())))
            .caused_by(error)
    })?;
    let builder = custom_ops::register(builder, &options.custom_ops)?;
    let mut builder = devices::add(builder, runtime, options, engine)
        .map_err(|reason| provider_refusal(runtime, provider, &reason))?;
    let session = builder
        .commit_from_memory(file.bytes)
        .map_err(|error| commit_refusal(runtime, provider, error.message()).caused_by(error))?;
    let interface = interface_of(&session);
    let session = session.inner();
    if *provider != Provider::Cpu {
        check_placement(&session, provider)?;
    }
    let turn = (*provider != Provider::Cpu).then(Mutex::default);
    Ok(Opened { session, interface, turn })
}

fn interface_of(session: &Session) -> Interface {
    Interface {
        inputs: session.inputs().iter().map(Into::into).collect(),
        outputs: session.outputs().iter().map(Into::into).collect(),
    }
}

fn configure(runtime: &Runtime, file: &ModelFile, options: &ModelOptions) -> ort::Result<SessionBuilder> {
    let mut builder = Session::builder(runtime.environment())?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(options.intra_threads)?
        .with_inter_threads(1)?
        .with_parallel_execution(false)?
        // Runners wait for noise and for each other; threads that spin meanwhile take the processor from them.
        .with_intra_op_spinning(options.intra_spinning)?
        .with_inter_op_spinning(false)?
        .with_deterministic_compute(true)?
        // `ort` asks for the most efficient device, which lets a plug-in take the model: name the processor.
        .with_auto_device(AutoDevicePolicy::PreferCPU)?
        .with_config_entry("session.record_ep_graph_assignment_info", "1")?;
    for (name, data) in &file.external {
        // The very bytes that were hashed, wherever a link leads to.
        builder = builder.with_external_initializer_file_in_memory(name, Arc::clone(data))?;
    }
    if let Some(folder) = file.folder.as_deref().and_then(Path::to_str) {
        // Of graphs within the graph ONNX Runtime reads the data itself.
        builder = builder.with_config_entry("session.model_external_initializers_file_folder_path", folder)?;
    }
    Ok(builder)
}

/// ONNX Runtime's name of the provider.
pub(super) fn ort_name(provider: &Provider) -> &str {
    match provider {
        Provider::Cpu => "CPUExecutionProvider",
        Provider::Cuda { .. } => "CUDAExecutionProvider",
        Provider::TensorRt { .. } => "TensorrtExecutionProvider",
        Provider::Other { name } => name,
    }
}

/// Whether ONNX Runtime's `name` of a provider means this one. Some have a short name, too: `XNNPACK`.
fn is_named(provider: &Provider, name: &str) -> bool {
    let own = ort_name(provider);
    let short = name.strip_suffix("ExecutionProvider");
    name.eq_ignore_ascii_case(own) || short.is_some_and(|short| short.eq_ignore_ascii_case(own))
}

/// File name of the provider's library, which ONNX Runtime loads from beside its own.
pub(super) fn library_name(provider: &Provider) -> Option<String> {
    let name = match provider {
        Provider::Cpu | Provider::Other { .. } => return None,
        Provider::Cuda { .. } => "onnxruntime_providers_cuda",
        Provider::TensorRt { .. } => "onnxruntime_providers_tensorrt",
    };
    Some(format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))
}

/// Before the reason in the message of a provider that was refused.
pub(super) fn refusal_prefix(provider: &Provider) -> String {
    format!("{provider} cannot be used: ")
}

fn provider_refusal(runtime: &Runtime, provider: &Provider, message: &str) -> Error {
    let library = library_name(provider).map(|name| runtime.path().with_file_name(name));
    let mut reasons = match &library {
        Some(file) if file.is_file() => needed::missing(file),
        _ => Vec::new(),
    };
    // ONNX Runtime names the first library that is missing only, and in many words.
    if reasons.is_empty() {
        if let Provider::Other { name } = provider {
            reasons.extend(provider_names::nearest(name).map(|meant| format!("perhaps {meant} is meant")));
        }
        reasons.push(one_line(message));
        // It logs what the loader said and returns less.
        reasons.extend(runtime.recent_messages().into_iter().filter(|logged| !message.contains(logged.as_str())));
        reasons.extend(library.map(|file| match file.is_file() {
            true => format!("{} is there", file.display()),
            false => format!(
                "{} is not there: set SMOOTHTOPK_ONNXRUNTIME to a build of ONNX Runtime that has it",
                file.display()
            ),
        }));
    }
    let reasons = reasons.iter().map(|reason| reason.trim_end_matches('.')).collect::<Vec<_>>().join("; ");
    let message = format!("{}{reasons}", refusal_prefix(provider));
    log::error(format_args!("{message}"));
    Error::new(ErrorKind::Provider, message).with_field("provider")
}

fn commit_refusal(runtime: &Runtime, provider: &Provider, message: &str) -> Error {
    let about_provider = *provider != Provider::Cpu
        && ["CUDA", "cuda", "CUDNN", "TensorRT", "Tensorrt", "ExecutionProvider"]
            .iter()
            .any(|word| message.contains(word));
    if about_provider {
        return provider_refusal(runtime, provider, message);
    }
    let message = format!("ONNX Runtime does not take the model: {}", one_line(message));
    Error::new(ErrorKind::Model, message).with_field("model")
}

/// The refusal of a provider that was taken and turns out, in a run, to lack cuDNN: ONNX Runtime looks for it no
/// sooner.
pub(super) fn run_refusal(provider: &Provider, reason: &str) -> Option<Error> {
    if !matches!(provider, Provider::Cuda { .. } | Provider::TensorRt { .. })
        || !reason.to_ascii_lowercase().contains("cudnn")
    {
        return None;
    }
    let lacks = match raw::find_library(Path::new(CUDNN)) {
        Ok(()) => String::new(),
        Err(looked) => format!("; {CUDNN} is missing: {looked}"),
    };
    let message = format!("{}{}{lacks}", refusal_prefix(provider), one_line(reason));
    Some(Error::new(ErrorKind::Provider, message).with_field("provider"))
}

/// The cuDNN that ONNX Runtime's builds for CUDA 12 and 13 load.
const CUDNN: &str = "libcudnn.so.9";

/// Refuses a session of which the provider asked for runs nothing, or leaves real work to the processor.
fn check_placement(session: &SharedSessionInner, provider: &Provider) -> Result<()> {
    let refuse = |message: String| Error::new(ErrorKind::Provider, message).with_field("provider");
    let placed = raw::placement(session)
        .map_err(|reason| refuse(format!("{provider}: ONNX Runtime does not say where the model runs: {reason}")))?;
    let cpu = ort_name(&Provider::Cpu);
    let mut left = placed
        .iter()
        .filter(|(operator, on)| on == cpu && !SHAPE_OPERATORS.contains(&operator.as_str()))
        .map(|(operator, _)| operator.as_str())
        .collect::<Vec<_>>();
    left.sort_unstable();
    left.dedup();
    if !placed.iter().any(|(_, on)| is_named(provider, on)) {
        return Err(refuse(format!("{provider} runs no part of this model: use the provider cpu")));
    }
    if !left.is_empty() {
        let message = format!("{provider} does not run this model's {}: use the provider cpu", left.join(", "));
        return Err(refuse(message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_cudnn_is_a_refusal_of_the_provider() {
        let cuda = Provider::Cuda { device: 1 };
        let reason = "Non-zero status code returned while running Conv node: cuDNN library not found";
        let refusal = run_refusal(&cuda, reason).unwrap();
        assert_eq!((refusal.kind(), refusal.field()), (ErrorKind::Provider, Some("provider")));
        assert!(refusal.message().starts_with("cuda:1 cannot be used: ") && refusal.message().contains("Conv"));
        // Where there is none, it is named.
        let there = raw::find_library(Path::new(CUDNN)).is_ok();
        assert_eq!(refusal.message().contains("libcudnn.so.9 is missing"), !there, "{refusal}");
        assert!(run_refusal(&cuda, "Got invalid dimensions for input: x").is_none());
        assert!(run_refusal(&Provider::Cpu, reason).is_none());
    }
}
