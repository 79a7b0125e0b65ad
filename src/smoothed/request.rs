//! What is asked of a smoothed classifier.

use super::{Bounding, Generator, NoiseMode};
use crate::certificate::auto;
use crate::certificate::stop::Rule;
use crate::noise::family::Gaussian;
use crate::noise::{Grid, Mode, Noise, Source};
use crate::stats::randomized::Uniform;
use crate::stats::{Allocation, Counts, MAX_TRIALS, Validity, check_alpha};
use crate::{Error, Result};

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
    /// The guarantees for the k labels that are returned ([`Guarantee`](super::Guarantee)): those most frequent among n0 rows of
    /// their own or, with n0 = 0, among the very n rows that certify them. A rule, which takes n0 > 0, is about the radius of the
    /// whole set.
    CertifyAnswer,
}

/// The noise, how much of it, and how sure the answer must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Standard deviation of the Gaussian noise, on the input's own scale; from 1e-100 to 1e100.
    pub sigma: f64,
    /// The k of top-k, each from 1 to c - 1; every k gets a statement of its own at alpha, from the same rows.
    pub k: Vec<usize>,
    /// Rows that answer, from 1 to [`MAX_TRIALS`]; the most of them, where `rule` may stop before.
    pub n: u64,
    /// Rows that select a label, or how alpha is spent; at least 1 where there is something to select.
    pub n0: u64,
    /// Probability that a statement is false.
    pub alpha: f64,
    /// When the rows are enough.
    pub rule: Rule,
    /// How label probabilities are bounded.
    pub bound: Bounding,
    /// Randomized exact bounds ([`Validity::Randomized`]), for certificates of one label by a fixed n: a little larger radii on
    /// average. Each k and job key has one uniform, from the seed or key that its rows come from, so that a certificate can be
    /// made again. False by default.
    pub randomized: bool,
    /// Where the noise's bits come from.
    pub generator: Generator,
    /// How noise is made, and on which grid.
    pub noise: NoiseMode,
    /// The largest |x| that the noise grid of [`NoiseMode::Grid`] is to carry exactly; part of the smoothed classifier, so the
    /// same for every input.
    pub input_max: f64,
}

impl Request {
    /// The field's usual request: k = 1, n = 100,000 fixed, n0 = 100, alpha = 0.001, `ranked` bounds, inputs in [-1, 1], a seed
    /// from the operating system.
    pub fn new(sigma: f64) -> Self {
        Self {
            sigma,
            k: vec![1],
            n: 100_000,
            n0: 100,
            alpha: 0.001,
            rule: Rule::Fixed,
            bound: Bounding::default(),
            randomized: false,
            generator: Generator::default(),
            noise: NoiseMode::Grid,
            input_max: 1.0,
        }
    }

