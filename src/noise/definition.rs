//! The noise of a smoothed classifier, as one value: a law and a source.

use super::grid::Grid;
use super::grid_input::GridInput;
use super::law::{Ablation, ExactGaussian, GridGaussian, NoiseLaw, Split, Uniform, Window};
use super::mode::Mode;
use super::rounding::times_up;
use super::simd::Path;
use super::source::Source;
#[cfg(feature = "cuda")]
use super::stream::RowNoise;
use super::stream::{NoiseStream, Purpose};
use super::uniform::UniformGrid;
use crate::perturbation::{Family, Gaussian};
use crate::{Error, Result};

/// The name of the default noise: [`Mode::Grid`] with Philox. See [`Noise::name`].
pub const NOISE: &str = "philox4x32-10 box-muller 2";

/// The noise of a smoothed classifier: the law that its samples are drawn by, and the source of bits.
///
/// Cheap to clone, immutable, shared freely between threads. Layout and proofs: docs/noise.md.
///
/// ```
/// use smoothtopk::noise::{ExactGrid, Mode, Noise, Purpose, Source};
///
/// let noise = Noise::new(0.25, Mode::Exact(ExactGrid::pixels()), Source::random_chacha12()?)?;
/// let x = noise.centre(&[0.0, 128.0 / 255.0, 1.0])?;
/// let mut row = [0.0; 3];
/// noise.stream(0, Purpose::Estimate).noisy_row(0, &x, &mut row)?;
/// // The probability that 100,000 rows of 3 elements are not what exact noise would have given.
/// assert!(noise.extra_alpha(100_000, 3) < 1e-11);
/// # Ok::<(), smoothtopk::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    family: Family,
    law: NoiseLaw,
    source: Source,
}

impl Noise {
    /// Gaussian noise of standard deviation `sigma`, on the input's own scale. [`Mode::Exact`] builds its table (see
    /// [`super::DiscreteGaussian::new`]) unless it is the last one built, which is kept.
    ///
    /// # Errors
    /// `InvalidArgument` when sigma is not finite and positive, too large for the [`Grid`], or not from 1 to 3500 steps
    /// of the [`super::ExactGrid`]; when the mode is uniform noise's, which [`Noise::uniform`] makes.
    pub fn new(sigma: f64, mode: Mode, source: Source) -> Result<Self> {
        let law = match mode {
            Mode::Grid(grid) => NoiseLaw::Gaussian(GridGaussian::new(sigma, grid)?),
            Mode::Exact(grid) => NoiseLaw::Exact(ExactGaussian::new(sigma, grid)?),
            Mode::Uniform(_) | Mode::AsGiven => {
                return Err(Error::argument("mode", "is no mode of Gaussian noise: Noise::of makes other noise"));
            }
        };
        Ok(Self { family: Gaussian::new(sigma)?.into(), law, source })
    }

    /// Uniform noise on [-`lambda`, `lambda`], on the input's own scale, independent in every element. Exact, given
    /// uniform bits; its certificates are about l1 distances.
    ///
    /// # Errors
    /// `InvalidArgument` unless `lambda` is from 1e-100 to 1e100.
    pub fn uniform(lambda: f64, source: Source) -> Result<Self> {
        Self::of(crate::perturbation::Uniform::new(lambda)?, source)
    }

    /// Noise of a family that is made in one way only: any but Gaussian. A family that depends on the shape of inputs
    /// must be settled ([`Family::settled`]). An enumerated family takes nothing from the source: its rows are numbered
    /// by their samples.
    ///
    /// # Errors
    /// `InvalidArgument` when the family is not settled, or is Gaussian.
    pub fn of(family: impl Into<Family>, source: Source) -> Result<Self> {
        let family = family.into();
        let law = match &family {
            Family::Gaussian(_) => {
                return Err(Error::argument("noise", "Gaussian noise has a mode: Noise::new makes it"));
            }
            Family::Uniform(noise) => NoiseLaw::Uniform(Uniform { grid: UniformGrid::new(noise.lambda())? }),
            Family::Ablation(noise) => NoiseLaw::Ablation(Ablation::new(noise)?),
            Family::Band(noise) => NoiseLaw::Band(Window::new(noise)?),
            Family::Block(noise) => NoiseLaw::Block(Window::new(noise)?),
            Family::Split(noise) => NoiseLaw::Split(Split::new(noise)?),
        };
        Ok(Self { family, law, source })
    }

    /// The default: [`Mode::Grid`] and Philox.
    ///
    /// # Errors
    /// As [`Noise::new`].
    pub fn on_grid(sigma: f64, grid: Grid, seed: u64) -> Result<Self> {
        Self::new(sigma, Mode::Grid(grid), Source::Philox { seed })
    }

    /// The standard deviation of an element, before any rounding, in the units of the input; of uniform noise lambda /
    /// sqrt(3). None where nothing is added to it.
    #[must_use]
    pub fn sigma(&self) -> Option<f64> {
        self.law.sigma()
    }

    /// Half the width of uniform noise; none for other noise.
    #[must_use]
    pub fn lambda(&self) -> Option<f64> {
        match self.mode() {
            Mode::Uniform(grid) => Some(grid.lambda()),
            _ => None,
        }
    }

