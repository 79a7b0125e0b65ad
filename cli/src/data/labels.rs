//! Labels: one whole number >= 0 per example.

use smoothtopk::{Error, Result};

use super::array::Array;

/// The labels that an array holds, for `examples` examples.
///
/// # Errors
/// `InvalidData` for another length, or a label that is negative or not whole, naming the example.
pub fn from_array(array: &Array, examples: usize) -> Result<Vec<usize>> {
    let columns: usize = array.example_shape().iter().product();
    if array.examples() != examples || columns != 1 {
        let mut shape = vec![array.examples()];
        shape.extend(array.example_shape());
        return Err(Error::data(
            "labels",
            format!(
                "of shape {shape:?} for {examples} examples; one class index per example is needed (no one-hot rows)"
            ),
        ));
    }
    array
        .values()
        .enumerate()
        .map(|(i, value)| {
            // Beyond 2^53 an index cannot be told from its neighbour; no model has as many labels.
            if value >= 0.0 && value.fract() == 0.0 && value < 9e15 {
                Ok(value as usize)
            } else {
                Err(Error::data("labels", format!("example {i} has label {value}; a label is a whole number >= 0")))
            }
        })
        .collect()
}
