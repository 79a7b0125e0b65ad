//! What a model takes and gives: names, element types and shapes, as the file declares them.

use std::fmt;

use ort::value::{Outlet, TensorElementType, ValueType};
use serde::Serialize;

use crate::{Error, ErrorKind};

/// The element type of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ElementType {
    /// IEEE 754 binary32.
    Float32,
    /// IEEE 754 binary64.
    Float64,
    /// IEEE 754 binary16.
    Float16,
    /// The upper half of a binary32.
    BFloat16,
    /// Unsigned, 8 bits.
    UInt8,
    /// Unsigned, 16 bits.
    UInt16,
    /// Unsigned, 32 bits.
    UInt32,
    /// Unsigned, 64 bits.
    UInt64,
    /// Signed, 8 bits.
    Int8,
    /// Signed, 16 bits.
    Int16,
    /// Signed, 32 bits.
    Int32,
    /// Signed, 64 bits.
    Int64,
    /// True or false, one byte.
    Bool,
    /// Text.
    String,
    /// A type that this library neither feeds nor reads (complex, 8-bit floats, packed 4-bit types).
    Other,
}

impl ElementType {
    /// Bytes per element; 0 for text and for types that this library does not handle.
    pub fn bytes(self) -> usize {
        match self {
            Self::UInt8 | Self::Int8 | Self::Bool => 1,
            Self::Float16 | Self::BFloat16 | Self::UInt16 | Self::Int16 => 2,
            Self::Float32 | Self::UInt32 | Self::Int32 => 4,
            Self::Float64 | Self::UInt64 | Self::Int64 => 8,
            Self::String | Self::Other => 0,
        }
    }

    /// Whether it is one of the floating-point types.
    pub fn is_float(self) -> bool {
        matches!(self, Self::Float32 | Self::Float64 | Self::Float16 | Self::BFloat16)
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Float16 => "float16",
            Self::BFloat16 => "bfloat16",
            Self::UInt8 => "uint8",
            Self::UInt16 => "uint16",
            Self::UInt32 => "uint32",
            Self::UInt64 => "uint64",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Bool => "bool",
            Self::String => "string",
            Self::Other => "other",
        })
    }
}

impl From<TensorElementType> for ElementType {
    fn from(element: TensorElementType) -> Self {
        match element {
            TensorElementType::Float32 => Self::Float32,
            TensorElementType::Float64 => Self::Float64,
            TensorElementType::Float16 => Self::Float16,
            TensorElementType::Bfloat16 => Self::BFloat16,
            TensorElementType::Uint8 => Self::UInt8,
            TensorElementType::Uint16 => Self::UInt16,
            TensorElementType::Uint32 => Self::UInt32,
            TensorElementType::Uint64 => Self::UInt64,
            TensorElementType::Int8 => Self::Int8,
            TensorElementType::Int16 => Self::Int16,
            TensorElementType::Int32 => Self::Int32,
            TensorElementType::Int64 => Self::Int64,
            TensorElementType::Bool => Self::Bool,
            TensorElementType::String => Self::String,
            _ => Self::Other,
        }
    }
}

/// One dimension of a declared shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum Dim {
    /// A size that the model fixes.
    Fixed(usize),
    /// A size that the caller chooses; the name the model gives it, empty where it gives none.
    Dynamic(String),
}

impl Dim {
    /// The size, where the model fixes it.
    pub fn fixed(&self) -> Option<usize> {
        match self {
            Self::Fixed(size) => Some(*size),
            Self::Dynamic(_) => None,
        }
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(f, "{size}"),
            Self::Dynamic(name) if name.is_empty() => f.write_str("?"),
            Self::Dynamic(name) => f.write_str(name),
        }
    }
}

/// The type of an input or output.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ValueKind {
    /// A tensor with its declared shape.
    Tensor {
        /// Element type.
        element: ElementType,
        /// Declared shape, the batch first. Empty where the model declares none (or a scalar).
        shape: Vec<Dim>,
    },
    /// A sequence with one map per row, from class to score: scikit-learn's zipmap.
    ClassMaps {
        /// Type of the class (the map's key).
        key: ElementType,
        /// Type of the score (the map's value).
        value: ElementType,
    },
    /// Anything else, in words.
    Other {
        /// The type in words.
        text: String,
    },
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tensor { element, shape } => {
                write!(f, "{element}[")?;
                for (i, dim) in shape.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    write!(f, "{dim}")?;
                }
                f.write_str("]")
            }
            Self::ClassMaps { key, value } => write!(f, "sequence<map<{key},{value}>>"),
            Self::Other { text } => f.write_str(text),
        }
    }
}

/// An input or output: its name and type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ValueInfo {
    /// The name in the model.
    pub name: String,
    /// The type.
    #[serde(flatten)]
    pub kind: ValueKind,
}

impl fmt::Display for ValueInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind)
    }
}

/// All inputs and outputs of a model, in the order in which it declares them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Interface {
    /// The inputs that have no value in the file.
    pub inputs: Vec<ValueInfo>,
    /// The outputs.
    pub outputs: Vec<ValueInfo>,
}

impl Interface {
    /// A refusal that shows what the model takes and gives.
    pub(super) fn refuse(&self, message: impl fmt::Display) -> Error {
        Error::new(ErrorKind::Model, format!("{message} ({self})"))
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |values: &[ValueInfo]| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        write!(f, "inputs: {}; outputs: {}", list(&self.inputs), list(&self.outputs))
    }
}

impl From<&Outlet> for ValueInfo {
    fn from(outlet: &Outlet) -> Self {
        Self { name: outlet.name().to_owned(), kind: outlet.dtype().into() }
    }
}

impl From<&ValueType> for ValueKind {
    fn from(value: &ValueType) -> Self {
        match value {
            ValueType::Tensor { ty, shape, dimension_symbols } => {
                let dim = |(i, &size): (usize, &i64)| match usize::try_from(size) {
                    Ok(size) => Dim::Fixed(size),
                    Err(_) => Dim::Dynamic(dimension_symbols.get(i).cloned().unwrap_or_default()),
                };
                Self::Tensor { element: (*ty).into(), shape: shape.iter().enumerate().map(dim).collect() }
            }
            ValueType::Sequence(inner) => match inner.as_ref() {
                ValueType::Map { key, value } => Self::ClassMaps { key: (*key).into(), value: (*value).into() },
                inner => Self::Other { text: format!("sequence<{}>", Self::from(inner)) },
            },
            ValueType::Map { key, value } => {
                Self::Other { text: format!("map<{},{}>", ElementType::from(*key), ElementType::from(*value)) }
            }
            ValueType::Optional(inner) => Self::Other { text: format!("optional<{}>", Self::from(inner.as_ref())) },
        }
    }
}
