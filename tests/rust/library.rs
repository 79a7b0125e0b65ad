//! What needs no ONNX Runtime: statistics, certificates, noise, the sampler, and the generated header.

mod coverage;
mod guarantees;
mod header;
#[path = "common/multinomial.rs"]
mod multinomial;
mod noise;
mod sampler;
#[path = "common/statements.rs"]
mod statements;
mod stats;
mod stopping;
