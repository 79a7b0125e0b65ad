//! Inputs and answers as arrays.

use std::path::Path;

use ndarray::{Array2, ArrayView, ArrayView1, Axis, Dimension, RemoveAxis};

use super::builder::Builder;
use super::{Answer, Control, Outcome, Request, SmoothedClassifier, Task};
use crate::certificate::{Certificate, Guarantee, Prediction};
use crate::counts::Counts;
use crate::perturbation::IntoFamily;
use crate::{Error, Result};

impl SmoothedClassifier {
    /// Opens a model with the usual options. `noise` is a sigma, or a [`Family`](crate::perturbation::Family), or its
    /// text (`uniform:0.5`).
    ///
    /// # Errors
    /// As [`Builder::open`].
    pub fn open(path: impl AsRef<Path>, noise: impl IntoFamily) -> Result<Self> {
        Self::builder(path).open(noise)
    }

    /// Opens a model with options.
    pub fn builder(path: impl AsRef<Path>) -> Builder {
        Builder::new(path.as_ref())
    }

    /// The usual request for the noise that this was opened with, to be changed: see [`Request::new`].
    ///
    /// # Errors
    /// `InvalidArgument` when it was made by [`SmoothedClassifier::new`], without noise: then take [`Request::new`].
    pub fn request(&self) -> Result<Request> {
        let none = || Error::argument("noise", "was not given when this classifier was made: take Request::new");
        self.noise().map(Request::new).ok_or_else(none)
    }

    /// The shape of one input.
    pub fn shape(&self) -> Vec<usize> {
        self.sampler().classifier().shape()
    }

    /// Answers one question about one input, and waits for it. The input has the shape of the model's, or one axis of
    /// as many elements; its stream is 0.
    ///
    /// # Errors
    /// `InvalidData` when the shape is another, or an element is not finite; `InvalidArgument` when the request is out
    /// of range. What went wrong later is in the outcome, with the counts so far.
    pub fn run<D: Dimension>(&self, input: ArrayView<'_, f32, D>, task: Task, request: &Request) -> Result<Outcome> {
        self.check_shape(input.shape())?;
        let input = input.as_standard_layout();
        // A standard layout is one slice.
        Ok(self.submit(input.as_slice().unwrap_or_default(), task, request, 0)?.wait())
    }

    /// Answers one question about each input along the first axis, and waits for all. Input i has the stream i.
    ///
    /// # Errors
    /// As [`SmoothedClassifier::run`]; `InvalidArgument` when there is another number of tasks than inputs.
    pub fn run_batch<D: RemoveAxis>(
        &self,
        inputs: ArrayView<'_, f32, D>,
        tasks: &[Task],
        request: &Request,
    ) -> Result<Vec<Outcome>> {
        if inputs.len_of(Axis(0)) != tasks.len() {
            let message = format!("{} tasks for {} inputs", tasks.len(), inputs.len_of(Axis(0)));
            return Err(Error::argument("tasks", message));
        }
        self.check_shape(&inputs.shape()[1..])?;
        let inputs = inputs.as_standard_layout();
        let flat = inputs.as_slice().unwrap_or_default();
        Ok(self.submit_batch(flat, tasks, request, 0, Control::default())?.wait())
    }

    fn check_shape(&self, shape: &[usize]) -> Result<()> {
        let (own, elements) = (self.shape(), self.sampler().classifier().elements());
        if shape == own || shape == [elements] {
            return Ok(());
        }
        Err(Error::data("input", format!("has the shape {shape:?}: it must be {own:?}, or [{elements}]")))
    }
}

impl Outcome {
    /// The certificates, one for each k.
    ///
    /// # Errors
    /// Why there is no answer; `InvalidArgument` when another question was asked.
    pub fn certificates(&self) -> Result<&[Certificate]> {
        match self.answer.as_ref().map_err(Clone::clone)? {
            Answer::Certificates(certificates) => Ok(certificates),
            _ => Err(Error::argument("task", "certificates are for the tasks Certify and CertifySelected")),
        }
    }

    /// The predictions, one for each k.
    ///
    /// # Errors
    /// As [`Outcome::certificates`].
    pub fn predictions(&self) -> Result<&[Prediction]> {
        match self.answer.as_ref().map_err(Clone::clone)? {
            Answer::Predictions(predictions) => Ok(predictions),
            _ => Err(Error::argument("task", "predictions are for the task Predict")),
        }
    }

    /// The guarantees, one for each k.
    ///
    /// # Errors
    /// As [`Outcome::certificates`].
    pub fn guarantees(&self) -> Result<&[Guarantee]> {
        match self.answer.as_ref().map_err(Clone::clone)? {
            Answer::Guarantees(guarantees) => Ok(guarantees),
            _ => Err(Error::argument("task", "guarantees are for the task CertifyAnswer")),
        }
    }
}

/// The certified radii of outcomes, [inputs, k]: of a label's certificate, or of an answer's set; 0 where nothing is
/// certified, for want of an answer too.
pub fn radii(outcomes: &[Outcome]) -> Array2<f64> {
    let ks = outcomes.first().map_or(0, |outcome| outcome.request.k.len());
    Array2::from_shape_fn((outcomes.len(), ks), |(i, j)| match &outcomes[i].answer {
        Ok(Answer::Certificates(found)) => found.get(j).map_or(0.0, |found| found.radius),
        Ok(Answer::Guarantees(found)) => found.get(j).map_or(0.0, |found| found.set.radius),
        Ok(Answer::Predictions(_) | Answer::Counted) | Err(_) => 0.0,
    })
}

impl Counts {
    /// The number of samples of each label, c of them.
    pub fn view(&self) -> ArrayView1<'_, u64> {
        ArrayView1::from(self.labels())
    }
}
