//! What is asked of a smoothed classifier.

use rand::TryRng;

use crate::noise::family::Gaussian;
use crate::noise::{Grid, Noise};
use crate::stats::{Bound, MAX_TRIALS, check_alpha};
use crate::{Error, ErrorKind, Result};

/// Which question is asked about an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// The top-k set, or abstain.
    Predict,
    /// The radius within which this label stays in the top k. It must be fixed beforehand: given, predicted, or selected from
    /// other rows; a label read off a certificate's own counts (the same seed, key and n) is not, and the radius is then void.
    Certify(usize),
    /// The same for the label most frequent among n0 rows of its own, independent of the n rows that certify it.
    CertifySelected,
}

/// The noise, how much of it, and how sure the answer must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Standard deviation of the Gaussian noise, on the input's own scale; finite, above 0.
    pub sigma: f64,
    /// The k of top-k, each from 1 to c - 1; every k gets a statement of its own at alpha, from the same rows.
    pub k: Vec<usize>,
    /// Rows that answer, from 1 to [`MAX_TRIALS`].
    pub n: u64,
    /// Rows that select a label, at least 1 where one is to be selected.
    pub n0: u64,
    /// Probability that a statement is false.
    pub alpha: f64,
    /// How label probabilities are bounded.
    pub bound: Bound,
    /// Seed of the noise; drawn from the operating system where there is none.
    pub seed: Option<u64>,
    /// The largest |x| that the noise grid is to carry exactly; part of the smoothed classifier, so the same for every input.
    pub input_max: f64,
}

impl Request {
    /// The field's usual request: k = 1, n = 100,000, n0 = 100, alpha = 0.001, `ranked` bounds, inputs in [-1, 1].
    pub fn new(sigma: f64) -> Self {
        Self { sigma, k: vec![1], n: 100_000, n0: 100, alpha: 0.001, bound: Bound::Ranked, seed: None, input_max: 1.0 }
    }

    /// Checks every field that can be judged without a model.
    ///
    /// # Errors
    /// `InvalidArgument`, with the field.
    pub fn check(&self) -> Result<()> {
        Gaussian::new(self.sigma)?;
        self.grid()?;
        check_alpha(self.alpha)?;
        if self.n == 0 || self.n > MAX_TRIALS {
            return Err(Error::argument("n", format!("must be from 1 to {MAX_TRIALS}, got {}", self.n)));
        }
        if self.n0 > MAX_TRIALS {
            return Err(Error::argument("n0", format!("must be at most {MAX_TRIALS}, got {}", self.n0)));
        }
        if self.k.is_empty() {
            return Err(Error::argument("k", "there must be at least one k"));
        }
        if self.k.contains(&0) {
            return Err(Error::argument("k", "must be at least 1, got 0"));
        }
        match self.k.iter().enumerate().find(|&(i, k)| self.k[..i].contains(k)) {
            Some((_, k)) => Err(Error::argument("k", format!("{k} is given twice"))),
            None => Ok(()),
        }
    }

    /// Checks every field for a task of a model with `classes` labels.
    ///
    /// # Errors
    /// `InvalidArgument`, with the field.
    pub fn check_for(&self, task: Task, classes: usize) -> Result<()> {
        self.check()?;
        if let Some(k) = self.k.iter().find(|&&k| k >= classes) {
            return Err(Error::argument(
                "k",
                format!("must be below the number of labels, {classes} (the top {classes} hold every label); got {k}"),
            ));
        }
        if task != Task::Predict {
            // Before any row is drawn: alpha's share may be too small where alpha itself is not.
            self.k.iter().try_for_each(|&k| self.bound.share(self.alpha, k, classes).map(|_| ()))?;
        }
        match task {
            Task::Certify(label) if label >= classes => {
                Err(Error::argument("label", format!("must be below the number of labels, {classes}; got {label}")))
            }
            Task::CertifySelected if self.n0 == 0 => {
                Err(Error::argument("n0", "must be at least 1 where the label is selected from the rows"))
            }
            _ => Ok(()),
        }
    }

    /// The grid that inputs and noise are rounded to.
    ///
    /// # Errors
    /// `InvalidArgument` when sigma or the largest input is out of range.
    pub fn grid(&self) -> Result<Grid> {
        Grid::for_range(self.input_max, self.sigma).map_err(|error| match error.field() {
            Some("max_abs") => Error::argument("input_max", error.message()),
            _ => error,
        })
    }

    /// The noise that the request asks for, with its seed or a new one.
    ///
    /// # Errors
    /// As [`Request::grid`] and [`Request::seed`].
    pub fn noise(&self) -> Result<Noise> {
        Noise::on_grid(self.sigma, self.grid()?, self.seed()?)
    }

    /// The request with a seed: its own, or one from the operating system.
    ///
    /// # Errors
    /// `Io` when the operating system gives none.
    pub fn with_seed(&self) -> Result<Self> {
        Ok(Self { seed: Some(self.seed()?), ..self.clone() })
    }

    /// The seed: the request's own, or a new one from the operating system.
    ///
    /// # Errors
    /// `Io` when the operating system gives none.
    pub fn seed(&self) -> Result<u64> {
        match self.seed {
            Some(seed) => Ok(seed),
            None => rand::rngs::SysRng.try_next_u64().map_err(|error| {
                Error::new(ErrorKind::Io, format!("the operating system gives no random seed ({error}); give one"))
                    .with_field("seed")
            }),
        }
    }
}
