//! Which input is classified and which output is read, by stated rules; or why not, and what to do.

use super::constants::{self, Filled};
use super::options::ModelOptions;
use super::signature::{BatchDim, Layout, Reading};
use super::types::{Dim, ElementType, Interface, ValueInfo, ValueKind};
use crate::{Error, Result};

/// Names under which exporters give the scores, best first: scores before the softmax, then after.
const SCORE_NAMES: [&str; 4] = ["logits", "scores", "probabilities", "output_probability"];

/// A reading of the model that its declared types allow. Classes may still be open: a run settles them.
#[derive(Debug)]
pub(super) struct IoMapping {
    pub input: String,
    pub input_type: ElementType,
    pub element_shape: Vec<usize>,
    pub elements: usize,
    pub layout: Layout,
    pub batch: BatchDim,
    pub constants: Vec<Filled>,
    pub output: String,
    pub reading: Reading,
    pub why: String,
}

pub(super) fn resolve(interface: &Interface, options: &ModelOptions) -> Result<IoMapping> {
    let input = choose_input(interface, options)?;
    let ValueKind::Tensor { element, shape } = &input.kind else {
        return Err(interface.refuse(format!("the input {} is not a tensor", input.name)));
    };
    use ElementType::{BFloat16, Float16, Float32, Float64, UInt8};
    if !matches!(element, Float32 | Float16 | BFloat16 | Float64 | UInt8) {
        let message = format!(
            "the input {} holds {element}; noise can be added to float32, float16, bfloat16, float64 and uint8",
            input.name
        );
        return Err(interface.refuse(message));
    }
    let Some((batch_dim, dims @ [_, ..])) = shape.split_first() else {
        let message = format!("the input {} has no batch: its shape must be [batch, ...]", input.name);
        return Err(interface.refuse(message));
    };
    let batch = match batch_dim {
        Dim::Dynamic(_) => BatchDim::Dynamic,
        Dim::Fixed(0) => return Err(interface.refuse(format!("the input {} has an empty batch", input.name))),
        Dim::Fixed(rows) => BatchDim::Fixed(*rows),
    };
    let element_shape = element_shape(interface, &input.name, dims, options.input_shape.as_deref())?;
    let elements = element_shape.iter().try_fold(1_usize, |count, &dim| count.checked_mul(dim));
    let elements = elements.filter(|&count| count > 0).ok_or_else(|| {
        interface.refuse(format!("the input {} has the impossible element shape {element_shape:?}", input.name))
    })?;
    let constants = constants::fill(interface, &input.name, batch_dim, &options.constants)?;
    let (output, reading, why) = choose_output(interface, options)?;
    Ok(IoMapping {
        input: input.name.clone(),
        input_type: *element,
        layout: Layout::of(&element_shape),
        element_shape,
        elements,
        batch,
        constants,
        output: output.name.clone(),
        reading,
        why,
    })
}

fn choose_input<'a>(interface: &'a Interface, options: &ModelOptions) -> Result<&'a ValueInfo> {
    let is_constant = |name: &str| options.constants.iter().any(|constant| constant.name == name);
    if let Some(name) = &options.input {
        if is_constant(name) {
            return Err(Error::argument("constant", format!("{name} is the classified input and cannot be constant")));
        }
        return interface
            .inputs
            .iter()
            .find(|input| input.name == *name)
            .ok_or_else(|| interface.refuse(format!("the model has no input {name}")).with_field("input"));
    }
    let open = interface.inputs.iter().filter(|input| !is_constant(&input.name)).collect::<Vec<_>>();
    match open.as_slice() {
        [input] => Ok(input),
        [] if interface.inputs.is_empty() => Err(interface.refuse("the model takes no input")),
        [] => Err(interface.refuse("every input is held constant: one must be left to classify")),
        _ => {
            let message = "the model takes several inputs: name the classified one (--input NAME) and fix the others \
                           (--constant NAME=VALUE)";
            Err(interface.refuse(message))
        }
    }
}

