//! What is asked of a smoothed classifier.

use super::{AllocationChoice, Generator, NoiseMode};
use crate::certificate::{Basis, Query, Randomized, auto};
use crate::counts::{Counts, Perturbation, Rule};
use crate::noise::{Grid, Mode, Noise, Purpose, Source};
use crate::perturbation::{Family, Shift};
use crate::stats::{Allocation, MAX_TRIALS, Validity, check_alpha, check_label, check_part};
use crate::{Error, Result};

/// The smallest alpha that is asked for: each of its bounds, up to 10^10, can have a part of it.
const MIN_REQUEST_ALPHA: f64 = 1e-90;

/// The generator of enumerated noise, which takes no bits.
const NOTHING_DRAWN: Generator = Generator::Philox { seed: Some(0) };

/// Which question is asked about an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// The top-k set, or abstain.
    Predict,
    /// The radius within which this label stays in the top k. It must be fixed beforehand: given, predicted, or
    /// selected from other samples; a label read off a certificate's own counts (the same seed, key and n) is not, and
    /// the radius is then void.
    Certify(usize),
    /// The same for the label most frequent among n0 samples of its own, independent of the n samples that certify it.
    CertifySelected,
    /// The guarantees for the k labels that are returned ([`Guarantee`](crate::certificate::Guarantee)): those most
    /// frequent among n0 samples of their own or, with n0 = 0, among the very n samples that certify them. A rule,
    /// which takes n0 > 0, is about the radius of the whole set.
    CertifyAnswer,
    /// The counts of n samples that choose nothing, to certify what was fixed before them: the one task of a base
    /// classifier that gives each sample a set of labels
    /// ([`Counts::certify_label_set`](crate::counts::Counts::certify_label_set)).
    Count,
}

impl Task {
    /// What its samples are drawn for.
    pub(super) fn purpose(self) -> Purpose {
        match self {
            // A label predicted and then certified under one seed must not be certified by the samples that chose it.
            Self::Predict => Purpose::Predict,
            // Nor one that was returned with guarantees by the samples that chose it.
            Self::CertifyAnswer => Purpose::Answer,
            Self::Certify(_) | Self::CertifySelected | Self::Count => Purpose::Estimate,
        }
    }

    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Predict => "predict",
            Self::Certify(_) | Self::CertifySelected => "certify",
            Self::CertifyAnswer => "certify_answer",
            Self::Count => "count",
        }
    }
}

/// The noise, how much of it, and how sure the answer must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The noise, with its parameter on the input's own scale.
    pub family: Family,
    /// The k of top-k, each from 1 to c - 1; every k gets a statement of its own at alpha, from the same samples.
    pub k: Vec<usize>,
    /// Samples that answer, from 1 to [`MAX_TRIALS`]; the most of them, where `rule` may stop before.
    pub n: u64,
    /// Samples that select a label, or how alpha is spent; at least 1 where there is something to select.
    pub n0: u64,
    /// Probability that a statement is false.
    pub alpha: f64,
    /// When the samples are enough.
    pub rule: Rule,
    /// How alpha is split between the bounds.
    pub allocation: AllocationChoice,
    /// Randomized exact bounds ([`Validity::Randomized`]), for certificates of one label by a fixed n: a little larger
    /// radii on average. Each k and stream has one uniform, from the seed or key that its samples come from, so that a
    /// certificate can be made again. False by default.
    pub randomized: bool,
    /// Where the noise's bits come from.
    pub generator: Generator,
    /// How noise is made, and on which grid.
    pub mode: NoiseMode,
    /// The largest |x| that the noise grid of [`NoiseMode::Grid`] is to carry exactly; part of the smoothed classifier,
    /// so the same for every input.
    pub input_max: f64,
}

