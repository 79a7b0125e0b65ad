//! Which input is classified and which output is read, by stated rules; or why not, and what to do.

use super::constants::{self, Filled};
use super::options::ModelOptions;
use super::signature::{BatchDim, Layout, Reading};
use super::types::{Dim, ElementType, Interface, ValueInfo, ValueKind};
use crate::{Error, Result};

/// Names under which exporters give the scores, best first: scores before the softmax, then after.
const SCORE_NAMES: [&str; 4] = ["logits", "scores", "probabilities", "output_probability"];

/// What is classified and which output is read, by declared names and types. A declared output shape is a hint: what
/// comes out of a run settles how it is read.
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
    /// As its type shows; one score per row is read as scores until a run shows it.
    pub reading: Reading,
    /// Why this output.
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
    Ok((output, read_as(interface, output)?, why))
}

/// What the output's type shows.
fn read_as(interface: &Interface, output: &ValueInfo) -> Result<Reading> {
    match &output.kind {
        ValueKind::ClassMaps { key: ElementType::Int64 | ElementType::String, value } if value.is_float() => {
            Ok(Reading::ClassMaps)
        }
        ValueKind::Tensor { element: ElementType::Int64 | ElementType::Int32, .. } => Ok(Reading::Label),
        ValueKind::Tensor { element, .. } if element.is_float() => Ok(Reading::Scores),
        ValueKind::Tensor { .. } => {
            let message = format!(
                "the output {} is {}: scores must be floating-point, labels int64 or int32",
                output.name, output.kind
            );
            Err(interface.refuse(message))
        }
        _ => {
            let message = format!("the output {} is neither scores, labels nor class maps", output.name);
            Err(interface.refuse(message))
        }
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
