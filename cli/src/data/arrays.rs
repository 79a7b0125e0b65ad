//! What a file of arrays holds.

use super::array::Array;
use super::labels::Labels;

/// The arrays of a data set.
pub struct Arrays {
    pub images: Array,
    pub labels: Option<Labels>,
    /// The array `indices` of a `.npz`, not yet checked to hold indices.
    pub indices: Option<Array>,
}
