//! An open model: what every runner of it shares.

use std::ffi::CString;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use ort::session::{NoSelectedOutputs, RunOptions};

use super::constants::Filled;
use super::gpu::DeviceStream;
use super::labels;
use super::options::Provider;
use super::raw::{self, Call, RawResult, Tensor, one_line};
use super::resolve::IoMapping;
use super::session::Opened;
use super::signature::{BatchDim, Reading};
use crate::{Error, ErrorKind, Result};

/// Session and mapping, shared by all runners of a model; it lives as long as the last of them.
pub(super) struct Core {
    pub opened: Opened,
    pub mapping: IoMapping,
    pub provider: Provider,
    /// Dropped after the session, whose work goes there.
    pub _stream: Option<DeviceStream>,
    pub arithmetic: String,
    /// Whether the provider replays recorded graphs of bound runs.
    pub graph: bool,
    /// How many numbers of such graphs were given out; 0 is ONNX Runtime's own.
    pub graphs: AtomicU32,
    /// Why it is not the provider that was asked for.
    pub fallback: Option<String>,
}

/// Shape of one row of the output, without the batch: known after the first run.
pub(super) type RowShape = Vec<usize>;

fn run_error(reason: String) -> Error {
    Error::new(ErrorKind::Run, format!("a run of the model failed: {reason}"))
}

pub(super) fn c_string(name: &str) -> Result<CString> {
    CString::new(name).map_err(|_| Error::new(ErrorKind::Model, format!("the name {name:?} holds a NUL")))
}

fn with_rows(rows: usize, shape: &[usize]) -> Vec<usize> {
    [&[rows], shape].concat()
}

impl Core {
    /// Options of a run on the host's memory.
    pub(super) fn run_options(&self) -> Result<Arc<RunOptions<NoSelectedOutputs>>> {
        let fail =
            |error: ort::Error| Error::new(ErrorKind::Run, format!("no run options: {}", one_line(error.message())));
        let mut options = RunOptions::new().map_err(fail)?;
        if self.graph {
            // A graph would be recorded with the addresses of this run, and replayed with them.
            options.set("gpu_graph_id", "-1").map_err(fail)?;
        }
        Ok(Arc::new(options))
    }

    /// A call for up to `rows` rows. With the output's element type and row shape, its memory is made once.
    pub(super) fn call(
        &self,
        rows: usize,
        options: Arc<RunOptions<NoSelectedOutputs>>,
        output: Option<(super::ElementType, &RowShape)>,
    ) -> Result<Call> {
        self.call_for(&self.mapping.output, rows, options, output)
    }

    /// The same for another output.
    pub(super) fn call_for(
        &self,
        name: &str,
        rows: usize,
        options: Arc<RunOptions<NoSelectedOutputs>>,
        output: Option<(super::ElementType, &RowShape)>,
    ) -> Result<Call> {
        let mapping = &self.mapping;
        let memory = |reason| Error::new(ErrorKind::Run, format!("no memory for a batch of {rows} rows: {reason}"));
        let input =
            Tensor::zeros(mapping.input_type, &with_rows(rows, &mapping.element_shape), Some(0)).map_err(memory)?;
        let mut inputs = vec![(c_string(&mapping.input)?, input)];
        inputs.extend(self.constants(rows)?);
        let bound = match output {
            Some((element, shape)) => Some(Tensor::zeros(element, &with_rows(rows, shape), Some(0)).map_err(memory)?),
            None => None,
        };
        Ok(Call::new(Arc::clone(&self.opened.session), options, inputs, c_string(name)?, bound))
    }

    /// The further inputs, for up to `rows` rows.
    pub(super) fn constants(&self, rows: usize) -> Result<Vec<(CString, Tensor)>> {
        let memory = |reason| Error::new(ErrorKind::Run, format!("no memory for a batch of {rows} rows: {reason}"));
        let make = |constant: &Filled| {
            let shape = constant.shape_for(rows);
            let mut tensor = Tensor::zeros(constant.element, &shape, constant.batch_axis).map_err(memory)?;
            if !constant.bytes.is_empty() {
                let bytes = tensor.buffer().elements_mut::<u8>();
                bytes.chunks_exact_mut(constant.bytes.len()).for_each(|chunk| chunk.copy_from_slice(&constant.bytes));
            }
            Ok((c_string(&constant.name)?, tensor))
        };
        self.mapping.constants.iter().map(make).collect()
    }

    /// Runs, alone where the provider's runs must not overlap.
    pub(super) fn run(&self, call: &mut Call) -> RawResult<()> {
        let _turn =
            self.opened.turn.as_ref().map(|turn| turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        call.run()
    }

    /// Bytes that runs have held at once at most, the session's weights included; none where the provider does not say.
    pub(super) fn most_held(&self) -> Option<u64> {
        // A GPU's memory is another arena.
        (self.provider == Provider::Cpu).then(|| raw::most_held(&self.opened.session).ok()).flatten()
    }

    /// Has ONNX Runtime give back the memory that no run holds, which otherwise stays as large as the largest run
    /// needed.
    pub(super) fn release(&self) -> RawResult<()> {
        if self.provider != Provider::Cpu {
            return Ok(());
        }
        let (key, value) = raw::SHRINK;
        let mut options = RunOptions::new().map_err(|error| error.to_string())?;
        options.set(key, value).map_err(|error| error.to_string())?;
        let rows = match self.mapping.batch {
            BatchDim::Fixed(rows) => rows,
            BatchDim::Dynamic => 1,
        };
        let mut call = self.call(rows, Arc::new(options), None).map_err(|error| error.to_string())?;
        self.run(&mut call)
    }

    /// Reads the labels of each row from the output of a run: one for each of its places.
    pub(super) fn read(&self, call: &Call, reading: Reading, classes: usize, labels: &mut [u32]) -> Result<()> {
        let rows = labels.len() / reading.places();
        if reading == Reading::ClassMaps {
            if call.maps().map_err(run_error)? < rows {
                return Err(run_error("it gave fewer class maps than rows".into()));
            }
            for (i, label) in labels.iter_mut().enumerate() {
                let count = call
                    .map_scores(i, |data| {
                        labels::from_scores(&data, classes, std::slice::from_mut(label));
                        data.len()
                    })
                    .map_err(run_error)?;
                if count != classes {
                    return Err(run_error(format!("a class map has {count} classes, not {classes}")));
                }
            }
            return Ok(());
        }
        let (shape, data) = call.tensor().map_err(run_error)?;
        let columns = if matches!(reading, Reading::Scores | Reading::Sets { .. }) { classes } else { 1 };
        if columns.checked_mul(rows).is_none_or(|needed| data.len() < needed) {
            return Err(run_error(format!("it gave an output of shape {shape:?} for {rows} rows")));
        }
        match reading {
            Reading::Scores => labels::from_scores(&data, classes, labels),
            Reading::Sets { base_k, threshold } => {
                labels::from_score_sets(&data, classes, threshold, base_k, labels);
            }
            Reading::Binary { threshold } => labels::from_threshold(&data, threshold, labels),
            Reading::Label => labels::from_labels(&data, classes, labels).map_err(run_error)?,
            Reading::ClassMaps => unreachable!("read above"),
        }
        Ok(())
    }
}
