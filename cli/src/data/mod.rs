//! Examples and labels from .npz, .npy and image folders.

mod array;
mod arrays;
mod classes;
mod dataset;
mod file;
mod fit;
mod folder;
mod hash;
mod labels;
mod listing;
mod npy;
mod npz;
mod options;
mod pixels;
#[cfg(test)]
mod tests;

pub use classes::class_names;
pub use dataset::Dataset;
pub use options::{DataOptions, InputSpec, Layout, Resize};