impl Request {
    /// The field's usual request: k = 1, n = 100,000 fixed, n0 = 100, alpha = 0.001, `ranked` bounds, inputs in [-1,
    /// 1], a seed from the operating system.
    pub fn new(noise: impl Into<Family>) -> Self {
        Self {
            family: noise.into(),
            k: vec![1],
            n: 100_000,
            n0: 100,
            alpha: 0.001,
            rule: Rule::Fixed,
            allocation: AllocationChoice::default(),
            randomized: false,
            generator: Generator::default(),
            mode: NoiseMode::Grid,
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
        if !(self.input_max >= 0.0 && self.input_max.is_finite()) {
            return Err(Error::argument("input_max", format!("must be finite, 0 or more, got {:?}", self.input_max)));
        }
        // Other noise may have to know the shape of inputs first.
        if let Family::Gaussian(_) = self.family {
            // Which bits it is made with does not matter.
            self.noise_from(Source::Philox { seed: 0 })?;
        } else if self.mode != NoiseMode::Grid {
            let message = format!("exact grids are for gaussian noise: {} is exact as it is", self.family.name());
            return Err(Error::argument("mode", message));
        }
        if self.family.is_enumerated() {
            self.check_enumerated()?;
        } else {
            self.check_alpha()?;
        }
        self.rule.check_at(self.family.scale())?;
        if self.randomized && self.rule != Rule::Fixed {
            return Err(Error::argument(
                "randomized",
                format!("bounds can be randomized for a fixed n only, not with the rule {}", self.rule),
            ));
        }
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

    fn check_alpha(&self) -> Result<()> {
        check_alpha(self.alpha)?;
        // So that a part of it is left for each bound of any usual model.
        if self.alpha < MIN_REQUEST_ALPHA {
            let message =
                format!("{:e} is too small for the bounds that share it: at least {MIN_REQUEST_ALPHA:e}", self.alpha);
            return Err(Error::argument("alpha", message));
        }
        Ok(())
    }

    /// Refuses what enumerated noise does not take: anything but the usual value, and what [`Request::settled`] sets.
    fn check_enumerated(&self) -> Result<()> {
        let usual = Self::new(self.family);
        let taken = [
            ("n", self.n == usual.n || Some(self.n) == self.family.rows()),
            ("n0", self.n0 == usual.n0 || self.n0 == 0),
            ("alpha", self.alpha == usual.alpha || self.alpha == 0.0),
            ("rule", self.rule == usual.rule),
            ("allocation", self.allocation == usual.allocation),
            ("randomized", !self.randomized),
            ("seed", [usual.generator, NOTHING_DRAWN].contains(&self.generator)),
        ];
        match taken.into_iter().find(|(_, taken)| !taken) {
            None => Ok(()),
            Some((field, _)) => {
                let message = format!("{} classifies all of its rows, each once: leave {field} out", self.family);
                Err(Error::argument(field, message))
            }
        }
    }

    /// The request about inputs of this shape: what the family takes from it is settled. Of an enumerated family n is
    /// then the number of its rows, and alpha and n0 are 0.
    ///
    /// # Errors
    /// `InvalidArgument` when the shape does not fit the family, or leaves a setting open.
    pub fn settled(&self, shape: &[usize]) -> Result<Self> {
        self.check()?;
        let family = self.family.settled(shape)?;
        family.check_settled()?;
        let settled = Self { family, ..self.clone() };
        Ok(match family.rows() {
            Some(n) => Self { n, n0: 0, alpha: 0.0, generator: NOTHING_DRAWN, ..settled },
            None => settled,
        })
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
        if self.family.is_enumerated() {
            return match task {
                Task::Certify(label) if label >= classes => {
                    Err(Error::argument("label", format!("must be below the number of labels, {classes}; got {label}")))
                }
                _ => Ok(()),
            };
        }
        if self.pilot_samples(task) == 0 && self.needs_pilot(task) {
            return Err(Error::argument(
                "n0",
                "must be at least 1 where the label, or how alpha is spent, is selected by samples",
            ));
        }
        if self.randomized && matches!(task, Task::Predict | Task::CertifyAnswer) {
            return Err(Error::argument(
                "randomized",
                "bounds can be randomized for the certificate of one label only",
            ));
        }
        let alpha = self.alpha_left(elements)?;
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
                let message = "must be at least 1 under a rule: that the very samples of an answer chose its labels can be paid for at \
                               one number of samples only";
                return Err(Error::argument("n0", message));
            }
            (Task::Certify(_) | Task::CertifySelected, Rule::Predict) => {
                let message = "predict settles a top-k set: certify takes fixed, radius:R, steps:E or tolerance:E";
                return Err(Error::argument("rule", message));
            }
            (Task::Count, rule) if rule != Rule::Fixed => {
                return Err(Error::argument("rule", format!("{rule} decides by an answer: counts take a fixed n")));
            }
            _ => {}
        }
        // Before any sample is drawn: alpha's share may be too small where alpha itself is not.
        let check = |label| match &self.allocation {
            AllocationChoice::Auto => Ok(()),
            AllocationChoice::As(allocation) => {
                // Of which steps has but half for each kind of bound.
                let alpha = if let Validity::AnytimeTo(_) = self.validity() { 0.5 * alpha } else { alpha };
                self.k.iter().try_for_each(|&k| allocation.check(label, k, classes, alpha))
            }
        };
        match task {
            Task::Predict | Task::Count => Ok(()),
            // Guarantees spend alpha in their own ways: none has a smaller share.
            Task::CertifyAnswer => check_part(alpha / (8.0 * classes as f64), alpha),
            Task::Certify(label) => check_label(label, classes, "label").and_then(|()| check(label)),
            Task::CertifySelected => match &self.allocation {
                AllocationChoice::As(Allocation::Pooled { named, .. }) if !named.is_empty() => Err(Error::argument(
                    "allocation",
                    "names rivals of a label that is yet to be selected: use auto, or name none",
                )),
                _ => check(0),
            },
        }
    }

