//! Which execution providers a session gets, with their options. One that fails to load is an error, not skipped.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::ep::{ArbitrarilyConfigurableExecutionProvider, CUDA, TensorRT};
use ort::session::builder::SessionBuilder;

use super::gpu::{CudaOptions, DeviceStream, TensorRtOptions};
use super::options::{ModelOptions, Provider};
use super::raw::{self, one_line};
use super::runtime::Runtime;
use crate::{Error, Result};

/// Refuses options that the provider cannot have.
pub(super) fn check(options: &ModelOptions) -> Result<()> {
    let provider = &options.provider;
    let is_nvidia = matches!(provider, Provider::Cuda { .. } | Provider::TensorRt { .. });
    let refuse = |field: &str, what: &str| Err(Error::argument(field, format!("{provider} takes no {what}")));
    if !is_nvidia && options.cuda != CudaOptions::default() {
        return refuse("cuda", "options of CUDA");
    }
    if !is_nvidia && options.stream.is_some() {
        return refuse("stream", "stream of a device");
    }
    if !matches!(provider, Provider::TensorRt { .. }) && options.tensorrt != TensorRtOptions::default() {
        return refuse("tensorrt", "options of TensorRT");
    }
    if options.tensorrt.batch == Some(0) {
        return Err(Error::argument("tensorrt.batch", "a batch has at least one row"));
    }
    if *provider == Provider::Cpu && !options.provider_options.is_empty() {
        return Err(Error::argument("provider_option", "the provider cpu takes no options"));
    }
    match provider {
        Provider::Other { name } if options.memory_limit.is_some() => {
            let message = format!("{name} takes no limit of memory here: use an option of the provider's own");
            Err(Error::argument("memory_limit", message))
        }
        Provider::Cpu | Provider::Cuda { .. } | Provider::TensorRt { .. } if options.provider_library.is_some() => {
            let message = format!("{provider} is no plug-in: name the provider that the library holds");
            Err(Error::argument("provider_library", message))
        }
        _ => Ok(()),
    }
}

/// Adds the providers, in the order in which they are to take the model's nodes. `engine` are TensorRT's settings for
/// this model.
pub(super) fn add(
    mut builder: SessionBuilder,
    runtime: &Runtime,
    options: &ModelOptions,
    engine: &[(String, String)],
) -> std::result::Result<SessionBuilder, String> {
    let set = &options.provider_options;
    let providers = match options.provider {
        Provider::Cpu => return Ok(builder),
        Provider::Cuda { device } => vec![configured(cuda(device, options), set).build().error_on_failure()],
        Provider::TensorRt { device } => {
            let mut tensorrt = TensorRT::default()
                .with_device_id(device as i32)
                .with_fp16(options.tensorrt.fp16)
                .with_bf16(options.tensorrt.bf16);
            if let Some(stream) = &options.stream {
                tensorrt = configured(tensorrt, &stream_settings(stream));
            }
            let tensorrt = configured(configured(tensorrt, engine), set);
            vec![tensorrt.build().error_on_failure(), cuda(device, options).build().error_on_failure()]
        }
        Provider::Other { ref name } => {
            if let Some(library) = &options.provider_library {
                return plug_in(builder, runtime, library, name, set);
            }
            raw::append_provider(&mut builder, name, set)?;
            return Ok(builder);
        }
    };
    builder.with_execution_providers(providers).map_err(|error| one_line(error.message()))
}

/// TF32 would drop 13 bits of every product, behind a model that says float32: it is off unless asked for.
fn cuda(device: u32, options: &ModelOptions) -> CUDA {
    let asked = &options.cuda;
    let mut settings = vec![
        ("cudnn_conv_algo_search".to_owned(), asked.conv_search.name().to_owned()),
        ("arena_extend_strategy".to_owned(), asked.arena.name().to_owned()),
    ];
    settings.extend(options.memory_limit.map(|limit| ("gpu_mem_limit".to_owned(), limit.to_string())));
    settings.extend(asked.graph.then(|| ("enable_cuda_graph".to_owned(), "1".to_owned())));
    settings.extend(options.stream.iter().flat_map(stream_settings));
    configured(CUDA::default().with_device_id(device as i32).with_tf32(asked.tf32), &settings)
}

