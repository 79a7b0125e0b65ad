//! What the sampler needs of a base classifier f.

use std::sync::Arc;

use crate::Result;
use crate::counts::Subject;
use crate::model::{Model, Runner};
use crate::sampler::device::DeviceWorkers;
use crate::sampler::stop::StopRun;

/// A base classifier f: gives a label to every row of a batch. [`Model`] is one; so may be any function of a Rust host.
pub trait BaseClassifier: Send + Sync {
    /// Elements of one input row.
    fn elements(&self) -> usize;

    /// The shape of one input, whose product is `elements`.
    fn shape(&self) -> Vec<usize> {
        vec![self.elements()]
    }

    /// The number of labels, c.
    fn classes(&self) -> usize;

    /// The most labels of a row, where it is given a set of labels: so many places has each row in
    /// [`BatchRunner::run`]. `None`: every row is given one label.
    fn base_k(&self) -> Option<usize> {
        None
    }

    /// Refuses an input that cannot be meant as it is.
    ///
    /// # Errors
    /// `InvalidData` with what to do.
    fn check_input(&self, _input: &[f32]) -> Result<()> {
        Ok(())
    }

    /// The only batch size that a run takes, where there is one: fewer rows then cost as much as a full batch.
    fn fixed_batch(&self) -> Option<usize> {
        None
    }

    /// What its speed depends on, in words: what a plan was measured for. Classifiers that differ in speed have
    /// different ones. `None`: its plans are not kept.
    fn identity(&self) -> Option<String> {
        None
    }

    /// What samples of it are of, for provenance: all but the input. What is not known is `None`. One that names
    /// neither a model nor a digest ([`Subject::stated`]) is taken for another than every other one that is smoothed,
    /// itself smoothed again among them: its counts are added within one [`crate::smoothed::SmoothedClassifier`] alone.
    fn subject(&self) -> Subject {
        Subject::default()
    }

    /// Bytes that its runs have held at once at most, its own data and the runners' buffers aside, where it knows.
    fn run_bytes(&self) -> Option<u64> {
        None
    }

    /// Gives memory back that earlier runs needed and no run holds now.
    fn release(&self) {}

    /// A runner for batches of up to `batch` rows, to be owned by one thread. Runners of one classifier run
    /// concurrently.
    ///
    /// # Errors
    /// When the buffers cannot be had, or `batch` is not one that the classifier takes.
    fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>>;

    /// Workers that keep rows where they are classified, in place of the host's threads. Only this library has any.
    #[doc(hidden)]
    fn device_workers(&self) -> Option<DeviceWorkers<'_>> {
        None
    }
}

/// Runs batches of one classifier on one thread.
pub trait BatchRunner: Send {
    /// The input buffer of the first `rows` rows, row-major, `rows * elements` long.
    fn rows_mut(&mut self, rows: usize) -> &mut [f32];

    /// Classifies the first `rows` rows. `labels[..rows]` get the labels, [`crate::model::NO_LABEL`] where a row has
    /// none. Where rows are given sets, `labels[i * base_k..][..base_k]` get those of row i, each once, and
    /// [`crate::model::NO_FURTHER_LABEL`] in the places that are left; the first is `NO_LABEL` of an invalid row.
    ///
    /// # Errors
    /// When the run failed; `Cancelled` when it was stopped by [`StopRun::stop`].
    fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()>;

    /// A way to stop a run in progress from another thread, where there is one.
    fn stopper(&self) -> Option<Arc<dyn StopRun>> {
        None
    }
}

impl BaseClassifier for Model {
    fn elements(&self) -> usize {
        self.signature().elements
    }

    fn shape(&self) -> Vec<usize> {
        self.signature().element_shape.clone()
    }

    fn classes(&self) -> usize {
        self.signature().classes
    }

    fn base_k(&self) -> Option<usize> {
        self.signature().reading.base_k()
    }

    fn check_input(&self, input: &[f32]) -> Result<()> {
        Model::check_input(self, input)
    }

    fn fixed_batch(&self) -> Option<usize> {
        match self.signature().batch {
            crate::model::BatchDim::Dynamic => None,
            crate::model::BatchDim::Fixed(batch) => Some(batch),
        }
    }

    fn identity(&self) -> Option<String> {
        Some(Model::speed_identity(self))
    }

    fn subject(&self) -> Subject {
        Subject {
            model_sha256: Some(self.sha256().to_owned()),
            stated: None,
            reading: Some(self.how_read().to_owned()),
            arithmetic: Some(self.arithmetic().to_owned()),
            provider: self.provider().to_string().split(':').next().map(str::to_owned),
            input_sha256: None,
        }
    }

    fn run_bytes(&self) -> Option<u64> {
        Model::run_bytes(self)
    }

    fn release(&self) {
        Model::release(self);
    }

    fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>> {
        Ok(Box::new(Model::runner(self, batch)?))
    }
}

impl BatchRunner for Runner {
    fn rows_mut(&mut self, rows: usize) -> &mut [f32] {
        Runner::rows_mut(self, rows)
    }

    fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()> {
        Runner::run(self, rows, labels)
    }

    fn stopper(&self) -> Option<Arc<dyn StopRun>> {
        Some(Arc::new(self.canceller()))
    }
}

impl StopRun for crate::model::Canceller {
    fn stop(&self) {
        self.cancel();
    }

    fn reset(&self) {
        crate::model::Canceller::reset(self);
    }
}