fn element_shape(interface: &Interface, name: &str, dims: &[Dim], given: Option<&[usize]>) -> Result<Vec<usize>> {
    let shown = || dims.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let Some(given) = given else {
        let fixed = dims.iter().map(Dim::fixed).collect::<Option<Vec<_>>>();
        return fixed.ok_or_else(|| {
            let message = format!(
                "the input {name} leaves its element shape [{}] open: give it (--input-shape, without the batch)",
                shown()
            );
            interface.refuse(message)
        });
    };
    let fits = |(dim, size): (&Dim, &usize)| dim.fixed().is_none_or(|fixed| fixed == *size);
    if given.len() != dims.len() || !dims.iter().zip(given).all(fits) {
        let message =
            format!("the shape {given:?} does not fit the input {name}, whose element shape is [{}]", shown());
        return Err(Error::argument("input_shape", message));
    }
    Ok(given.to_vec())
}

fn choose_output<'a>(interface: &'a Interface, options: &ModelOptions) -> Result<(&'a ValueInfo, Reading, String)> {
    let outputs = &interface.outputs;
    let (output, why) = if let Some(name) = &options.output {
        let output = outputs.iter().find(|output| output.name == *name);
        let output =
            output.ok_or_else(|| interface.refuse(format!("the model has no output {name}")).with_field("output"))?;
        (output, "it was asked for".to_owned())
    } else if let [output] = outputs.as_slice() {
        (output, "it is the only output".to_owned())
    } else {
        let named = |name: &&str| outputs.iter().find(|output| output.name.eq_ignore_ascii_case(name));
        match SCORE_NAMES.iter().find_map(named) {
            Some(output) => (output, format!("of {} outputs it is the one named {}", outputs.len(), output.name)),
            None => {
                let message = format!(
                    "the model gives several outputs and none is named {}: name the scores (--output NAME)",
                    SCORE_NAMES.join(", ")
                );
                return Err(interface.refuse(message));
            }
        }
    };
    let (reading, how) = read_as(interface, output, options)?;
    Ok((output, reading, format!("{why}; {how}")))
}

/// What the output's declared type shows. A shape that leaves the classes open is read as scores until a run shows it.
fn read_as(interface: &Interface, output: &ValueInfo, options: &ModelOptions) -> Result<(Reading, String)> {
    let ValueKind::Tensor { element, shape } = &output.kind else {
        if let ValueKind::ClassMaps { key: ElementType::Int64 | ElementType::String, value } = &output.kind
            && value.is_float()
        {
            return Ok((Reading::ClassMaps, format!("its type is {}", output.kind)));
        }
        let message = format!("the output {} is neither scores, labels nor class maps", output.name);
        return Err(interface.refuse(message));
    };
    let sizes = shape.get(1..).unwrap_or_default().iter().map(Dim::fixed).collect::<Vec<_>>();
    match element {
        ElementType::Int64 | ElementType::Int32 if sizes.iter().all(|size| size.is_none_or(|size| size == 1)) => {
            if options.classes.is_none() {
                let message = format!(
                    "the output {} is the label itself, which does not show how many classes there are: give them \
                     (--classes C)",
                    output.name
                );
                return Err(interface.refuse(message).with_field("classes"));
            }
            Ok((Reading::Label, format!("it holds one {element} per row")))
        }
        element if element.is_float() => {
            let single = !shape.is_empty() && sizes.iter().all(|&size| size == Some(1));
            match single {
                true => Ok((binary(interface, &output.name, options)?, format!("it holds one {element} per row"))),
                false => Ok((Reading::Scores, format!("it holds {element} scores"))),
            }
        }
        _ => {
            let message = format!(
                "the output {} is {}: scores must be floating-point, labels int64 or int32",
                output.name, output.kind
            );
            Err(interface.refuse(message))
        }
    }
}

/// The reading of one score per row: 0 is the boundary of a logit and 0.5 of a probability, so it must be said.
pub(super) fn binary(interface: &Interface, output: &str, options: &ModelOptions) -> Result<Reading> {
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

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