fn stream_settings(stream: &DeviceStream) -> [(String, String); 2] {
    let set = |key: &str, value: String| (key.to_owned(), value);
    [set("has_user_compute_stream", "1".to_owned()), set("user_compute_stream", stream.0.handle().to_string())]
}

fn configured<P: ArbitrarilyConfigurableExecutionProvider>(provider: P, options: &[(String, String)]) -> P {
    options.iter().fold(provider, |provider, (key, value)| provider.with_arbitrary_config(key, value))
}

/// Registers a plug-in's library, once a process, and adds its provider `name` on all of its devices.
fn plug_in(
    builder: SessionBuilder,
    runtime: &Runtime,
    library: &Path,
    name: &str,
    options: &[(String, String)],
) -> std::result::Result<SessionBuilder, String> {
    static REGISTERED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let said = |error: ort::Error| one_line(error.message());
    let file = library.canonicalize().map_err(|error| format!("{}: {error}", library.display()))?;
    let environment = runtime.environment();
    // Before the lock is taken: the host's log may open a model.
    let _held = crate::log::hold();
    let mut registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    if !registered.contains(&file) {
        environment.register_ep_library(file.to_string_lossy(), &file).map_err(said)?;
        registered.insert(file);
    }
    drop(registered);
    let mut found = BTreeSet::new();
    let is_wanted = |device: &ort::device::Device<'_>| {
        let provider = device.ep().unwrap_or_default();
        found.insert(provider.to_owned());
        provider == name
    };
    let devices: Vec<_> = environment.devices().filter(is_wanted).collect();
    if devices.is_empty() {
        let found = found.into_iter().collect::<Vec<_>>().join(", ");
        return Err(format!("no device of this machine has this provider; providers with devices: {found}"));
    }
    let options: Vec<_> = options.iter().map(|(key, value)| (format!("{name}.{key}"), value.clone())).collect();
    builder.with_devices(devices, Some(&options)).map_err(|error| one_line(error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ComputeStream, CudaOptions};

    struct Fake;
    impl ComputeStream for Fake {
        fn handle(&self) -> usize {
            8
        }
    }

    #[test]
    fn options_of_another_provider_are_refused() {
        let default = ModelOptions::default;
        // SAFETY: no session is opened on it.
        let stream = unsafe { DeviceStream::new(std::sync::Arc::new(Fake)) };
        let of = |provider: &str| provider.parse::<Provider>().unwrap();
        let tf32 = CudaOptions { tf32: true, ..CudaOptions::default() };
        let fp16 = TensorRtOptions { fp16: true, ..TensorRtOptions::default() };
        let none = TensorRtOptions { batch: Some(0), ..TensorRtOptions::default() };
        for (options, field) in [
            (ModelOptions { cuda: tf32.clone(), ..default() }, Some("cuda")),
            (ModelOptions { stream: Some(stream.clone()), ..default() }, Some("stream")),
            (ModelOptions { provider: of("cuda"), tensorrt: fp16.clone(), ..default() }, Some("tensorrt")),
            (ModelOptions { provider: of("tensorrt"), tensorrt: none, ..default() }, Some("tensorrt.batch")),
            (ModelOptions { provider: of("cuda"), cuda: tf32.clone(), stream: Some(stream), ..default() }, None),
            (ModelOptions { provider: of("tensorrt"), cuda: tf32, tensorrt: fp16, ..default() }, None),
        ] {
            let found = check(&options).err();
            assert_eq!(found.as_ref().and_then(|error| error.field()), field, "{options:?}");
        }
    }
}