    /// The request with this seed of the default generator.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { generator: Generator::Philox { seed: Some(seed) }, ..self }
    }

    /// Checks every field that can be judged without a model.
    ///
    /// # Errors
    /// `InvalidArgument`, with the field.
    pub fn check(&self) -> Result<()> {
        Gaussian::new(self.sigma)?;
        let mode = self.mode()?;
        if !(self.input_max >= 0.0 && self.input_max.is_finite()) {
            return Err(Error::argument("input_max", format!("must be finite, 0 or more, got {:?}", self.input_max)));
        }
        if let Mode::Exact(_) = mode {
            // Whether the grid has a table for sigma; which bits it is used with does not matter.
            Noise::new(self.sigma, mode, Source::Philox { seed: 0 })?;
        }
        self.rule.check_at(self.sigma)?;
        if self.randomized && self.rule != Rule::Fixed {
            return Err(Error::argument(
                "randomized",
                format!("bounds can be randomized for a fixed n only, not with the rule {}", self.rule),
            ));
        }
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

    /// Checks every field for a task about inputs of `elements` elements of a model with `classes` labels.
    ///
    /// # Errors
    /// `InvalidArgument`, with the field.
    pub fn check_for(&self, task: Task, classes: usize, elements: usize) -> Result<()> {
        self.check()?;
        if let Some(k) = self.k.iter().find(|&&k| k >= classes) {
            return Err(Error::argument(
                "k",
                format!("must be below the number of labels, {classes} (the top {classes} hold every label); got {k}"),
            ));
        }
        if self.pilot_samples(task) == 0 && self.needs_pilot(task) {
            return Err(Error::argument(
                "n0",
                "must be at least 1 where the label, or how alpha is spent, is selected by rows",
            ));
        }
        if self.randomized && matches!(task, Task::Predict | Task::CertifyAnswer) {
            return Err(Error::argument(
                "randomized",
                "bounds can be randomized for the certificate of one label only",
            ));
        }
        let alpha = self.alpha_left(task, elements)?;
        match (task, self.rule) {
            (Task::Predict, Rule::Radius(_) | Rule::Steps(_) | Rule::Tolerance(_)) => {
                let message = format!("{} is for certifying a label: predict takes fixed or predict", self.rule);
                return Err(Error::argument("rule", message));
            }
            (Task::CertifyAnswer, Rule::Steps(_) | Rule::Predict) => {
                let message =
                    format!("the guarantees for an answer take fixed, radius:R or tolerance:E, not {}", self.rule);
                return Err(Error::argument("rule", message));
            }
            (Task::CertifyAnswer, Rule::Radius(_) | Rule::Tolerance(_)) if self.n0 == 0 => {
                let message = "must be at least 1 under a rule: that the very rows of an answer chose its labels can be paid for at \
                               one number of rows only";
                return Err(Error::argument("n0", message));
            }
            (Task::Certify(_) | Task::CertifySelected, Rule::Predict) => {
                let message = "predict settles a top-k set: certify takes fixed, radius:R, steps:E or tolerance:E";
                return Err(Error::argument("rule", message));
            }
            _ => {}
        }
        // Before any row is drawn: alpha's share may be too small where alpha itself is not.
        let check = |label| match &self.bound {
            Bounding::Auto => Ok(()),
            Bounding::As(allocation) => {
                // Of which steps has but half for each kind of bound.
                let alpha = if let Validity::AnytimeTo(_) = self.validity() { 0.5 * alpha } else { alpha };
                self.k.iter().try_for_each(|&k| allocation.check(label, k, classes, alpha))
            }
        };
        match task {
            Task::Predict => Ok(()),
            // Guarantees spend alpha in their own ways: none has a smaller share.
            Task::CertifyAnswer => check_alpha(alpha / (8.0 * classes as f64)),
            Task::Certify(label) if label >= classes => {
                Err(Error::argument("label", format!("must be below the number of labels, {classes}; got {label}")))
            }
            Task::Certify(label) => check(label),
            Task::CertifySelected => match &self.bound {
                Bounding::As(Allocation::Pooled { named, .. }) if !named.is_empty() => Err(Error::argument(
                    "bound",
                    "names rivals of a label that is yet to be selected: use auto, or name none",
                )),
                _ => check(0),
            },
        }
    }

    fn needs_pilot(&self, task: Task) -> bool {
        match task {
            Task::Predict => false,
            Task::Certify(_) => self.bound == Bounding::Auto,
            Task::CertifySelected => true,
            Task::CertifyAnswer => self.n0 > 0,
        }
    }

    /// The rows that are drawn to select a label, or how alpha is spent: n0, or 0 where the task needs none.
    pub(super) fn pilot_samples(&self, task: Task) -> u64 {
        if self.needs_pilot(task) { self.n0 } else { 0 }
    }

    /// What is left of alpha for the bounds, when the noise's own distance from an exact Gaussian is paid for.
    ///
    /// # Errors
    /// `InvalidArgument` when that takes more than half of alpha.
    pub fn alpha_left(&self, task: Task, elements: usize) -> Result<f64> {
        let rows = self.n.saturating_add(self.pilot_samples(task));
        let paid = self.noise()?.extra_alpha(rows, elements);
        if paid == 0.0 {
            return Ok(self.alpha);
        }
        let left = (self.alpha - paid).next_down();
        if left < 0.5 * self.alpha {
            let message = format!(
                "{:e} is too small for {rows} rows of {elements} elements: the noise's distance from an exact Gaussian alone \
                 comes to {paid:e}",
                self.alpha
            );
            return Err(Error::argument("alpha", message));
        }
        Ok(left)
    }

    /// How alpha is spent on the certificate of `label` for `k`.
    ///
    /// # Errors
    /// `InvalidArgument` when there is something to select and no pilot row.
    pub(super) fn allocation(
        &self,
        pilot: Option<&Counts>,
        label: usize,
        k: usize,
        elements: usize,
    ) -> Result<Allocation> {
        let allocation = match (&self.bound, pilot) {
            (Bounding::As(allocation), _) => return Ok(allocation.clone()),
            (Bounding::Auto, Some(pilot)) => pilot,
            (Bounding::Auto, None) => return Err(Error::argument("n0", "auto needs pilot rows")),
        };
        // The same value for every task that spends by a pilot.
        let alpha = self.alpha_left(Task::CertifySelected, elements)?;
        match self.rule {
            Rule::Radius(radius) => {
                let radius = (radius + self.noise()?.radius_slack(elements)) / self.sigma;
                auto::spend_to_reach(allocation, label, k, self.n, alpha, self.validity(), radius)
            }
            _ => auto::spend(allocation, label, k, self.n, alpha, self.validity()),
        }
    }

    /// The bounds of the certificate for `k` of job `key`: those of the rule or, where they are to be randomized, with the uniform
    /// that the seed or key of its rows gives.
    ///
    /// # Errors
    /// `InvalidArgument` where that takes a seed or key and there is none: a uniform that is drawn again and again until it is small
    /// makes bounds that do not hold. An outcome's request has the one that its rows came from.
    pub fn validity_of(&self, k: usize, key: u64) -> Result<Validity> {
        if !self.randomized {
            return Ok(self.validity());
        }
        if matches!(self.generator, Generator::Philox { seed: None } | Generator::ChaCha12 { key: None }) {
            let message = "the uniform of randomized bounds comes from the seed or key of the rows: take the request of their outcome";
            return Err(Error::argument("generator", message));
        }
        let bits = self.generator.source()?.bits_beside_rows(key, k as u64);
        Ok(Validity::Randomized(Uniform::from_bits(bits)))
    }

    /// The kind of bounds that the rule rests on, before they are randomized.
    pub fn validity(&self) -> Validity {
        self.rule.validity(self.n)
    }

    /// How noise is made, with the grid that inputs and noise are rounded to.
    ///
    /// # Errors
    /// `InvalidArgument` when sigma, the largest input or the exact grid is out of range.
    pub fn mode(&self) -> Result<Mode> {
        match self.noise {
            NoiseMode::Grid => {
                Ok(Mode::Grid(Grid::for_range(self.input_max, self.sigma).map_err(|error| match error.field() {
                    Some("max_abs") => Error::argument("input_max", error.message()),
                    _ => error,
                })?))
            }
            NoiseMode::Exact(grid) => Ok(Mode::Exact(grid)),
        }
    }

    /// The noise that the request asks for, with its seed or key, or a new one from the operating system.
    ///
    /// # Errors
    /// As [`Request::mode`]; `Io` when the operating system gives no seed.
    pub fn noise(&self) -> Result<Noise> {
        Noise::new(self.sigma, self.mode()?, self.generator.source()?)
    }

    /// The request with a seed or key: its own, or one from the operating system.
    ///
    /// # Errors
    /// `Io` when the operating system gives none.
    pub fn with_seed(&self) -> Result<Self> {
        Ok(Self { generator: self.generator.source()?.into(), ..self.clone() })
    }
}
