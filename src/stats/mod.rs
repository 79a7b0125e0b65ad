//! Numbers in, numbers out: label counts and what they say about label probabilities.

mod counts;

pub use counts::Counts;
