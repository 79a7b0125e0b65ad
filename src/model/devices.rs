//! Which execution providers a session gets, with their options. One that fails to load is an error, not skipped.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::ep::{ArbitrarilyConfigurableExecutionProvider, CUDA, TensorRT};
use ort::session::builder::SessionBuilder;

use super::options::{ModelOptions, Provider};
use super::raw;
use super::runtime::{Runtime, one_line};
use crate::{Error, Result};

/// Refuses options that the provider cannot have.
pub(super) fn check(options: &ModelOptions) -> Result<()> {
    let provider = &options.provider;
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

/// Adds the providers, in the order in which they are to take the model's nodes.
pub(super) fn add(
    mut builder: SessionBuilder,
    runtime: &Runtime,
    options: &ModelOptions,
) -> std::result::Result<SessionBuilder, String> {
    let (limit, set) = (options.memory_limit, &options.provider_options);
    // TF32 would drop 13 bits of every product, behind a model that says float32.
    let cuda = |device: u32| {
        let cuda = CUDA::default().with_device_id(device as i32).with_tf32(false);
        limit.map_or_else(|| cuda.clone(), |limit| cuda.clone().with_arbitrary_config("gpu_mem_limit", limit))
    };
    let providers = match options.provider {
        Provider::Cpu => return Ok(builder),
        Provider::Cuda { device } => vec![configured(cuda(device), set).build().error_on_failure()],
        Provider::TensorRt { device } => {
            let tensorrt = configured(TensorRT::default().with_device_id(device as i32), set);
            vec![tensorrt.build().error_on_failure(), cuda(device).build().error_on_failure()]
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
