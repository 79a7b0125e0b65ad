//! How an output is read: by what came out of a run, for a declared shape is only a hint.

use super::core::RowShape;
use super::labels::{self, NO_LABEL};
use super::options::ModelOptions;
use super::raw::Data;
use super::resolve::IoMapping;
use super::signature::Reading;
use super::types::{Dim, ElementType, Interface, ValueKind};
use crate::{Error, Result};

/// What the output held after a run.
pub(super) enum CameOut {
    Tensor { element: ElementType, shape: Vec<usize> },
    Maps { rows: usize, names: Vec<String> },
}

/// How it is read, and what that shows of the classes.
#[derive(Debug)]
pub(super) struct Settled {
    pub reading: Reading,
    pub classes: usize,
    pub class_names: Option<Vec<String>>,
    /// Type of the output and shape of a row of it, where it is a tensor.
    pub output: Option<(ElementType, RowShape)>,
    /// Why it is read so.
    pub how: String,
}

impl Settled {
    /// Values of the output per row.
    pub fn columns(&self) -> usize {
        match self.reading {
            Reading::Scores | Reading::ClassMaps | Reading::Sets { .. } => self.classes,
            Reading::Binary { .. } | Reading::Label => 1,
        }
    }

    /// The label of each row of scores, the first one of a set; of an output that holds labels, none.
    pub fn labels(&self, scores: &[f64]) -> Vec<u32> {
        let mut labels = vec![NO_LABEL; scores.len() / self.columns()];
        match self.reading {
            Reading::Scores | Reading::ClassMaps | Reading::Sets { .. } => {
                labels::from_scores(&Data::F64(scores), self.classes, &mut labels);
            }
            Reading::Binary { threshold } => labels::from_threshold(&Data::F64(scores), threshold, &mut labels),
            Reading::Label => labels.clear(),
        }
        labels
    }
}

/// Settles how the output is read, of which a run of `rows` rows gave `came_out`.
pub(super) fn settle(
    interface: &Interface,
    mapping: &IoMapping,
    came_out: CameOut,
    rows: usize,
    options: &ModelOptions,
) -> Result<Settled> {
    let output = &mapping.output;
    let misfit = |message: String| {
        let message = format!(
            "the output {output} does not fit a batch of {rows}: {message}; name another output (--output NAME), or \
             export the model so that it gives scores [batch, classes]"
        );
        interface.refuse(message)
    };
    let (element, shape) = match came_out {
        CameOut::Maps { rows: maps, .. } if maps != rows => return Err(misfit(format!("it holds {maps} class maps"))),
        CameOut::Maps { names, .. } => {
            in_sets(Reading::ClassMaps, names.len(), options)?;
            let how = "it holds a map from class to score for each row".to_owned();
            return check(Reading::ClassMaps, names.len(), Some(names), None, how, options);
        }
        CameOut::Tensor { element, shape } => (element, shape),
    };
    let row = match shape.split_first() {
        Some((&first, row)) if first == rows => row,
        _ => return Err(misfit(format!("its shape is {shape:?}, and the first dimension must be the batch"))),
    };
    let columns = row.first().copied().unwrap_or(1);
    if row.iter().skip(1).any(|&dim| dim != 1) || columns == 0 {
        return Err(misfit(format!("its shape is {shape:?}, and one row must be one list of scores")));
    }
    let declared = declared_otherwise(interface, output, &shape);
    let (reading, classes, how) = match mapping.reading {
        Reading::Label if columns != 1 => {
            return Err(misfit(format!("its shape is {shape:?}, not one label per row")));
        }
        Reading::Label => (Reading::Label, given_classes(interface, output, options)?, format!("one {element}")),
        _ if columns == 1 => (binary(interface, output, options)?, 2, format!("one {element}")),
        reading => (reading, columns, format!("{columns} {element} scores")),
    };
    let reading = in_sets(reading, classes, options)?;
    let how = format!("it holds {how} per row{declared}");
    check(reading, classes, None, Some((element, row.to_vec())), how, options)
}

/// Where the file declares another shape than came out, which shape it declares.
fn declared_otherwise(interface: &Interface, output: &str, shape: &[usize]) -> String {
    let declared = interface.outputs.iter().find(|declared| declared.name == output).map(|output| &output.kind);
    match declared {
        // Without dimensions none is declared.
        Some(kind @ ValueKind::Tensor { shape: dims, .. }) if !dims.is_empty() => {
            let fits = |(dim, size): (&Dim, &usize)| dim.fixed().is_none_or(|fixed| fixed == *size);
            if dims.len() == shape.len() && dims.iter().zip(shape).all(fits) {
                return String::new();
            }
            format!(", though the file declares {kind}: a run gives {shape:?}, and what comes out counts")
        }
        _ => String::new(),
    }
}

/// A label does not show how many classes there are.
fn given_classes(interface: &Interface, output: &str, options: &ModelOptions) -> Result<usize> {
    options.classes.ok_or_else(|| {
        let message = format!(
            "the output {output} is the label itself, which does not show how many classes there are: give them \
             (--classes C)"
        );
        interface.refuse(message).with_field("classes")
    })
}

/// The reading of a multi-label model, where it is said to be one.
fn in_sets(reading: Reading, classes: usize, options: &ModelOptions) -> Result<Reading> {
    let Some(base_k) = options.base_k else { return Ok(reading) };
    if reading != Reading::Scores {
        let message = format!("is for a model with a list of scores per row; this output is read as {reading}");
        return Err(Error::argument("base_k", message));
    }
    if base_k == 0 || base_k > classes {
        let message = format!("{base_k} is not a number of labels from 1 to {classes}, all that the model has");
        return Err(Error::argument("base_k", message));
    }
    match options.threshold {
        Some(threshold) if !threshold.is_finite() => {
            Err(Error::argument("threshold", format!("{threshold} is not finite")))
        }
        threshold => Ok(Reading::Sets { base_k, threshold }),
    }
}

