//! Labels: one whole number >= 0 per example, or a set of them.

use smoothtopk::{Error, Result};

use super::array::Array;

/// The true labels of a data set.
#[derive(Debug)]
pub enum Labels {
    /// One for each example.
    One(Vec<usize>),
    /// A set for each example, ascending.
    Sets(Vec<Vec<usize>>),
}

impl Labels {
    /// Those of example `i`; none where there is no such example.
    pub fn of(&self, i: usize) -> &[usize] {
        match self {
            Self::One(labels) => labels.get(i).map_or(&[], std::slice::from_ref),
            Self::Sets(sets) => sets.get(i).map_or(&[], Vec::as_slice),
        }
    }

    /// For how many examples.
    pub fn len(&self) -> usize {
        match self {
            Self::One(labels) => labels.len(),
            Self::Sets(sets) => sets.len(),
        }
    }
}

/// One label for each of `examples` examples, or with a row for each a set: a 1 in the column of every label.
///
/// # Errors
/// `InvalidData` as [`from_array`], or for a number that is neither 0 nor 1 in such a row.
pub fn of_array(array: &Array, examples: usize) -> Result<Labels> {
    let columns = match *array.example_shape() {
        [columns] if columns > 1 && array.examples() == examples => columns,
        _ => return from_array(array, examples).map(Labels::One),
    };
    let set = |i: usize| {
        let row = array.values_of(i);
        match row.iter().find(|&&value| value != 0.0 && value != 1.0) {
            None => Ok((0..columns).filter(|&label| row[label] == 1.0).collect()),
            Some(value) => {
                let message = format!("of example {i} have the number {value}; a set of labels is a row of 0 and 1");
                Err(Error::data("labels", message))
            }
        }
    };
    (0..examples).map(set).collect::<Result<_>>().map(Labels::Sets)
}

/// Sets of labels as a CSR matrix holds them: those of example i are `indices[indptr[i]..indptr[i + 1]]`.
///
/// # Errors
/// `InvalidData` where the arrays are of other lengths, or a label is there twice.
pub fn of_csr(indptr: &Array, indices: &Array, examples: usize) -> Result<Labels> {
    let starts = from_array(indptr, examples + 1).map_err(|error| error.with_field("labels_indptr"))?;
    let labels = from_array(indices, indices.examples()).map_err(|error| error.with_field("labels_indices"))?;
    if starts[0] != 0 || starts[examples] != labels.len() || !starts.is_sorted() {
        let message = format!("must ascend from 0 to {}, the number of labels_indices", labels.len());
        return Err(Error::data("labels_indptr", message));
    }
    let set = |i: usize| {
        let mut set = labels[starts[i]..starts[i + 1]].to_vec();
        set.sort_unstable();
        match set.windows(2).find(|pair| pair[0] == pair[1]) {
            None => Ok(set),
            Some(pair) => {
                Err(Error::data("labels_indices", format!("of example {i} have the label {} twice", pair[0])))
            }
        }
    };
    (0..examples).map(set).collect::<Result<_>>().map(Labels::Sets)
}

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
