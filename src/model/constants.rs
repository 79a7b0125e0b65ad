//! Further inputs, held at given values.

use half::{bf16, f16};

use super::options::Constant;
use super::types::{Dim, ElementType, Interface, ValueKind};
use crate::{Error, Result};

/// A further input with its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filled {
    pub name: String,
    pub element: ElementType,
    /// Full shape, with 1 at the `batch_axis`.
    pub shape: Vec<usize>,
    /// The dimension that is the batch, along which the value is repeated for each row; all before it are 1, or all
    /// elements the same.
    pub batch_axis: Option<usize>,
    /// The elements' bytes, in this machine's order; of one row, if there is a `batch_axis`.
    pub bytes: Vec<u8>,
}

impl Filled {
    /// The shape for a batch of `rows` rows.
    pub fn shape_for(&self, rows: usize) -> Vec<usize> {
        let mut shape = self.shape.clone();
        if let Some(axis) = self.batch_axis {
            shape[axis] = rows;
        }
        shape
    }
}

/// Gives every input but the classified one its value. `batch` is the classified input's batch dimension: a further
/// input of which a dimension bears the same name gets the value once per row.
pub(super) fn fill(interface: &Interface, input: &str, batch: &Dim, constants: &[Constant]) -> Result<Vec<Filled>> {
    for (i, constant) in constants.iter().enumerate() {
        if !interface.inputs.iter().any(|input| input.name == constant.name) {
            return Err(interface.refuse(format!("the model has no input {}", constant.name)).with_field("constant"));
        }
        if constants[..i].iter().any(|earlier| earlier.name == constant.name) {
            return Err(Error::argument("constant", format!("{} is given twice", constant.name)));
        }
    }
    let further = interface.inputs.iter().filter(|other| other.name != input);
    let fill = |other: &super::types::ValueInfo| {
        let constant = constants.iter().find(|constant| constant.name == other.name).ok_or_else(|| {
            let message = format!("the input {} has no value: fix it (--constant {}=VALUE)", other.name, other.name);
            interface.refuse(message).with_field("constant")
        })?;
        let ValueKind::Tensor { element, shape } = &other.kind else {
            return Err(interface.refuse(format!("the input {} is not a tensor", other.name)));
        };
        let is_batch = |dim: &Dim| matches!(dim, Dim::Dynamic(name) if !name.is_empty() && dim == batch);
        let batch_axis = shape
            .iter()
            .position(is_batch)
            .filter(|&axis| constant.values.len() == 1 || shape[..axis].iter().all(|dim| dim.fixed() == Some(1)));
        let shape = concrete(constant, shape, batch_axis)?;
        let count = shape.iter().product();
        let given = &constant.values;
        if given.len() != count && given.len() != 1 {
            let message = format!("{} takes 1 or {count} values, not {}", constant.name, given.len());
            return Err(Error::argument("constant", message));
        }
        let mut bytes = Vec::with_capacity(count * element.bytes());
        for i in 0..count {
            let value = if given.len() == 1 { given[0] } else { given[i] };
            push(&mut bytes, *element, value).ok_or_else(|| {
                Error::argument("constant", format!("{} holds {element}, which {value} is not", constant.name))
            })?;
        }
        Ok(Filled { name: other.name.clone(), element: *element, shape, batch_axis, bytes })
    };
    further.map(fill).collect()
}

/// The shape with its one open dimension found from the number of values; with one value, open dimensions are 1.
fn concrete(constant: &Constant, shape: &[Dim], batch_axis: Option<usize>) -> Result<Vec<usize>> {
    let given = constant.values.len();
    let fixed = shape.iter().filter_map(Dim::fixed).try_fold(1_usize, |count, dim| count.checked_mul(dim));
    let fixed = fixed
        .filter(|&count| count <= u32::MAX as usize)
        .ok_or_else(|| Error::argument("constant", format!("{} is too large to be held constant", constant.name)))?;
    let open = shape.iter().filter(|dim| dim.fixed().is_none()).count();
    let mut open = open - usize::from(batch_axis.is_some());
    shape
        .iter()
        .enumerate()
        .map(|(i, dim)| match dim {
            Dim::Fixed(size) => Ok(*size),
            Dim::Dynamic(_) if batch_axis == Some(i) || given == 1 => Ok(1),
            Dim::Dynamic(_) if open == 1 && fixed > 0 && given.is_multiple_of(fixed) => {
                open = 0;
                Ok(given / fixed)
            }
            Dim::Dynamic(_) => {
                let message = format!("{} leaves its shape open, and {given} values do not settle it", constant.name);
                Err(Error::argument("constant", message))
            }
        })
        .collect()
}

/// Appends `value` as an element; none if the type cannot hold it (an integer type and a fraction, or out of range).
fn push(bytes: &mut Vec<u8>, element: ElementType, value: f64) -> Option<()> {
    macro_rules! integer {
        ($type:ty) => {{
            let cast = value as $type;
            // The cast saturates: a value that came through unchanged was in range and whole. Beyond 2^53 a double
            // does not tell neighbours apart.
            (cast as f64 == value && value.abs() <= (1_u64 << 53) as f64).then(|| bytes.extend(cast.to_ne_bytes()))
        }};
    }
    match element {
        ElementType::Float64 => bytes.extend(value.to_ne_bytes()),
        ElementType::Float32 => bytes.extend((value as f32).to_ne_bytes()),
        ElementType::Float16 => bytes.extend(f16::from_f64(value).to_ne_bytes()),
        ElementType::BFloat16 => bytes.extend(bf16::from_f64(value).to_ne_bytes()),
        ElementType::Bool => return (value == 0.0 || value == 1.0).then(|| bytes.push(u8::from(value == 1.0))),
        ElementType::UInt8 => return integer!(u8),
        ElementType::UInt16 => return integer!(u16),
        ElementType::UInt32 => return integer!(u32),
        ElementType::UInt64 => return integer!(u64),
        ElementType::Int8 => return integer!(i8),
        ElementType::Int16 => return integer!(i16),
        ElementType::Int32 => return integer!(i32),
        ElementType::Int64 => return integer!(i64),
        ElementType::String | ElementType::Other => return None,
    }
    Some(())
}
