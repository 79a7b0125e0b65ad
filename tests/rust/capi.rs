//! The C ABI, called as C calls it. ONNX Runtime must be found: these tests fail without it (`make setup`).
// Unsafe blocks here are calls of the ABI that keep to the header, or break it in a way that it answers.
#![allow(clippy::undocumented_unsafe_blocks)]

#[path = "common/abi.rs"]
mod abi;
#[path = "capi/alone.rs"]
mod alone;
#[path = "capi/arguments.rs"]
mod arguments;
#[path = "capi/budgets.rs"]
mod budgets;
#[path = "capi/damaged.rs"]
mod damaged;
#[path = "capi/devices.rs"]
mod devices;
#[path = "common/driver.rs"]
mod driver;
#[path = "capi/guarantees.rs"]
mod guarantees;
#[path = "capi/jobs.rs"]
mod jobs;
#[path = "capi/logging.rs"]
mod logging;
#[path = "capi/misuse.rs"]
mod misuse;
#[path = "capi/noise.rs"]
mod noise;
#[path = "capi/nulls.rs"]
mod nulls;
#[path = "capi/panics.rs"]
mod panics;
#[path = "capi/results.rs"]
mod results;
#[path = "capi/rules.rs"]
mod rules;
#[path = "capi/runtime.rs"]
mod runtime;
#[path = "capi/sequences.rs"]
mod sequences;
#[path = "capi/stopping.rs"]
mod stopping;
#[path = "capi/threads.rs"]
mod threads;

/// An input of `linear.onnx` whose label varies under noise.
fn linear_input() -> Vec<f32> {
    (0..16).map(|i| [0.25, -0.125, 0.5, 0.0][i % 4]).collect()
}
