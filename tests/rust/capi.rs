//! The C ABI, called as C calls it. ONNX Runtime must be found: these tests fail without it (`make setup`).
// Unsafe blocks here are calls of the ABI that keep to the header, or break it in a way that it answers.
#![allow(clippy::undocumented_unsafe_blocks)]

mod alone;
mod arguments;
mod budgets;
mod calls;
mod damaged;
mod devices;
mod guarantees;
mod jobs;
mod logging;
mod misuse;
mod noise;
mod nulls;
#[cfg(feature = "test-hooks")]
mod panics;
mod results;
mod rules;
mod runtime;
mod sequences;
mod stopping;
mod threads;

/// An input of `linear.onnx` whose label varies under noise.
fn linear_input() -> Vec<f32> {
    (0..16).map(|i| [0.25, -0.125, 0.5, 0.0][i % 4]).collect()
}
