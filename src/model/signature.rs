//! What is classified and which scores are used: the record of how a model is read.

use std::fmt;

use serde::Serialize;

use super::types::{ElementType, Interface};

/// How the elements of one input lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// An image, channels first: `[C, H, W]` with C 1, 3 or 4.
    Nchw,
    /// An image, channels last: `[H, W, C]` with C 1, 3 or 4.
    Nhwc,
    /// Anything else: features without channels.
    Flat,
}

impl Layout {
    /// The layout that an element's shape (without the batch) shows. `[C, H, W]` wins where both would fit.
    pub fn of(element_shape: &[usize]) -> Self {
        let is_channels = |size: &usize| matches!(size, 1 | 3 | 4);
        match element_shape {
            [first, _, _] if is_channels(first) => Self::Nchw,
            [_, _, last] if is_channels(last) => Self::Nhwc,
            _ => Self::Flat,
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nchw => "NCHW",
            Self::Nhwc => "NHWC",
            Self::Flat => "flat",
        })
    }
}

/// How many rows one run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BatchDim {
    /// Any number.
    Dynamic,
    /// Exactly this many: fewer rows are padded, and the padding's labels are dropped.
    Fixed(usize),
}

impl fmt::Display for BatchDim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dynamic => f.write_str("dynamic"),
            Self::Fixed(rows) => write!(f, "fixed at {rows}"),
        }
    }
}

/// How an output is read as a label.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "reading", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reading {
    /// A score per class: the label is the highest, the lowest index among equals.
    Scores,
    /// One score per row: label 1 where it is greater than the threshold, 0 otherwise.
    Binary {
        /// Compared in double precision with the score.
        threshold: f64,
    },
    /// A score per class: the labels of the `base_k` highest, the lower index first among equals; with a threshold
    /// those of them whose score is greater. A row has `base_k` places for labels.
    Sets {
        /// The most labels of a row.
        base_k: usize,
        /// Compared in double precision with the score.
        threshold: Option<f64>,
    },
    /// The label itself; one outside `0..classes` is an error of the run.
    Label,
    /// A map per row from class to score: classes in the order of the map's keys, the highest score as for `Scores`.
    ClassMaps,
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scores => f.write_str("a score per class, the highest wins"),
            Self::Binary { threshold } => write!(f, "one score, label 1 where it is greater than {threshold}"),
            Self::Sets { base_k, threshold: None } => write!(f, "a score per class, the {base_k} highest win"),
            Self::Sets { base_k, threshold: Some(threshold) } => {
                write!(f, "a score per class, those greater than {threshold} win, at most {base_k}")
            }
            Self::Label => f.write_str("the label itself"),
            Self::ClassMaps => f.write_str("a map from class to score, the highest wins"),
        }
    }
}

impl Reading {
    /// How many places for labels a row has: one, but for sets.
    pub(crate) fn places(&self) -> usize {
        self.base_k().unwrap_or(1)
    }

    /// The most labels of a row, where it is given a set of them.
    pub(crate) fn base_k(&self) -> Option<usize> {
        match *self {
            Self::Sets { base_k, .. } => Some(base_k),
            _ => None,
        }
    }
}

/// A model's inputs and outputs, and how this library uses them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Signature {
    /// Everything the model takes and gives.
    pub interface: Interface,
    /// Name of the classified input.
    pub input: String,
    /// Its element type.
    pub input_type: ElementType,
    /// Shape of one element, without the batch.
    pub element_shape: Vec<usize>,
    /// Product of `element_shape`: values per row.
    pub elements: usize,
    /// What the shape shows.
    pub layout: Layout,
    /// How many rows one run takes.
    pub batch: BatchDim,
    /// Names of the inputs that are held constant.
    pub constants: Vec<String>,
    /// Name of the output that is read.
    pub output: String,
    /// How it is read.
    #[serde(flatten)]
    pub reading: Reading,
    /// Why this output, and read this way.
    pub why: String,
    /// Number of classes; labels are `0..classes`.
    pub classes: usize,
    /// The model's own names of the classes, where its output carries them (class maps).
    pub class_names: Option<Vec<String>>,
    /// What the check at load found that the user should know; a log gets them, too.
    pub warnings: Vec<String>,
}

impl Signature {
    /// Channels of an image, or features of a flat input: how many values `mean` and `std` may have besides one.
    pub fn channels(&self) -> usize {
        match (self.layout, self.element_shape.as_slice()) {
            (Layout::Nchw, [channels, ..]) | (Layout::Nhwc, [.., channels]) => *channels,
            _ => self.elements,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_show_their_layout() {
        let cases: [(&[usize], Layout); 8] = [
            (&[3, 32, 32], Layout::Nchw),
            (&[1, 8, 8], Layout::Nchw),
            (&[224, 224, 3], Layout::Nhwc),
            (&[3, 3, 3], Layout::Nchw),
            (&[64], Layout::Flat),
            (&[8, 8], Layout::Flat),
            (&[2, 8, 8], Layout::Flat),
            (&[3, 8, 8, 8], Layout::Flat),
        ];
        for (shape, layout) in cases {
            assert_eq!(Layout::of(shape), layout, "{shape:?}");
        }
    }
}
