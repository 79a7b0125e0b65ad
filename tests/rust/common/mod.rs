//! What several suites share.
// Unsafe blocks here are calls of the ABI that keep to the header, or break it in a way that it answers.
#![allow(clippy::undocumented_unsafe_blocks)]

pub mod abi;
pub mod driver;
