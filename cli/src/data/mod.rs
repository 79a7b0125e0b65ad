//! Examples and labels from .npz, .npy and image folders.

mod array;
mod dataset;
mod file;
mod fit;
mod folder;
mod hash;
mod labels;
mod npy;
mod npz;
mod options;
#[cfg(test)]
mod tests;

pub use dataset::Dataset;
pub use file::indices;
pub use options::{DataOptions, InputSpec, Layout, Resize};