    fn needs_pilot(&self, task: Task) -> bool {
        match task {
            // All rows choose, and nothing is left to chance.
            _ if self.family.is_enumerated() => false,
            Task::Predict | Task::Count => false,
            Task::Certify(_) => self.allocation == AllocationChoice::Auto,
            Task::CertifySelected => true,
            Task::CertifyAnswer => self.n0 > 0,
        }
    }

    /// The samples that are drawn to select a label, or how alpha is spent: n0, or 0 where the task needs none.
    pub fn pilot_samples(&self, task: Task) -> u64 {
        if self.needs_pilot(task) { self.n0 } else { 0 }
    }

    /// What is left of alpha for bounds, when the noise's own distance from an exact one is paid for.
    ///
    /// # Errors
    /// `InvalidArgument` when that takes more than half of alpha.
    pub fn alpha_left(&self, elements: usize) -> Result<f64> {
        Perturbation::of(&self.noise()?, elements).alpha_left(self.alpha, self.n)
    }

    /// What is asked of the counts of these samples about `label` and `k`.
    ///
    /// # Errors
    /// `InvalidArgument` when pilot samples are to choose the allocation, and there are none.
    pub(super) fn query(
        &self,
        pilot: Option<&Counts>,
        perturbation: &Perturbation,
        label: usize,
        k: usize,
    ) -> Result<Query> {
        let randomized = if self.randomized { Randomized::FromSeed } else { Randomized::No };
        let allocation = self.allocation_for(pilot, perturbation, label, k)?;
        Ok(Query { label, k, alpha: self.alpha, allocation, randomized })
    }

    /// How alpha is split for the certificate of `label` and `k`.
    pub(super) fn allocation_for(
        &self,
        pilot: Option<&Counts>,
        perturbation: &Perturbation,
        label: usize,
        k: usize,
    ) -> Result<Allocation> {
        let pilot = match (&self.allocation, pilot) {
            (AllocationChoice::As(allocation), _) => return Ok(allocation.clone()),
            (AllocationChoice::Auto, Some(pilot)) => pilot.tally(),
            (AllocationChoice::Auto, None) => return Err(Error::argument("n0", "auto needs pilot samples")),
        };
        let mut basis = Basis::assuming(self.family, self.n, self.alpha, self.validity());
        basis.alpha_left = perturbation.alpha_left(self.alpha, self.n)?;
        basis.radius_cost = perturbation.radius_cost;
        match self.rule {
            Rule::Radius(radius) => auto::choose_to_reach(pilot, label, k, &basis, radius),
            _ => auto::choose(pilot, label, k, &basis),
        }
    }

    /// The kind of bounds that the rule rests on, before they are randomized.
    pub fn validity(&self) -> Validity {
        self.rule.validity(self.n)
    }

    /// The noise that the request asks for, with its seed or key, or a new one from the operating system.
    ///
    /// # Errors
    /// `InvalidArgument` when the parameter of the noise, the largest input or the exact grid is out of range; `Io`
    /// when the operating system gives no seed.
    pub fn noise(&self) -> Result<Noise> {
        self.noise_from(self.generator.source()?)
    }

    fn noise_from(&self, source: Source) -> Result<Noise> {
        match self.family {
            Family::Gaussian(noise) => {
                let mode = match self.mode {
                    NoiseMode::Exact(grid) => Mode::Exact(grid),
                    NoiseMode::Grid => {
                        Mode::Grid(Grid::for_range(self.input_max, noise.sigma()).map_err(
                            |error| match error.field() {
                                Some("max_abs") => Error::argument("input_max", error.message()),
                                _ => error,
                            },
                        )?)
                    }
                };
                Noise::new(noise.sigma(), mode, source)
            }
            family => Noise::of(family, source),
        }
    }

    /// The request with a seed or key: its own, or one from the operating system.
    ///
    /// # Errors
    /// `Io` when the operating system gives none.
    pub fn with_seed(&self) -> Result<Self> {
        if self.family.is_enumerated() {
            return Ok(self.clone());
        }
        Ok(Self { generator: self.generator.source()?.into(), ..self.clone() })
    }
}
