//! An input on the grid of a noise.

use super::mode::Mode;

/// An input that noise is to be added to, placed on the grid of the noise that made it: see [`super::Noise::centre`].
#[derive(Clone, Debug, PartialEq)]
pub struct GridInput {
    pub(super) elements: Elements,
    pub(super) mode: Mode,
}

/// In the form that the law's kernel adds to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Elements {
    /// Multiples of the step of a [`super::Grid`]; integers on an [`super::ExactGrid`]; as given without a grid.
    Values(Vec<f32>),
    /// Integers on a [`super::UniformGrid`]: below 2^52, so that f64 holds them and vectors hold f64.
    Points(Vec<f64>),
}

impl GridInput {
    /// Elements of the input.
    #[must_use]
    pub fn elements(&self) -> usize {
        match &self.elements {
            Elements::Values(values) => values.len(),
            Elements::Points(points) => points.len(),
        }
    }

    /// The f32 elements; empty on a [`super::UniformGrid`], of which no device's kernel knows.
    pub(crate) fn values(&self) -> &[f32] {
        match &self.elements {
            Elements::Values(values) => values,
            Elements::Points(_) => &[],
        }
    }

    /// The elements on a [`super::UniformGrid`]; empty elsewhere.
    pub(super) fn points(&self) -> &[f64] {
        match &self.elements {
            Elements::Values(_) => &[],
            Elements::Points(points) => points,
        }
    }
}
