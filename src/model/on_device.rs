//! A model's side of batches that stay on the device: what its kernels must know, and runs on memory of the device.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::core::{Core, c_string};
use super::model::Model;
use super::options::Provider;
use super::raw::{self, Binding, Memory, Rows};
use super::signature::{BatchDim, Reading};
use super::types::ElementType;
use crate::{Error, ErrorKind, Result};

/// What is done on the device to rows before a model, and to its output after it.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceLayout {
    /// Values of one row.
    pub elements: usize,
    /// In which the model takes them.
    pub input: ElementType,
    /// Mean of each channel; empty, as `std` is then, where rows go into the model as they are.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel.
    pub std: Vec<f32>,
    /// Elements that share a channel before the next channel begins.
    pub run: usize,
    /// Number of classes.
    pub classes: usize,
    /// How the output is read: never [`Reading::ClassMaps`], which is no tensor.
    pub reading: Reading,
    /// In which the model gives its output.
    pub output: ElementType,
    /// Values of the output for each row.
    pub columns: usize,
    /// Whether a run takes full batches only.
    pub full: bool,
}

/// Memory for a batch, where the model computes: addresses and bytes of the input and of the output.
#[derive(Clone, Copy, Debug)]
pub struct DeviceMemory {
    /// Address and bytes of the model's input.
    pub input: (u64, usize),
    /// Address and bytes of the model's output.
    pub output: (u64, usize),
}

/// A prepared run on memory of the device. Owned by one thread at a time.
pub struct DeviceBatch {
    // Dropped before the session and the stream.
    binding: Binding,
    core: Arc<Core>,
}

impl Model {
    /// How rows go in and labels come out on the device.
    ///
    /// # Errors
    /// `Model` where the output is no tensor or takes no memory, and `InvalidArgument` where the provider is none of
    /// CUDA and TensorRT: such models run through the host.
    pub fn device_layout(&self) -> Result<DeviceLayout> {
        self.device()?;
        let signature = &self.signature;
        let Some((output, shape)) = &self.output else {
            let message = "the output is read on the host, as it is a sequence of maps, or of another shape than the file \
                           declares: name another (--output NAME), or use one device";
            return Err(Error::new(ErrorKind::Model, message).with_field("output"));
        };
        let (mean, std) = self.preprocess.scale();
        Ok(DeviceLayout {
            elements: signature.elements,
            input: signature.input_type,
            mean,
            std,
            run: self.preprocess.run(),
            classes: signature.classes,
            reading: signature.reading,
            output: *output,
            columns: shape.iter().product(),
            full: self.core.graph || matches!(signature.batch, BatchDim::Fixed(_)),
        })
    }

    /// A run on `memory` for batches of up to `rows` rows.
    ///
    /// # Errors
    /// As [`Model::device_layout`]; `Run` where ONNX Runtime does not take the memory.
    ///
    /// # Safety
    /// Both memories lie where the model computes, are as long as they say, and outlive the batch.
    pub unsafe fn device_batch(&self, memory: DeviceMemory, rows: usize) -> Result<DeviceBatch> {
        let place = self.device()?;
        let layout = self.device_layout()?;
        let mapping = &self.core.mapping;
        let (_, row_shape) = self.output.as_ref().expect("a layout has an output");
        let rows_of = |name: &str, element, shape: &[usize], (address, bytes)| {
            Ok::<_, Error>(Rows { name: c_string(name)?, element, shape: shape.to_vec(), address, bytes })
        };
        let input = rows_of(&mapping.input, layout.input, &mapping.element_shape, memory.input)?;
        let output = rows_of(&mapping.output, layout.output, row_shape, memory.output)?;
        // ONNX Runtime replays the graph that was recorded under a number, with the addresses and the rows of then.
        let graph = (self.core.graphs.fetch_add(1, Ordering::Relaxed) + 1).to_string();
        // The stream orders what follows a run; nobody waits for it here.
        let mut settings = vec![("disable_synchronize_execution_providers", "1")];
        if self.core.graph {
            settings.push(("gpu_graph_id", &graph));
        }
        let session = Arc::clone(&self.core.opened.session);
        let inputs = &self.core.opened.interface.inputs;
        let index = inputs.iter().position(|input| input.name == mapping.input).unwrap_or(0);
        let on_host = raw::takes_on_host(&session, index, inputs.len());
        // It would be copied to the host once, when it is bound, and every batch would have the rows of then.
        if let (Memory::Cuda(_), Ok(true)) = (place, on_host) {
            let message = format!("{} takes the input {} on the processor", self.core.provider, mapping.input);
            return Err(Error::new(ErrorKind::Provider, message).with_field("provider"));
        }
        let constants = self.core.constants(rows)?;
        // SAFETY: by contract.
        let binding = unsafe { Binding::new(session, place, input, output, constants, &settings) };
        let binding =
            binding.map_err(|reason| Error::new(ErrorKind::Run, format!("no binding on the device: {reason}")))?;
        Ok(DeviceBatch { binding, core: Arc::clone(&self.core) })
    }

    /// Whether runs on the device are recorded and replayed, so that nothing else may be enqueued meanwhile.
    #[cfg(feature = "cuda")]
    pub(crate) fn replays_graphs(&self) -> bool {
        self.core.graph
    }

    fn device(&self) -> Result<Memory> {
        match self.core.provider {
            Provider::Cuda { device } | Provider::TensorRt { device } => Ok(Memory::Cuda(device)),
            // The device path's own tests run it on the processor.
            Provider::Cpu if cfg!(test) => Ok(Memory::Host),
            ref provider => {
                let message = format!("rows stay on the device with cuda and tensorrt only, not with {provider}");
                Err(Error::argument("provider", message))
            }
        }
    }
}

impl DeviceBatch {
    /// Enqueues a run on the first `rows` rows, in the stream that the model was opened with. It may return before the
    /// run has ended.
    ///
    /// # Errors
    /// `Run` if ONNX Runtime refuses it, for want of memory among others.
    ///
    /// # Safety
    /// Until the run has ended, nothing but work in the same stream touches the batch's memory.
    pub unsafe fn run(&mut self, rows: usize) -> Result<()> {
        let failed = |reason| Error::new(ErrorKind::Run, format!("a run of the model failed: {reason}"));
        let turn = self.core.opened.turn.as_ref();
        let _turn = turn.map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner));
        self.binding.set_rows(rows).map_err(failed)?;
        // SAFETY: by contract.
        unsafe { self.binding.run() }.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelOptions;

    #[test]
    fn an_input_of_the_processor_is_known_as_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/demo/digits_mlp_sigma0.25.onnx");
        let model = Model::open(path, &ModelOptions::default()).unwrap();
        let session = &model.core.opened.session;
        assert_eq!(raw::takes_on_host(session, 0, 1), Ok(true));
        // ONNX Runtime does not count what it describes.
        assert!(raw::takes_on_host(session, 1, 1).is_err());
    }
}