/// The reading of one score per row: 0 is the boundary of a logit and 0.5 of a probability, so it must be said.
fn binary(interface: &Interface, output: &str, options: &ModelOptions) -> Result<Reading> {
    let Some(threshold) = options.threshold else {
        let message = format!(
            "the output {output} is one score per row, and a logit cannot be told from a probability: give the \
             threshold above which the label is 1 (--threshold 0 for a logit, 0.5 for a probability)"
        );
        return Err(interface.refuse(message).with_field("threshold"));
    };
    if !threshold.is_finite() {
        return Err(Error::argument("threshold", format!("{threshold} is not finite")));
    }
    Ok(Reading::Binary { threshold })
}

fn check(
    reading: Reading,
    classes: usize,
    class_names: Option<Vec<String>>,
    output: Option<(ElementType, RowShape)>,
    how: String,
    options: &ModelOptions,
) -> Result<Settled> {
    if let (Some(given), true) = (options.classes, options.classes != Some(classes)) {
        return Err(Error::argument("classes", format!("{given} classes were given, and the model has {classes}")));
    }
    if classes < 2 || u32::try_from(classes).is_err() {
        return Err(Error::argument("classes", format!("{classes} classes: a classifier has 2 or more")));
    }
    if options.threshold.is_some() && !matches!(reading, Reading::Binary { .. } | Reading::Sets { .. }) {
        let message = "a threshold is for a model with one score per row, and this one has more: leave it out";
        return Err(Error::argument("threshold", message));
    }
    Ok(Settled { reading, classes, class_names, output, how })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ValueInfo, resolve};

    fn tensor(name: &str, element: ElementType, dims: &[Option<usize>]) -> ValueInfo {
        let shape = dims.iter().map(|size| size.map_or(Dim::Dynamic("N".into()), Dim::Fixed)).collect();
        ValueInfo { name: name.into(), kind: ValueKind::Tensor { element, shape } }
    }

    /// What a model that declares `declared` is read as, when a run of 4 rows gives `shape`.
    fn settled(
        element: ElementType,
        declared: &[Option<usize>],
        shape: &[usize],
        options: &ModelOptions,
    ) -> std::result::Result<Settled, Option<String>> {
        let interface = Interface {
            inputs: vec![tensor("x", ElementType::Float32, &[None, Some(3), Some(8), Some(8)])],
            outputs: vec![tensor("y", element, declared)],
        };
        let mapping = resolve::resolve(&interface, options).unwrap();
        settle(&interface, &mapping, CameOut::Tensor { element, shape: shape.to_vec() }, 4, options)
            .map_err(|error| error.field().map(str::to_owned))
    }

    #[test]
    fn what_comes_out_shows_how_it_is_read() {
        let default = ModelOptions::default();
        let half = ModelOptions { threshold: Some(0.5), ..ModelOptions::default() };
        let ten = ModelOptions { classes: Some(10), ..ModelOptions::default() };
        let float = |declared: &[Option<usize>], shape: &[usize], options: &ModelOptions| {
            settled(ElementType::Float32, declared, shape, options).map(|settled| (settled.reading, settled.classes))
        };
        // Whatever is declared: the same, nothing, one score, one row.
        for declared in [&[None, Some(10)][..], &[], &[None, Some(1)], &[Some(1), Some(10)], &[None]] {
            for shape in [&[4, 10][..], &[4, 10, 1, 1]] {
                assert_eq!(float(declared, shape, &default), Ok((Reading::Scores, 10)), "{declared:?} {shape:?}");
            }
            for shape in [&[4][..], &[4, 1], &[4, 1, 1]] {
                assert_eq!(float(declared, shape, &default), Err(Some("threshold".into())), "{declared:?} {shape:?}");
                assert_eq!(float(declared, shape, &half), Ok((Reading::Binary { threshold: 0.5 }, 2)), "{shape:?}");
            }
            for shape in [&[][..], &[1, 10], &[5, 10], &[4, 10, 2], &[4, 0], &[40]] {
                assert_eq!(float(declared, shape, &default), Err(None), "{declared:?} {shape:?}");
            }
            assert_eq!(float(declared, &[4, 10], &half), Err(Some("threshold".into())), "{declared:?}");
            let label = |shape: &[usize], options: &ModelOptions| {
                settled(ElementType::Int64, declared, shape, options).map(|settled| (settled.reading, settled.classes))
            };
            for shape in [&[4][..], &[4, 1]] {
                assert_eq!(label(shape, &default), Err(Some("classes".into())), "{declared:?} {shape:?}");
                assert_eq!(label(shape, &ten), Ok((Reading::Label, 10)), "{declared:?} {shape:?}");
            }
            assert_eq!(label(&[4, 10], &ten), Err(None));
        }
    }

    #[test]
    fn a_shape_that_the_file_declares_otherwise_is_told() {
        let how = |declared: &[Option<usize>]| {
            settled(ElementType::Float32, declared, &[4, 10], &ModelOptions::default()).unwrap().how
        };
        for same in [&[None, Some(10)][..], &[None, None], &[], &[Some(4), Some(10)]] {
            assert_eq!(how(same), "it holds 10 float32 scores per row", "{same:?}");
        }
        for other in [&[Some(1), Some(10)][..], &[None, Some(2)], &[None]] {
            let how = how(other);
            assert!(how.contains("the file declares float32[") && how.contains("[4, 10]"), "{how}");
        }
    }
}
