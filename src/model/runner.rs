//! Running batches: rows in noise space in, top labels out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ort::session::{NoSelectedOutputs, RunOptions};

use super::core::{Core, RowShape};
use super::preprocess::Preprocess;
use super::raw::{Buffer, Call};
use super::signature::{BatchDim, Signature};
use super::types::ElementType;
use crate::{Error, ErrorKind, Result};

/// Runs batches of one model. Owned by one thread at a time; a model has as many as the caller wants.
///
/// A run allocates nothing but what ONNX Runtime allocates itself.
pub struct Runner {
    // Dropped first: it holds the session, which must go before the core's stream.
    call: Call,
    core: Arc<Core>,
    signature: Arc<Signature>,
    preprocess: Arc<Preprocess>,
    /// Rows before preprocessing, where that does anything; rows go straight into the model's input otherwise.
    staging: Option<Buffer>,
    batch: usize,
    canceller: Canceller,
}

/// Stops a runner's run, from any thread.
#[derive(Clone)]
pub struct Canceller {
    cancelled: Arc<AtomicBool>,
    options: Arc<RunOptions<NoSelectedOutputs>>,
}

impl Canceller {
    /// Stops the run under way, in about a millisecond, and every later one, until [`Canceller::reset`]. They fail
    /// with [`ErrorKind::Cancelled`]; a run that was about to end may still succeed.
    pub fn cancel(&self) {
        // ONNX Runtime has no error code for a stopped run: the flag tells it from one that failed.
        self.cancelled.store(true, Ordering::SeqCst);
        // It only sets a flag and cannot fail; were it to, the run would end by itself and the next would be refused.
        let _ = self.options.terminate();
    }

    /// Lets the runner run again. Not to be called while another thread may cancel.
    pub fn reset(&self) {
        let _ = self.options.unterminate();
        self.cancelled.store(false, Ordering::SeqCst);
    }

    /// Whether it was cancelled and not reset.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }
}

impl Runner {
    pub(super) fn new(
        core: Arc<Core>,
        signature: Arc<Signature>,
        preprocess: Arc<Preprocess>,
        output: Option<(ElementType, &RowShape)>,
        batch: usize,
    ) -> Result<Self> {
        let message = match signature.batch {
            _ if batch == 0 => Some("a batch has at least one row".to_owned()),
            BatchDim::Fixed(rows) if rows != batch => {
                Some(format!("the model's batch is fixed at {rows}, not {batch}"))
            }
            _ => None,
        };
        if let Some(message) = message {
            return Err(Error::argument("batch", message));
        }
        let options = core.run_options()?;
        let call = core.call(batch, Arc::clone(&options), output)?;
        let staging = match preprocess.is_identity() {
            true => None,
            false => {
                let bytes = batch.checked_mul(signature.elements).and_then(|count| count.checked_mul(size_of::<f32>()));
                let buffer = bytes.and_then(Buffer::zeros).ok_or_else(|| {
                    Error::new(ErrorKind::Run, format!("no memory for a batch of {batch} rows")).with_field("batch")
                })?;
                Some(buffer)
            }
        };
        let canceller = Canceller { cancelled: Arc::default(), options };
        Ok(Self { core, signature, preprocess, call, staging, batch, canceller })
    }

    /// The most rows that one run takes.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The first `rows` rows of the input, row-major `[rows, elements]`, in noise space: before mean, std and cast.
    /// What is written stays until it is overwritten.
    ///
    /// # Panics
    /// If `rows` is greater than [`Runner::batch`].
    pub fn rows_mut(&mut self, rows: usize) -> &mut [f32] {
        let buffer = match &mut self.staging {
            Some(staging) => staging,
            None => self.call.input(0),
        };
        &mut buffer.elements_mut()[..rows * self.signature.elements]
    }

    /// Runs the first `rows` rows and writes the label of each to `labels[..rows]`, or
    /// [`base_k`](super::ModelOptions::base_k) labels a row. See [`crate::model`] for ties and for rows with
    /// [`super::NO_LABEL`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if `rows` is 0 or greater than the batch, or `labels` is shorter;
    /// [`ErrorKind::Cancelled`] after [`Canceller::cancel`]; [`ErrorKind::Run`] if the model fails. `labels` is then
    /// not to be read.
    pub fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()> {
        if rows == 0 || rows > self.batch {
            return Err(Error::argument("rows", format!("{rows} rows; a run takes 1 to {}", self.batch)));
        }
        let needed = rows.saturating_mul(self.signature.reading.places());
        let Some(labels) = labels.get_mut(..needed) else {
            return Err(Error::argument("labels", format!("room for {} labels, {needed} are needed", labels.len())));
        };
        if self.canceller.is_cancelled() {
            return Err(cancelled());
        }
        self.fill(rows)?;
        self.run_bare()?;
        self.core.read(&self.call, self.signature.reading, self.signature.classes, labels)
    }

    /// Runs the model on whatever its input holds, and nothing else: what a run costs without preprocessing, padding
    /// and labels. The yardstick of a benchmark.
    ///
    /// # Errors
    /// As [`Runner::run`].
    pub fn run_bare(&mut self) -> Result<()> {
        match self.core.run(&mut self.call) {
            Ok(()) => Ok(()),
            Err(_) if self.canceller.is_cancelled() => Err(cancelled()),
            Err(reason) => Err(Error::new(ErrorKind::Run, format!("a run of the model failed: {reason}"))),
        }
    }

    /// Brings `rows` rows into the model's input: preprocessed, and padded with zeros to a fixed batch.
    fn fill(&mut self, rows: usize) -> Result<()> {
        let elements = rows * self.signature.elements;
        if let Some(staging) = &mut self.staging {
            self.preprocess.apply(&staging.elements_mut::<f32>()[..elements], self.call.input(0));
        }
        match self.signature.batch {
            BatchDim::Dynamic => self.call.set_rows(rows).map_err(|reason| Error::new(ErrorKind::Run, reason)),
            BatchDim::Fixed(_) => {
                let from = elements * self.signature.input_type.bytes();
                self.call.input(0).elements_mut::<u8>()[from..].fill(0);
                Ok(())
            }
        }
    }

    /// Stops this runner from any thread.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }
}

fn cancelled() -> Error {
    Error::new(ErrorKind::Cancelled, "the run was cancelled")
}
