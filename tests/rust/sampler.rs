//! Tests of the sampler room.
