//! Which providers load, and what exactly is missing for those that do not.

use std::path::PathBuf;

use ort::ep::{CPU, CUDA, ExecutionProvider, OpenVINO, TensorRT};

use super::file::ModelFile;
use super::options::{ModelOptions, Provider};
use super::runtime::Runtime;
use super::session;
use crate::Result;

/// A model that any provider runs, `y = Relu(x)` on one float32 (a tensor: OpenVINO takes no scalars) at opset 13, in
/// ONNX's own format: opening it needs the provider's library, its dependencies and a device.
const RELU: &[u8] = &[
    0x08, 0x07, // ir_version 7
    0x3a, 0x33, // graph, 51 bytes
    0x0a, 0x0c, 0x0a, 0x01, b'x', 0x12, 0x01, b'y', 0x22, 0x04, b'R', b'e', b'l', b'u', // node
    0x12, 0x01, b'g', // name
    0x5a, 0x0f, 0x0a, 0x01, b'x', 0x12, 0x0a, 0x0a, 0x08, 0x08, 0x01, 0x12, 0x04, 0x0a, 0x02, 0x08,
    0x01, // input x, float32 [1]
    0x62, 0x0f, 0x0a, 0x01, b'y', 0x12, 0x0a, 0x0a, 0x08, 0x08, 0x01, 0x12, 0x04, 0x0a, 0x02, 0x08,
    0x01, // output y, float32 [1]
    0x42, 0x04, 0x0a, 0x00, 0x10, 0x0d, // opset 13
];

/// Whether a provider works with the loaded runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderStatus {
    /// The provider, on its first device.
    pub provider: Provider,
    /// Whether this ONNX Runtime was built with it.
    pub built_in: bool,
    /// The library that holds it, and whether the file is there; none for the CPU, which needs none.
    pub library: Option<(PathBuf, bool)>,
    /// Why it cannot be used; none if a small model opened on it.
    pub error: Option<String>,
}

impl Runtime {
    /// Opens a small model on a provider.
    ///
    /// # Errors
    /// `Provider`, with what exactly is missing.
    pub fn check_provider(&self, provider: &Provider) -> Result<()> {
        let options = ModelOptions { provider: provider.clone(), ..ModelOptions::default() };
        ModelFile::new(RELU, None, &[]).and_then(|file| session::open(self, &file, &options, &[])).map(drop)
    }

    /// Tries each provider that this library knows: cpu, cuda, tensorrt, and openvino where ONNX Runtime was built with
    /// it.
    pub fn providers(&self) -> Vec<ProviderStatus> {
        let openvino = Provider::Other { name: OpenVINO::NAME.to_owned() };
        let known = [
            (Provider::Cpu, CPU::is_available()),
            (Provider::Cuda { device: 0 }, CUDA::is_available()),
            (Provider::TensorRt { device: 0 }, TensorRT::is_available()),
        ];
        let openvino = OpenVINO::is_available().is_ok_and(|there| there).then_some((openvino, Ok(true)));
        known
            .into_iter()
            .chain(openvino)
            .map(|(provider, built_in)| {
                let library = session::library_name(&provider).map(|name| self.path().with_file_name(name));
                let prefix = session::refusal_prefix(&provider);
                let reason =
                    |error: crate::Error| error.message().strip_prefix(&prefix).unwrap_or(error.message()).to_owned();
                let error = self.check_provider(&provider).err().map(reason);
                ProviderStatus {
                    built_in: built_in.unwrap_or(false),
                    library: library.map(|file| (file.clone(), file.is_file())),
                    error,
                    provider,
                }
            })
            .collect()
    }
}
