//! An input on the grid of a noise.

use super::mode::Mode;

/// An input that noise is to be added to, placed on the grid of the noise that made it: see [`super::Noise::centre`].
#[derive(Clone, Debug, PartialEq)]
pub struct GridInput {
    /// Multiples of the step of a [`super::Grid`]; integers on an [`super::ExactGrid`].
    pub(super) values: Vec<f32>,
    pub(super) mode: Mode,
}

impl GridInput {
    /// Elements of the input.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.values.len()
    }

    /// The elements: multiples of a [`super::Grid`]'s step, integers on an [`super::ExactGrid`].
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }
}
