//! Calls of a function of the host's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::{labels_of_integers, labels_of_scores};
use crate::sampler::{BatchRunner, StopRun};
use crate::{Error, ErrorKind, Result};

/// What a function gives for each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// A score for each label. The highest is the row's label, the lowest index among equals. A row with NaN, or whose
    /// highest score is infinite, has none, and counts against every certificate.
    Scores,
    /// The label, from 0 to classes - 1. Another is an error.
    Labels,
}

/// What a function is called with.
#[derive(Debug)]
pub struct FunctionBatch<'a> {
    /// The noisy rows, row-major.
    pub rows: &'a [f32],
    /// How many.
    pub count: usize,
    /// The number of labels.
    pub classes: usize,
    /// Where what it gives goes.
    pub output: FunctionOutput<'a>,
    /// Set, from any thread, when nobody wants the batch any more: the function may then return at once, with anything.
    pub cancelled: &'a Arc<AtomicBool>,
}

/// Where a function writes. All of it is to be written: what is not is an error.
#[derive(Debug)]
pub enum FunctionOutput<'a> {
    /// Of [`Gives::Scores`]: `count` x classes, row-major.
    Scores(&'a mut [f32]),
    /// Of [`Gives::Labels`]: `count`.
    Labels(&'a mut [i64]),
}

/// A function of the host's.
pub(super) type Function = dyn Fn(FunctionBatch<'_>) -> Result<()> + Send + Sync;

/// As many zeros as `batch` rows of `row` elements have: an error, where there is no memory for them.
fn zeros<T: Copy + Default>(batch: usize, row: usize) -> Result<Vec<T>> {
    let refuse = || Error::new(ErrorKind::Run, format!("no memory for a batch of {batch} rows")).with_field("batch");
    let len = batch.checked_mul(row).ok_or_else(refuse)?;
    let mut zeros = Vec::new();
    zeros.try_reserve_exact(len).map_err(|_| refuse())?;
    zeros.resize(len, T::default());
    Ok(zeros)
}

/// What is in the place of scores and labels before the function writes them: a NaN that no arithmetic gives, and a
/// label that nobody has.
const NO_SCORE: u32 = 0x7fd5_a17e;
const NOT_WRITTEN: i64 = i64::MIN;

/// Calls the function, from one thread.
pub(super) struct FunctionRunner {
    function: Arc<Function>,
    name: String,
    gives: Gives,
    elements: usize,
    classes: usize,
    rows: Vec<f32>,
    scores: Vec<f32>,
    labels: Vec<i64>,
    cancelled: Arc<AtomicBool>,
}

impl FunctionRunner {
    pub fn new(
        function: &Arc<Function>,
        name: &str,
        gives: Gives,
        [elements, classes, batch]: [usize; 3],
    ) -> Result<Self> {
        let (scores, labels) = if gives == Gives::Scores { (classes, 0) } else { (0, 1) };
        Ok(Self {
            function: Arc::clone(function),
            name: name.to_owned(),
            gives,
            elements,
            classes,
            rows: zeros(batch, elements)?,
            scores: zeros(batch, scores)?,
            labels: zeros(batch, labels)?,
            cancelled: Arc::default(),
        })
    }

    /// Calls the function with the first `count` rows.
    pub fn call(&mut self, count: usize) -> Result<()> {
        let (scores, labels) = (count * self.classes, count);
        let output = match self.gives {
            Gives::Scores => {
                self.scores[..scores].fill(f32::from_bits(NO_SCORE));
                FunctionOutput::Scores(&mut self.scores[..scores])
            }
            Gives::Labels => {
                self.labels[..labels].fill(NOT_WRITTEN);
                FunctionOutput::Labels(&mut self.labels[..labels])
            }
        };
        let rows = &self.rows[..count * self.elements];
        let batch = FunctionBatch { rows, count, classes: self.classes, output, cancelled: &self.cancelled };
        let called = (self.function)(batch);
        if self.cancelled.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Cancelled, "the batch was cancelled"));
        }
        called?;
        let missing = match self.gives {
            Gives::Scores => {
                let missing = self.scores[..scores].iter().position(|score| score.to_bits() == NO_SCORE);
                missing.map(|at| (at / self.classes, "scores"))
            }
            Gives::Labels => {
                self.labels[..labels].iter().position(|&label| label == NOT_WRITTEN).map(|at| (at, "labels"))
            }
        };
        match missing {
            None => Ok(()),
            Some((row, what)) => Err(failed(format!(
                "it did not write the {what} of row {row} of {count}: each row of a batch needs them, also in a batch \
                 that is not full"
            ))),
        }
    }

    /// The scores, or the labels as numbers, of the last call's `count` rows.
    pub fn given(&self, count: usize) -> Vec<f64> {
        match self.gives {
            Gives::Scores => self.scores[..count * self.classes].iter().map(|&score| score.into()).collect(),
            Gives::Labels => self.labels[..count].iter().map(|&label| label as f64).collect(),
        }
    }

    /// The labels of the last call's rows.
    pub fn labels(&self, labels: &mut [u32]) -> Result<()> {
        match self.gives {
            Gives::Scores => labels_of_scores(&self.scores, self.classes, labels),
            Gives::Labels => {
                labels_of_integers(&self.labels, self.classes, labels).map_err(failed)?;
            }
        }
        Ok(())
    }
}

impl BatchRunner for FunctionRunner {
    fn rows_mut(&mut self, rows: usize) -> &mut [f32] {
        &mut self.rows[..rows * self.elements]
    }

    fn run(&mut self, rows: usize, labels: &mut [u32]) -> Result<()> {
        let called = self.call(rows).and_then(|()| self.labels(&mut labels[..rows]));
        called.map_err(|error| match error.kind() {
            ErrorKind::Cancelled => error,
            _ => error.prefixed(&format!("{}: ", self.name)),
        })
    }

    fn stopper(&self) -> Option<Arc<dyn StopRun>> {
        Some(Arc::new(Flag(Arc::clone(&self.cancelled))))
    }
}

fn failed(message: String) -> Error {
    Error::new(ErrorKind::Run, message)
}

/// Tells a function that nobody wants its batch any more.
struct Flag(Arc<AtomicBool>);

impl StopRun for Flag {
    fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn reset(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}