    /// The mode.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.law.mode()
    }

    /// Where the bits come from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Names the generator, the method and the layout's version, for a record. Noise of another name has other samples.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.source.name(), self.method())
    }

    /// How samples are made of random bits, with the version of its layout.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.law.name()
    }

    /// The family, with its parameter.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// Noise as [`Noise::family`], [`Noise::method`] and [`Mode::step`] described it, of any source.
    ///
    /// # Errors
    /// `InvalidArgument` when no noise of this version has that description.
    pub fn remade(family: Family, method: &str, step: f64) -> Result<Self> {
        let source = Source::Philox { seed: 0 };
        let unknown = || Error::argument("method", format!("{family} is not made by \"{method}\" in this version"));
        match (family, method) {
            (Family::Gaussian(noise), "box-muller 2") => {
                Self::new(noise.sigma(), Mode::Grid(Grid::with_step(step as f32)?), source)
            }
            (Family::Gaussian(noise), "discrete-gaussian 1") => {
                let grid = super::ExactGrid::new((1.0 / step).round() as u32)?;
                Self::new(noise.sigma(), Mode::Exact(grid), source)
            }
            (Family::Gaussian(_), _) => Err(unknown()),
            _ => Self::of(family, source)
                .and_then(|made| if made.method() == method { Ok(made) } else { Err(unknown()) }),
        }
    }

    /// Places an input (row-major, any shape) on the grid: rounded to a [`Grid`] or [`UniformGrid`], read as
    /// integers on an [`super::ExactGrid`].
    ///
    /// # Errors
    /// `InvalidData` when the input is empty, or names the first element that is not finite or that the grid does
    /// not take.
    pub fn centre(&self, input: &[f32]) -> Result<GridInput> {
        if input.is_empty() {
            return Err(Error::data("input", "has no elements"));
        }
        if let Some(element) = input.iter().position(|x| !x.is_finite()) {
            return Err(Error::data(
                "input",
                format!("element {element} is {}: every element must be finite", input[element]),
            ));
        }
        Ok(GridInput { elements: self.law.place(input)?, mode: self.mode() })
    }

    /// The samples of a stream and purpose, on the fastest path of this processor.
    #[must_use]
    pub fn stream(&self, stream: u64, purpose: Purpose) -> StreamNoise {
        let stream = NoiseStream::with_word(&self.source, stream, purpose as u32 | self.law.purpose_bit());
        StreamNoise { noise: self.clone(), stream }
    }

    /// What placing inputs of so many elements on the grid can add to the norm of a perturbation, to be
    /// subtracted from a radius; rounded up. 0 in [`Mode::Exact`], whose certificates are about inputs on the grid and
    /// the distances between grid points: see [`super::ExactGrid`].
    #[must_use]
    pub fn radius_cost(&self, elements: usize) -> f64 {
        self.law.radius_cost(elements)
    }

    /// An upper bound on the total variation between a row of so many elements and one of exact noise. 0 in
    /// [`Mode::Grid`], whose sampler is taken as exact, and in [`Mode::Uniform`], whose is exact. All modes take their
    /// bits as uniform and independent.
    #[must_use]
    pub fn total_variation(&self, elements: usize) -> f64 {
        times_up(elements as f64, self.law.total_variation())
    }

    /// What must be added to the probability that a statement made from at most `samples` samples of so many elements
    /// is false: samples times [`Noise::total_variation`], rounded up, 1 at most.
    #[must_use]
    pub fn extra_alpha(&self, samples: u64, elements: usize) -> f64 {
        times_up(samples as f64, self.total_variation(elements)).min(1.0)
    }
}

/// The noise of one stream and purpose: sample `sample` depends on (noise, stream, purpose, sample) and on nothing
/// else.
///
/// Cheap to clone, immutable, shared freely between threads.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamNoise {
    noise: Noise,
    stream: NoiseStream,
}

impl StreamNoise {
    /// The same noise by another path: identical bits, for tests and measurements.
    ///
    /// # Errors
    /// `InvalidArgument` when this processor cannot run the path.
    pub fn on(self, path: Path) -> Result<Self> {
        Ok(Self { stream: self.stream.on(path)?, noise: self.noise })
    }

    /// What a device's kernels make the same rows from; none for noise that no kernel makes.
    #[cfg(feature = "cuda")]
    pub(crate) fn for_kernels(&self) -> Option<RowNoise> {
        self.noise.law.for_kernels(&self.stream)
    }

    /// Writes the noisy row `sample` around an input to `out`, in the input's units.
    ///
    /// # Errors
    /// `InvalidArgument` when `out` has another length than the input, the input was placed by noise of another mode,
    /// or a row is longer than [`super::MAX_ELEMENTS`]; `out` is then unchanged.
    pub fn noisy_row(&self, sample: u64, x: &GridInput, out: &mut [f32]) -> Result<()> {
        if x.mode != self.noise.mode() {
            return Err(Error::argument("x", "was placed on the grid of another noise; use Noise::centre of this one"));
        }
        self.noise.law.write(&self.stream, sample, x, out)
    }
}
