//! Where the uniform words of a sample come from.

mod chacha;
pub(super) mod group;
mod philox;

pub(super) use chacha::{ChaChaWords, first_bits, stream_key};
pub(super) use group::{GROUP, GROUP_BLOCKS, Words};
pub(super) use philox::{PhiloxWords, philox_stream_key};
