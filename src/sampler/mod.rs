//! The sampler room.
