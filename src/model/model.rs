//! A model: opened, resolved and probed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use super::core::{Core, RowShape};
use super::file::ModelFile;
use super::options::{ModelOptions, Provider};
use super::preprocess::Preprocess;
use super::runner::Runner;
use super::runtime::Runtime;
use super::signature::{BatchDim, Signature};
use super::types::{ElementType, Interface};
use super::{engine, probe, resolve};
use crate::{Error, ErrorKind, Result};

/// A classifier, open in ONNX Runtime. Share it between threads by reference or clone it: clones share all.
#[derive(Clone)]
pub struct Model {
    pub(super) core: Arc<Core>,
    pub(super) signature: Arc<Signature>,
    pub(super) preprocess: Arc<Preprocess>,
    /// Type of the output and shape of a row of it, where runs take memory for it.
    pub(super) output: Option<(ElementType, RowShape)>,
    sha256: String,
    speed_identity: Arc<str>,
    how_read: Arc<str>,
}

impl Model {
    /// Opens a model's file, with the external data beside it if it has any.
    ///
    /// # Errors
    /// `NotFound` or `Io` if it cannot be read; `Model` if it is damaged or no classifier that this library can run,
    /// with what to do; `Provider` if the provider is not to be had; `Runtime` if ONNX Runtime is not;
    /// `InvalidArgument` if an option does not fit the model.
    pub fn open(path: impl AsRef<Path>, options: &ModelOptions) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|error| Error::io(path, &error))?;
        Self::load(&bytes, Some(path), options).map_err(|error| name_file(error, path))
    }

    /// Opens a model from memory. It must hold all of its data itself.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub fn from_bytes(bytes: &[u8], options: &ModelOptions) -> Result<Self> {
        Self::load(bytes, None, options)
    }

    fn load(bytes: &[u8], path: Option<&Path>, options: &ModelOptions) -> Result<Self> {
        let file = ModelFile::new(bytes, path, &options.custom_ops)?;
        match Self::load_on(&file, options, None) {
            Err(error) if error.kind() == ErrorKind::Provider && options.allow_fallback => {
                crate::log::warn(format_args!("the model runs on the processor instead: {error}"));
                Self::load_on(&file, &options.on_cpu(), Some(error.message().to_owned()))
            }
            loaded => loaded,
        }
    }

    /// On the provider of these options and no other; `fallback` says why it is not the one that was asked for.
    fn load_on(file: &ModelFile, options: &ModelOptions, fallback: Option<String>) -> Result<Self> {
        let (opened, batch) = engine::open(file, options)?;
        let mut mapping = resolve::resolve(&opened.interface, options)?;
        if let Some(rows) = batch {
            // TensorRT's engine takes no other shape.
            mapping.batch = BatchDim::Fixed(rows);
        }
        let mut core = Core {
            opened,
            mapping,
            provider: options.provider.clone(),
            _stream: options.stream.clone(),
            arithmetic: options.arithmetic(),
            graph: options.cuda.graph,
            graphs: AtomicU32::new(0),
            fallback,
        };
        let probe::Found { settled, batch, takes_memory, warnings } = probe::probe(&core, options)?;
        warnings.iter().for_each(|warning| crate::log::warn(format_args!("{warning}")));
        core.mapping.batch = batch;
        let mapping = &core.mapping;
        let signature = Signature {
            interface: core.opened.interface.clone(),
            input: mapping.input.clone(),
            input_type: mapping.input_type,
            element_shape: mapping.element_shape.clone(),
            elements: mapping.elements,
            layout: mapping.layout,
            batch: mapping.batch,
            constants: mapping.constants.iter().map(|constant| constant.name.clone()).collect(),
            output: mapping.output.clone(),
            reading: settled.reading,
            why: format!("{}; {}", mapping.why, settled.how),
            classes: settled.classes,
            class_names: settled.class_names,
            warnings,
        };
        let preprocess = Preprocess::new(&signature, options)?;
        let ModelOptions { provider, provider_options, intra_threads, intra_spinning, .. } = options;
        let runtime = Runtime::load(None)?;
        let speed_identity = format!(
            "{} as {:?} {}, {provider} {provider_options:?}, {:?}, ONNX Runtime {} with {intra_threads} threads a run{}",
            file.sha256,
            signature.element_shape,
            if preprocess.is_identity() { "as it is" } else { "preprocessed" },
            core.arithmetic,
            runtime.version(),
            if *intra_spinning { ", spinning" } else { "" },
        );
        let how_read = format!(
            "{} of {:?} from {:?} as {}, mean {:?}, std {:?}, constants {:?}",
            signature.reading,
            signature.output,
            signature.input,
            signature.input_type,
            options.mean,
            options.std,
            options.constants,
        );
        Ok(Self {
            how_read: how_read.into(),
            core: Arc::new(core),
            signature: Arc::new(signature),
            preprocess: Arc::new(preprocess),
            output: settled.output.filter(|_| takes_memory),
            sha256: file.sha256.clone(),
            speed_identity: speed_identity.into(),
        })
    }

    /// Only a model's inputs and outputs: works for a model that is no classifier, too.
    ///
    /// # Errors
    /// As [`Model::open`], without the errors about classifiers.
    pub fn interface(path: impl AsRef<Path>, options: &ModelOptions) -> Result<Interface> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|error| Error::io(path, &error))?;
        let (opened, _) = ModelFile::new(&bytes, Some(path), &options.custom_ops)
            .and_then(|file| engine::open(&file, options))
            .map_err(|error| name_file(error, path))?;
        Ok(opened.interface)
    }

    /// A runner for batches of up to `batch` rows; exactly the model's own where that is fixed.
    ///
    /// # Errors
    /// `InvalidArgument` if `batch` is 0 or not the fixed one; `Run` if there is no memory for it.
    pub fn runner(&self, batch: usize) -> Result<Runner> {
        let output = self.output.as_ref().map(|(element, shape)| (*element, shape));
        Runner::new(Arc::clone(&self.core), Arc::clone(&self.signature), Arc::clone(&self.preprocess), output, batch)
    }

    /// Refuses an input on a scale up to 1 for a model of bytes, which would round nearly all of it away.
    ///
    /// # Errors
    /// `InvalidData` (`input`).
    pub fn check_input(&self, input: &[f32]) -> Result<()> {
        let takes_bytes = self.signature.input_type == ElementType::UInt8 && self.preprocess.is_cast();
        if !takes_bytes || input.iter().all(|x| x.fract() == 0.0) || input.iter().any(|x| x.abs() > 1.0) {
            return Ok(());
        }
        let message = "the model takes bytes, from 0 to 255, and no value is greater than 1, so that next to nothing \
                       is left when they are rounded: give bytes, or have the rows multiplied by 255 after the noise \
                       (a normalization with std 1/255, --std 0.003921569)";
        Err(Error::data("input", message))
    }

    /// Inputs and outputs, and how they are used.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// SHA-256 of the file's bytes, in hex. With external data: that of the listing which
    /// `(sha256sum < MODEL; sha256sum FILE...)` prints in the model's folder, files sorted by name.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What is done to a sample before the model takes it, and how its output is read, in words.
    pub fn how_read(&self) -> &str {
        &self.how_read
    }

    /// Where it runs: not where it was to run, if it fell back.
    pub fn provider(&self) -> &Provider {
        &self.core.provider
    }

    /// Why it runs on the processor and not by the provider asked for, where [`ModelOptions::allow_fallback`] let it.
    pub fn fallback(&self) -> Option<&str> {
        self.core.fallback.as_deref()
    }

    /// In what float32 is computed: `float32`; `tf32`; with `+float16` or `+bfloat16` where TensorRT may choose these.
    /// TensorRT itself uses TF32 unless the environment says `NVIDIA_TF32_OVERRIDE=0`. `the provider's` of a
    /// [`Provider::Other`]. [`ModelOptions::provider_options`] follow, for any may change it: `float32 with KEY=VALUE,
    /// KEY=VALUE`.
    pub fn arithmetic(&self) -> &str {
        &self.core.arithmetic
    }

    /// The rows of a batch for which the buffers of `threads` runners, as this library allocates them, fit into
    /// `bytes`.
    pub fn rows_within(&self, bytes: u64, threads: usize) -> usize {
        let signature = &self.signature;
        let staging = if self.preprocess.is_identity() { 0 } else { size_of::<f32>() };
        let input = signature.elements.saturating_mul(signature.input_type.bytes() + staging);
        let output = match &self.output {
            Some((element, shape)) => shape.iter().product::<usize>().saturating_mul(element.bytes()),
            None => signature.classes.saturating_mul(size_of::<f64>()),
        };
        let a_row = input.saturating_add(output).saturating_mul(threads).max(1);
        usize::try_from(bytes).unwrap_or(usize::MAX) / a_row
    }

    /// The file, how its input is made, where it runs and by which ONNX Runtime: all of what its speed depends on but
    /// the machine.
    pub(crate) fn speed_identity(&self) -> String {
        self.speed_identity.to_string()
    }

    /// Bytes that runs have held at once at most, the model's weights included, where ONNX Runtime says.
    pub(crate) fn run_bytes(&self) -> Option<u64> {
        self.core.most_held()
    }

    /// Gives back what larger runs needed than those to come.
    pub(crate) fn release(&self) {
        if let Err(reason) = self.core.release() {
            crate::log::warn(format_args!("ONNX Runtime keeps the memory of earlier runs: {reason}"));
        }
    }

    /// The type in which the model takes its rows; [`Model::arithmetic`] says in what float32 is computed.
    pub fn precision(&self) -> ElementType {
        self.signature.input_type
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("signature", &self.signature)
            .field("sha256", &self.sha256)
            .finish_non_exhaustive()
    }
}

/// Opens one session of a model.
pub(crate) type OpenModel<'a> = &'a dyn Fn(&ModelOptions) -> Result<Model>;

/// Says which file an error about a model is about.
fn name_file(error: Error, path: &Path) -> Error {
    if error.kind() != ErrorKind::Model {
        return error;
    }
    let error = if error.field() == Some("model") { error.without_field() } else { error };
    error.prefixed(&format!("{}: ", path.display()))
}
