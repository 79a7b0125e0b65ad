//! A base classifier that is a function of the host's: no file, and so no ONNX Runtime.

use std::sync::Arc;

use super::function_probe::probe;
use super::function_runner::{Function, FunctionBatch, FunctionRunner, Gives};
use crate::counts::{Stated, Subject};
use crate::sampler::{BaseClassifier, BatchRunner};
use crate::{Error, Result};

/// What a host says of its function.
#[derive(Clone, Debug)]
pub struct FunctionOptions {
    /// The shape of one row.
    pub shape: Vec<usize>,
    /// The number of labels, at least 2.
    pub classes: usize,
    /// What the function gives.
    pub gives: Gives,
    /// What it is called in records and counts. Not empty.
    pub name: String,
    /// What tells it from every other function: see [`Stated::digest`].
    pub digest: Option<String>,
    /// The most rows of a call while it is tried; later a plan says it. `None`: any.
    pub batch: Option<usize>,
}

/// A function of the host's as a base classifier.
///
/// ```
/// use std::sync::Arc;
/// use smoothtopk::perturbation::Gaussian;
/// use smoothtopk::sampler::{FunctionBatch, FunctionClassifier, FunctionOptions, FunctionOutput, Gives, Plan};
/// use smoothtopk::smoothed::{Request, SmoothedClassifier, Task};
///
/// let (shape, name) = (vec![1], "above 0".to_owned());
/// let options = FunctionOptions { shape, classes: 2, gives: Gives::Labels, name, digest: None, batch: None };
/// let f = FunctionClassifier::new(options, |batch: FunctionBatch<'_>| {
///     if let FunctionOutput::Labels(labels) = batch.output {
///         labels.iter_mut().zip(batch.rows).for_each(|(label, &x)| *label = i64::from(x > 0.0));
///     }
///     Ok(())
/// })?;
/// let g = SmoothedClassifier::new(Arc::new(f), Plan { batch: 64, threads: 1 })?;
/// let request = Request { n: 10_000, ..Request::new(Gaussian::new(0.5)?) };
/// let outcome = g.submit(&[0.5], Task::Certify(1), &request, 0)?.wait();
/// assert!(outcome.answer.is_ok());
/// # Ok::<(), smoothtopk::Error>(())
/// ```
pub struct FunctionClassifier {
    options: FunctionOptions,
    elements: usize,
    function: Arc<Function>,
}

impl FunctionClassifier {
    /// A classifier by `function`, which is called from as many threads at once as the plan has, and is to give the
    /// same for the same row whenever and beside whatever it is asked. That is tried here with a few rows, as for a
    /// model of a file: a check, not a proof.
    ///
    /// # Errors
    /// `InvalidArgument` where the options are out of range; `Model` where the function fails, depends on the other
    /// rows of a batch, gives something else the second time, or gives no row a label.
    pub fn new(
        options: FunctionOptions,
        function: impl Fn(FunctionBatch<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Self> {
        let elements = options.elements()?;
        let classifier = Self { options, elements, function: Arc::new(function) };
        let FunctionOptions { gives, classes, batch, .. } = classifier.options;
        probe(|batch| classifier.function_runner(batch), gives, classes, batch)
            .map_err(|error| error.prefixed(&format!("{}: ", classifier.options.name)))?;
        Ok(classifier)
    }

    /// What its host says of it.
    pub fn options(&self) -> &FunctionOptions {
        &self.options
    }

    fn function_runner(&self, batch: usize) -> Result<FunctionRunner> {
        let FunctionOptions { ref name, gives, classes, .. } = self.options;
        FunctionRunner::new(&self.function, name, gives, [self.elements, classes, batch])
    }
}

impl FunctionOptions {
    /// The elements of a row, where all options are in their ranges.
    fn elements(&self) -> Result<usize> {
        let Self { shape, classes, name, digest, .. } = self;
        let product = shape.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim));
        // As many as there is memory for in a batch of one row.
        let elements =
            product.filter(|&product| product > 0 && product <= isize::MAX as usize / 8 && !shape.is_empty());
        let message = format!("must be at least one number, all of them at least 1, got {shape:?}");
        let elements = elements.ok_or_else(|| Error::argument("shape", message))?;
        if *classes < 2 || i32::try_from(*classes).is_err() {
            return Err(Error::argument("classes", format!("must be from 2 to {}, got {classes}", i32::MAX)));
        }
        if name.is_empty() {
            return Err(Error::argument("name", "must not be empty: records call the classifier by it"));
        }
        if digest.as_ref().is_some_and(String::is_empty) {
            return Err(Error::argument("digest", "must not be empty: leave it out where there is none"));
        }
        Ok(elements)
    }

    /// What records and counts say of the function.
    fn stated(&self) -> Stated {
        Stated { name: self.name.clone(), digest: self.digest.clone(), handle: None }
    }
}

impl std::fmt::Debug for FunctionClassifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FunctionClassifier").field("options", &self.options).finish_non_exhaustive()
    }
}

impl BaseClassifier for FunctionClassifier {
    fn elements(&self) -> usize {
        self.elements
    }

    fn shape(&self) -> Vec<usize> {
        self.options.shape.clone()
    }

    fn classes(&self) -> usize {
        self.options.classes
    }

    fn subject(&self) -> Subject {
        Subject { stated: Some(self.options.stated()), ..Subject::default() }
    }

    fn runner(&self, batch: usize) -> Result<Box<dyn BatchRunner>> {
        Ok(Box::new(self.function_runner(batch)?))
    }
}
