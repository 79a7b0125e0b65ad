//! The vector operations that the noise kernel is written in, and the instruction sets that provide them.
//!
//! Every operation is exact or an IEEE 754 operation rounded once, so every path gives the same bits.

#[macro_use]
mod op;
#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
mod neon;
mod path;
mod portable;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use path::Path;
pub(super) use path::run;
#[cfg(test)]
pub(super) use portable::Portable;
pub(super) use vector::{Kernel, MAX_LANES, Simd};
